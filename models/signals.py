"""What looks like gaming about the reactions an account got: four shares, apart from the score and never part of it.

None of them proves anything: a wedding photograph bursts, two friends answer each other. They say where to look.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Int = npt.NDArray[np.int64]
Float = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

YOUNG_DAYS = 7  # an engager first seen fewer days than this before it acts is young
LEAST = 20  # reactions, below which a share says nothing
SUSPICIOUS = {
    "reciprocity": 0.5,
    "burst": 0.5,
    "concentration": 0.5,
    "youth": 0.5,
}  # shares from which on it is flagged


@dataclass(frozen=True)
class Signals:
    """Of n accounts, all float64[n] in 0..1, 0 where there is nothing to tell, and `reactions` int64[n] that they are of.

    reciprocity: share of the named reactions that came from accounts which the account reacted to as well.
    burst: share of the reactions that came on its busiest day.
    concentration: sum over engagers of the square of each one's share of the named reactions (Herfindahl-Hirschman
      index): 1 if all are by one, 1 / k if they are by k alike.
    youth: share of the named reactions by accounts first seen fewer than `YOUNG_DAYS` days before.
    """

    reactions: Int
    reciprocity: Float
    burst: Float
    concentration: Float
    youth: Float

    def flagged(self, name: str) -> Flags:
        """Where the signal of that name is suspicious, bool[n]: at `SUSPICIOUS` or above, of `LEAST` reactions or more."""
        share: Float = getattr(self, name)
        return (self.reactions >= LEAST) & (share >= SUSPICIOUS[name])


def signals(actor: Int, target: Int, day: Int, first_seen: Int) -> Signals:
    """Signals of all n accounts from m reactions, in any order.

    `actor` (below 0: anonymous, counted for bursts only), `target` and `day` (since 1970-01-01) are int64[m], accounts by number
    below n; `first_seen` int64[n] is the day on which each account was first seen at all.
    """
    n = len(first_seen)
    reactions = np.bincount(target, minlength=n)
    named = actor >= 0
    by, of, when = actor[named], target[named], day[named]
    sums = np.bincount(of, minlength=n)
    returned = np.isin(of * n + by, by * n + of)
    young = when - first_seen[by] < YOUNG_DAYS
    _, first, times = np.unique(of * n + by, return_index=True, return_counts=True)
    squares = np.bincount(of[first], (times / np.maximum(sums[of[first]], 1)) ** 2, minlength=n)
    return Signals(
        reactions,
        _share(np.bincount(of[returned], minlength=n), sums),
        _share(_busiest(target, day, n), reactions),
        np.minimum(squares, 1.0),
        _share(np.bincount(of[young], minlength=n), sums),
    )


def _busiest(target: Int, day: Int, n: int) -> Int:
    """Reactions on each account's busiest day, int64[n]."""
    most = np.zeros(n, np.int64)
    if len(target):
        since = day - day.min()
        found, counts = np.unique(target * (since.max() + 1) + since, return_counts=True)
        np.maximum.at(most, found // (since.max() + 1), counts)
    return most


def _share(part: Int, whole: Int) -> Float:
    shares: Float = part / np.maximum(whole, 1)
    return shares
