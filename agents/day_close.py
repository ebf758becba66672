"""One partition's part of a day's close: how much influence there is, and then the scores.

What both passes tell comes from the state alone, and nothing is written to it. What a pass publishes and the report that it is done are one
transaction: a pass that was interrupted has published nothing, and is done again. The second pass goes over what the first has
counted; where an earlier owner of the partition did the first, it is counted again.
"""

import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from laurel.agents.classic import classic
from laurel.agents.context import Context
from laurel.agents.counted import Counted, Kept, nothing
from laurel.agents.day_model import model_of_record, scale_after
from laurel.agents.handed_on import HandedOn
from laurel.agents.influence_networks import InfluenceNetworks
from laurel.agents.layouts import INFLUENCE
from laurel.agents.links import Link, links
from laurel.agents.optouts import opted_out
from laurel.agents.reports import TARGETS, TARGETS_RAW, TARGETS_SHADOW, Totals, report, reported
from laurel.agents.shadow_scores import ByModel, by_model, decided_r0, shadow_scores
from laurel.agents.suspicion import of_accounts
from laurel.agents.tallied import Tallied
from laurel.agents.updates import Scored, account_scores, forgotten, insights, record_keys, score_updates
from laurel.models.change import PARTS, STEPS, Change, Steps, split, steps
from laurel.models.contributions import contributions
from laurel.models.daily import Grouped
from laurel.models.leaders import Candidates
from laurel.models.parameters import ScoreModel
from laurel.models.ragged import Ragged, Runs
from laurel.models.reach import reach
from laurel.models.scale import base_score, earned_points, percentile, score
from laurel.models.shortlist import Shortlist
from laurel.models.standing import Standing, stand, topic_parts
from laurel.streams.ahead import ahead
from laurel.streams.log import LogWriter
from laurel.streams.network_results import INFLUENCES
from laurel.streams.outbox import Output
from laurel.streams.packing import locate
from laurel.streams.partition import Partition
from laurel.streams.writer import Transaction

Float = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Int = npt.NDArray[np.int64]


@dataclass(frozen=True)
class _Basis:
    """What a day's standing is computed with: its model and the networks' reactions per post; and r0, once it is decided."""

    model: ScoreModel
    day: int
    means: Float
    r0: float


@dataclass(frozen=True)
class _Block:
    """Some accounts of the partition: their states, where they stand by the day's model and then by each in its shadow, all that
    is counted of them by each of these, and what their signals are told from."""

    keys: list[bytes]
    topics: Runs
    found: list[Standing]
    counted: list[Counted]
    tallied: Tallied


class DayClose:
    """The close of one day for one partition of targets."""

    def __init__(
        self,
        context: Context,
        partition: Partition,
        writer: LogWriter,
        model: ScoreModel,
        shadows: Sequence[ScoreModel],
        day: int,
        *,
        resumed: bool,
    ) -> None:
        """`shadows` are models to compute beside `model`; `resumed`: whether an earlier owner of the partition may have done some of it.
        The writer is open."""
        self._context, self._partition, self._writer, self._day = context, partition, writer, day
        self._resumed = resumed
        self._links: Mapping[bytes, Link] = {}
        self._stopped = threading.Event()
        self._model, self._shadows = model, shadows
        self._kept: list[Kept] = []  # by the day's model, then by each in its shadow

    def stop(self) -> None:
        """Ends a pass under way at its next block, from any thread."""
        self._stopped.set()

    async def run(self) -> None:
        """Does what is left to do of the close. Errors of Kafka or the store are raised."""
        known = self._context.calendar.day(self._day)
        if known is not None and known["status"] == "closed":
            return
        try:
            await self._run()
        finally:
            self._forget()

    async def _run(self) -> None:
        began = monotonic()
        self._links = await self._partition.in_thread(lambda: links(self._partition.store))
        done: set[str] = set()
        if self._resumed:
            done = await self._partition.in_thread(lambda: reported(self._context, self._day, self._partition.number))
        if TARGETS_RAW not in done:
            await self._partition.in_thread(lambda: self._writer.transact(self._report_influence))
        decided = await self._context.calendar.wait(self._day, "calibrated")
        model_of_record(self._context, decided)
        if TARGETS not in done:
            await self._partition.in_thread(
                lambda: self._writer.transact(lambda out: self._publish_scores(out, decided))
            )
        self._context.metrics.closing("targets", monotonic() - began)
        await self._context.calendar.wait_closed(self._day)

    def _forget(self) -> None:
        for kept in self._kept:
            kept.close()
        self._kept = []

    def _basis(self, model: ScoreModel, day: int, r0: float = np.nan) -> _Basis:
        """The means in force at the close of `day` are those that the closed day before it ended with."""
        found = scale_after(self._context.calendar.closed_before(day), model).means
        means = np.array([found.get(name, model.first_mean) for name in self._context.networks.network_names])
        return _Basis(model, day, means, r0)

    def _earlier(self) -> _Basis | None:
        """What the close before was computed with, None if there was none."""
        last = self._context.calendar.closed_before(self._day)
        return None if last is None else self._basis(model_of_record(self._context, last), last["day"], last["r0"])

    def _located(self) -> Generator[tuple[list[bytes], dict[str, Runs]], None, None]:
        """The keys of some accounts, and where the sections of their states lie."""
        for keys, values in self._partition.store.scan():
            yield keys, locate(INFLUENCE, values)[1]

    def _blocks(self) -> Iterator[_Block]:
        basis, earlier = self._basis(self._model, self._day), self._earlier()
        shadows = [self._basis(model, self._day) for model in self._shadows]
        for keys, sections in ahead(self._located()):
            self._go_on()
            yield self._block(keys, sections, basis, earlier, shadows)

    def _block(
        self,
        keys: list[bytes],
        sections: Mapping[str, Runs],
        basis: _Basis,
        earlier: _Basis | None,
        shadows: Sequence[_Basis],
    ) -> _Block:
        """What else a close is to know of every account is one more thing to keep of `sections` here, a kernel's work at best, and to add to
        what is told of it in `_report_influence`."""
        networks, before = self._context.networks, earlier.day if earlier else None
        grouped = Grouped(sections["buckets"], self._day, self._day if before is None else before, networks)
        found, counted = self._count(keys, grouped, sections["people"], basis, earlier)
        beside = [stand(grouped.by(s.model), s.means, s.model) for s in shadows]
        signs = Tallied(basis.model, networks, self._day, before, sections["buckets"], sections["people"])
        shadowed = [self._by_shadow(counted, each) for each in beside]
        return _Block(keys, sections["topics"], [found, *beside], [counted, *shadowed], signs)

    def _count(
        self, keys: list[bytes], grouped: Grouped, people: Runs, basis: _Basis, earlier: _Basis | None
    ) -> tuple[Standing, Counted]:
        """Where some accounts stand by the day's model, and all that is counted of them."""
        found = stand(grouped.by(self._model), basis.means, self._model)
        had_previous, passed = np.zeros(len(keys), np.bool_), Steps(*[np.zeros(len(keys))] * len(STEPS))
        if earlier is not None:
            had_previous, passed = steps(grouped.by(earlier.model), earlier.means, earlier.model)
        alone, relinked = self._linked(keys)
        return found, Counted(
            pa.array(keys, pa.binary()).cast(pa.string()),
            found.present,
            had_previous,
            alone,
            relinked,
            found.raw,
            classic(reach(people, self._day, self._model), found.presences),
            passed,
            found.parts.offsets,
            found.parts.rows["code"],
            found.amounts,
        )

    def _by_shadow(self, counted: Counted, found: Standing) -> Counted:
        """What is counted of the same people by a model in shadow, by which they stand elsewhere."""
        parts = found.parts
        return replace(
            counted,
            raw=found.raw,
            passed=Steps(*[np.zeros(len(found.raw))] * len(STEPS)),
            offsets=parts.offsets,
            code=parts.rows["code"],
            amount=found.amounts,
        )

    def _linked(self, keys: list[bytes]) -> tuple[Flags, Flags]:
        """Which accounts are linked to nobody, and where whom one is linked to changed since the last close."""
        alone, changed = np.ones(len(keys), np.bool_), np.zeros(len(keys), np.bool_)
        for at in np.flatnonzero([key in self._links for key in keys]).tolist() if self._links else ():
            link = self._links[keys[at]]
            alone[at], changed[at] = link.member is None, link.is_new(self._day)
        return alone, changed

    def _report_influence(self, out: Transaction) -> None:
        """First pass: a histogram of raw influence, sums by network, the linked accounts' parts of their members' influence, this
        partition's candidates of each topic; and signals, which need nothing of what is decided."""
        context, store, models = self._context, self._partition.store, [self._model, *self._shadows]
        handed_on = HandedOn(context, self._partition.number, self._model, self._day, self._shadows, self._links)
        self._forget()
        self._kept = [Kept(store.path.parent) for _ in models]
        totals = [Totals(context.networks, model) for model in models]
        best = Shortlist(self._model.leaders_kept)
        unseen = {account for account, link in self._links.items() if link.member is not None}
        for block in self._blocks():
            counted = block.counted[0]
            for total, found in zip(totals, block.found, strict=True):
                total.add(found, counted.present & counted.alone)
            standings = topic_parts(block.topics, self._day, self._model)
            held = standings if counted.alone.all() else standings.keep(counted.alone[standings.owners])
            best.add(
                held.rows["topic"].astype(np.int64),
                held.owners,
                held.rows["strength"],
                held.rows["plus_k"],
                counted.accounts,
            )
            linked = np.flatnonzero(~counted.alone)
            if len(linked):
                accounts = [block.keys[at] for at in linked.tolist()]
                out.send(handed_on.parts(accounts, counted.take(linked), block.tallied.parts(linked)))
                for model, each in zip(self._shadows, block.counted[1:], strict=True):
                    out.send(handed_on.parts(accounts, each.take(linked), shadow=model.name))
                out.send(handed_on.candidates(store, self._of_members(accounts, standings.take(linked))))
                unseen.difference_update(accounts)
            for output in of_accounts(context, self._day, counted, block.tallied):
                out.send(output)
            for kept, each in zip(self._kept, block.counted, strict=True):
                kept.add(each.told())
        out.send(handed_on.candidates(store, best.best()))
        if unseen:
            out.send(handed_on.parts(sorted(unseen), nothing(sorted(unseen))))
        self._send_networks(out)
        for marker in handed_on.markers():
            out.send(marker)
        for model, total in zip(self._shadows, totals[1:], strict=True):
            out.send(report(context, model, self._day, TARGETS_SHADOW, self._partition.number, **total.fields()))
        out.send(self._report(TARGETS_RAW, **totals[0].fields()))

    def _send_networks(self, out: Transaction) -> None:
        """Sends whom this partition's accounts influence."""
        last, store = self._context.calendar.closed_before(self._day), self._partition.store
        before = None if last is None else (last["day"], model_of_record(self._context, last))
        outs, number = opted_out(store, self._day), self._partition.number
        networks = InfluenceNetworks(
            self._context, number, store, INFLUENCES, self._day, self._model, before, self._links, outs
        )
        for network in networks:
            self._go_on()
            out.send(network)

    def _of_members(self, accounts: list[bytes], standings: Ragged) -> Candidates:
        """Where linked accounts stand in topics (TOPIC_PART by account), as their members."""
        rows, members = standings.rows, pa.array([self._links[account].member for account in accounts], pa.string())
        return Candidates(
            rows["topic"].astype(np.int64),
            members.take(pa.array(standings.owners)),
            rows["strength"].copy(),
            rows["plus_k"].copy(),
        )

    def _counted(self) -> Iterator[Sequence[Counted]]:
        """What the first pass has counted, or would have, by the day's model and then by each in its shadow."""
        if not self._kept:
            for block in self._blocks():
                yield [counted.told() for counted in block.counted]
            return
        for counted in zip(*self._kept, strict=True):
            self._go_on()
            yield counted

    def _go_on(self) -> None:
        if self._stopped.is_set():
            raise InterruptedError(f"the close of {self._day} goes on elsewhere")

    def _publish_scores(self, out: Transaction, decided: Mapping[str, Any]) -> None:
        """Second pass: a score update for everyone with state who is their own person, and the account scores that changed by
        a whole earned point."""
        earlier, published = self._earlier(), 0
        for counted, *shadows in self._counted():
            told = self._publish(out, counted, decided, earlier)
            published += len(told.persons)
            self._publish_shadows(out, told, shadows, decided)
        out.send(self._report(TARGETS, published=published))
        self._context.metrics.scored(published)

    def _publish(
        self, out: Transaction, counted: Counted, decided: Mapping[str, Any], earlier: _Basis | None
    ) -> Scored:
        """Sends what there is to tell of some accounts; returns the scores of those that have one."""
        context, model, r0 = self._context, self._model, decided["r0"]
        scores = score(counted.raw, r0, model)
        if earlier is None:
            before = np.zeros(len(scores))
            change = Change(*[before] * len(PARTS))
        else:
            before = score(counted.passed.before, earlier.r0, earlier.model)
            same = earlier.model.name == model.name
            change = split(before, counted.passed, earlier.r0, earlier.model, scores, same_model=same)
        rows = np.flatnonzero(counted.present & counted.alone)
        own = counted if len(rows) == len(scores) else counted.take(rows)
        told = Scored(
            own.accounts,
            scores[rows],
            before[rows],
            own.had_previous,
            percentile(own.raw, np.array(decided["bins"], np.int64), model),
            contributions(scores[rows], float(base_score(r0, model)), own.offsets, own.code, own.amount),
            change.take(rows),
            own.classic,
        )
        if len(rows):
            out.send(score_updates(context, model, self._day, told))
            out.send(insights(context, self._day, told))
        # An account that went to a member is no person of its own any more.
        gone = counted.accounts.filter(pa.array(counted.relinked & ~counted.alone))
        for output in forgotten(context, record_keys(gone)):
            out.send(output)
        earned = np.where(counted.present, earned_points(scores, r0, model), 0)
        had_earned = np.zeros_like(earned)
        if earlier is not None:
            had_earned = np.where(counted.had_previous, earned_points(before, earlier.r0, earlier.model), 0)
        changed = np.flatnonzero(((earned != had_earned) | counted.relinked) & counted.alone)
        if len(changed):
            accounts = counted.accounts.take(pa.array(changed))
            given = np.where(counted.present, scores, 1.0)[changed]
            out.send(account_scores(context, self._day, accounts, given, self._partition.number))
        return told

    def _publish_shadows(
        self, out: Transaction, told: Scored, shadows: Sequence[Counted], decided: Mapping[str, Any]
    ) -> None:
        """Sends what the same people's scores are by the models in shadow."""
        given = [ByModel(self._model.name, told.scores, told.made_of)]
        for at, r0 in decided_r0(decided, self._shadows):
            own = shadows[at].take(np.flatnonzero(shadows[at].present & shadows[at].alone))
            given.append(by_model(self._shadows[at], r0, own.raw, own.offsets, own.code, own.amount))
        if len(given) > 1 and len(told.persons):
            out.send(shadow_scores(self._context, self._day, told.persons, given))

    def _report(self, stage: str, **fields: Any) -> Output:
        return report(self._context, self._model, self._day, stage, self._partition.number, **fields)
