"""A person's accounts and networks combined into one raw influence."""

import numpy as np
import numpy.typing as npt

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]


def combine(owner: Int, raw: Float, people: int) -> Float:
    """Raw influence of each person, float64[people]: the sum over the person's accounts or networks.

    `owner` int64[m] is the person of each part, 0..people - 1, in any order; `raw` float64[m], points, at least 0.
    A sum of what is never negative can only grow: connecting a network never lowers anybody, not even by rounding, as
    each addition rounds monotonically. Parts are added from the smallest up, so the sum, though of floats, depends
    neither on the order they come in nor on how networks are numbered.
    """
    order = np.lexsort((raw, owner))
    return np.bincount(owner[order], weights=raw[order], minlength=people).astype(np.float64)  # integers if m is 0
