"""T4: top influencers and top +K recipients of each topic."""

from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from laurel.models.leaders import Candidates, Ranking, influencers, merge, plus_k_recipients
from laurel.models.shortlist import Shortlist

Int = npt.NDArray[np.int64]
Row = tuple[int, str, int, int]

names = st.one_of(st.sampled_from(["a", "b", "ä", "\uffff", "\U00010000", ""]), st.text(max_size=3))
few = st.integers(0, 3)  # many ties
rows = st.lists(
    st.tuples(st.integers(0, 3), names, st.one_of(few, st.integers(0, 2**62)), few),
    max_size=40,
    unique_by=lambda row: row[:2],
)


def candidates(given: list[Row]) -> Candidates:
    topic, person, strength, plus_k = zip(*given, strict=True) if given else ((), (), (), ())
    return Candidates(
        np.array(topic, np.int64),
        pa.array(person, pa.string()),
        np.array(strength, np.int64),
        np.array(plus_k, np.int64),
    )


def listed(given: Candidates, ranking: Ranking) -> list[tuple[int, int, str]]:
    persons = given.person.to_pylist()
    ranked = zip(ranking.row.tolist(), ranking.rank.tolist(), strict=True)
    return [(int(given.topic[row]), rank, persons[row]) for row, rank in ranked]


def sorted_leaders(given: list[Row], column: Literal[2, 3], most: int) -> list[tuple[int, int, str]]:
    """The same ranking by sorting rows one topic at a time."""
    found = []
    for topic in sorted({row[0] for row in given}):
        own = [row for row in given if row[0] == topic and row[column] > 0]
        order = sorted(own, key=lambda row: (-row[column], -row[2], row[1]))
        found += [(topic, rank, row[1]) for rank, row in enumerate(order[:most], 1)]
    return found


@given(rows, st.integers(1, 8))
def test_influencers_stand_by_strength_then_by_name(given: list[Row], most: int) -> None:
    found = candidates(given)
    assert listed(found, influencers(found, most)) == sorted_leaders(given, 2, most)


def top_candidates(given: Candidates, most: int) -> Int:
    """Rows of one partition that can be among the first `most` of all partitions in either ranking: who is not among the
    first of their own partition has that many before them anywhere."""
    return np.union1d(influencers(given, most).row, plus_k_recipients(given, most).row)


@given(rows, st.integers(1, 8))
def test_plus_k_recipients_stand_by_number_then_strength_then_name(given: list[Row], most: int) -> None:
    found = candidates(given)
    assert listed(found, plus_k_recipients(found, most)) == sorted_leaders(given, 3, most)


@given(rows, st.integers(1, 4), st.lists(st.integers(0, 2), min_size=40, max_size=40))
def test_partitions_that_send_their_best_give_the_ranking_of_all(
    given: list[Row], most: int, partition: list[int]
) -> None:
    parts = []
    for number in range(3):
        own = candidates([row for row, at in zip(given, partition, strict=False) if at == number])
        kept = top_candidates(own, most)
        parts.append(Candidates(own.topic[kept], own.person.take(kept), own.strength[kept], own.plus_k[kept]))
    merged = merge(parts)
    assert listed(merged, influencers(merged, most)) == sorted_leaders(given, 2, most)
    assert listed(merged, plus_k_recipients(merged, most)) == sorted_leaders(given, 3, most)


@given(rows, st.integers(1, 4))
def test_a_partition_sends_at_most_twice_the_ranks_of_a_topic(given: list[Row], most: int) -> None:
    found = candidates(given)
    kept = top_candidates(found, most)
    assert (np.diff(kept) > 0).all()
    assert max(np.bincount(found.topic[kept], minlength=1)) <= 2 * most


@given(rows, st.integers(1, 4), st.integers(1, 7), st.integers(0, 12))
def test_a_shortlist_made_a_block_at_a_time_holds_the_best_of_all(
    given: list[Row], most: int, block: int, waiting: int
) -> None:
    given = sorted(given, key=lambda row: row[1])
    everybody = candidates(given)
    shortlist = Shortlist(most, waiting)
    for begin in range(0, len(given), block):
        part = candidates(given[begin : begin + block])
        names = part.person.dictionary_encode()
        persons, owner = names.dictionary, np.asarray(names.indices).astype(np.int64)
        shortlist.add(part.topic, owner, part.strength, part.plus_k, persons)
    best = shortlist.best()
    kept = everybody.take(top_candidates(everybody, most))
    for name in ("topic", "person", "strength", "plus_k"):
        assert getattr(best, name).tolist() == getattr(kept, name).tolist()
