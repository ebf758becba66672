"""One partition's part of a day's close: how much influence there is, and then the scores.

Both passes compute from the state alone and write nothing to it, so a close that was interrupted is done again from the
start, with the same result.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from laurel.agents.context import Context
from laurel.agents.layouts import INFLUENCE
from laurel.models.contributions import BASE, contributions
from laurel.models.influence import Influences
from laurel.models.leaders import Candidates, merge, top_candidates
from laurel.models.networks import OWN_NETWORK
from laurel.models.scale import histogram, percentile, score
from laurel.models.standing import Standing, standing, topic_parts
from laurel.streams.outbox import Output
from laurel.streams.packing import unpack
from laurel.streams.partition import Partition
from laurel.streams.reader import ends

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]

RAW, SCORES = "targets-raw", "targets"  # what the two passes are called in day reports


@dataclass(frozen=True)
class _Basis:
    """What a day's standing is computed with: the day, the networks' reactions per post, and r0 once it is decided."""

    day: int
    means: Float
    r0: float | None


class DayClose:
    """The close of one day for one partition of targets."""

    def __init__(self, context: Context, partition: Partition, day: int) -> None:
        self._context, self._partition, self._day = context, partition, day

    async def run(self) -> None:
        """Does what is left to do of the close. Errors of Kafka or the store are raised."""
        known = self._context.calendar.day(self._day)
        if known is not None and known["status"] == "closed":
            return
        began = monotonic()
        if known is None or known["status"] != "calibrated":
            await self._partition.in_thread(self._report_influence)
        decided = await self._context.calendar.wait(self._day, "calibrated")
        await self._partition.in_thread(lambda: self._publish_scores(decided))
        self._context.metrics.closing("targets", monotonic() - began)
        await self._context.calendar.wait_closed(self._day)

    def _basis(self, day: int, record: Mapping[str, Any] | None) -> _Basis:
        """The means in force at the close of `day` are those that the closed day before it ended with."""
        networks, model = self._context.networks, self._context.model
        before = self._context.calendar.closed_before(day)
        found = {entry["network"]: entry["mean"] for entry in (before["reactions_per_post"] if before else ())}
        means = np.array([found.get(name, model.first_mean) for name in networks.network_names])
        return _Basis(day, means, None if record is None else record["r0"])

    def _blocks(self) -> Iterator[tuple[list[bytes], Influences]]:
        for keys, values in self._partition.store.scan():
            states = unpack(INFLUENCE, values)
            yield keys, Influences(states.header, states.sections["buckets"], states.sections["topics"])

    def _standing(self, influences: Influences, basis: _Basis) -> Standing:
        return standing(influences, basis.day, basis.means, self._context.networks, self._context.model)

    def _report_influence(self) -> None:
        """First pass: the histogram of raw influence, sums by network, and this partition's candidates of each topic."""
        context, model = self._context, self._context.model
        basis = self._basis(self._day, None)
        bins, people = np.zeros(model.bins, np.int64), 0
        reactions = np.zeros(len(context.networks.network_names), np.int64)
        posts = np.zeros_like(reactions)
        candidates: list[Candidates] = []
        for keys, influences in self._blocks():
            found = self._standing(influences, basis)
            bins += histogram(found.raw[found.present], model)
            people += int(found.present.sum())
            posting = found.presences.rows[found.presences.rows["posts"] > 0]
            np.add.at(reactions, posting["network"], posting["reactions"])
            np.add.at(posts, posting["network"], posting["posts"])
            candidates = [self._candidates([*candidates, _candidates(keys, influences, self._day, model)])]
        self._send_candidates(candidates)
        totals = [
            {"network": name, "reactions": r, "posts": p}
            for name, r, p in zip(context.networks.network_names, reactions.tolist(), posts.tolist(), strict=True)
            if p
        ]
        context.outbox.flush()
        self._report(RAW, people=people, histogram=bins.tolist(), networks=totals)

    def _candidates(self, parts: list[Candidates]) -> Candidates:
        both = merge(parts)
        rows = top_candidates(both, self._context.model.leaders_kept)
        return Candidates(both.topic[rows], both.person.take(pa.array(rows)), both.strength[rows], both.plus_k[rows])

    def _send_candidates(self, candidates: list[Candidates]) -> None:
        context, topic = self._context, self._context.topic("topic-candidates")
        for found in candidates:
            order = np.argsort(found.topic, kind="stable")
            codes, begins = np.unique(found.topic[order], return_index=True)
            if not len(codes):
                continue
            names = self._partition.store.names([code.astype(np.uint64).tobytes() for code in codes])
            rows = pa.StructArray.from_arrays(
                [
                    found.person.take(pa.array(order)),
                    pa.array(found.strength[order]),
                    pa.array(found.plus_k[order]),
                ],
                names=["person", "strength", "plus_k"],
            )
            n = len(codes)
            batch = pa.RecordBatch.from_pydict(
                {
                    "topic": pa.array(names, pa.binary()).cast(pa.string()),
                    "day": pa.array(np.full(n, self._day, np.int32)),
                    "upstream": pa.array(np.full(n, self._partition.number, np.int32)),
                    "candidates": pa.ListArray.from_arrays(pa.array(np.append(begins, len(order)), pa.int32()), rows),
                }
            )
            context.outbox.send(
                Output(topic, [name or b"" for name in names], context.codec.encode("TopicCandidates", batch))
            )
        marker = {
            "day": self._day,
            "upstream": self._partition.number,
            "upstream_offset": -1,
            "model": context.model.name,
        }
        value = context.codec.encode_one("DayMarker", marker)
        for partition in range(context.partitions):
            context.outbox.send(Output(topic, [b""], [value], partition))

    def _publish_scores(self, decided: Mapping[str, Any]) -> None:
        """Second pass: a score update for everyone with state, and the account scores that changed by a whole point."""
        context, model = self._context, self._context.model
        basis = self._basis(self._day, decided)
        last = context.calendar.closed_before(self._day)
        earlier = self._basis(last["day"], last) if last is not None else None
        bins = np.array(decided["bins"], np.int64)
        published = 0
        for keys, influences in self._blocks():
            found = self._standing(influences, basis)
            scores = score(found.raw, decided["r0"], model)
            if earlier is None:
                was_present, before = np.zeros(len(keys), np.bool_), np.zeros(len(keys))
            else:
                old = self._standing(influences, earlier)
                was_present, before = old.present, score(old.raw, last["r0"] if last else 1.0, model)
            rows = np.flatnonzero(found.present)
            if len(rows):
                self._send_updates(keys, rows, found, scores, before, was_present, percentile(found.raw, bins, model))
                published += len(rows)
            whole = np.where(found.present, np.rint(scores), 1.0)
            was_whole = np.where(was_present, np.rint(before), 0.0)
            changed = np.flatnonzero((whole != was_whole) & (found.present | was_present))
            self._send_account_scores(keys, changed, np.where(found.present, scores, 1.0))
        context.outbox.flush()
        context.metrics.scored(published)
        topic, number = context.topic("account-scores"), self._partition.number
        offsets = [0] * context.partitions
        offsets[number] = ends(context.settings.servers, topic, number)[1]
        self._report(SCORES, published=published, score_offsets=offsets)

    def _send_updates(
        self,
        keys: list[bytes],
        rows: Int,
        found: Standing,
        scores: Float,
        before: Float,
        was_present: npt.NDArray[np.bool_],
        percentiles: Float,
    ) -> None:
        context, networks = self._context, self._context.networks
        parts = found.parts.take(rows)
        presences = found.presences
        # Parts and presences of an account are both ordered by network: each part's factor is found by its network's place.
        lane = len(networks.network_names)
        place = np.searchsorted(
            presences.owners * lane + presences.rows["network"],
            np.repeat(rows, parts.lengths) * lane + networks.network_code[parts.rows["code"]],
        )
        made = contributions(
            scores[rows], parts.offsets, parts.rows["code"], parts.rows["part"], found.factors[place], context.model
        )
        network = np.array([*networks.network, OWN_NETWORK], object)[made.code]  # BASE is the last
        action = np.array([*networks.action, "base"], object)[made.code]
        assert BASE == -1
        contributed = pa.StructArray.from_arrays(
            [pa.array(network, pa.string()), pa.array(action, pa.string()), pa.array(made.points)],
            names=["network", "action", "points"],
        )
        persons = [keys[at] for at in rows.tolist()]
        n = len(rows)
        batch = pa.RecordBatch.from_pydict(
            {
                "person": pa.array(persons, pa.binary()).cast(pa.string()),
                "day": pa.array(np.full(n, self._day, np.int32)),
                "score": pa.array(scores[rows]),
                "previous": pa.array(before[rows], mask=~was_present[rows]),
                "percentile": pa.array(percentiles[rows]),
                "model": pa.array([context.model.name] * n),
                "contributions": pa.ListArray.from_arrays(pa.array(made.offsets, pa.int32()), contributed),
            }
        )
        context.outbox.send(Output(context.topic("score-updates"), persons, context.codec.encode("ScoreUpdate", batch)))

    def _send_account_scores(self, keys: list[bytes], rows: Int, scores: Float) -> None:
        if not len(rows):
            return
        accounts = [keys[at] for at in rows.tolist()]
        batch = pa.RecordBatch.from_pydict(
            {
                "account": pa.array(accounts, pa.binary()).cast(pa.string()),
                "day": pa.array(np.full(len(rows), self._day, np.int32)),
                "score": pa.array(scores[rows]),
            }
        )
        values = self._context.codec.encode("AccountScore", batch)
        # Where the actors stage reads them: the partition that the same key has in engagements.
        self._context.outbox.send(
            Output(self._context.topic("account-scores"), accounts, values, self._partition.number)
        )

    def _report(self, stage: str, **fields: Any) -> None:
        send_report(self._context, self._day, stage, self._partition.number, **fields)


def send_report(context: Context, day: int, stage: str, partition: int, **fields: Any) -> None:
    """Tells the coordinator that a partition has done a part of a day's close, and waits until the report is delivered."""
    record = {"people": 0, "histogram": [], "networks": [], "score_offsets": [], "published": 0}
    record |= {"day": day, "stage": stage, "partition": partition, **fields}
    value = context.codec.encode_one("DayReport", record)
    context.outbox.send(Output(context.topic("day-reports"), [str(day).encode()], [value]))
    context.outbox.flush()


def _candidates(keys: list[bytes], influences: Influences, day: int, model: Any) -> Candidates:
    parts = topic_parts(influences, day, model)
    persons = pa.array(keys, pa.binary()).cast(pa.string()).take(pa.array(parts.owners))
    return Candidates(
        parts.rows["topic"].astype(np.int64), persons, parts.rows["strength"].copy(), parts.rows["plus_k"].copy()
    )
