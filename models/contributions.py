"""What a score is made of: points by network and action that add up to it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]

BASE = -1  # code of the points everybody has: network laurel, action base


@dataclass(frozen=True)
class Contributions:
    """Account i owns rows offsets[i]..offsets[i + 1] (int64[n + 1]) of `code` (int64[k], position in the network table,
    BASE first) and `points` (float64[k]), which add up to its score."""

    offsets: Int
    code: Int
    points: Float

    def take(self, accounts: Int) -> "Contributions":
        """Only some accounts (int64[k]), in the order given."""
        counts = np.diff(self.offsets)[accounts]
        ends = np.concatenate(([0], np.cumsum(counts)))
        rows = np.arange(ends[-1]) + np.repeat(self.offsets[accounts] - ends[:-1], counts)
        return Contributions(ends, self.code[rows], self.points[rows])


def contributions(
    scores: Float, base: float, offsets: Int, code: Int, part: Int | Float, amplification: Float | float = 1.0
) -> Contributions:
    """Shares of each account's score: (score - base) * amplification * part / total for each network and action.

    `scores` float64[n]; `base` is the score of who has no influence (scale.base_score); account i owns rows offsets[i]..offsets[i + 1] of `code` int64[m] (position in the network
    table, ascending in an account), `part` int64[m] or float64[m] (faded weight, at least 0, any one unit) and `amplification`
    float64[m] (of the row's network; 1 where `part` has it already). `total` is the sum of amplification * part over the account. The base comes
    first, rows without part are left out. The points sum to the score within 1e-9 for all who have a part above
    0, and for others if their score is the base.
    """
    accounts = len(scores)
    amount = amplification * part
    owner = np.repeat(np.arange(accounts), np.diff(offsets))
    counts = part > 0
    owner, amount = owner[counts], amount[counts]
    # bincount adds in the order of rows, which is that of codes: the same however accounts are batched.
    total = np.bincount(owner, weights=amount, minlength=accounts)
    points = (scores - base)[owner] * amount / total[owner]

    sizes = np.bincount(owner, minlength=accounts) + 1
    ends = np.concatenate(([0], np.cumsum(sizes)))
    at = np.arange(len(owner)) + owner + 1  # behind the base rows of one's own account and of those before
    out = Contributions(ends, np.full(int(ends[-1]), BASE), np.full(int(ends[-1]), base))
    out.code[at] = code[counts]
    out.points[at] = points
    return out
