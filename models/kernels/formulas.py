"""Formulas that arrays and compiled loops share: each is written once, for numbers and arrays alike."""

from typing import Any

import numpy as np

from laurel.models.kernels.compiled import compiled


def day_counts(weight: Any, knee: float) -> Any:
    """See daily.counted; `weight` and `knee` in micro-points, the result is whole, but a float."""
    return np.rint(2.0 * weight / (1.0 + np.sqrt(1.0 + weight / knee)))


def share_kept(reactions: Any, posts: Any, mean: Any, floor: float, prior: float) -> Any:
    """See amplification.amplification."""
    ratio = (reactions + prior * mean) / ((posts + prior) * mean)
    return floor + (1.0 - floor) * np.minimum(1.0, ratio)


day_counts_one = compiled(day_counts)
share_kept_one = compiled(share_kept)
