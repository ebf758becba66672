"""Text files as blocks of lines in bounded memory, plain or gzipped, with every line's number kept."""

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from laurel.ingest import arrow
from laurel.ingest.arrow import Column, Ints
from laurel.ingest.errors import DataError

BLOCK = 4 << 20  # bytes read at once
LONGEST = 1_000_000  # bytes of a line: a record that long still fits the 1 MiB that Kafka takes
_GZIP = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, order=True)
class Reject:
    """A line that isn't a record: its number (from 1), and why not."""

    line: int
    reason: str


@dataclass(frozen=True)
class Block:
    """Lines that aren't blank: their numbers `int64[n]`, their texts without line ends, and those that are rejects.

    `done` is the share of the file (0..1, as stored) that was read with it.
    """

    numbers: Ints
    texts: Column
    rejects: list[Reject]
    done: float

    @property
    def rows(self) -> int:
        """Lines that aren't blank, rejects included."""
        return len(self.texts) + len(self.rejects)


@dataclass(frozen=True)
class Chunk:
    """What a reader makes of one block: source rows seen, engagements (columns of records.SCHEMA), and rejects.

    `done` is the share of the file (0..1) read so far.
    """

    rows: int
    records: pa.RecordBatch
    rejects: list[Reject]
    done: float


def blocks(path: Path, size: int = BLOCK, longest: int = LONGEST) -> Iterator[Block]:
    """The file's lines, about `size` bytes at a time; a line over `longest` bytes or not UTF-8 is a reject.

    A file that begins like gzip is unpacked, whatever its name. Raises DataError if it can't be read or unpacked.
    """
    number = 1
    rest = b""
    overlong = False
    try:
        stored = path.open("rb")
        total = max(path.stat().st_size, 1)
    except OSError as error:
        raise DataError(f"{path} can't be read: {error.strerror or error}") from None
    with stored, _unpacked(stored) as source:
        while data := _read(source, size, path):
            if number == 1 and not rest:
                data = data.removeprefix(_BOM)
            whole, newline, rest = (rest + data).rpartition(b"\n")
            if newline:
                block, count = _split(whole + newline, number, longest, stored.tell() / total, overlong=overlong)
                number += count
                overlong = False
                yield block
            if len(rest) > longest:  # keep only the fact that the line is too long
                rest = rest[: longest // 2]
                overlong = True
    if rest:
        yield _split(rest + b"\n", number, longest, 1.0, overlong=overlong)[0]


def _unpacked(stored: IO[bytes]) -> IO[bytes]:
    packed = stored.read(len(_GZIP)) == _GZIP
    stored.seek(0)
    return cast("IO[bytes]", gzip.GzipFile(fileobj=stored)) if packed else stored


def _read(source: IO[bytes], size: int, path: Path) -> bytes:
    try:
        return source.read(size)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} is broken: {error}") from None


def _split(data: bytes, first: int, longest: int, done: float, *, overlong: bool) -> tuple[Block, int]:
    """Lines of `data`, which ends with a newline; `overlong` says the first of them has lost a part."""
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == 0x0A) + 1
    offsets = np.concatenate([np.zeros(1, np.int64), ends])
    numbers = first + np.arange(len(ends), dtype=np.int64)
    raw = pa.Array.from_buffers(
        pa.binary(), len(ends), [None, pa.py_buffer(offsets.astype(np.int32).tobytes()), pa.py_buffer(data)]
    )
    good = np.diff(offsets) <= longest + 1
    good[0] &= not overlong
    rejects = [Reject(int(line), f"longer than {longest} bytes") for line in numbers[~good]]
    for row in _not_utf8(raw):
        if good[row]:
            good[row] = False
            rejects.append(Reject(int(numbers[row]), "not UTF-8 text"))
    texts = pc.ascii_rtrim(arrow.keep(raw, good).cast(pa.string()), "\r\n")
    filled = arrow.matches(texts, r"\S")
    return Block(numbers[good][filled], arrow.keep(texts, filled), sorted(rejects), done), len(ends)


def _not_utf8(raw: Column) -> list[int]:
    try:
        raw.cast(pa.string())
    except pa.ArrowInvalid:
        return [row for row, line in enumerate(raw.to_pylist()) if not _decodes(line or b"")]
    return []


def _decodes(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
