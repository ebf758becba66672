"""The day's calibration: the unit of influence, r0, that keeps the population's average score at 20, and what each
network's reactions per post are."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from laurel.models.parameters import ScoreModel
from laurel.models.scale import bin_centres, score

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]

_HALVINGS = 100  # of an interval of log r0: after these no double lies between its ends


@dataclass(frozen=True)
class Calibration:
    """What a day's scores are computed with.

    r0: unit of raw influence, points.  mean: average score of the day's people at that r0, None when there is nobody.
    wanted: the r0 that would give the model's mean exactly; differs from r0 while its daily step is limited.
    people: how many were counted.
    """

    r0: float
    mean: float | None
    wanted: float
    people: int


def calibrate(bins: Int, previous_r0: float | None, closed_days: int, model: ScoreModel) -> Calibration:
    """The calibration of a day from its people by raw influence, int64[bins].

    `previous_r0` is the last closed day's, None at first; `closed_days` is how many days were closed before this one.
    r0 solves mean score = 20 within r0_lowest..r0_highest, and moves at most a step a day once free_days have been
    closed. Where there is nobody the previous r0 (at first r0_first) stays.
    """
    kept = model.r0_first if previous_r0 is None else previous_r0
    people = int(bins.sum())
    if not people:
        return Calibration(kept, None, kept, 0)
    wanted = _solve(bins, model)
    r0 = wanted
    if previous_r0 is not None and closed_days >= model.free_days:
        step = 1.0 + model.r0_step
        r0 = min(max(wanted, previous_r0 / step), previous_r0 * step)
    return Calibration(r0, mean_score(bins, r0, model), wanted, people)


def mean_score(bins: Int, r0: float, model: ScoreModel) -> float:
    """Average score of the people counted (int64[bins], at least one), each taken at the centre of their bin."""
    held = np.flatnonzero(bins)
    scores = score(bin_centres(model)[held], r0, model)
    # fsum is exact before it rounds once: the same everywhere, in any order.
    return math.fsum((bins[held] * scores).tolist()) / int(bins.sum())


def network_means(reactions: Int, posts: Int, previous: Float, days: Int, model: ScoreModel) -> Float:
    """Mean reactions per post of each network, float64[k], used from the next close on.

    `reactions` and `posts` int64[k] are the faded counts, in any one unit, of all accounts that posted on the network;
    `previous` float64[k] are the means so far (first_mean of a new network), which stay where nobody posted, and `days`
    int64[k] closes that measured them: after free_days of these a mean moves by at most mean_step a day.
    """
    posted = posts > 0
    means = np.where(posted, reactions / np.where(posted, posts, 1), previous)
    means = np.clip(means, model.mean_lowest, model.mean_highest)
    step = 1.0 + model.mean_step
    return np.where(days >= model.free_days, np.clip(means, previous / step, previous * step), means)


def _solve(bins: Int, model: ScoreModel) -> float:
    """Bisection on log r0; the average falls as r0 rises."""
    low, high = math.log(model.r0_lowest), math.log(model.r0_highest)
    if mean_score(bins, model.r0_lowest, model) <= model.mean:
        return model.r0_lowest
    if mean_score(bins, model.r0_highest, model) >= model.mean:
        return model.r0_highest
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if not low < middle < high:
            break
        if mean_score(bins, math.exp(middle), model) > model.mean:
            low = middle
        else:
            high = middle
    return math.exp((low + high) / 2)
