"""Engagements from columns to JSON lines, the way back from ndjson."""

import json

import pyarrow as pa

from laurel.ingest import arrow
from laurel.ingest.arrow import Column
from laurel.ingest.records import SCHEMA

_MUST_ESCAPE = r'["\\\x00-\x1f\x7f]'


def lines(batch: pa.RecordBatch) -> bytes:
    """The batch (columns of records.SCHEMA) as JSON lines, defaults left out; ndjson reads them back unchanged."""
    pieces: list[str | Column] = ["{"]
    for index, field in enumerate(SCHEMA):
        column: Column = batch[field.name]
        lead = f'{"," if index else ""}"{field.name}":'
        if field.type == pa.int64():
            pieces.append(arrow.join(lead, column.cast(pa.string())))
        elif field.type == pa.bool_():
            pieces.append(arrow.choose(column, lead + "true", arrow.repeated("", len(column))))
        elif field.type == pa.string():
            pieces.append(arrow.filled(arrow.join(lead, _quoted(column)), ""))
        else:
            sizes = arrow.lengths(column)
            listed = arrow.join(lead, "[", arrow.joined(arrow.lists(sizes, _quoted(arrow.flat(column))), ","), "]")
            pieces.append(arrow.choose(sizes > 0, listed, ""))
    return "".join(map(str, arrow.join(*pieces, "}\n").to_pylist())).encode()


def _quoted(column: Column) -> Column:
    if not arrow.matches(arrow.filled(column, ""), _MUST_ESCAPE).any():
        return arrow.join('"', column, '"')
    escaped = [None if text is None else json.dumps(text, ensure_ascii=False) for text in column.to_pylist()]
    return pa.array(escaped, pa.string())
