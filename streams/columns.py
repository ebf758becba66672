"""Avro bodies to and from Arrow columns, a whole batch in one call of pyruhvro.

pyruhvro skips checks for speed. What it leaves out is done here or in the codec: it takes strings that are not UTF-8
and bytes after the record's end, cuts long integers down to an int, and writes whatever lies under a null.
Encoding runs on threads of pyruhvro's own, which a forked process does not have: start worker processes afresh.
"""

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyruhvro

from laurel.models.errors import LaurelError
from laurel.streams.schemas import Schema


class ColumnsError(LaurelError):
    """These bytes are not records of the schema, or these columns do not fit it; the message says where."""


def read(bodies: list[bytes], schema: Schema) -> pa.RecordBatch:
    """Columns of the schema (`schema.arrow`) from Avro bodies, or ColumnsError if any body cannot be read.

    A body that is read may still not be one the schema could have written: compare with `write`.
    """
    batch: pa.RecordBatch = _guarded(lambda: pyruhvro.deserialize_array(bodies, schema.plain))
    try:
        batch.validate(full=True)
    except pa.ArrowInvalid as error:
        raise ColumnsError(str(error)) from None
    return batch


def write(batch: pa.RecordBatch, schema: Schema) -> pa.BinaryArray:
    """Avro bodies of a batch that fits the schema, each in the shortest form there is."""
    bodies: pa.BinaryArray = _guarded(lambda: pyruhvro.serialize_record_batch(batch, schema.plain, 1)[0])
    return bodies


def fit(batch: pa.RecordBatch, schema: Schema) -> pa.RecordBatch:
    """The batch with exactly the schema's columns, in its order and types.

    A missing column is filled with its default. Raises ColumnsError, naming the column, if one is missing without a
    default, unknown, of a type that does not convert without loss, or null where the schema has no null.
    """
    unknown = set(batch.schema.names) - set(schema.arrow.names)
    if unknown:
        raise ColumnsError(f"{schema.name} has no field {', '.join(sorted(unknown))}")
    return project(batch, schema)


def project(batch: pa.RecordBatch, schema: Schema) -> pa.RecordBatch:
    """As `fit`, but columns the schema does not have are dropped: how a newer version reads an older one."""
    columns: list[pa.Array[Any]] = []
    for field in schema.arrow:
        if field.name in batch.schema.names:
            column = _cast(batch.column(field.name), field, schema)
        elif field.name in schema.defaults:
            column = pa.array([schema.defaults[field.name]] * batch.num_rows, field.type)
        else:
            raise ColumnsError(f"{schema.name} needs the field {field.name}")
        if (column.null_count and not field.nullable) or any(child.null_count for child in _inside(column)):
            raise ColumnsError(f"{schema.name}.{field.name} must not be null")
        columns.append(column)
    return pa.RecordBatch.from_arrays(columns, schema=schema.arrow)


def _cast(column: "pa.Array[Any]", field: "pa.Field[Any]", schema: Schema) -> "pa.Array[Any]":
    if column.type == field.type:
        return column
    try:
        return column.cast(field.type)
    except pa.ArrowException as error:
        raise ColumnsError(f"{schema.name}.{field.name} must be {field.type}, not {column.type}: {error}") from None


def _inside(column: "pa.Array[Any]") -> "list[pa.Array[Any]]":
    """What a list or struct column holds where it isn't null itself, at every depth: none of it may be null."""
    if isinstance(column, pa.ListArray):
        items = column.flatten()
        return [items, *_inside(items)]
    if isinstance(column, pa.StructArray):
        column = column.drop_null() if column.null_count else column
        children = column.flatten()
        return [*children, *(below for child in children for below in _inside(child))]
    return []


def _guarded(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except BaseException as error:
        # A Rust panic arrives as a BaseException of a class that cannot be imported.
        if isinstance(error, ValueError | TypeError) or type(error).__name__ == "PanicException":
            raise ColumnsError(str(error)) from None
        raise
