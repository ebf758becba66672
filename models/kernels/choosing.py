"""The strongest few of each topic, chosen without sorting all."""

from typing import Any

import numpy as np

from laurel.models.kernels.compiled import compiled


@compiled
def comes_first(first: Any, second: Any, a: int, b: int) -> Any:
    """Whether row a has a better place than row b: by `first`, then by `second`, then by coming earlier."""
    if first[a] != first[b]:
        return first[a] > first[b]
    if second[a] != second[b]:
        return second[a] > second[b]
    return a < b


@compiled
def sift(heap: Any, size: int, first: Any, second: Any) -> None:
    """Lets the row at the top of a heap, whose top is the worst of its rows, sink to its place."""
    at, row = 0, heap[0]
    while 2 * at + 1 < size:
        below = 2 * at + 1
        if below + 1 < size and comes_first(first, second, heap[below], heap[below + 1]):
            below += 1
        if not comes_first(first, second, row, heap[below]):
            break
        heap[at] = heap[below]
        at = below
    heap[at] = row


@compiled
def choose_most(topic: Any, first: Any, second: Any, most: int) -> Any:
    """Which of n rows (int64[n] each) are among the `most` of their topic by `first`, then `second`, then order, bool[n]; only a `first` above 0
    counts. With that the topics that have any (int64[t], in the order they come), and the `first` of the last one chosen of
    each that has `most`, else 1 (int64[t])."""
    n, topics = len(topic), 0
    room = 1
    while room < 2 * n:
        room *= 2
    table, group, names = np.full(room, -1, np.int64), np.empty(n, np.int64), np.empty(n, np.int64)
    sizes = np.zeros(n + 1, np.int64)
    for row in range(n):
        group[row] = -1
        if first[row] <= 0:
            continue
        at = topic[row] & (room - 1)
        while table[at] >= 0 and names[table[at]] != topic[row]:
            at = (at + 1) & (room - 1)
        if table[at] < 0:
            table[at], names[topics] = topics, topic[row]
            topics += 1
        group[row] = table[at]
        sizes[table[at]] += 1
    # A heap of at most `most` rows for each topic, one after the other.
    begin = np.zeros(topics + 1, np.int64)
    for which in range(topics):
        begin[which + 1] = begin[which] + min(sizes[which], most)
    heaps, held = np.empty(begin[topics], np.int64), np.zeros(topics, np.int64)
    for row in range(n):
        which = group[row]
        if which < 0:
            continue
        heap, size = heaps[begin[which] : begin[which + 1]], held[which]
        if size < len(heap):
            at = size
            held[which] += 1
            while at and comes_first(first, second, heap[(at - 1) // 2], row):
                heap[at] = heap[(at - 1) // 2]
                at = (at - 1) // 2
            heap[at] = row
        elif comes_first(first, second, row, heap[0]):
            heap[0] = row
            sift(heap, size, first, second)
    chosen, least = np.zeros(n, np.bool_), np.ones(topics, np.int64)
    for which in range(topics):
        for at in range(begin[which], begin[which + 1]):
            chosen[heaps[at]] = True
        if held[which] == most:
            least[which] = first[heaps[begin[which]]]
    return chosen, names[:topics], least
