"""The reference Avro codec: one record at a time, by fastavro."""

import io
from typing import Any

import fastavro

from laurel.models.errors import LaurelError
from laurel.streams.schemas import Schema


class BodyError(LaurelError):
    """These bytes are not one record of the schema; the message says where they go wrong."""


def read(body: bytes, schema: Schema, reader: Schema) -> dict[str, Any]:
    """The record that a body written by `schema` holds, in the version `reader`. Raises BodyError."""
    buffer = io.BytesIO(body)
    try:
        record: Any = fastavro.schemaless_reader(buffer, schema.parsed, reader.parsed)
    except (EOFError, IndexError, ValueError, OverflowError, MemoryError) as error:
        raise BodyError(str(error) or "it ends too early") from None
    left = len(body) - buffer.tell()
    if left:
        raise BodyError(f"{left} bytes follow the record's end")
    return dict(record)


def write(record: dict[str, Any], schema: Schema) -> bytes:
    """The body of a record. Raises BodyError if the record does not fit the schema."""
    buffer = io.BytesIO()
    try:
        fastavro.schemaless_writer(buffer, schema.parsed, record)
    except (ValueError, TypeError, OverflowError) as error:
        raise BodyError(str(error)) from None
    return buffer.getvalue()
