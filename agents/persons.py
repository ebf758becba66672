"""Linked accounts, by person: what a member's accounts come to together."""

from collections.abc import Sequence
from functools import cached_property
from time import monotonic
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from laurel.agents.classic import Classic
from laurel.agents.day_model import model_of_record
from laurel.agents.gathering import Gatherer
from laurel.agents.influence_networks import network_records, of_members
from laurel.agents.layouts import PERSON
from laurel.agents.reports import PERSONS, PERSONS_RAW, PERSONS_SHADOW, report
from laurel.agents.shadow_scores import by_model, decided_r0, shadow_scores
from laurel.agents.suspicion import outputs
from laurel.agents.tallied import SUMS
from laurel.agents.updates import Scored, account_scores, forgotten, insights, score_updates
from laurel.models import ragged
from laurel.models.change import PARTS, STEPS, Change, Steps, split
from laurel.models.combine import combine
from laurel.models.kernels.days import MOST
from laurel.models.networks import Networks
from laurel.models.parameters import ScoreModel
from laurel.models.reach import MOST_POINTS
from laurel.models.refusals import NO_DAY
from laurel.models.scale import histogram, percentile
from laurel.models.signals import Signals, Tally, told
from laurel.models.tally import MOST_COUNTED, together
from laurel.streams.days import Record
from laurel.streams.dead_letters import DeadLetter
from laurel.streams.network_results import INFLUENCED_BY, INFLUENCES
from laurel.streams.outbox import Output
from laurel.streams.packing import pack, unpack
from laurel.streams.partition import Changes
from laurel.streams.store import STATE

STAGE, SOURCE = "persons", "person-parts"

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]


def _points(column: "pa.Array[Any] | pa.ChunkedArray[Any]") -> Float:
    """Raw influence, float64[n]: whoever wrote it, what can't be any is none, and what is beyond measure is the most there is."""
    return np.clip(np.nan_to_num(np.asarray(column).astype(np.float64)), 0.0, float(MOST))


class _People:
    """The members of a day who have any account that counts: `names` string[n], `raw` float64[n] points and the `passed` steps to it; `accounts` string[m] and `owner` int64[m], the
    member of each."""

    def __init__(self, rows: pa.Table) -> None:
        counting = pc.unique(rows.column("person").filter(rows.column("present")))
        rows = rows.filter(pc.is_in(rows.column("person"), value_set=counting))
        person = rows.column("person").combine_chunks().dictionary_encode()
        self.names, self.accounts = person.dictionary, rows.column("account").combine_chunks()
        self.owner = person.indices.to_numpy().astype(np.int64)
        self.raw = combine(self.owner, _points(rows.column("raw")), len(self.names))
        self.passed = Steps(
            *(combine(self.owner, _points(rows.column(f"raw_{name}")), len(self.names)) for name in STEPS)
        )
        self._amounts = rows.column("amounts").combine_chunks()
        self._reached = [np.clip(rows.column(name).to_numpy(), 0, MOST_COUNTED) for name in ("people", "people_points")]
        self._counts = [_points(rows.column(name)) for name in ("reactions", "posts")]
        self._daily = rows.column("daily").combine_chunks()
        self._signs = [np.clip(rows.column(name).to_numpy(), 0, MOST_COUNTED) for name in SUMS]

    @cached_property
    def classic(self) -> Classic:
        """True reach, amplification and network influence of the members: of all their accounts together."""
        n = len(self.names)
        people, points = np.zeros((2, n), np.int64)
        reactions, posts = np.zeros((2, n))
        # Faded counts are whole numbers of 1/65536, so their sum is the same in any order.
        columns = (*self._reached, *self._counts)
        for total, each in zip((people, points, reactions, posts), columns, strict=True):
            np.add.at(total, self.owner, each)
        return Classic(people, np.minimum(points, MOST_POINTS * people), reactions, posts)

    def signals(self, window_days: int) -> Signals:
        """The members' signals: of the reactions to all their accounts together, on the days of the window."""
        n = len(self.names)
        accounts = np.asarray(pc.list_parent_indices(self._daily)).astype(np.int64)
        age, counts = ragged.ordinals(ragged.starts(accounts)), np.asarray(pc.list_flatten(self._daily))
        daily = together(n, window_days, self.owner[accounts], age, counts)
        sums = np.zeros((len(self._signs), n), np.int64)
        for total, each in zip(sums, self._signs, strict=True):
            np.add.at(total, self.owner, each)
        young, acts, squares = sums
        nothing = np.zeros(n, np.int64)
        people = self.classic.people
        return told(Tally(daily.reactions(), daily.busiest(), people, young, acts, squares, nothing))

    def amounts(self, networks: Networks) -> tuple[Int, Int, Float]:
        """Member, place in the network table, and points of each action that counts for a member, ordered by the first two."""
        rows = pc.list_flatten(self._amounts)
        owner = self.owner[np.asarray(pc.list_parent_indices(self._amounts)).astype(np.int64)]
        code = networks.codes(pc.struct_field(rows, "network"), pc.struct_field(rows, "action"))
        points = _points(pc.struct_field(rows, "points"))
        # From the smallest up, so that the sum does not depend on the order in which accounts arrived.
        order = np.lexsort((points, code, owner))
        owner, code, points = owner[order], code[order], points[order]
        heads = np.flatnonzero(ragged.starts(owner, code))
        sums = np.add.reduceat(points, heads) if len(heads) else points
        return owner[heads], code[heads], sums

    def made_of(self, names: pa.StringArray, networks: Networks) -> tuple[Float, Int, Int, Float]:
        """Of the members of these names: raw influence, and offsets, places and points of their actions (see by_model). One
        who is not here has none."""
        place = pc.index_in(names, value_set=self.names).fill_null(len(self.names)).to_numpy(zero_copy_only=False)
        owner, code, amount = self.amounts(networks)
        rank = np.full(len(self.names), -1)  # of the members here, among `names`
        here = place < len(self.names)
        rank[place[here]] = np.flatnonzero(here)
        rows = np.flatnonzero(rank[owner] >= 0)
        rows = rows[np.argsort(rank[owner[rows]], kind="stable")]
        offsets = np.searchsorted(rank[owner[rows]], np.arange(len(names) + 1))
        return np.append(self.raw, 0.0)[place], offsets, code[rows], amount[rows]


class Persons(Gatherer):
    """Keeps the last published score of each member of one partition, and whether there were signals with it."""

    record = "PersonPart"

    async def settle(self, day: int, rows: pa.Table, offset: int, refused: list[DeadLetter]) -> None:
        """Counts the members in, and when the day is calibrated publishes their scores."""
        began = monotonic()
        model, shadows = self._model(day), self._shadows(day)
        tells = pc.equal(rows["direction"], "")
        rows, tied = rows.filter(tells), rows.filter(pc.invert(tells))
        people, *beside = (
            _People(rows.filter(pc.equal(rows["shadow"], name))) for name in ("", *(s.name for s in shadows))
        )
        counted = [self._count(*each, day, PERSONS_SHADOW) for each in zip(beside, shadows, strict=True)]
        await self._partition.publish([*counted, self._count(people, model, day, PERSONS_RAW)])
        decided = await self._context.calendar.wait(day, "calibrated")
        model_of_record(self._context, decided)
        done = await self._partition.in_thread(
            lambda: self._publish(model, shadows, day, people, beside, decided, offset)
        )
        done.refused = refused
        done.outputs += await self._partition.in_thread(lambda: self._networks(day, tied, rows))
        await self._partition.checkpoint(done)
        self._context.metrics.scored(len(people.names))
        self._context.metrics.closing(STAGE, monotonic() - began)

    def _count(self, people: "_People", model: ScoreModel, day: int, stage: str) -> Output:
        counted = {"people": len(people.names), "histogram": histogram(people.raw, model).tolist()}
        return report(self._context, model, day, stage, self._partition.number, **counted)

    def _networks(self, day: int, parts: pa.Table, accounts: pa.Table) -> list[Output]:
        """The members' lists in each direction: of all their accounts together."""
        found = []
        for direction in (INFLUENCES, INFLUENCED_BY):
            some = parts.filter(pc.equal(parts["direction"], direction))
            if len(some):
                found.append(network_records(self._context, direction, day, *of_members(some, accounts)))
        return found

    def _publish(
        self,
        model: ScoreModel,
        shadows: Sequence[ScoreModel],
        day: int,
        people: "_People",
        beside: Sequence["_People"],
        decided: Record,
        offset: int,
    ) -> Changes:
        """The members' scores by the day's model, and beside them by those in its shadow."""
        context = self._context
        keys = people.names.cast(pa.binary()).to_pylist()
        left = sorted({key for known, _ in self._partition.store.scan() for key in known} - set(keys))
        gone = forgotten(context, left)
        done = report(context, model, day, PERSONS, self._partition.number, published=len(keys))
        changes = Changes(offset, outputs=[*gone, done], notes={"settled": day})
        changes.keys, changes.values = [STATE + key for key in left], [None] * len(left)
        if not keys:
            return changes
        given = [
            by_model(each, r0, *found.made_of(people.names, context.networks))
            for each, r0, found in (
                (model, decided["r0"], people),
                *((shadows[at], r0, beside[at]) for at, r0 in decided_r0(decided, shadows)),
            )
        ]
        scores = given[0].scores
        last = context.calendar.closed_before(day)
        states = unpack(PERSON, self._partition.store.states(keys))
        # Who was away at the last close begins anew.
        had = states.header["day"] == (last["day"] if last is not None else NO_DAY)
        previous = states.header["score"].copy()
        percentiles = percentile(people.raw, np.array(decided["bins"], np.int64), model)
        # From what its accounts of today came to at the close before: what is missing to `previous` was linked or unlinked.
        change = Change(*[np.zeros(len(keys))] * len(PARTS))
        if last is not None:
            old = model_of_record(context, last)
            change = split(previous, people.passed, last["r0"], old, scores, same_model=old.name == model.name)
        scored = Scored(people.names, scores, previous, had, percentiles, given[0].made_of, change, people.classic)
        signals = people.signals(model.window_days)
        flagged = signals.any_flagged()
        changes.outputs += [
            score_updates(context, model, day, scored),
            insights(context, day, scored),
            *outputs(context, day, people.names, signals, flagged, states.header["flagged"]),
            account_scores(context, day, people.accounts, scores[people.owner]),
        ]
        if len(given) > 1:
            changes.outputs.append(shadow_scores(context, day, people.names, given))
        states.header["day"], states.header["score"], states.header["flagged"] = day, scores, flagged
        changes.keys += [STATE + key for key in keys]
        changes.values += pack(PERSON, states)
        return changes
