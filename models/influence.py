"""What is remembered of an account as a target: the *influence* others' actions gave it, by day.

Weights are added up in buckets, so the state does not grow with the number of actions but with the days and kinds of
action they fall into. Sums of integers are exact in any order: the state is the same whatever order actors' events
arrive in and however they are cut into batches.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from laurel.models import ragged
from laurel.models.ragged import Ragged

Int = npt.NDArray[np.int64]

# Rows that an account keeps at most, of each kind. No honest account comes near; beyond it the weakest are dropped, so that
# nobody can make a state too large for Kafka.
ROWS_KEPT = 50_000

# day: of the actions, days since 1970-01-01. admit: the first day whose close may count them. action: id of network and
# action. weight: micro-points. count: how many. Ordered by all but the last two.
BUCKET = np.dtype([("day", "<i4"), ("admit", "<i4"), ("action", "<u4"), ("weight", "<i8"), ("count", "<i8")])
# topic: hash. weight: micro-points of reactions on the topic. plus_k: micro-+Ks received in it. Ordered likewise.
TOPIC = np.dtype([("day", "<i4"), ("admit", "<i4"), ("topic", "<u8"), ("weight", "<i8"), ("plus_k", "<i8")])


@dataclass
class Influences:
    """The influence of n accounts: `buckets` and `topics` are ragged over the same accounts."""

    buckets: Ragged
    topics: Ragged

    def __len__(self) -> int:
        return len(self.buckets.offsets) - 1


def accrue(
    influences: Influences,
    bucket_owners: Int,
    buckets: npt.NDArray[np.void],
    topic_owners: Int,
    topics: npt.NDArray[np.void],
    closed: int,
    window_days: int,
) -> Influences:
    """The accounts after adding BUCKET and TOPIC rows, each with its owner (index of an account, int64).

    `closed` is the last day whose close is complete: no close still to come is told apart by an `admit` up to it, and no
    bucket counts again that was out of the window on it.
    """
    return Influences(
        add(influences.buckets, bucket_owners, buckets, ("weight", "count"), closed, window_days),
        add(influences.topics, topic_owners, topics, ("weight", "plus_k"), closed, window_days),
    )


def add(
    held: Ragged, owners: Int, rows: npt.NDArray[np.void], sums: Sequence[str], closed: int, window_days: int
) -> Ragged:
    """The accounts' rows after adding some, each with its owner (int64): those alike in all but `sums` are one. See `accrue`."""
    owners = np.concatenate((held.owners, owners))
    rows = np.concatenate((held.rows, rows))
    usable = rows["day"] > closed - window_days
    owners, rows = owners[usable], rows[usable]
    rows["admit"] = np.where(rows["admit"] <= closed, rows["day"], rows["admit"])
    keys = [name for name in rows.dtype.names or () if name not in sums]
    order = np.lexsort((*(rows[name] for name in reversed(keys)), owners))
    owners, rows = owners[order], rows[order]
    first = ragged.starts(owners, *(rows[name] for name in keys))
    heads = np.flatnonzero(first)
    merged = rows[heads]
    if len(heads):
        for column in sums:
            merged[column] = np.add.reduceat(rows[column], heads)
    left = np.any([merged[column] != 0 for column in sums], axis=0)
    kept = ragged.from_owners(owners[heads][left], merged[left], len(held.offsets) - 1)
    return kept if int(kept.lengths.max(initial=0)) <= ROWS_KEPT else _strongest(kept, sums)


def _strongest(held: Ragged, sums: Sequence[str]) -> Ragged:
    owners = held.owners
    order = np.lexsort((*(-held.rows[column] for column in sums), owners))
    rank = np.empty(len(order), np.int64)
    rank[order] = ragged.ordinals(ragged.starts(owners[order]))
    return held.keep(rank < ROWS_KEPT)
