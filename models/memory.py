"""What an actor remembers of having acted on a target: how it adds up, and how it fades.

Micro-points of one actor on one target add up by the logarithm, and what fades is what they added up to.
"""

import numpy as np
import numpy.typing as npt

from laurel.models.fade import memory_table
from laurel.models.parameters import ScoreModel

Int = npt.NDArray[np.int64]


def potential(points: Int) -> Int:
    """P(x) = rint(1e6 * log1p(x / 1e6)): what x micro-points of one actor on one target add up to, in micro-points."""
    return np.rint(1e6 * np.log1p(points / 1e6)).astype(np.int64)


def points_for(adding_up: Int) -> Int:
    """rint(1e6 * expm1(x / 1e6)): the micro-points that add up to x micro-points, the inverse of `potential`."""
    return np.rint(1e6 * np.expm1(adding_up / 1e6)).astype(np.int64)


def faded(memory: Int, age: Int, model: ScoreModel) -> Int:
    """What is left of memories (int64, micro-points) after `age` days (int64, not negative), micro-points."""
    table = np.append(memory_table(model), 0)
    left = points_for((potential(memory) * table[np.minimum(age, len(table) - 1)]) >> 16)
    return np.where(age > 0, left, memory)
