"""What looks like gaming about the reactions an account got: four shares, apart from the score and never part of it.

None of them proves anything: a wedding photograph bursts, two friends answer each other. They say where to look.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Int = npt.NDArray[np.int64]
Float = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

YOUNG_DAYS = 7  # an engager that acted for the first time fewer days than this before its last reaction is young
LEAST = 20  # reactions, below which a share says nothing
SUSPICIOUS = {
    "reciprocity": 0.5,
    "burst": 0.5,
    "concentration": 0.5,
    "youth": 0.5,
}  # shares from which on it is flagged


@dataclass(frozen=True)
class Tally:
    """What signals are told from: of n accounts, all int64[n].

    reactions: all of them; busiest: those of the busiest day.
    people: accounts that reacted by name; young: those of them that were new at their last reaction.
    acts: the named reactions; squares: the squares of each engager's, added up; returned: those by accounts that the account
      reacted to as well.
    """

    reactions: Int
    busiest: Int
    people: Int
    young: Int
    acts: Int
    squares: Int
    returned: Int


@dataclass(frozen=True)
class Signals:
    """Of n accounts, all float64[n] in 0..1, 0 where there is nothing to tell; of int64[n] `reactions`, and of the `named` ones of int64[n]
    `people`. Whoever tells them of a window may name more than came within it: all that its people did since they began.

    reciprocity: share of the named reactions that came from accounts which the account reacted to as well.
    burst: share of the reactions that came on its busiest day.
    concentration: sum over engagers of the square of each one's share of the named reactions (Herfindahl-Hirschman
      index): 1 if all are by one, 1 / k if they are by k alike.
    youth: share of the engagers that acted for the first time fewer than `YOUNG_DAYS` days before their last reaction.
    """

    reactions: Int
    named: Int
    people: Int
    reciprocity: Float
    burst: Float
    concentration: Float
    youth: Float

    def flagged(self, name: str) -> Flags:
        """Where the signal of that name is suspicious, bool[n]: at `SUSPICIOUS` or above, of `LEAST` reactions or more; those that
        are told of engagers want as many of them named. Concentration wants sums that are of these reactions, too: all of its people
        are in them, and nothing of before, but where people are so few that no other shares could be less."""
        share: Float = getattr(self, name)
        enough = self.reactions >= LEAST
        if name != "burst":
            enough &= self.named >= LEAST
        if name == "concentration":
            few = self.people * SUSPICIOUS[name] <= 1
            enough &= (self.people <= self.named) & ((self.named <= self.reactions) | few)
        return np.asarray(enough & (share >= SUSPICIOUS[name]))

    def any_flagged(self) -> Flags:
        """Where any signal is suspicious, bool[n]."""
        return np.asarray(np.any([self.flagged(name) for name in SUSPICIOUS], axis=0))


def told(tally: Tally) -> Signals:
    """The signals of a tally. Whatever strangers may have written into it, they are shares."""
    return Signals(
        tally.reactions,
        tally.acts,
        tally.people,
        _share(tally.returned, tally.acts),
        _share(tally.busiest, tally.reactions),
        _share(tally.squares, tally.acts.astype(np.float64) ** 2),
        _share(tally.young, tally.people),
    )


def signals(actor: Int, target: Int, day: Int, first_act: Int) -> Signals:
    """Signals of all n accounts from m reactions, in any order.

    `actor` (below 0: anonymous, counted for bursts only), `target` and `day` (since 1970-01-01) are int64[m], accounts by number
    below n; `first_act` int64[n] is the day on which each account acted for the first time, whatever it did.
    """
    n = len(first_act)
    named = actor >= 0
    by, of, when = actor[named], target[named], day[named]
    pair, place, times = np.unique(of * n + by, return_inverse=True, return_counts=True)
    engager, engaged = pair % max(n, 1), pair // max(n, 1)
    last = np.zeros(len(pair), np.int64)
    np.maximum.at(last, place, when)
    returned, young = np.isin(pair, by * n + of), last - first_act[engager] < YOUNG_DAYS
    return told(
        Tally(
            np.bincount(target, minlength=n),
            _busiest(target, day, n),
            np.bincount(engaged, minlength=n),
            np.bincount(engaged[young], minlength=n),
            np.bincount(of, minlength=n),
            _sums(engaged, times**2, n),
            _sums(engaged[returned], times[returned], n),
        )
    )


def _busiest(target: Int, day: Int, n: int) -> Int:
    """Reactions on each account's busiest day, int64[n]."""
    most = np.zeros(n, np.int64)
    if len(target):
        since = day - day.min()
        found, counts = np.unique(target * (since.max() + 1) + since, return_counts=True)
        np.maximum.at(most, found // (since.max() + 1), counts)
    return most


def _sums(owner: Int, values: Int, n: int) -> Int:
    found = np.zeros(n, np.int64)
    np.add.at(found, owner, values)
    return found


def _share(part: Int, whole: npt.NDArray[np.number]) -> Float:
    return np.asarray(np.clip(part / np.maximum(whole, 1), 0.0, 1.0), np.float64)
