"""Who of one partition can be among the leaders of a topic, gathered a block of accounts at a time.

Everybody stands somewhere in many topics, and next to nobody leads. So who is behind enough others by numbers alone is let go
at once, before anything is done with names.
"""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from laurel.models.leaders import Candidates, empty, merge, top_candidates
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
        # Of topics with `most` leaders, by topic, ascending: what the last one of each ranking has.
        self._topics = np.empty(0, np.int64)
        self._strength = np.empty(0, np.int64)
        self._plus_k = np.empty(0, np.int64)

    def add(self, topic: Int, owner: Int, strength: Int, plus_k: Int, persons: pa.StringArray) -> None:
        """Rows of m candidates as in Candidates; `owner` int64[m] is the place of each one's name in `persons` string[n]."""
        kept = np.flatnonzero(self._possible(topic, strength, plus_k))
        if not len(kept):
            return
        names = persons.take(pa.array(owner[kept]))
        self._waiting.append(Candidates(topic[kept], names, strength[kept], plus_k[kept]))
        self._rows += len(kept)
        if self._rows > max(self._most_waiting, 2 * len(self._best.topic)):
            self._choose()

    def best(self) -> Candidates:
        """Who is left of all that were added: at most twice `most` a topic."""
        self._choose()
        return self._best

    def _possible(self, topic: Int, strength: Int, plus_k: Int) -> Flags:
        if not len(self._topics):
            return (strength > 0) | (plus_k > 0)
        at = np.minimum(np.searchsorted(self._topics, topic), len(self._topics) - 1)
        full = self._topics[at] == topic
        least_strength, least_plus_k = np.where(full, self._strength[at], 1), np.where(full, self._plus_k[at], 1)
        return np.asarray((strength >= least_strength) | (plus_k >= least_plus_k))

    def _choose(self) -> None:
        everybody = merge([self._best, *self._waiting])
        self._best = everybody.take(top_candidates(everybody, self._most))
        self._waiting, self._rows = [], 0
        self._topics = np.unique(self._best.topic)
        self._strength = self._last(self._best.strength)
        self._plus_k = self._last(self._best.plus_k)

    def _last(self, values: Int) -> Int:
        """What the last of the first `most` of each topic has, 1 where there are fewer."""
        topic = self._best.topic
        order = np.lexsort((-values, topic))
        begin = np.searchsorted(topic[order], self._topics)
        enough = np.diff(np.append(begin, len(order))) >= self._most
        last = values[order[np.where(enough, begin + self._most - 1, begin)]]
        return np.where(enough, np.maximum(last, 1), 1)
