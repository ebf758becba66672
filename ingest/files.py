"""One door to all file formats: which format a file has, and its engagements in chunks."""

import re
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path

from laurel.ingest import higgs, ndjson, stackexchange
from laurel.ingest.errors import DataError
from laurel.ingest.lines import Chunk, blocks


class Format(StrEnum):
    """The formats a file may have; any of them may be gzipped."""

    NDJSON = "ndjson"
    HIGGS = "higgs"
    STACKEXCHANGE = "stackexchange"


_READERS: dict[Format, Callable[[Path], Iterator[Chunk]]] = {
    Format.NDJSON: ndjson.read,
    Format.HIGGS: higgs.read,
    Format.STACKEXCHANGE: stackexchange.read,
}


def read(path: Path, form: Format | None = None) -> Iterator[Chunk]:
    """The file's engagements in file order, bounded in memory; without `form` it is detected.

    Raises DataError if the file can't be read or its format isn't recognised.
    """
    return _READERS[form or detect(path)](path)


def detect(path: Path) -> Format:
    """The format by name (`.ndjson`, `.jsonl`, `.json`), else by the first line with text; DataError if it is none."""
    name = path.name.lower().removesuffix(".gz")
    if name.endswith((".ndjson", ".jsonl", ".json")):
        return Format.NDJSON
    first = next((block.texts[0].as_py() for block in blocks(path) if len(block.texts)), "")
    if first.lstrip().startswith("{") or not first:
        return Format.NDJSON
    if first == stackexchange.HEADER:
        return Format.STACKEXCHANGE
    if re.match(higgs.ROW, first):
        return Format.HIGGS
    raise DataError(f"{path}: its first line fits no format; say which with --format ({', '.join(Format)})")
