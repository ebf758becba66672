"""What an account's state says of its signals at the close of a day: sums of whole numbers, exact in any order.

Reciprocity is not among them: a state knows who acted on its account, and not whom the account acted on.
"""

from dataclasses import dataclass

import numpy as np

from laurel.models.kernels.reactions import count_at_most, count_reactions
from laurel.models.networks import REACTION, Networks
from laurel.models.ragged import Int, Runs
from laurel.models.signals import LEAST, SUSPICIOUS

MOST_COUNTED = 1 << 44  # of what one account brings to a member: half a million such add up to less than 2**63
TOLD = tuple(name for name in SUSPICIOUS if name != "reciprocity")


@dataclass(frozen=True)
class Daily:
    """Reactions that n `accounts` got on single days of a window of `days`: a row for each account and day with any, in the order of
    account and descending age. int64[k]: `owner` (index of the account), `age` (days, from 0), `count` (1 or more)."""

    accounts: int
    days: int
    owner: Int
    age: Int
    count: Int

    def reactions(self) -> Int:
        """All within the window, int64[n]."""
        found = np.zeros(self.accounts, np.int64)
        np.add.at(found, self.owner, self.count)
        return found

    def busiest(self) -> Int:
        """Those of the busiest day, int64[n]."""
        found = np.zeros(self.accounts, np.int64)
        np.maximum.at(found, self.owner, self.count)
        return found


def busy(buckets: Runs) -> Int:
    """The accounts (int64[k], ascending) that may have got LEAST reactions at any close, of their BUCKET rows; few, so that the rest is
    computed of few."""
    return np.flatnonzero(count_at_most(buckets.rows, buckets.begins, buckets.lengths) >= LEAST)


def daily(buckets: Runs, day: int, window_days: int, networks: Networks) -> Daily:
    """Reactions by day, as the close of `day` counts them, of accounts' BUCKET rows."""
    owner, age, count = count_reactions(
        buckets.rows, buckets.begins, buckets.lengths, networks.columns, REACTION, window_days, day
    ).T
    return Daily(len(buckets.begins), window_days, owner, age, count)


def together(members: int, days: int, owner: Int, age: Int, count: Int) -> Daily:
    """Reactions that members' accounts got, day by day: `owner` (index of the member), `age` (days) and `count`, int64[k] in any order.

    Whatever strangers may have written, what is no reaction on a day of the window is none, and memory grows with k alone.
    """
    some = (count > 0) & (age >= 0) & (age < days)
    # Of each account, from its oldest day on, as Daily has it.
    found, place = np.unique(owner[some] * days + days - 1 - age[some], return_inverse=True)
    sums = np.zeros(len(found), np.int64)
    np.add.at(sums, place, np.minimum(count[some], MOST_COUNTED))
    return Daily(members, days, found // days, days - 1 - found % days, sums)
