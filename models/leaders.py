"""The leaders of each topic: who influences it most, and who received most +Ks in it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from laurel.models import ragged

Int = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Candidates:
    """m people standing in topics: `topic` int64[m] (any code), `person` string[m], `strength` int64[m] (faded weight)
    and `plus_k` int64[m] (+Ks of the window), both at least 0. A person stands once in a topic."""

    topic: Int
    person: pa.StringArray
    strength: Int
    plus_k: Int

    def take(self, rows: Int) -> "Candidates":
        """Only some of them (int64[k]), in the order given."""
        return Candidates(self.topic[rows], self.person.take(pa.array(rows)), self.strength[rows], self.plus_k[rows])


@dataclass(frozen=True)
class Ranking:
    """Rows of the candidates (int64[r]) by topic, then rank, and the rank of each, from 1 in every topic (int64[r])."""

    row: Int
    rank: Int


def empty() -> Candidates:
    """Nobody."""
    none = np.empty(0, np.int64)
    return Candidates(none, pa.array([], pa.string()), none, none)


def merge(parts: Sequence[Candidates]) -> Candidates:
    """The candidates of several partitions together; no person may be in two of them for the same topic."""
    return Candidates(
        np.concatenate([part.topic for part in parts]),
        pa.concat_arrays([part.person for part in parts]),
        np.concatenate([part.strength for part in parts]),
        np.concatenate([part.plus_k for part in parts]),
    )


def influencers(candidates: Candidates, most: int) -> Ranking:
    """The top `most` influencers of each topic: strength descending, then person ascending by Unicode code point.

    Only a strength above 0 has a rank.
    """
    return _ranking(candidates, (candidates.strength,), most)


def plus_k_recipients(candidates: Candidates, most: int) -> Ranking:
    """The top `most` +K recipients of each topic: +Ks descending, strength descending, then person ascending.

    Only a number of +Ks above 0 has a rank.
    """
    return _ranking(candidates, (candidates.plus_k, candidates.strength), most)


def _ranking(candidates: Candidates, keys: tuple[Int, ...], most: int) -> Ranking:
    rows = np.flatnonzero(keys[0] > 0)
    topic = candidates.topic[rows]
    # Arrow orders strings by their UTF-8 bytes, which is the order of code points.
    place = pc.rank(candidates.person.take(rows), sort_keys="ascending", tiebreaker="dense")
    order = np.lexsort([np.asarray(place), *(-key[rows] for key in reversed(keys)), topic])
    begins = np.flatnonzero(ragged.starts(topic[order]))
    rank = np.arange(1, len(order) + 1) - np.repeat(begins, np.diff(np.append(begins, len(order))))
    listed = rank <= most
    return Ranking(rows[order[listed]], rank[listed])
