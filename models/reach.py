"""Whom an account reaches: the people who acted on it within the window, each once, how influential they are, and how often and how
newly they act.

Actors tell how they move among the days that people are counted on (`models.counted_once`), so a sum over days is the number of people:
no list of names is kept, and nothing is estimated.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from laurel.models.counted_once import NOWHERE, Moves
from laurel.models.influence import add
from laurel.models.kernels.people import count_people
from laurel.models.parameters import ScoreModel
from laurel.models.ragged import Int, Ragged, Runs
from laurel.models.signals import YOUNG_DAYS

# day: of the people's last acts, by their own clocks, days since 1970-01-01. admit: the first day whose close may count them.
# people: how many. young: those of them who were new at that act. points: what these had earned, added up. acts: how often they
# had acted on the account, added up, and squares: the squares of that. Ordered by the first two.
PEOPLE = np.dtype(
    [
        ("day", "<i4"),
        ("admit", "<i4"),
        ("people", "<i4"),
        ("young", "<i4"),
        ("points", "<i8"),
        ("acts", "<i8"),
        ("squares", "<i8"),
    ]
)
SUMS = ("people", "young", "points", "acts", "squares")
MOST_POINTS = 100  # that one of them can have earned


@dataclass(frozen=True)
class Reach:
    """Of n accounts, all int64[n]: `people` reached, the `points` that these had earned together, how many of them were `young`, their
    `acts` and the `squares` of each one's acts, added up."""

    people: Int
    points: Int
    young: Int
    acts: Int
    squares: Int


def mean_points(people: Int, points: Int) -> npt.NDArray[np.float64]:
    """Mean points that people reached had earned when they last acted, float64[n], 0 where there are none."""
    return np.divide(points, people, out=np.zeros(len(people)), where=people > 0)


def rows_of(moves: Moves, admit: Int) -> tuple[Int, npt.NDArray[np.void]]:
    """The PEOPLE rows of m moves (MOVE), one for each day left or reached, and which move each is of, int64[k].

    `admit` int64[m] are the days before which no close may count what the moves are told with. No close before an actor's own
    clock counts them either: one that finds a move finds all the actor's moves before it, so that nobody counts twice.
    """
    admit = np.maximum(admit, moves["clock"])
    parts = []
    for day, points, sign in (("left", "left_points", -1), ("reached", "reached_points", 1)):
        of = np.flatnonzero(moves[day] != NOWHERE)
        rows = np.empty(len(of), PEOPLE)
        rows["day"], rows["admit"], rows["people"] = moves[day][of], admit[of], sign
        rows["points"] = sign * moves[points][of].astype(np.int64)
        rows["young"] = sign * (rows["day"] - moves["first"][of] < YOUNG_DAYS)
        acts = moves[f"{day}_acts"][of].astype(np.int64)
        rows["acts"], rows["squares"] = sign * acts, sign * acts**2
        parts.append((of, rows))
    return np.concatenate([of for of, _ in parts]), np.concatenate([rows for _, rows in parts])


def put(held: Ragged, owners: Int, rows: npt.NDArray[np.void], closed: int, window_days: int) -> Ragged:
    """The accounts' people (PEOPLE) after adding rows, each with its owner (int64); `closed` as for `influence.accrue`."""
    return add(held, owners, rows, SUMS, closed, window_days)


def reach(people: Runs, day: int, model: ScoreModel) -> Reach:
    """The reach of accounts (PEOPLE of each) at the close of `day`.

    What a stranger may have written makes no number negative, and nobody more influential than can be.
    """
    found = count_people(people.rows, people.begins, people.lengths, model.window_days, day)
    number, young, points, acts, squares = np.maximum(found, 0)
    return Reach(number, np.minimum(points, MOST_POINTS * number), np.minimum(young, number), acts, squares)
