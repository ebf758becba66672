"""Takes a chunk apart: runs of rows of the one record type a stage expects, and the day markers between them."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from laurel.models.refusals import NAME, REASONS
from laurel.streams.chunk import Chunk
from laurel.streams.codec import Codec, Decoded
from laurel.streams.dead_letters import DeadLetter, from_message, from_record
from laurel.streams.log import Message
from laurel.streams.partition import Part

MARKER = "DayMarker"
STRAY_MARKER = "a day marker that no stage sends: its upstream is none of this topic's, or its day is before 1970"
EARLY_MARKER = "a day marker of a day that had not begun anywhere when it was published"
DAY = 86_400_000  # milliseconds


@dataclass(frozen=True)
class Rows:
    """Decoded records: `table` has a row for each of `positions` (int64, into the chunk's records, ascending)."""

    chunk: Chunk
    positions: npt.NDArray[np.int64]
    table: pa.RecordBatch
    refused: list[DeadLetter]

    @property
    def offsets(self) -> npt.NDArray[np.int64]:
        """Source offset of each row."""
        records = self.chunk.records
        return np.fromiter((records[at].offset for at in self.positions.tolist()), np.int64, len(self.positions))

    @property
    def timestamps(self) -> npt.NDArray[np.int64]:
        """Kafka timestamp of each row, milliseconds."""
        records = self.chunk.records
        return np.fromiter((records[at].timestamp for at in self.positions.tolist()), np.int64, len(self.positions))


@dataclass(frozen=True)
class Marker:
    """A day marker found in a source: `upstream` is the partition that forwarded it, -1 for none; `profiles` the end offset
    of each partition of profiles when it was written; `shadows` the models that the day is scored by beside `model`."""

    day: int
    upstream: int
    offset: int
    model: str
    profiles: list[int]
    shadows: list[str]


def parse(chunk: Chunk, codec: Codec, expected: str, upstreams: range) -> list[Part]:
    """Parts in log order, covering the whole chunk; what can't be read as `expected` is refused in its run of rows.

    So is a marker of any upstream but `upstreams`: it comes from no stage of ours, and no day may be closed by it. And so is
    one that comes in from outside (upstream -1) for a day later than the one after it was published: every day up to it would
    be closed. A day long after the last one is a downtime that ends, and a day long ago is history; both are followed.
    """
    decoded = codec.decode([record.value for record in chunk.records])
    refused: list[tuple[int, str, str]] = [(bad.position, bad.reason, bad.message) for bad in decoded.errors]
    markers: list[tuple[int, Marker]] = []
    positions, table = np.empty(0, np.int64), None
    for name, rows in decoded.batches.items():
        if name == expected:
            positions, table = rows.positions, rows.table
        elif name == MARKER:
            for at, row in zip(rows.positions.tolist(), rows.table.to_pylist(), strict=True):
                record, outside = chunk.records[at], row["upstream"] < 0
                if row["upstream"] not in upstreams or row["day"] < 0:
                    refused.append((at, "unexpected_record", STRAY_MARKER))
                elif outside and row["day"] > record.timestamp // DAY + 1:
                    refused.append((at, "unexpected_record", EARLY_MARKER))
                else:
                    named = row["model"], row["profiles"], row["shadows"]
                    markers.append((at, Marker(row["day"], row["upstream"], record.offset, *named)))
        else:
            message = f"{REASONS['unexpected_record']}: {name}"
            refused += [(at, "unexpected_record", message) for at in rows.positions.tolist()]
    refused.sort(key=lambda found: found[0])
    parts: list[Part] = []
    begin = sent = 0
    sizes = chunk.size / len(chunk.records)
    for end, marker in [*sorted(markers, key=lambda found: found[0]), (len(chunk.records), None)]:
        if end > begin:
            low, high = np.searchsorted(positions, [begin, end])
            until = bisect_left(refused, end, sent, key=lambda found: found[0])
            letters = [from_record(chunk.records[at], why, text) for at, why, text in refused[sent:until]]
            sent = until
            run = table.slice(low, high - low) if table is not None else _none(codec, expected)
            content = Rows(chunk, positions[low:high], run, letters)
            parts.append(Part(chunk.records[end - 1].offset, end - begin, int(sizes * (end - begin)), content))
        if marker is not None:
            parts.append(Part(marker.offset, 1, int(sizes), marker, is_marker=True))
        begin = end + 1
    return parts


def unexpected(decoded: Decoded, expected: str) -> list[tuple[int, str, str]]:
    """Position, reason code and sentence of what is no record of the one type expected, in order."""
    refused: list[tuple[int, str, str]] = [(bad.position, bad.reason, bad.message) for bad in decoded.errors]
    for name, rows in decoded.batches.items():
        if name != expected:
            message = f"{REASONS['unexpected_record']}: {name}"
            refused += [(at, "unexpected_record", message) for at in rows.positions.tolist()]
    return sorted(refused)


def strangers(messages: Sequence[Message], decoded: Decoded, expected: str) -> list[DeadLetter]:
    """Dead letters of what was read of a compacted topic and is no record of the one type expected there. A record without
    a value is none: it says that its key is forgotten."""
    return [
        from_message(messages[at], why, text)
        for at, why, text in unexpected(decoded, expected)
        if messages[at].value() is not None
    ]


@dataclass(frozen=True)
class Joined:
    """All rows of some runs, one after the other: `table` with the source offset of each row (int64), and what had been refused."""

    runs: list[Rows]
    table: pa.RecordBatch
    offsets: npt.NDArray[np.int64]
    refused: list[DeadLetter]


def joined(parts: Sequence[Part]) -> Joined:
    """The rows of consecutive parts, none of them a marker."""
    runs: list[Rows] = [part.content for part in parts]
    batches = pa.Table.from_batches([run.table for run in runs]).combine_chunks().to_batches()
    offsets = np.concatenate([run.offsets for run in runs])
    refused = [letter for run in runs for letter in run.refused]
    return Joined(runs, batches[0] if batches else runs[0].table, offsets, refused)


def records_of(rows: Sequence[Rows], wanted: npt.NDArray[np.int64]) -> list[Any]:
    """The fetched records of some rows (int64, ascending, into all runs one after the other)."""
    begin, found = 0, []
    for run in rows:
        low, high = np.searchsorted(wanted, [begin, begin + len(run.positions)])
        found += [run.chunk.records[at] for at in run.positions[wanted[low:high] - begin].tolist()]
        begin += len(run.positions)
    return found


def letters(rows: Sequence[Rows], refused: npt.NDArray[np.int64], reason: npt.NDArray[np.uint8]) -> list[DeadLetter]:
    """Dead letters of some rows (as `records_of` takes them), each for its reason code in `reason` (uint8, of all rows)."""
    names = [NAME[code] for code in reason[refused].tolist()]
    return [
        from_record(record, name, REASONS[name]) for record, name in zip(records_of(rows, refused), names, strict=True)
    ]


def _none(codec: Codec, name: str) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([], schema=codec.arrow(name))
