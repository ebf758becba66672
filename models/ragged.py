"""Ragged columns: for each of n keys a run of rows, all runs in one array.

The shape of every keyed state in laurel: `offsets` (int64[n + 1]) says where each key's rows begin, `rows` is one
structured array. Functions here are the few set operations that state updates need, all vectorised. `Runs` are the same where the rows
lie in a buffer already, among other things: what only reads them needs no copy.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt

Int = npt.NDArray[np.int64]
Rows = npt.NDArray[np.void]
Flags = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Runs:
    """Rows of n keys where they lie: key i owns `lengths[i]` (int64[n]) one after the other from byte `begins[i]` (int64[n]) of
    a buffer on. `rows` is the buffer as a row that begins at each of its bytes, read-only: the one shape that kernels are compiled for."""

    rows: Rows
    begins: Int
    lengths: Int

    def take(self, keys: Int) -> "Runs":
        """Only some keys (int64[k]), in the order given."""
        return Runs(self.rows, self.begins[keys], self.lengths[keys])

    def ragged(self) -> "Ragged":
        """A copy of the rows alone."""
        offsets = np.concatenate(([0], np.cumsum(self.lengths)))
        dtype = self.rows.dtype
        within = np.arange(offsets[-1]) - np.repeat(offsets[:-1], self.lengths)
        at = np.repeat(self.begins, self.lengths) + within * dtype.itemsize
        # Rows without columns are copied the fastest.
        return Ragged(offsets, self.rows.view(f"V{dtype.itemsize}")[at].view(dtype))


def at_each_byte(buffer: Bytes, dtype: np.dtype[np.void]) -> Rows:
    """A buffer as a row that begins at each of its bytes, see Runs; two at least, or Numba takes it for another kind of array."""
    size = dtype.itemsize
    if len(buffer) <= size:
        buffer = np.concatenate((buffer, np.zeros(size + 1 - len(buffer), np.uint8)))
    rows = np.ndarray((len(buffer) - size + 1,), dtype, cast("Any", buffer), strides=(1,))
    rows.flags.writeable = False
    return rows


@dataclass(frozen=True)
class Ragged:
    """Rows of n keys: key i owns `rows[offsets[i]:offsets[i + 1]]`."""

    offsets: Int
    rows: Rows

    @property
    def lengths(self) -> Int:
        """Rows of each key, int64[n]."""
        return np.diff(self.offsets)

    @property
    def owners(self) -> Int:
        """The key of each row, int64[m], ascending."""
        return np.repeat(np.arange(len(self.offsets) - 1), self.lengths)

    @property
    def runs(self) -> Runs:
        """The same rows, as they lie here."""
        size = self.rows.dtype.itemsize
        buffer = np.ascontiguousarray(self.rows).view(np.uint8)
        return Runs(at_each_byte(buffer, self.rows.dtype), self.offsets[:-1] * size, self.lengths)

    def keep(self, mask: npt.NDArray[np.bool_]) -> "Ragged":
        """The same keys with only the rows where mask (bool[m]) holds, order kept."""
        kept = np.concatenate(([0], np.cumsum(mask)))
        return Ragged(kept[self.offsets], self.rows[mask])

    def take(self, keys: Int) -> "Ragged":
        """Only some keys (int64[k]), in the order given, with all their rows."""
        counts = self.lengths[keys]
        offsets = np.concatenate(([0], np.cumsum(counts)))
        within = np.arange(offsets[-1]) - np.repeat(offsets[:-1], counts)
        return Ragged(offsets, self.rows[np.repeat(self.offsets[keys], counts) + within])


def empty(keys: int, dtype: np.dtype[np.void]) -> Ragged:
    """N keys without rows."""
    return Ragged(np.zeros(keys + 1, np.int64), np.empty(0, dtype))


def from_owners(owners: Int, rows: Rows, keys: int) -> Ragged:
    """Rows whose owners (int64[m]) are ascending, as Ragged over `keys` keys."""
    return Ragged(np.searchsorted(owners, np.arange(keys + 1)), rows)


def append(ragged: Ragged, owners: Int, rows: Rows) -> Ragged:
    """Add rows (any order of owners) after each key's own, keeping the order among a key's new rows."""
    if not len(rows):
        return ragged
    keys = len(ragged.offsets) - 1
    all_owners = np.concatenate((ragged.owners, owners))
    order = np.argsort(all_owners, kind="stable")
    return from_owners(all_owners[order], np.concatenate((ragged.rows, rows))[order], keys)


def join(parts: Sequence[Ragged]) -> Ragged:
    """The keys of all parts, one part after the other."""
    counts = np.concatenate([part.lengths for part in parts])
    return Ragged(np.concatenate(([0], np.cumsum(counts))), np.concatenate([part.rows for part in parts]))


def among(names: npt.NDArray[np.uint64], wanted: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
    """Which of n names are among k wanted ones (some at least), bool[n]; quick where k is small."""
    ordered = np.sort(wanted)
    return np.asarray(ordered[np.minimum(np.searchsorted(ordered, names), len(ordered) - 1)] == names)


def latest(
    owners: Int, names: npt.NDArray[np.uint64], of_owners: Int, of_names: npt.NDArray[np.uint64]
) -> npt.NDArray[np.int64]:
    """For each wanted (owner, name), int64[k] and uint64[k]: the last of n rows that has both, int64[k], -1 for none."""
    found = np.full(len(of_owners), -1, np.int64)
    if not len(owners) or not len(of_owners):
        return found
    rows = np.flatnonzero(among(names, of_names))
    n = len(rows)
    all_owners, all_names = np.concatenate((owners[rows], of_owners)), np.concatenate((names[rows], of_names))
    order = np.lexsort((all_names, all_owners))  # stable: the rows of a name come before those that want it
    places = np.arange(len(order))
    group = np.maximum.accumulate(np.where(starts(all_owners[order], all_names[order]), places, 0))
    last = np.maximum.accumulate(np.where(order < n, places, -1))
    asks = order >= n
    known = last[asks] >= group[asks]
    found[order[asks][known] - n] = rows[order[last[asks][known]]]
    return found


def starts(*sorted_columns: npt.NDArray[np.generic]) -> npt.NDArray[np.bool_]:
    """True where a row differs from the one before in any column: the first row of each group, bool[m]."""
    size = len(sorted_columns[0])
    first = np.zeros(size, np.bool_)
    if size:
        first[0] = True
        for column in sorted_columns:
            first[1:] |= column[1:] != column[:-1]
    return first


def totals(values: Int, heads: Int) -> Int:
    """The sum of each group of values (int64[m]) that begins at one of `heads` (int64[k], ascending, the first 0), int64[k]."""
    return values if len(heads) == len(values) else np.add.reduceat(values, heads)


def ordinals(first: npt.NDArray[np.bool_]) -> Int:
    """Position of each row within its group, from 0; `first` as given by `starts`, int64[m]."""
    positions = np.arange(len(first))
    return positions - np.maximum.accumulate(np.where(first, positions, 0))


def running(values: Int, first: npt.NDArray[np.bool_]) -> Int:
    """Sum of the values before each row within its group (an exclusive running sum), int64[m]."""
    if not len(values):
        return values
    before = np.cumsum(values) - values
    heads = np.flatnonzero(first)
    return before - np.repeat(before[heads], np.diff(np.append(heads, len(values))))
