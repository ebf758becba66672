"""Raw influence of accounts: their networks, each by its amplification, added up."""

from typing import Any

import numpy as np

from laurel.models.kernels.compiled import compiled
from laurel.models.kernels.formulas import share_kept_one


@compiled
def add_up(
    ends: Any, counted: Any, posted: Any, means: Any, floor: float, prior: float, fade_unit: float, unit: float
) -> Any:
    """The factors float64[m] and the raw influence float64[n] of n accounts.

    `counted` are their PRESENCE rows, account i's from `ends[i]` to `ends[i + 1]`, and `posted` the same places, of which only posts are taken.
    `means` float64[networks] are reactions per post; `fade_unit` is what a count of one is, `unit` what a point is.
    """
    factors, raw = np.empty(len(counted)), np.zeros(len(ends) - 1)
    for account in range(len(raw)):
        # Networks are added in the order of the table, so that the sum is the same to the last bit.
        for at in range(ends[account], ends[account + 1]):
            one = counted[at]
            mean = means[one["network"]]
            factors[at] = share_kept_one(
                one["reactions"] / fade_unit, posted[at]["posts"] / fade_unit, mean, floor, prior
            )
            raw[account] += factors[at] * one["part"] / unit
    return factors, raw
