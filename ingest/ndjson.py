"""Engagements as JSON lines: the file format, read in blocks.

A line is checked by two readers that agree: pyarrow's on whole blocks, and Python's on the lines of a block that
pyarrow refuses, to keep the good ones and say what is wrong with the others.
"""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.json

from laurel.ingest import arrow, moments
from laurel.ingest.arrow import Column, Ints
from laurel.ingest.errors import EngagementError
from laurel.ingest.lines import Block, Chunk, Reject, blocks
from laurel.ingest.records import REQUIRED, SCHEMA, row

_OBJECT = r"^\s*\{.*\}\s*$"
_NUMERIC_TIME = r'"occurred_at"\s*:\s*-?[0-9]'
_TEXT_TIME = SCHEMA.set(SCHEMA.get_field_index("occurred_at"), pa.field("occurred_at", pa.string()))
_FEW = 64  # lines left to Python when pyarrow refuses them together
_REASON = 300  # characters of a reason that are kept


def read(path: Path) -> Iterator[Chunk]:
    """The file's engagements in file order, bounded in memory; lines that are none are rejects. Raises DataError."""
    for block in blocks(path):
        yield parse(block)


def parse(block: Block) -> Chunk:
    """The block's lines as columns, in order."""
    rejects: list[Reject] = []
    numeric = arrow.matches(block.texts, _NUMERIC_TIME)
    parts = [  # pyarrow wants one type in a column
        *_parse(block, np.flatnonzero(numeric), SCHEMA, rejects),
        *_parse(block, np.flatnonzero(~numeric), _TEXT_TIME, rejects),
    ]
    records = arrow.concatenate([part for _, part in parts], SCHEMA)
    if len(parts) > 1:
        records = arrow.pick_rows(records, np.argsort(np.concatenate([places for places, _ in parts])))
    return Chunk(block.rows, records, sorted(block.rejects + rejects), block.done)


def record(text: str) -> dict[str, Any]:
    """One JSON line as a row of records.SCHEMA; null counts as left out. EngagementError says what is wrong with it."""
    try:
        found = json.loads(text, object_pairs_hook=_distinct)
    except RecursionError:
        raise EngagementError("not JSON: nested too deeply") from None
    except json.JSONDecodeError as error:
        raise EngagementError(f"not JSON: {error.msg} at column {error.colno}") from None
    except ValueError:  # Python refuses to read integers of thousands of digits
        raise EngagementError("not JSON of a sensible size: a number has thousands of digits") from None
    if not isinstance(found, dict):
        raise EngagementError("not a JSON object")
    if isinstance(found.get("occurred_at"), str):
        try:
            found["occurred_at"] = moments.parse(found["occurred_at"])
        except ValueError as problem:
            raise EngagementError(f"occurred_at: {problem}") from None
    return row(found)


def _parse(
    block: Block, places: Ints, schema: pa.Schema, rejects: list[Reject]
) -> Iterator[tuple[Ints, pa.RecordBatch]]:
    """Halves down to the lines that pyarrow refuses; what comes out are (places in the block, columns)."""
    if not len(places):
        return
    texts = arrow.pick(block.texts, places)
    fast = _by_arrow(texts, schema)
    if fast is not None:
        yield places, fast
    elif len(places) > _FEW:
        middle = len(places) // 2
        yield from _parse(block, places[:middle], schema, rejects)
        yield from _parse(block, places[middle:], schema, rejects)
    else:
        good: list[int] = []
        records: list[dict[str, Any]] = []
        for place, text in zip(places.tolist(), texts.to_pylist(), strict=True):
            try:
                records.append(record(str(text)))
                good.append(place)
            except EngagementError as problem:
                rejects.append(Reject(int(block.numbers[place]), str(problem)[:_REASON]))
        yield np.array(good, np.int64), pa.RecordBatch.from_pylist(records, SCHEMA)


def _by_arrow(texts: Column, schema: pa.Schema) -> pa.RecordBatch | None:
    """All the lines at once; None unless each of them is an engagement beyond doubt."""
    if not arrow.matches(texts, _OBJECT).all():
        return None
    source = "\n".join(map(str, texts.to_pylist())).encode()
    try:
        table = pyarrow.json.read_json(
            io.BytesIO(source),
            read_options=pyarrow.json.ReadOptions(use_threads=False, block_size=len(source) + 1),
            parse_options=pyarrow.json.ParseOptions(
                explicit_schema=pa.schema([field.with_nullable(True) for field in schema]),
                unexpected_field_behavior="error",
            ),
        )
    except (pa.ArrowException, UnicodeDecodeError):
        return None
    if table.num_rows != len(texts) or any(table[name].null_count for name in REQUIRED):
        return None
    batch = table.combine_chunks().to_batches()[0]
    columns: dict[str, Column] = {name: batch[name] for name in SCHEMA.names}
    if arrow.flat(columns["topics"]).null_count:
        return None
    if schema is _TEXT_TIME:
        moment = moments.parse_column(columns["occurred_at"])
        if moment is None:
            return None
        columns["occurred_at"] = moment
    columns["private"] = columns["private"].fill_null(False)
    columns["topics"] = arrow.lists(arrow.lengths(columns["topics"]), arrow.flat(columns["topics"]))
    return pa.RecordBatch.from_arrays(list(columns.values()), schema=SCHEMA)


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise EngagementError(f"{next(name for name in names if names.count(name) > 1)!r}: given twice")
    return found
