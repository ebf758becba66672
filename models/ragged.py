"""Ragged columns: for each of n keys a run of rows, all runs in one array.

The shape of every keyed state in laurel: `offsets` (int64[n + 1]) says where each key's rows begin, `rows` is one
structured array. Functions here are the few set operations that state updates need, all vectorised.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Int = npt.NDArray[np.int64]
Rows = npt.NDArray[np.void]
Flags = npt.NDArray[np.bool_]


MOST_SLOTS = 1 << 22  # keys of which each may have a place of its own


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


def order(keys: Int) -> Int:
    """What sorts keys (int64[m], at least 0), equal ones in the order they have, int64[m]."""
    size = len(keys)
    if (keys[1:] >= keys[:-1]).all():
        return np.arange(size)
    room = size.bit_length()
    if int(keys.max()) >> (63 - room):
        return np.argsort(keys, kind="stable")
    # Numbers sort faster than places are found: each key takes its place along.
    return np.sort((keys << room) | np.arange(size)) & ((1 << room) - 1)


def slots(keys: Int, size: int) -> tuple[Int, Int]:
    """The distinct ones of keys (int64[m], 0..size - 1), ascending, and which of them each is, int64[m]."""
    if size > MOST_SLOTS:
        distinct, slot = np.unique(keys, return_inverse=True)
        return distinct, slot
    taken = np.zeros(size, np.bool_)
    taken[keys] = True
    distinct = np.flatnonzero(taken)
    slot = np.empty(size, np.int64)
    slot[distinct] = np.arange(len(distinct))
    return distinct, slot[keys]


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
