"""How an actor counts among the people whom an account reaches: as of the day of its last act on it, and nowhere else.

The actor remembers, for each account it acted on, the day by its own clock and the points it had at its last act, and how often it
acted. Every act changes this and moves it: out of what it counted for, into something else. Summed up, the moves leave everybody
counted once, without a list of names and whatever the order in which they come.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Int = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Moves = npt.NDArray[np.void]

# left, reached: days since 1970-01-01 out of which and into which an actor moves, NOWHERE if it wasn't or isn't counted.
# left_points, reached_points: points it had earned then. left_acts, reached_acts: how often it had acted on the account since it
# was last unknown to it, MOST_ACTS at most. clock: the actor's own day, which no day of its moves is beyond. first: the first
# day that its clock ever showed, 0 if that isn't known.
MOVE = np.dtype(
    [
        ("left", "<i4"),
        ("reached", "<i4"),
        ("clock", "<i4"),
        ("first", "<i4"),
        ("left_points", "u1"),
        ("reached_points", "u1"),
        ("left_acts", "<u2"),
        ("reached_acts", "<u2"),
    ]
)
MOST_ACTS = 65_535

NOWHERE = -1
UNTOLD = 255  # as the points of an actor that nobody was told of: it counts nowhere


def stays(acts: int) -> Moves:
    """The moves of acts that move nobody, MOVE[acts]."""
    moves = np.zeros(acts, MOVE)
    moves["left"] = moves["reached"] = NOWHERE
    return moves


class Place(NamedTuple):
    """Where each of m actors counts: the `day` int64[m], the `points` it had earned then, and its `acts` up to then, int64[m]."""

    day: Int
    points: Int
    acts: Int


def moves(left: Place, reached: Place, clock: Int, first: Int) -> tuple[Flags, Moves]:
    """Which of m actors move, bool[m], and the moves of these, MOVE[k]; a day NOWHERE, or points UNTOLD, is nowhere."""
    days = [np.where(place.points == UNTOLD, NOWHERE, place.day) for place in (left, reached)]
    same = (left.points == reached.points) & (left.acts == reached.acts)
    moved = (days[0] != days[1]) | ((days[0] != NOWHERE) & ~same)
    found = np.empty(int(moved.sum()), MOVE)
    found["clock"], found["first"] = clock[moved], first[moved]
    for name, day, place in zip(("left", "reached"), days, (left, reached), strict=True):
        found[name] = day[moved]
        for column, values in (("points", place.points), ("acts", place.acts)):
            found[f"{name}_{column}"] = np.where(day == NOWHERE, 0, values)[moved]
    return moved, found
