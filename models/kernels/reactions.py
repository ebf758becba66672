"""How many reactions accounts got on each day."""

from typing import Any

import numpy as np

from laurel.models.kernels.compiled import compiled
from laurel.models.kernels.days import find_rows, position


@compiled
def count_reactions(rows: Any, begin: Any, length: Any, actions: Any, reaction: int, window: int, day: int) -> Any:
    """Reactions that the close of `day` counts on each of the `window` days up to it, of n accounts' BUCKET rows: int64[k, 3], a row of account,
    age and how many for each day that has more than none, by account and descending age. Rows and `actions` are as for `count_days`, and
    `reaction` is the kind that counts."""
    ids, likely, kinds, _ = actions
    total = longest = 0
    for account in range(len(begin)):
        total += length[account]
        longest = max(longest, length[account])
    found, k = np.empty((total, 3), np.int64), 0
    at, when = np.empty(longest, np.int64), np.empty(longest, np.int64)
    for account in range(len(begin)):
        size = find_rows(rows, begin[account], length[account], day - window + 1, day, at, when)
        row = 0
        while row < size:
            moment, count = when[row], 0
            while row < size and when[row] == moment:
                one = rows[at[row]]
                code = position(one["action"], ids, likely)
                if code >= 0 and kinds[code] == reaction:
                    count += one["count"]
                row += 1
            # Below 0 only where what was taken back had been counted on a day that is gone.
            if count > 0:
                found[k, 0], found[k, 1], found[k, 2] = account, day - moment, count
                k += 1
    return found[:k]


@compiled
def count_at_most(rows: Any, begin: Any, length: Any) -> Any:
    """What no close can count more than of n accounts' BUCKET rows, int64[n]. The rows lie as for `count_days`."""
    found = np.zeros(len(begin), np.int64)
    for account in range(len(begin)):
        for row in range(length[account]):
            found[account] += max(rows[begin[account] + row * rows.itemsize]["count"], 0)
    return found
