"""Who of one partition can be among the leaders of a topic, gathered a block of accounts at a time.

Everybody stands somewhere in many topics, and next to nobody leads. So who is behind enough others by numbers alone is let go
at once. Accounts come in the order of their names, as a scan gives them: so nothing is done with names at all.
"""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from laurel.models.kernels.choosing import choose_most
from laurel.models.leaders import Candidates, empty, merge
from laurel.models.ragged import Int

Flags = npt.NDArray[np.bool_]

WAITING = 200_000  # rows that wait, about, until the best of them are chosen anew


class Shortlist:
    """The candidates that can be among the first `most` of all partitions in either ranking of a topic."""

    def __init__(self, most: int, waiting: int = WAITING) -> None:
        self._most, self._most_waiting = most, waiting
        self._best = empty()
        self._waiting: list[Candidates] = []
        self._rows = 0
        # What the last one listed in either ranking has, in topics that have enough; at least something in others. By topic, ascending.
        self._topics = self._strength = self._plus_k = np.empty(0, np.int64)

    def add(self, topic: Int, owner: Int, strength: Int, plus_k: Int, persons: pa.StringArray) -> None:
        """Rows of m candidates as in Candidates; `owner` int64[m], ascending, is the place of each one's name in `persons` string[n].

        Names ascend, within a call and from one to the next.
        """
        kept = np.flatnonzero(self._possible(topic, strength, plus_k))
        names = persons.take(pa.array(owner[kept]))
        self._waiting.append(Candidates(topic[kept], names, strength[kept], plus_k[kept]))
        self._rows += len(kept)
        if self._rows > max(self._most_waiting, 2 * len(self._best.topic)):
            self._choose()

    def best(self) -> Candidates:
        """Who is left of all that were added, in the order of names: at most twice `most` a topic."""
        self._choose()
        return self._best

    def _possible(self, topic: Int, strength: Int, plus_k: Int) -> Flags:
        if not len(self._topics):
            return (strength > 0) | (plus_k > 0)
        at = np.minimum(np.searchsorted(self._topics, topic), len(self._topics) - 1)
        known = self._topics[at] == topic
        least_strength, least_plus_k = self._strength[at], self._plus_k[at]
        if not known.all():
            least_strength, least_plus_k = np.where(known, least_strength, 1), np.where(known, least_plus_k, 1)
        return (strength >= least_strength) | (plus_k >= least_plus_k)

    def _choose(self) -> None:
        found = merge([self._best, *self._waiting])
        strong, *strengths = choose_most(found.topic, found.strength, found.strength, self._most)
        praised, *plus_ks = choose_most(found.topic, found.plus_k, found.strength, self._most)
        self._best, self._waiting, self._rows = found.take(np.flatnonzero(strong | praised)), [], 0
        self._topics = np.unique(self._best.topic)
        self._strength, self._plus_k = self._least(*strengths), self._least(*plus_ks)

    def _least(self, topics: Int, values: Int) -> Int:
        least = np.ones_like(self._topics)
        least[np.searchsorted(self._topics, topics)] = values
        return least
