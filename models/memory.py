"""What an actor remembers of having acted on a target: how it adds up, and how it fades.

Micro-points of one actor on one target add up to less and less, and what fades is what they added up to.
"""

import numpy as np
import numpy.typing as npt

from laurel.models.fade import memory_table
from laurel.models.parameters import ScoreModel

Int = npt.NDArray[np.int64]

# What a pair's act tells of it. memory: what its actor remembers of it after the act, micro-points, NOTHING if the act told nothing. day: as of
# which; of its last act that stands. clock: the actor's own day.
TOLD = np.dtype([("memory", "<i8"), ("day", "<i4"), ("clock", "<i4")])
NOTHING = -1

ONE = 1_000_000  # micro-points that add up to themselves; twice as many is what nothing adds up to


def untold(acts: int) -> npt.NDArray[np.void]:
    """Of acts that tell nothing of a pair, TOLD[acts]."""
    told = np.zeros(acts, TOLD)
    told["memory"] = NOTHING
    return told


def potential(points: Int) -> Int:
    """P(x) = floor(2 x / (1 + x)), in points: what x micro-points of one actor on one target add up to, in micro-points.

    Michaelis and Menten's saturation: the first point counts wholly, the second a third, and all further ones together two thirds.
    """
    return 2 * ONE * points // (points + ONE)


def added(memory: Int, points: Int, factor: Int) -> Int:
    """What `points` (int64, micro-points) after `memory` add to what a pair adds up to, times a factor in millionths, rounded down.

    P(S + u) - P(S) = 2 u / ((1 + S) (1 + S + u)), so that equal acts never count more the more there were before.
    """
    # In nano-points at first: what it is multiplied by must leave it within 64 bits.
    return 2 * ONE * 1_000 * points // (memory + ONE) * factor // ((memory + points + ONE) * 1_000)


def points_for(adding_up: Int) -> Int:
    """The micro-points that add up to x micro-points (below 2,000,000), rounded down: the inverse of `potential`."""
    return adding_up * ONE // (2 * ONE - adding_up)


def faded(memory: Int, age: Int, model: ScoreModel) -> Int:
    """What is left of memories (int64, micro-points) after `age` days (int64, not negative), micro-points."""
    table = np.append(memory_table(model), 0)
    left = points_for((potential(memory) * table[np.minimum(age, len(table) - 1)]) >> 16)
    return np.where(age > 0, left, memory)
