"""S10: connecting a network can only raise the score."""

import math
from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from laurel.models.combine import combine

influence = st.floats(0, 1e12)
parts = st.lists(st.tuples(st.integers(0, 4), influence), max_size=40)


def combined(given: list[tuple[int, float]]) -> list[float]:
    owner = np.array([person for person, _ in given], np.int64)
    return list(combine(owner, np.array([raw for _, raw in given], np.float64), 5))


@given(parts, st.integers(0, 4), influence, st.data())
def test_one_network_more_never_lowers_anybody(
    given: list[tuple[int, float]], person: int, raw: float, data: st.DataObject
) -> None:
    before = combined(given)
    at = data.draw(st.integers(0, len(given)))
    after = combined([*given[:at], (person, raw), *given[at:]])
    assert after[person] >= before[person]
    assert [value for i, value in enumerate(after) if i != person] == [v for i, v in enumerate(before) if i != person]


@given(parts, st.randoms(use_true_random=False))
def test_the_order_of_networks_changes_nothing_to_the_last_bit(given: list[tuple[int, float]], random: Random) -> None:
    shuffled = list(given)
    random.shuffle(shuffled)
    assert combined(shuffled) == combined(given)


@given(parts)
def test_a_person_has_the_sum_of_their_networks(given: list[tuple[int, float]]) -> None:
    for person, total in enumerate(combined(given)):
        assert math.isclose(total, math.fsum(raw for owner, raw in given if owner == person), rel_tol=1e-12)
