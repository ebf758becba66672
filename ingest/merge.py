"""Several files as one stream in time order, in bounded memory."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from laurel.ingest import arrow
from laurel.ingest.arrow import Ints
from laurel.ingest.errors import DataError
from laurel.ingest.files import Format, read
from laurel.ingest.lines import Chunk, Reject
from laurel.ingest.records import SCHEMA


@dataclass(frozen=True)
class Merged:
    """Engagements in time order, what was read of the files for them, and the share (0..1) of the files read so far."""

    rows: int
    records: pa.RecordBatch
    rejects: list[tuple[Path, Reject]]
    done: float


def _empty() -> pa.RecordBatch:
    return arrow.concatenate([], SCHEMA)


@dataclass
class _Source:
    path: Path
    chunks: Iterator[Chunk]
    records: pa.RecordBatch = field(default_factory=_empty)
    keys: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    done: float = 0.0
    ended: bool = False


def merge(paths: Sequence[Path], form: Format | None = None) -> Iterator[Merged]:
    """The files' engagements by `occurred_at`; equal times keep the order of the files, and of the rows in each.

    A row that is older than one before it in its own file stays behind that one. Raises DataError.
    """
    for path in paths:
        if not path.exists():
            raise DataError(f"there is no file {path}")
    sources = [_Source(path, read(path, form)) for path in paths]
    weights = np.array([max(path.stat().st_size, 1) for path in paths], np.float64)
    weights /= weights.sum()
    while True:
        rows = 0
        rejects: list[tuple[Path, Reject]] = []
        for source in sources:
            while not len(source.keys) and not source.ended:
                chunk = next(source.chunks, None)
                if chunk is None:
                    source.ended, source.done = True, 1.0
                else:
                    rows += chunk.rows
                    rejects += [(source.path, reject) for reject in chunk.rejects]
                    _fill(source, chunk)
        waiting = [source for source in sources if len(source.keys)]
        if not waiting and not rows:
            return
        done = float(sum(weight * source.done for weight, source in zip(weights, sources, strict=True)))
        yield Merged(rows, _take(waiting), rejects, done)


def _fill(source: _Source, chunk: Chunk) -> None:
    times = arrow.numbers(chunk.records["occurred_at"])
    source.records, source.done = chunk.records, chunk.done
    # From the chunk's own beginning is enough: what lies before this chunk is out already, and so is all that precedes it.
    source.keys = np.maximum.accumulate(times) if len(times) else times


def _take(waiting: list[_Source]) -> pa.RecordBatch:
    """All rows that no row still to be read can come before."""
    if not waiting:
        return _empty()
    if len(waiting) == 1:
        only = waiting[0]
        records, only.keys = only.records, only.keys[:0]
        return records
    # Of equal times the earlier file's come first, and it may have more of them: later files wait at the bound.
    bound = min(int(source.keys[-1]) for source in waiting)
    first = next(index for index, source in enumerate(waiting) if int(source.keys[-1]) == bound)
    parts, keys = [], []
    for index, source in enumerate(waiting):
        count = int(np.searchsorted(source.keys, bound, side="right" if index <= first else "left"))
        parts.append(source.records.slice(0, count))
        keys.append(source.keys[:count])
        source.records, source.keys = source.records.slice(count), source.keys[count:]
    return arrow.pick_rows(arrow.concatenate(parts, SCHEMA), np.argsort(np.concatenate(keys), kind="stable"))
