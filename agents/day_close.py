"""One partition's part of a day's close: how much influence there is, and then the scores.

Both passes compute from the state alone and write nothing to it. What a pass publishes and the report that it is done are one
transaction: a pass that was interrupted has published nothing, and is done again.
"""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from laurel.agents.context import Context
from laurel.agents.day_model import model_of_record
from laurel.agents.layouts import INFLUENCE
from laurel.agents.links import Link, links
from laurel.agents.reports import TARGETS, TARGETS_RAW, report, reported
from laurel.agents.updates import Scored, account_scores, insights, score_updates
from laurel.models.change import PARTS, STEPS, Change, Steps, split, steps
from laurel.models.contributions import contributions
from laurel.models.fade import FADE_UNIT
from laurel.models.influence import Influences
from laurel.models.leaders import Candidates, empty
from laurel.models.parameters import ScoreModel
from laurel.models.ragged import Ragged
from laurel.models.scale import base_score, earned_points, histogram, percentile, score
from laurel.models.shortlist import Shortlist
from laurel.models.standing import POINT, Standing, standing, topic_parts
from laurel.streams.log import LogWriter
from laurel.streams.outbox import Output
from laurel.streams.packing import unpack
from laurel.streams.partition import Partition
from laurel.streams.writer import Transaction

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]


@dataclass(frozen=True)
class _Basis:
    """What a day's standing is computed with: its model, the networks' reactions per post, and r0 once it is decided."""

    model: ScoreModel
    day: int
    means: Float
    r0: float | None


class DayClose:
    """The close of one day for one partition of targets."""

    def __init__(
        self, context: Context, partition: Partition, writer: LogWriter, model: ScoreModel, day: int, *, resumed: bool
    ) -> None:
        """`resumed`: whether an earlier owner of the partition may have done some of it. The writer is open."""
        self._context, self._partition, self._writer, self._day = context, partition, writer, day
        self._resumed = resumed
        self._links: Mapping[bytes, Link] = {}
        self._stopped = threading.Event()
        self._model = model

    def stop(self) -> None:
        """Ends a pass under way at its next block, from any thread."""
        self._stopped.set()

    async def run(self) -> None:
        """Does what is left to do of the close. Errors of Kafka or the store are raised."""
        known = self._context.calendar.day(self._day)
        if known is not None and known["status"] == "closed":
            return
        began = monotonic()
        self._links = await self._partition.in_thread(lambda: links(self._partition.store))
        done: set[str] = set()
        if self._resumed:
            done = await self._partition.in_thread(lambda: reported(self._context, self._day, self._partition.number))
        if TARGETS_RAW not in done:
            await self._partition.in_thread(lambda: self._writer.transact(self._report_influence))
        decided = await self._context.calendar.wait(self._day, "calibrated")
        if TARGETS not in done:
            await self._partition.in_thread(
                lambda: self._writer.transact(lambda out: self._publish_scores(out, decided))
            )
        self._context.metrics.closing("targets", monotonic() - began)
        await self._context.calendar.wait_closed(self._day)

    def _basis(self, model: ScoreModel, day: int, record: Mapping[str, Any] | None) -> _Basis:
        """The means in force at the close of `day` are those that the closed day before it ended with."""
        networks = self._context.networks
        before = self._context.calendar.closed_before(day)
        found = {entry["network"]: entry["mean"] for entry in (before["reactions_per_post"] if before else ())}
        means = np.array([found.get(name, model.first_mean) for name in networks.network_names])
        return _Basis(model, day, means, None if record is None else record["r0"])

    def _blocks(self) -> Iterator[tuple[list[bytes], Influences]]:
        for keys, values in self._partition.store.scan():
            if self._stopped.is_set():
                raise InterruptedError(f"the close of {self._day} goes on elsewhere")
            states = unpack(INFLUENCE, values)
            yield keys, Influences(states.sections["buckets"], states.sections["topics"])

    def _standing(self, influences: Influences, basis: _Basis) -> Standing:
        return standing(influences, basis.day, basis.means, self._context.networks, basis.model)

    def _members(self, keys: list[bytes]) -> tuple[list[str | None], npt.NDArray[np.bool_]]:
        """Whom each account is linked to, and where that is a change since the last close."""
        if not self._links:
            return [None] * len(keys), np.zeros(len(keys), np.bool_)
        found = [self._links.get(key) for key in keys]
        changed = np.array([link is not None and link.since == self._day for link in found], np.bool_)
        return [None if link is None else link.member for link in found], changed

    def _report_influence(self, out: Transaction) -> None:
        """First pass: a histogram of raw influence, sums by network, the linked accounts' parts of their members' influence,
        and this partition's candidates of each topic."""
        context, model = self._context, self._model
        basis, earlier = self._basis(model, self._day, None), self._earlier()
        bins, people = np.zeros(model.bins, np.int64), 0
        reactions = np.zeros(len(context.networks.network_names), np.int64)
        posts = np.zeros_like(reactions)
        best = Shortlist(model.leaders_kept)
        unseen = {account for account, link in self._links.items() if link.member is not None}
        for keys, influences in self._blocks():
            found = self._standing(influences, basis)
            members, _ = self._members(keys)
            linked = np.array([member is not None for member in members], np.bool_)
            alone = found.present & ~linked
            bins += histogram(found.raw[alone], model)
            people += int(alone.sum())
            posting = found.presences.rows[found.presences.rows["posts"] > 0]
            np.add.at(reactions, posting["network"], posting["reactions"])
            np.add.at(posts, posting["network"], posting["posts"])
            rows = np.flatnonzero(linked)
            self._send_parts(
                out, [keys[at] for at in rows.tolist()], found.present[rows], rows, (influences, found, earlier)
            )
            unseen.difference_update(keys)
            standings = topic_parts(influences, self._day, model)
            held, persons = standings.keep(~linked[standings.owners]), pa.array(keys, pa.binary()).cast(pa.string())
            best.add(
                held.rows["topic"].astype(np.int64), held.owners, held.rows["strength"], held.rows["plus_k"], persons
            )
            self._send_candidates(out, _of_members(members, standings, linked))
        self._send_candidates(out, best.best())
        self._send_parts(out, sorted(unseen), np.zeros(len(unseen), np.bool_), np.empty(0, np.int64), None)
        self._send_markers(out)
        totals = [
            {"network": name, "reactions": r, "posts": p}
            for name, r, p in zip(context.networks.network_names, reactions.tolist(), posts.tolist(), strict=True)
            if p
        ]
        out.send(self._report(TARGETS_RAW, people=people, histogram=bins.tolist(), networks=totals))

    def _send_parts(
        self,
        out: Transaction,
        accounts: list[bytes],
        present: npt.NDArray[np.bool_],
        rows: Int,
        held: tuple[Influences, Standing, _Basis | None] | None,
    ) -> None:
        """What linked accounts bring to their members; `rows` are theirs in what is held: states, standing, and what the close
        before was computed with; None for accounts without state."""
        if not accounts:
            return
        context, networks, n = self._context, self._context.networks, len(accounts)
        offsets, raw = np.zeros(n + 1, np.int64), np.zeros(n)
        code, points = np.empty(0, np.int64), np.empty(0)
        passed = Steps(*[np.zeros(n)] * len(STEPS))
        if held is not None:
            influences, found, earlier = held
            if earlier is not None:
                own = Influences(influences.buckets.take(rows), influences.topics.take(rows))
                passed = self._passed(
                    own, earlier, self._standing(own, earlier), self._standing(own, replace(earlier, day=self._day))
                )
            parts, raw = found.parts.take(rows), found.raw[rows]
            offsets, code = parts.offsets, parts.rows["code"]
            points = self._factors(found, rows) * parts.rows["part"] / (FADE_UNIT * POINT)
        amounts = pa.StructArray.from_arrays(
            [
                pa.array(np.array(networks.network, object)[code], pa.string()),
                pa.array(np.array(networks.action, object)[code], pa.string()),
                pa.array(points),
            ],
            names=["network", "action", "points"],
        )
        persons = [self._links[account].member or "" for account in accounts]
        batch = pa.RecordBatch.from_pydict(
            {
                "person": pa.array(persons, pa.string()),
                "day": pa.array(np.full(n, self._day, np.int32)),
                "upstream": pa.array(np.full(n, self._partition.number, np.int32)),
                "account": pa.array(accounts, pa.binary()).cast(pa.string()),
                "present": pa.array(present),
                "raw": pa.array(raw),
                "amounts": pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), amounts),
                **{f"raw_{name}": pa.array(getattr(passed, name)) for name in STEPS},
            }
        )
        values = context.codec.encode("PersonPart", batch)
        out.send(Output(context.topic("person-parts"), [person.encode() for person in persons], values))

    def _factors(self, found: Standing, rows: Int) -> Float:
        """The amplification of each part of some accounts: that of its account's presence on its network."""
        lane = len(self._context.networks.network_names)
        parts, presences = found.parts.take(rows), found.presences
        network = self._context.networks.network_code[parts.rows["code"]]
        place = np.searchsorted(
            presences.owners * lane + presences.rows["network"], np.repeat(rows, parts.lengths) * lane + network
        )
        return np.asarray(found.factors[place], np.float64)

    def _earlier(self) -> _Basis | None:
        """What the close before was computed with, None if there was none."""
        last = self._context.calendar.closed_before(self._day)
        return None if last is None else self._basis(model_of_record(self._context, last), last["day"], last)

    def _passed(self, influences: Influences, earlier: _Basis, before: Standing, after: Standing) -> Steps:
        """How these accounts came from the close before to this one, by the model of the one before."""
        context, days, model = self._context, (earlier.day, self._day), earlier.model
        if model != self._model:
            after = standing(influences, self._day, earlier.means, context.networks, model)
        return steps(influences, before, after, days, earlier.means, context.networks, model)

    def _send_candidates(self, out: Transaction, candidates: Candidates) -> None:
        order = np.argsort(candidates.topic, kind="stable")
        codes, begins = np.unique(candidates.topic[order], return_index=True)
        n = len(codes)
        if not n:
            return
        names = self._partition.store.names([code.astype(np.uint64).tobytes() for code in codes])
        people = pa.StructArray.from_arrays(
            [
                candidates.person.take(pa.array(order)),
                pa.array(candidates.strength[order]),
                pa.array(candidates.plus_k[order]),
            ],
            names=["person", "strength", "plus_k"],
        )
        batch = pa.RecordBatch.from_pydict(
            {
                "topic": pa.array(names, pa.binary()).cast(pa.string()),
                "day": pa.array(np.full(n, self._day, np.int32)),
                "upstream": pa.array(np.full(n, self._partition.number, np.int32)),
                "candidates": pa.ListArray.from_arrays(pa.array(np.append(begins, len(order)), pa.int32()), people),
            }
        )
        values = self._context.codec.encode("TopicCandidates", batch)
        out.send(Output(self._context.topic("topic-candidates"), [name or b"" for name in names], values))

    def _send_markers(self, out: Transaction) -> None:
        """Says that all of this partition's candidates and parts of the day were sent."""
        context, number = self._context, self._partition.number
        marker = {"day": self._day, "upstream": number, "upstream_offset": -1, "model": self._model.name}
        value = context.codec.encode_one("DayMarker", marker)
        for topic in ("topic-candidates", "person-parts"):
            for partition in range(context.partitions):
                out.send(Output(context.topic(topic), [b""], [value], partition))

    def _publish_scores(self, out: Transaction, decided: Mapping[str, Any]) -> None:
        """Second pass: a score update for everyone with state who is their own person, and the account scores that changed by
        a whole earned point."""
        context, model, number = self._context, self._model, self._partition.number
        basis = self._basis(model, self._day, decided)
        earlier = self._earlier()
        bins = np.array(decided["bins"], np.int64)
        base = float(base_score(decided["r0"], model))
        published = 0
        for keys, influences in self._blocks():
            found = self._standing(influences, basis)
            scores = score(found.raw, decided["r0"], model)
            if earlier is None or earlier.r0 is None:
                was_present, before = np.zeros(len(keys), np.bool_), np.zeros(len(keys))
                change = Change(*[before] * len(PARTS))
            else:
                old = self._standing(influences, earlier)
                was_present, before = old.present, score(old.raw, earlier.r0, earlier.model)
                passed = self._passed(influences, earlier, old, found)
                same = earlier.model.name == model.name
                change = split(before, passed, earlier.r0, earlier.model, scores, same_model=same)
            members, relinked = self._members(keys)
            alone = np.array([member is None for member in members], np.bool_)
            rows = np.flatnonzero(found.present & alone)
            if len(rows):
                parts, factors = found.parts.take(rows), self._factors(found, rows)
                made_of = contributions(
                    scores[rows], base, parts.offsets, parts.rows["code"], parts.rows["part"], factors
                )
                persons = [keys[at] for at in rows.tolist()]
                percentiles = percentile(found.raw[rows], bins, model)
                told = Scored(
                    persons, scores[rows], before[rows], was_present[rows], percentiles, made_of, change.take(rows)
                )
                out.send(score_updates(context, model, self._day, told))
                out.send(insights(context, self._day, told))
                published += len(rows)
            # An account that went to a member is no person of its own any more.
            gone = [keys[at] for at in np.flatnonzero(relinked & ~alone).tolist()]
            for topic in ("score-updates", "insights"):
                out.send(Output(context.topic(topic), gone, [None] * len(gone)))
            earned = np.where(found.present, earned_points(scores, decided["r0"], model), 0)
            had_earned = np.zeros_like(earned)
            if earlier is not None and earlier.r0 is not None:
                had_earned = np.where(was_present, earned_points(before, earlier.r0, earlier.model), 0)
            changed = np.flatnonzero(((earned != had_earned) | relinked) & alone)
            if len(changed):
                accounts = [keys[at] for at in changed.tolist()]
                given = np.where(found.present, scores, 1.0)[changed]
                out.send(account_scores(context, self._day, accounts, given, number))
        out.send(self._report(TARGETS, published=published))
        context.metrics.scored(published)

    def _report(self, stage: str, **fields: Any) -> Output:
        return report(self._context, self._model, self._day, stage, self._partition.number, **fields)


def _of_members(members: list[str | None], standings: Ragged, linked: npt.NDArray[np.bool_]) -> Candidates:
    """Where the linked accounts stand in topics (TOPIC_PART by account), as their members."""
    if not linked.any():
        return empty()
    held = standings.keep(linked[standings.owners])
    people = pa.array(members, pa.string()).take(pa.array(held.owners))
    return Candidates(
        held.rows["topic"].astype(np.int64), people, held.rows["strength"].copy(), held.rows["plus_k"].copy()
    )
