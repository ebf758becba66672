"""The one codec: Kafka record values in the Confluent wire format, to and from Arrow record batches.

A value is a zero byte, the schema's id as four bytes, big-endian, and the Avro body
(https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/index.html#wire-format).
Dates are whole days and timestamps whole milliseconds since 1970-01-01 UTC, as plain integers, everywhere in here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import fastavro
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from laurel.models.errors import LaurelError
from laurel.streams import columns, reference
from laurel.streams.bodies import read_fast, read_slowly, stacked
from laurel.streams.columns import ColumnsError
from laurel.streams.proof import proven
from laurel.streams.schemas import Schema, Schemas

Reason = Literal["empty_value", "wrong_magic_byte", "unknown_schema_id", "malformed_avro"]

_HEADER = 5  # bytes before the body
# The published type of this function knows no mix of scalars and arrays.
_with_header: Callable[..., pa.BinaryArray] = pc.binary_join_element_wise
_LONGEST = 2**31 - 1  # bytes; Arrow's binary_slice fails on binary columns without an explicit end


class CodecError(LaurelError):
    """A record does not fit its schema, or a value cannot be decoded."""


@dataclass(frozen=True)
class BadRecord:
    """The value at a position (index into the decoded sequence) that is no record, and why."""

    position: int
    reason: Reason
    message: str


@dataclass(frozen=True, eq=False)
class Rows:
    """Records of one kind: `positions` int64[n], ascending, and `table` with one row for each of them."""

    positions: NDArray[np.int64]
    table: pa.RecordBatch


@dataclass(frozen=True, eq=False)
class Decoded:
    """Every position of the input once: in the batch of its record's name, or among the errors (in ascending order)."""

    batches: dict[str, Rows]
    errors: list[BadRecord]


class Codec:
    """Reads every schema version there is into the newest one, and writes the newest.

    Schemas that pyruhvro does not prove itself on, each before it is first used, are left to fastavro. Safe to share
    between threads.
    """

    def __init__(self, schemas: Schemas | None = None) -> None:
        self.schemas = schemas if schemas is not None else Schemas()
        self._versions = list(self.schemas)
        self._headers = pa.array([_header(schema) for schema in self._versions], pa.binary())
        self._proven: dict[int, bool] = {}  # by schema id

    def arrow(self, name: str) -> pa.Schema:
        """Columns of a batch of that record, as `decode` gives and `encode` takes them. Raises SchemaError."""
        return self.schemas.by_name(name).arrow

    def decode(self, values: Sequence[bytes | None]) -> Decoded:
        """Batches by record name, and errors, of the values of one chunk (less than 2 GiB together). Never raises."""
        column: pa.BinaryArray = pa.array(values, pa.binary())
        known = pc.index_in(pc.binary_slice(column, 0, _HEADER), value_set=self._headers)
        version = known.fill_null(-1).to_numpy(zero_copy_only=False)
        errors = [_bad_header(int(position), values[int(position)]) for position in np.flatnonzero(version < 0)]
        pieces: dict[str, list[Rows]] = {}
        for index in np.unique(version[version >= 0]):
            positions = np.flatnonzero(version == index)
            schema = self._versions[index]
            group = column if len(positions) == len(values) else column.take(positions)
            read = read_fast if self._is_proven(schema) else read_slowly
            found = read(pc.binary_slice(group, _HEADER, _LONGEST), schema, self.schemas.by_name(schema.name))
            if found.table.num_rows:
                pieces.setdefault(schema.name, []).append(Rows(positions[found.positions], found.table))
            errors += [
                BadRecord(
                    int(positions[at]), "malformed_avro", f"not a laurel.{schema.name} of schema id {schema.id}: {why}"
                )
                for at, why in found.bad
            ]
        batches = {name: _merged(rows) for name, rows in pieces.items()}
        return Decoded(batches, sorted(errors, key=lambda error: error.position))

    def decode_one(self, value: bytes | None) -> tuple[str, dict[str, Any]]:
        """The record's name and fields. Raises CodecError."""
        decoded = self.decode([value])
        for error in decoded.errors:
            raise CodecError(f"{error.reason}: {error.message}")
        [(name, rows)] = decoded.batches.items()
        return name, rows.table.to_pylist()[0]

    def encode(self, name: str, batch: pa.RecordBatch) -> list[bytes]:
        """Values of the batch's rows, in order.

        A column may be missing if its field has a default, and be of any type that converts without loss.
        Raises CodecError, naming the field, if the batch does not fit, and SchemaError for an unknown name.
        """
        schema = self.schemas.by_name(name)
        try:
            fitting = columns.fit(batch, schema)
            if not self._is_proven(schema):
                return [_header(schema) + reference.write(record, schema) for record in fitting.to_pylist()]
            bodies = columns.write(fitting, schema)
        except ColumnsError as error:
            raise CodecError(str(error)) from None
        values = _with_header(pa.scalar(_header(schema), pa.binary()), bodies, pa.scalar(b"", pa.binary()))
        return cast("list[bytes]", values.to_pylist())

    def encode_one(self, name: str, record: dict[str, Any]) -> bytes:
        """The value of one record; fields with a default may be left out. Raises CodecError and SchemaError."""
        schema = self.schemas.by_name(name)
        complete = schema.defaults | record
        if complete.keys() != set(schema.arrow.names):
            unknown, missing = complete.keys() - set(schema.arrow.names), set(schema.arrow.names) - complete.keys()
            raise CodecError(
                f"{name} has no field {', '.join(sorted(unknown))}" if unknown else
                f"{name} needs the field {', '.join(sorted(missing))}"
            )  # fmt: skip
        try:
            fastavro.validate(complete, schema.parsed, strict=True)
        except fastavro.validation.ValidationError as error:
            raise CodecError(f"this is not a laurel.{name}: {error.errors[0]}") from None
        return _header(schema) + reference.write(complete, schema)

    def _is_proven(self, schema: Schema) -> bool:
        """All schemas together take most of a second, and a command uses a few. Two threads that ask at once both find out."""
        if schema.id not in self._proven:
            self._proven[schema.id] = proven(schema, self.schemas.by_name(schema.name))
        return self._proven[schema.id]


def _header(schema: Schema) -> bytes:
    return b"\0" + schema.id.to_bytes(4, "big")


def _bad_header(position: int, value: bytes | None) -> BadRecord:
    if not value:
        return BadRecord(position, "empty_value", "the value is empty")
    if value[0] != 0:
        return BadRecord(position, "wrong_magic_byte", f"the value begins with byte {value[0]}, not with 0")
    if len(value) < _HEADER:
        return BadRecord(
            position, "unknown_schema_id", f"the value ends after {len(value)} bytes, within the schema id"
        )
    return BadRecord(position, "unknown_schema_id", f"no schema has id {int.from_bytes(value[1:_HEADER], 'big')}")


def _merged(rows: list[Rows]) -> Rows:
    if len(rows) == 1:
        return rows[0]
    positions = np.concatenate([piece.positions for piece in rows])
    order = np.argsort(positions)
    return Rows(positions[order], stacked([piece.table for piece in rows]).take(order))
