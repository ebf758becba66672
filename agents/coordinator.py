"""Brings a day's close together: adds up what the partitions report, decides, and writes the calendar.

What it decides is a function of the reports, so whoever owns the reports' partition may do it; one that owned it before
can write no more.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np

from laurel.agents.context import Context
from laurel.agents.day_model import model_of_day, model_of_record, shadows_of_day
from laurel.agents.parts import unexpected
from laurel.agents.reports import (
    LEADERS,
    PERSONS,
    PERSONS_RAW,
    PERSONS_SHADOW,
    SOURCE,
    TARGETS,
    TARGETS_RAW,
    TARGETS_SHADOW,
)
from laurel.agents.scaling import scaled
from laurel.models.catalogue import recorded
from laurel.models.scale import bin_centres, score, score_percentiles
from laurel.streams.calendar import decoded
from laurel.streams.chunk import Chunk
from laurel.streams.dead_letters import DeadLetter, from_message, from_record, send
from laurel.streams.outbox import Output
from laurel.streams.writer import Transaction

STAGE = "coordinator"
COUNTED = {TARGETS_RAW, PERSONS_RAW, TARGETS_SHADOW, PERSONS_SHADOW}
PARTS = COUNTED | {TARGETS, PERSONS, LEADERS}
STRAY_REPORT = "a report that no partition sends: of another stage, partition or number of bins"
RESULTS = ("score-updates", "account-scores", "sash-events", "leaderboards", "signals", "influence-networks")

Report = Mapping[str, Any]


class Coordinator:
    """Owner of the one partition of day-reports."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._reports: dict[int, dict[tuple[str, str, int], Report]] = defaultdict(dict)
        self._one_at_a_time = asyncio.Lock()
        self._writer = context.log.writer("coordinator")
        self.taken = -1  # last offset seen

    async def start(self) -> None:
        """Takes over from the last owner, reads the reports that are there and finishes what can be finished.

        What of them can't be read and was committed is among the dead letters already.
        """
        log, topic = self._context.log, self._context.topic(SOURCE)
        await asyncio.to_thread(self._writer.open)
        low, high = await asyncio.to_thread(log.ends, topic, 0)
        messages = await asyncio.to_thread(lambda: [m for batch in log.read(topic, 0, low, high) for m in batch])
        told = await asyncio.to_thread(log.committed, topic, 0)
        reports, refused = self._examine([message.value() for message in messages])
        letters = [from_message(messages[at], why, text) for at, why, text in refused]
        await self._refuse([letter for letter in letters if letter.offset >= told])
        for day, status in await asyncio.to_thread(self._decided):
            await self._context.calendar.wait(day, status)
        await self._add(reports)
        self.taken = high - 1

    def _decided(self) -> list[tuple[int, str]]:
        """What earlier owners said of days: it may not have come to the calendar's follower yet, and is not to be said twice."""
        log, topic = self._context.log, self._context.topic("calendar")
        low, _ = log.ends(topic, 0)
        end = log.settled([(topic, 0)])[topic, 0]
        records = (record for batch in log.read(topic, 0, low, end) for record in decoded(self._context.codec, batch))
        return [(record["day"], record["status"]) for record in records]

    def stop(self) -> None:
        """Ends what is being written."""
        self._writer.stop()

    async def take(self, chunk: Chunk) -> None:
        """Adds the reports of a chunk."""
        rest = chunk.after(self.taken)
        if rest is None:
            return
        reports, refused = self._examine([record.value for record in rest.records])
        await self._refuse([from_record(rest.records[at], why, text) for at, why, text in refused])
        await self._add(reports)
        self.taken = rest.last_offset

    def _examine(self, values: list[bytes | None]) -> tuple[list[Report], list[tuple[int, str, str]]]:
        """The reports among some records; position, reason and sentence of what is none."""
        found = self._context.codec.decode(values)
        refused, reports = unexpected(found, "DayReport"), []
        rows = found.batches.get("DayReport")
        if rows is not None:
            for at, report in zip(rows.positions.tolist(), rows.table.to_pylist(), strict=True):
                if self._possible(report):
                    reports.append(report)
                else:
                    refused.append((at, "unexpected_record", STRAY_REPORT))
        return reports, refused

    def _possible(self, report: Report) -> bool:
        """Whether a partition of ours can have said it."""
        counted = (self._context.model.bins,) if report["stage"] in COUNTED else (0,)
        return (
            report["stage"] in PARTS
            and 0 <= report["partition"] < self._context.partitions
            and len(report["histogram"]) in counted
            and min(report["histogram"], default=0) >= 0
        )

    async def _refuse(self, letters: list[DeadLetter]) -> None:
        if not letters:
            return
        topic = self._context.topic("dead-letters")

        def fill(transaction: Transaction) -> None:
            for letter in letters:
                send(transaction, topic, letter)

        await asyncio.to_thread(self._writer.transact, fill)
        for letter in letters:
            self._context.metrics.refused(STAGE, letter.reason)

    async def _add(self, reports: list[Report]) -> None:
        async with self._one_at_a_time:
            for report in reports:
                # A shadow that isn't known here can't be decided here.
                shadow = report["model"] if report["stage"] in (TARGETS_SHADOW, PERSONS_SHADOW) else ""
                if not shadow or shadow in self._context.models:
                    self._reports[report["day"]][report["stage"], shadow, report["partition"]] = report
            for day in sorted(self._reports):
                await self._decide(day)

    async def _decide(self, day: int) -> None:
        context = self._context
        known = context.calendar.day(day)
        if known is not None and known["status"] == "closed":
            del self._reports[day]
            return
        raw = self._complete(day, TARGETS_RAW, PERSONS_RAW)
        scores, leaders = self._complete(day, TARGETS, PERSONS), self._complete(day, LEADERS)
        if raw and (known is None or known["status"] != "calibrated"):
            shadows = {name: self._complete(day, TARGETS_SHADOW, PERSONS_SHADOW, of=name) for name in context.models}
            counted = {name: reports for name, reports in shadows.items() if reports}
            await self._write(await asyncio.to_thread(self._calibrated, day, raw, counted))
            known = await context.calendar.wait(day, "calibrated")
        if known is not None and known["status"] == "calibrated" and scores and leaders:
            await self._write(await asyncio.to_thread(self._closed, known, scores))
            await context.calendar.wait_closed(day)
            del self._reports[day]

    def _complete(self, day: int, *stages: str, of: str = "") -> list[Report] | None:
        """All partitions' reports of some stages, of a model in shadow if one is named, in order; None while any is missing."""
        found = self._reports[day]
        keys = [(stage, of, number) for stage in stages for number in range(self._context.partitions)]
        return [found[key] for key in keys] if all(key in found for key in keys) else None

    def _calibrated(self, day: int, reports: list[Report], shadows: Mapping[str, list[Report]]) -> dict[str, Any]:
        context, model = self._context, model_of_day(self._context, reports[0]["model"], day)
        before = context.calendar.closed_before(day)
        closed_days = before["closed_days"] if before else 0
        found = scaled(reports, before, model, context.networks)
        asked = shadows_of_day(context, list(shadows), model, day)
        beside = {shadow.name: scaled(shadows[shadow.name], before, shadow, context.networks) for shadow in asked}
        bins, calibration, names = found.bins, found.calibration, context.networks.network_names
        return {
            "day": day,
            "status": "calibrated",
            "model": model.name,
            "parameters": recorded(model),
            "r0": calibration.r0,
            "people": calibration.people,
            "mean": calibration.mean,
            "histogram": [],
            "percentiles": score_percentiles(bins, calibration.r0, model).tolist(),
            "bins": bins.tolist(),
            "reactions_per_post": [
                {"network": name, "mean": mean} for name, mean in zip(names, found.means, strict=True)
            ],
            "measured": found.measured,
            "score_offsets": [],
            "closed_days": closed_days + 1,
            "published": 0,
            "shadow_models": list(beside),
            "shadows": [
                {
                    "model": name,
                    "parameters": recorded(context.models[name]),
                    "r0": scale.calibration.r0,
                    "people": scale.calibration.people,
                    "mean": scale.calibration.mean or 0.0,
                    "means": scale.means,
                    "measured": scale.measured,
                }
                for name, scale in beside.items()
            ],
        }

    def _closed(self, calibrated: Mapping[str, Any], reports: list[Report]) -> dict[str, Any]:
        model = model_of_record(self._context, calibrated)
        bins = np.array(calibrated["bins"], np.int64)
        # Who sees that a day is closed finds all of its results.
        numbers = range(self._context.partitions)
        results = [*RESULTS, "shadow-scores"] if calibrated["shadows"] else RESULTS
        ends = self._context.log.settled([(self._context.topic(name), n) for name in results for n in numbers])
        whole = np.rint(score(bin_centres(model), calibrated["r0"], model)).astype(np.int64)
        histogram = np.bincount(whole, weights=bins, minlength=101)[1:].astype(np.int64)
        return {
            **calibrated,
            "status": "closed",
            "histogram": histogram.tolist(),
            "score_offsets": [ends[self._context.topic("account-scores"), number] for number in numbers],
            "published": sum(report["published"] for report in reports),
        }

    async def _write(self, record: dict[str, Any]) -> None:
        value = self._context.codec.encode_one("Calendar", record)
        output = Output(self._context.topic("calendar"), [str(record["day"]).encode()], [value], 0)
        await asyncio.to_thread(self._writer.transact, lambda transaction: transaction.send(output))
