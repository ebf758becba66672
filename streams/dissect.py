"""A value taken apart as far as it can be read: what bytes that are no record have in common with one."""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import fastavro

from laurel.streams.schemas import SchemaError, Schemas

HEADER = 5  # bytes before the body


@dataclass(frozen=True)
class Dissected:
    """`record` is the name of the schema that the value names, None if it names none; `fields` those that could be read, in
    their order; `stopped_at` the byte of the value at which reading ended, and `problem` why, empty if nothing is wrong."""

    record: str | None
    fields: dict[str, Any]
    stopped_at: int
    problem: str


def dissect(value: bytes, schemas: Schemas) -> Dissected:
    """Reads a value field by field, up to where it stops being a record. Never raises."""
    if not value or value[0] != 0:
        return Dissected(None, {}, 0, "it does not begin with the byte 0 and a schema id")
    if len(value) < HEADER:
        return Dissected(None, {}, len(value), "it ends within the schema id")
    try:
        schema = schemas.by_id(int.from_bytes(value[1:HEADER], "big"))
    except SchemaError as error:
        return Dissected(None, {}, 1, str(error))
    parsed: dict[str, Any] = json.loads(schema.plain)
    # The reader's published type knows neither a buffer nor a schema of plain data.
    reader: Callable[..., Any] = fastavro.schemaless_reader
    fields: dict[str, Any] = {}
    stopped = HEADER
    for known, field in enumerate(parsed["fields"], start=1):
        buffer = io.BytesIO(value)
        buffer.seek(HEADER)
        try:
            # From the beginning each time: a later field may name a type that an earlier one defines.
            fields = reader(buffer, parsed | {"fields": parsed["fields"][:known]})
        except (EOFError, IndexError, ValueError, OverflowError, MemoryError) as error:
            return Dissected(schema.name, fields, stopped, f"field {field['name']}: {error or 'it ends too early'}")
        stopped = buffer.tell()
    left = len(value) - stopped
    return Dissected(schema.name, fields, stopped, f"{left} bytes follow the record's end" if left else "")


def hex_lines(data: bytes, most: int) -> list[str]:
    """The first `most` bytes as a hex dump: offset, sixteen bytes, and what of them is printable ASCII."""
    lines = []
    for begin in range(0, min(len(data), most), 16):
        piece = data[begin : min(begin + 16, most)]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in piece)
        lines.append(f"{begin:08x}  {piece[:8].hex(' '):<23}  {piece[8:].hex(' '):<23}  {text}")
    if len(data) > most:
        lines.append(f"... and {len(data) - most:,} bytes more")
    return lines
