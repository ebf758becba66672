"""By how much people move from one model's scores to another's, before anybody is told: the figures a switch is decided by."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from laurel.models.ranking import spearman

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]

EDGES = (
    -10.0,
    -5.0,
    -2.0,
    -1.0,
    -0.5,
    0.5,
    1.0,
    2.0,
    5.0,
    10.0,
)  # points, between the classes that moves are counted in
QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)  # of people, by their move
TOP = 100  # people ranked first whose overlap is told


@dataclass(frozen=True)
class Moves:
    """How `people` move, in points: `mean` move, `mean_size` of moves without their sign, `quantiles` float64[7], and `counts`
    int64[11] of people in the classes between EDGES; means of both scores; `rank_correlation` of both (Spearman, None where
    either is the same for all), and how many of the `top` people ranked first by one are so by the other (`overlap`)."""

    people: int
    mean: float
    mean_size: float
    quantiles: Float
    counts: Int
    mean_before: float
    mean_after: float
    rank_correlation: float | None
    top: int
    overlap: int


def moves(before: Float, after: Float) -> Moves:
    """From scores of at least one person by one model to those by another, float64[n] each.

    A move of exactly an edge above 0 counts with the larger ones, below 0 likewise. Where scores are equal at the border
    of the first TOP, the other score decides, so that equals are no difference.
    """
    moved, top = after - before, min(TOP, len(before))
    # By size, so that both signs treat their edges alike.
    size = np.searchsorted(np.array(EDGES[len(EDGES) // 2 :]), np.abs(moved), "right")
    place = len(EDGES) // 2 + np.where(moved < 0, -size, size)
    first = np.lexsort((-after, -before))[:top], np.lexsort((-before, -after))[:top]
    return Moves(
        people=len(before),
        mean=float(moved.mean()),
        mean_size=float(np.abs(moved).mean()),
        quantiles=np.quantile(moved, QUANTILES),
        counts=np.bincount(place, minlength=len(EDGES) + 1),
        mean_before=float(before.mean()),
        mean_after=float(after.mean()),
        rank_correlation=spearman(before, after),
        top=top,
        overlap=len(np.intersect1d(*first)),
    )
