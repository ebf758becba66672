"""How an actor counts among the people whom an account reaches: as of the day of its last act on it, and nowhere else.

The actor remembers, for each account it acted on, the day by its own clock and the points it had at its last act. Every act that
changes this moves it: out of the day it counted on, into another. Summed up, the moves leave everybody counted once, without a
list of names and whatever the order in which they come.
"""

import numpy as np
import numpy.typing as npt

Int = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Moves = npt.NDArray[np.void]

# left, reached: days since 1970-01-01 out of which and into which an actor moves, NOWHERE if it wasn't or isn't counted.
# left_points, reached_points: points it had earned then. clock: the actor's own day, which no day of its moves is beyond.
MOVE = np.dtype(
    [("left", "<i4"), ("reached", "<i4"), ("clock", "<i4"), ("left_points", "u1"), ("reached_points", "u1")]
)

NOWHERE = -1
UNTOLD = 255  # as the points of an actor that nobody was told of: it counts nowhere


def stays(acts: int) -> Moves:
    """The moves of acts that move nobody, MOVE[acts]."""
    moves = np.zeros(acts, MOVE)
    moves["left"] = moves["reached"] = NOWHERE
    return moves


def moves(left: Int, left_points: Int, reached: Int, reached_points: Int, clock: Int) -> tuple[Flags, Moves]:
    """Which of m actors move, bool[m], and the moves of these, MOVE[k]; NOWHERE or UNTOLD is nowhere."""
    left = np.where(left_points == UNTOLD, NOWHERE, left)
    reached = np.where(reached_points == UNTOLD, NOWHERE, reached)
    moved = (left != reached) | ((left != NOWHERE) & (left_points != reached_points))
    found = np.empty(int(moved.sum()), MOVE)
    found["left"], found["reached"], found["clock"] = left[moved], reached[moved], clock[moved]
    for name, day, points in (("left_points", left, left_points), ("reached_points", reached, reached_points)):
        found[name] = np.where(day == NOWHERE, 0, points)[moved]
    return moved, found
