"""How accounts stand in topics at a close: sums of integers by account and topic."""

from typing import Any

import numpy as np

from laurel.models.kernels.compiled import compiled
from laurel.models.kernels.days import HALF, held
from laurel.models.kernels.sorting import ascending


@compiled
def count_topics(rows: Any, begin: Any, length: Any, fade: Any, day: int) -> Any:
    """What the close of `day` counts of n accounts' TOPIC rows, which lie as those of `count_days` do, with that `fade`.

    Returns uint64[k], the topics of each account, ascending; int64[k, 2], strength and +Ks; int64[n + 1], where each account's begin.
    """
    accounts, window, step = len(begin), len(fade), rows.itemsize
    total, longest = 0, 0
    for account in range(accounts):
        total += length[account]
        longest = max(longest, length[account])
    topics, found, ends = np.empty(total, np.uint64), np.empty((total, 2), np.int64), np.zeros(accounts + 1, np.int64)
    # Of one account: its topics in the order they come, found by a table of places with room for twice as many.
    names, order, sums = np.empty(longest, np.uint64), np.empty(longest, np.int64), np.empty((longest, 3), np.int64)
    room = 1
    while room < 2 * longest:
        room *= 2
    table, low, k = np.full(room, -1, np.int64), (1 << HALF) - 1, 0
    taken = np.empty(longest, np.int64)
    for account in range(accounts):
        size = 0
        for row in range(length[account]):
            one = rows[begin[account] + row * step]
            age = day - np.int64(one["day"])
            if one["admit"] > day or age < 0 or age >= window:
                continue
            topic = one["topic"]
            at = np.int64(topic & np.uint64(room - 1))
            while table[at] >= 0 and names[table[at]] != topic:
                at = (at + 1) & (room - 1)
            slot = table[at]
            if slot < 0:
                slot = table[at] = size
                names[size], order[size], taken[size] = topic, size, at
                sums[size] = 0
                size += 1
            weight = one["weight"]
            sums[slot, 0] += (weight >> HALF) * fade[age]
            sums[slot, 1] += (weight & low) * fade[age]
            sums[slot, 2] += one["plus_k"]
        for slot in range(size):
            table[taken[slot]] = -1
        ascending(names, order, size)
        for i in range(size):
            slot = order[i]
            topics[k] = names[i]
            found[k, 0], found[k, 1] = held(sums[slot, 0], sums[slot, 1]), sums[slot, 2]
            k += 1
        ends[account + 1] = k
    return topics[:k], found[:k], ends
