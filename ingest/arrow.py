"""The few operations on Arrow columns that the readers share, with one type each.

pyarrow's published types don't know mixtures of scalars and columns, nor columns out of batches; the casts are here.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    Column: TypeAlias = pa.Array[Any]
else:
    Column = pa.Array  # takes no type arguments when the program runs
Ints: TypeAlias = npt.NDArray[np.int64]
Mask: TypeAlias = npt.NDArray[np.bool_]

_join: Callable[..., Column] = pc.binary_join_element_wise
_if_else: Callable[..., Column] = pc.if_else
_matches: Callable[..., Column] = pc.match_substring_regex
_coalesce: Callable[..., Column] = pc.coalesce
_counts: Callable[..., Column] = pc.value_counts


def join(*parts: str | Column | Ints) -> Column:
    """The parts' texts joined row by row; null where a part is null."""
    return _join(*(pa.array(part).cast(pa.string()) if isinstance(part, np.ndarray) else part for part in parts), "")


def choose(mask: Mask | Column, yes: str | Column | None, no: str | Column | None) -> Column:
    """Row by row `yes` where the mask holds, else `no`, both text."""
    chosen = [pa.scalar(part, pa.string()) if part is None else part for part in (yes, no)]
    return _if_else(pa.array(mask) if isinstance(mask, np.ndarray) else mask, *chosen)


def filled(column: Column, default: str) -> Column:
    """The text column with `default` where it is null."""
    return _coalesce(column, pa.scalar(default))


def mask(column: Column) -> Mask:
    """A column of booleans without nulls as a NumPy mask."""
    return cast("Mask", column.to_numpy(zero_copy_only=False))


def matches(texts: Column, pattern: str) -> Mask:
    """Where the text contains the (RE2) pattern; null counts as a text that does."""
    return mask(_matches(texts, pattern).fill_null(True))


def equals(texts: Column, text: str) -> Mask:
    """Where the column, without nulls, holds that text."""
    equal: Callable[..., Column] = pc.equal
    return mask(equal(texts, text))


def cells(lists: Column, count: int) -> list[Column]:
    """The first `count` elements of each list, a column each."""
    element: Callable[..., Column] = pc.list_element
    return [element(lists, index) for index in range(count)]


def split(texts: Column, separator: str) -> Column:
    """Each text as the list of what is between the separators."""
    divide: Callable[..., Column] = pc.split_pattern
    return divide(texts, separator)


def pick(column: Column, rows: Ints) -> Column:
    """The column's values at those rows."""
    return column.take(cast("Any", pa.array(rows)))


def pick_rows(batch: pa.RecordBatch, rows: Ints) -> pa.RecordBatch:
    """The batch's rows at those places."""
    return batch.take(cast("Any", pa.array(rows)))


def keep(column: Column, wanted: Mask) -> Column:
    """The column's values where the mask holds."""
    return column if wanted.all() else column.filter(pa.array(wanted))


def numbers(column: Column) -> Ints:
    """A column of integers without nulls as int64[n]."""
    return np.asarray(column.to_numpy(zero_copy_only=False), np.int64)


def translate(column: Column, names: dict[str, str]) -> Column:
    """Each text by what `names` has for it, or as it is."""
    index: Callable[..., Column] = pc.index_in
    found = pa.array(list(names.values())).take(cast("Any", index(column, pa.array(list(names)))))
    return _coalesce(found, column)


def repeated(value: object, count: int) -> Column:
    """A column of that value; of null texts for None."""
    return pa.nulls(count, pa.string()) if value is None else pa.repeat(cast("Any", value), count)


def lists(counts: Ints, values: Column) -> Column:
    """Lists of `counts[i]` of the values, one after the other."""
    offsets = np.concatenate([np.zeros(1, np.int32), np.cumsum(counts, dtype=np.int32)])
    found: Column = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values)
    return found


def lengths(column: Column) -> Ints:
    """The length of each list; 0 for null."""
    return numbers(pc.list_value_length(column).fill_null(0))


def flat(column: Column) -> Column:
    """The values of all lists, one after the other."""
    return cast("pa.ListArray[Any]", column).flatten()


def joined(lists: Column, separator: str) -> Column:
    """Each list of texts as one text."""
    unite: Callable[..., Any] = pc.binary_join
    return cast("Column", unite(lists, separator))


def tally(column: Column) -> dict[str, int]:
    """How often each text occurs."""
    return {entry["values"]: entry["counts"] for entry in cast("Sequence[Any]", _counts(column).to_pylist())}


def concatenate(batches: Sequence[pa.RecordBatch], schema: pa.Schema) -> pa.RecordBatch:
    """The batches as one."""
    whole = pa.Table.from_batches(list(batches), schema).combine_chunks().to_batches()
    return whole[0] if whole else pa.RecordBatch.from_pylist([], schema)
