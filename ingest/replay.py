"""Files played into Kafka as if their events happened now, day after day."""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from time import monotonic

import numpy as np
import pyarrow as pa

from laurel.ingest import arrow
from laurel.ingest.errors import ReplayError
from laurel.ingest.files import Format
from laurel.ingest.lines import Reject
from laurel.ingest.merge import merge
from laurel.ingest.producer import Producer
from laurel.models import catalogue
from laurel.streams.calendar import day_of, iso
from laurel.streams.closing import Closer
from laurel.streams.codec import Codec
from laurel.streams.settings import Settings

DAY = 86_400_000  # milliseconds
PATIENCE = 600.0  # seconds without a day getting closed before a replay gives up
REJECTS_KEPT = 100
ACTIONS_KEPT = 1_000  # then they are counted together, as OTHERS
OTHERS = "others"
_NEVER = np.iinfo(np.int64).min + 1  # before every day


@dataclass
class ReplaySummary:
    """What a replay did. Days are days since 1970-01-01 UTC.

    rows: source rows read, rejects included. published: engagements. by_action: published, by network/action.
    rejected: rows that are no engagement; `rejects` keeps the first 100. outside: engagements not within the days asked
    for. late: engagements of a day before one already reached. days_closed: days whose markers this replay wrote.
    """

    rows: int = 0
    published: int = 0
    by_action: Counter[str] = field(default_factory=Counter)
    rejected: int = 0
    rejects: list[tuple[Path, Reject]] = field(default_factory=list)
    outside: int = 0
    late: int = 0
    days_closed: list[int] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Engagements a second, waiting for closes included."""
        return self.published / self.seconds if self.seconds else 0.0


@dataclass(frozen=True)
class Progress:
    """Where a replay is: share (0..1) of the files read, engagements published, the day reached, a day waited for."""

    done: float
    published: int
    day: int | None
    waiting_for: int | None = None


def replay(
    files: Sequence[Path],
    settings: Settings,
    *,
    close: bool = False,
    wait: bool = True,
    first: int | None = None,
    last: int | None = None,
    limit: int | None = None,
    form: Format | None = None,
    patience: float = PATIENCE,
    progress: Callable[[Progress], None] | None = None,
) -> ReplaySummary:
    """Publishes the files' engagements in time order, all deliveries verified.

    With `close`, each UTC day up to today is closed after its last event (a day without events too), and events of a
    day are written only once all days but the one before are closed. `wait` says whether to wait for the last days as
    well. `first` and `last` are the days to replay, both included; `limit` is the most engagements to publish.
    Raises DataError, ModelError, ReplayError, DeliveryError, MetadataError or CalendarError.
    """
    began = monotonic()
    codec, model = Codec(), catalogue.named(catalogue.load(settings.models), settings.model).name
    with ExitStack() as stack:
        producer = stack.enter_context(Producer(settings.servers, settings.topic_prefix, codec=codec))
        closer = stack.enter_context(Closer(settings, model, codec, settings.shadow_models)) if close else None
        run = _Run(producer, closer, patience, progress or _unseen)
        for part in merge(files, form):
            run.summary.rows += part.rows
            run.reject(part.rejects)
            run.share = part.done
            records = run.within(part.records, first, last)
            left = None if limit is None else limit - run.summary.published
            run.publish(records if left is None else records.slice(0, left))
            if left is not None and records.num_rows >= left:
                break
        run.finish(wait=wait)
    run.summary.seconds = monotonic() - began
    return run.summary


def _unseen(_progress: Progress) -> None:
    """Progress nobody looks at."""


class _Run:
    def __init__(
        self, producer: Producer, closer: Closer | None, patience: float, progress: Callable[[Progress], None]
    ) -> None:
        self.summary = ReplaySummary()
        self.share = 0.0
        self._producer, self._closer, self._patience, self._progress = producer, closer, patience, progress
        self._day: int | None = None
        self._today = day_of(datetime.now(UTC))

    def reject(self, rejects: list[tuple[Path, Reject]]) -> None:
        self.summary.rejected += len(rejects)
        self.summary.rejects += rejects[: REJECTS_KEPT - len(self.summary.rejects)]

    def within(self, records: pa.RecordBatch, first: int | None, last: int | None) -> pa.RecordBatch:
        """The records of the days asked for; the others are counted."""
        days = arrow.numbers(records["occurred_at"]) // DAY
        wanted = (days >= (days if first is None else first)) & (days <= (days if last is None else last))
        if wanted.all():
            return records
        self.summary.outside += int(len(days) - wanted.sum())
        return records.filter(pa.array(wanted))

    def publish(self, records: pa.RecordBatch) -> None:
        """Publishes the records, closing days where they pass."""
        if not records.num_rows:
            return
        days = arrow.numbers(records["occurred_at"]) // DAY
        moving = np.where(days <= self._today, days, _NEVER)  # a day to come doesn't move the replay on
        reached = np.maximum.accumulate(np.maximum(moving, _NEVER if self._day is None else self._day))
        self.summary.late += int((days < reached).sum())
        starts = np.flatnonzero(np.diff(reached, prepend=reached[0] - 1))
        for start, end in pairwise([*starts.tolist(), len(days)]):
            if reached[start] != _NEVER:
                self._advance(int(reached[start]))
            part = records.slice(start, end - start)
            self._producer.send_unchecked(part)
            self._count(part)
            self._tell()

    def finish(self, *, wait: bool) -> None:
        """Flushes, and closes the last day."""
        self._producer.flush()
        if self._closer is not None and self._day is not None:
            self._close(self._day)
            if wait:
                self._wait(self._day)
        self._tell()

    def _advance(self, day: int) -> None:
        """Closes the days before `day` that are passed by going on to it."""
        if self._closer is not None:
            known = self._closer.days
            if self._day is None and known and day < min(known):
                raise ReplayError(
                    f"the calendar begins with {iso(min(known))}, so {iso(day)} can't be closed: "
                    "replay into topics of their own (LAUREL_TOPIC_PREFIX), or without --close"
                )
            begin = self._day if self._day is not None else max(known, default=day - 1) + 1
            for passed in range(begin, day):
                self._close(passed)
            self._wait(day - 2)
        self._day = day

    def _close(self, day: int) -> None:
        assert self._closer is not None
        self._producer.flush()
        self._wait(day - 2)
        self.summary.days_closed += self._closer.request(day)

    def _wait(self, day: int) -> None:
        assert self._closer is not None
        self._closer.wait(day, self._patience, lambda record: self._tell(record["day"]))

    def _count(self, records: pa.RecordBatch) -> None:
        self.summary.published += records.num_rows
        counts = self.summary.by_action
        for name, count in arrow.tally(arrow.join(records["network"], "/", records["action"])).items():
            counts[name if name in counts or len(counts) < ACTIONS_KEPT else OTHERS] += count

    def _tell(self, waiting_for: int | None = None) -> None:
        self._progress(Progress(self.share, self.summary.published, self._day, waiting_for))
