"""Avro bodies of one schema version into columns, and which of them are no records.

A body is a record if pyruhvro reads it and writes the very same bytes back. Of any other, fastavro must read all and
write what pyruhvro writes: that lets other spellings of a record in (an array in several blocks, as some libraries
write), and keeps out what only one of the two would accept. So what a value means never depends on those beside it.
"""

from dataclasses import dataclass, field
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from laurel.streams import columns, reference
from laurel.streams.columns import ColumnsError
from laurel.streams.reference import BodyError
from laurel.streams.schemas import Schema

_SCREENED = 64  # bodies; below this it is quicker to ask fastavro about each than to go on halving


@dataclass(eq=False)
class Read:
    """`table` has a row for each of `positions` (int64[n], ascending, within the bodies); the others are `bad`, each
    with what is wrong."""

    positions: NDArray[np.int64]
    table: pa.RecordBatch
    bad: list[tuple[int, str]]


@dataclass(eq=False)
class _Pieces:
    positions: list[NDArray[np.int64]] = field(default_factory=list)
    tables: list[pa.RecordBatch] = field(default_factory=list)
    bad: list[tuple[int, str]] = field(default_factory=list)

    def add(self, positions: NDArray[np.int64], table: pa.RecordBatch) -> None:
        self.positions.append(positions)
        self.tables.append(table)

    def read(self, schema: Schema) -> Read:
        if not self.tables:
            return Read(np.empty(0, dtype=np.int64), pa.RecordBatch.from_pylist([], schema=schema.arrow), self.bad)
        return Read(np.concatenate(self.positions), stacked(self.tables), self.bad)


def read_fast(column: pa.BinaryArray, schema: Schema, newest: Schema) -> Read:
    """Rows in the newest version, of bodies (none null) whose schema version pyruhvro is proven on."""
    bodies = cast("list[bytes]", column.to_pylist())
    read = _readable(bodies, schema)
    if not read.table.num_rows:
        return read
    canonical = columns.write(read.table, schema)
    if read.bad:
        column = column.take(read.positions)
    keep = pc.equal(column, canonical).to_numpy(zero_copy_only=False)
    for row in np.flatnonzero(~keep).tolist():
        problem = _disagreement(bodies[read.positions[row]], canonical[row].as_py(), schema)
        if problem:
            read.bad.append((int(read.positions[row]), problem))
        else:
            keep[row] = True
    if not keep.all():
        read = Read(read.positions[keep], read.table.filter(pa.array(keep)), read.bad)
    return read if schema is newest else Read(read.positions, columns.project(read.table, newest), read.bad)


def read_slowly(column: pa.BinaryArray, schema: Schema, newest: Schema) -> Read:
    """As `read_fast`, for a schema that pyruhvro is not proven on: by fastavro alone, one by one."""
    pieces = _Pieces()
    for at, body in enumerate(cast("list[bytes]", column.to_pylist())):
        try:
            record = reference.read(body, schema, newest)
            pieces.add(np.array([at]), pa.RecordBatch.from_pylist([record], schema=newest.arrow))
        except (BodyError, pa.ArrowException, OverflowError) as error:
            pieces.bad.append((at, str(error)))
    return pieces.read(newest)


def stacked(tables: list[pa.RecordBatch]) -> pa.RecordBatch:
    """One batch of the rows of at least one, all of the same schema."""
    if len(tables) == 1:
        return tables[0]
    return pa.Table.from_batches(tables).combine_chunks().to_batches()[0]


def _readable(bodies: list[bytes], schema: Schema) -> Read:
    """What pyruhvro can read. One body that it cannot fails its whole range: halve, then look at each."""
    pieces = _Pieces()
    ranges = [(0, len(bodies))]
    while ranges:
        start, stop = ranges.pop()
        try:
            pieces.add(np.arange(start, stop), columns.read(bodies[start:stop], schema))
        except ColumnsError:
            if stop - start <= _SCREENED:
                _screen(bodies, range(start, stop), schema, pieces)
            else:
                middle = (start + stop) // 2
                ranges += [(middle, stop), (start, middle)]
    return pieces.read(schema)


def _screen(bodies: list[bytes], suspects: range, schema: Schema, pieces: _Pieces) -> None:
    cleared = []
    for at in suspects:
        try:
            reference.read(bodies[at], schema, schema)
            cleared.append(at)
        except BodyError as error:
            pieces.bad.append((at, str(error)))
    try:
        if cleared:
            pieces.add(np.array(cleared), columns.read([bodies[at] for at in cleared], schema))
        return
    except ColumnsError:
        pass
    for at in cleared:
        try:
            pieces.add(np.array([at]), columns.read([bodies[at]], schema))
        except ColumnsError as error:
            pieces.bad.append((at, str(error)))


def _disagreement(body: bytes, canonical: bytes, schema: Schema) -> str:
    """What is wrong with a body that pyruhvro read but would write differently; empty if nothing is."""
    try:
        same = reference.write(reference.read(body, schema, schema), schema) == canonical
    except BodyError as error:
        return str(error)
    return "" if same else "a number is too large for its type"
