"""How many people accounts reach at a close, and what is known of them."""

from typing import Any

import numpy as np

from laurel.models.kernels.compiled import compiled


@compiled
def count_people(rows: Any, begin: Any, length: Any, window: int, day: int) -> Any:
    """Sums of n accounts' PEOPLE rows of the `window` days up to `day`, int64[5, n], in the order of reach.SUMS. The rows lie as those of
    `count_days` do."""
    found, step = np.zeros((5, len(begin)), np.int64), rows.itemsize
    for account in range(len(begin)):
        for row in range(length[account]):
            one = rows[begin[account] + row * step]
            age = day - np.int64(one["day"])
            if one["admit"] <= day and 0 <= age < window:
                found[0, account] += one["people"]
                found[1, account] += one["young"]
                found[2, account] += one["points"]
                found[3, account] += one["acts"]
                found[4, account] += one["squares"]
    return found
