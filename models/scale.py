"""The scale: from raw influence to a score of 1 to 100, and to a place among all people.

People are counted in bins by the logarithm of their raw influence. Histograms of partitions add up exactly, and all
that is decided for a population, its calibration and its percentiles, is computed from one.
"""

import numpy as np
import numpy.typing as npt

from laurel.models.parameters import V1, ScoreModel

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]


def score(raw: Float, r0: Float | float, model: ScoreModel) -> Float:
    """Scores of raw influences (float64[n], points, at least 0), float64[n] in 1..100.

    min(100, 1 + 99 * log1p((raw + prior) / r0) / log1p(top)): well above r0 each further point takes the same factor
    of influence. `r0` (above 0) is the raw influence at which the scale turns from linear to logarithmic; `prior` is lent
    to everybody, so that some r0 gives any population its average, however few of it have influence of their own.
    """
    span = model.highest - model.lowest
    points: Float = model.lowest + span * np.log1p((raw + model.prior) / r0) / np.log1p(model.top_ratio)
    return np.minimum(model.highest, points)


def base_score(r0: Float | float, model: ScoreModel) -> Float:
    """The score of who has no influence of their own, float64 of r0's shape."""
    return score(np.zeros_like(r0, np.float64), r0, model)


def earned_points(scores: Float, r0: Float | float, model: ScoreModel) -> Int:
    """Whole points by which scores (float64[n]) of a day with that r0 (one, or n) are above the base, int64[n], at least 0.

    This is what weighs an engager: a score that anybody gets just for being there weighs nothing.
    """
    return np.rint(np.maximum(scores - base_score(r0, model), 0.0)).astype(np.int64)


def raw_of(scores: Float, r0: float, model: ScoreModel) -> Float:
    """The least raw influence (points) that gives each score, float64[n]: the inverse of `score` from the base to 100."""
    span = model.highest - model.lowest
    ratio: Float = np.expm1((scores - model.lowest) / span * np.log1p(model.top_ratio))
    return np.maximum(0.0, r0 * ratio - model.prior)


def bin_of(raw: Float, model: ScoreModel = V1) -> Int:
    """The bin each raw influence is counted in, int64[n].

    0 for none, else 1 + floor((log2(raw) + 20) * 32) kept within 1..2047.
    """
    some = raw > 0
    octaves = np.log2(np.where(some, raw, 1.0)) - model.bins_from
    bins = np.clip(1.0 + np.floor(octaves * model.bins_per_octave), 1, model.bins - 1)
    return np.where(some, bins, 0.0).astype(np.int64)


def bin_centres(model: ScoreModel = V1) -> Float:
    """The raw influence that stands for each bin, float64[bins]: 0, then 2**((b - 0.5) / 32 - 20)."""
    octaves = (np.arange(1, model.bins) - 0.5) / model.bins_per_octave + model.bins_from
    return np.concatenate(([0.0], np.exp2(octaves)))


def histogram(raw: Float, model: ScoreModel = V1) -> Int:
    """People in each bin, int64[bins]."""
    return np.bincount(bin_of(raw, model), minlength=model.bins)


def percentile(raw: Float, bins: Int, model: ScoreModel = V1) -> Float:
    """Share of people with less raw influence, counting half of one's own bin, float64[n] in percent, 0..100.

    `bins` int64[bins] are the people of the day; where there is nobody, every percentile is 0.
    """
    place = np.cumsum(bins) - bins / 2
    return 100.0 * place[bin_of(raw, model)] / max(int(bins.sum()), 1)


def score_percentiles(bins: Int, r0: float, model: ScoreModel) -> Float:
    """The score at each percentile 0..100, float64[101], never falling.

    Entry p is the score of the person ranked ceil(p / 100 * people) from below (p = 0: of the lowest), taken at the
    centre of that person's bin; where there is nobody, all are the lowest score.
    """
    people = int(bins.sum())
    if not people:
        return np.full(101, model.lowest)
    ranks = np.maximum(1, -(-np.arange(101) * people // 100))
    return score(bin_centres(model)[np.searchsorted(np.cumsum(bins), ranks)], r0, model)
