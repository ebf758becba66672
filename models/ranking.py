"""How well a ranking foretells what comes: NDCG, precision and rank correlation, all indifferent to the order of equals.

Who are ranked alike stand in any order with the same probability, and the expected figure is returned (McSherry and Najork:
Computing information retrieval performance measures efficiently in the presence of tied scores, 2008).
"""

import numpy as np
import numpy.typing as npt

from laurel.models import ragged

Float = npt.NDArray[np.float64]


def ndcg(values: Float, gains: Float, k: int) -> float:
    """Normalised discounted cumulative gain of the k ranked first, 0..1 (Jaervelin and Kekaelaeinen, 2002).

    `values` float64[n] rank, the highest first; `gains` float64[n], at least 0 and not all 0, are what they turn out to be
    worth. The gain at rank r counts 1 / log2(1 + r); the sum is divided by that of the best ranking there is.
    """
    discounts = 1.0 / np.log2(2.0 + np.arange(min(k, len(values))))
    best = np.sort(gains)[::-1][: len(discounts)]
    return _expected(values, gains, discounts) / float(best @ discounts)


def precision(values: Float, gains: Float, k: int) -> float:
    """Share of the k ranked first who are among the k with the most gain, 0..1; equals at the border are all among them."""
    most = min(k, len(values))
    border = np.partition(gains, len(gains) - most)[len(gains) - most]
    among = (gains >= border) & (gains > 0)
    return _expected(values, among.astype(np.float64), np.ones(most)) / k


def spearman(values: Float, gains: Float) -> float | None:
    """Rank correlation, -1..1; None where either is the same for all."""
    one, other = _ranks(values), _ranks(gains)
    one, other = one - one.mean(), other - other.mean()
    size = float(np.sqrt((one @ one) * (other @ other)))
    return float(one @ other) / size if size else None


def _expected(values: Float, gains: Float, discounts: Float) -> float:
    """Sum of the gains by rank, each times the discount of its rank: the mean over all orders of equals."""
    border = np.partition(values, len(values) - len(discounts))[len(values) - len(discounts)]
    top = np.flatnonzero(values >= border)
    top = top[np.argsort(-values[top], kind="stable")]
    heads = np.flatnonzero(ragged.starts(values[top]))
    sizes = np.diff(np.append(heads, len(top)))
    counted = np.concatenate((discounts, np.zeros(len(top) - len(discounts))))
    return float((np.add.reduceat(gains[top], heads) / sizes) @ np.add.reduceat(counted, heads))


def _ranks(values: Float) -> Float:
    """Rank of each from 1, the mean of theirs for equals, float64[n]."""
    _, place, sizes = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(sizes)
    return np.asarray((last - (sizes - 1) / 2)[place], np.float64)
