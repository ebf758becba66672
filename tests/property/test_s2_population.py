"""S2 for whole populations: their average is 20, and ten points more take the same factor of influence."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laurel.models.parameters import V1
from tests.property.logs import SHAPES, population
from tests.property.pure import Hold, acts, posts, run

PEOPLE = 200


@pytest.mark.parametrize("shape", SHAPES)
def test_the_average_is_twenty_within_one_on_every_day_of_a_population_of_any_shape(shape: str) -> None:
    closes = run(population(shape, 1, PEOPLE, np.full(40, 120)), PEOPLE)
    assert max(abs(close.mean - 20) for close in closes) < 1.0


@pytest.mark.parametrize("shape", ["everybody alike", "zipf 1"])
@pytest.mark.parametrize("growth", [-0.04, 0.015])
def test_the_average_stays_while_a_site_shrinks_by_four_or_grows_by_one_and_a_half_percent_a_day(
    shape: str, growth: float
) -> None:
    sizes = (150 * np.exp(growth * np.arange(50))).astype(np.int64)
    closes = run(population(shape, 3, PEOPLE, sizes), PEOPLE)
    assert max(abs(close.mean - 20) for close in closes) < 1.0


def test_influence_that_multiplies_overnight_after_the_first_month_is_taken_up_by_three_percent_a_day() -> None:
    sizes = np.full(40, 100)
    sizes[35] = 4_000
    closes = run(population("everybody alike", 7, PEOPLE, sizes), PEOPLE)
    means = [close.mean for close in closes]
    assert abs(means[34] - 20) < 0.1
    assert means[35] > 25
    assert (np.diff(means[35:]) < 0).all()
    for before, after in pairwise(closes[30:]):
        assert 1 / 1.03 - 1e-12 <= after.r0 / before.r0 <= 1.03 + 1e-12


def test_where_all_but_a_few_only_post_no_unit_gives_an_average_of_twenty_and_the_few_have_all() -> None:
    (close,) = run(posts(range(PEOPLE), 1) + acts(range(10, 110), 0), PEOPLE)
    assert close.r0 == V1.r0_lowest
    assert close.scores[0] == 100
    assert close.mean < 2


@given(st.integers(1, 300), st.floats(0.02, 10))
@settings(max_examples=30, deadline=None)
def test_ten_points_take_about_two_and_a_half_times_the_people_anywhere_above_twenty(people: int, r0: float) -> None:
    more = people * 27 // 10
    last = run(acts(range(2, 2 + people), 0) + acts(range(2, 2 + more), 1), 2 + more, hold=Hold(r0))[-1]
    few, many = last.scores[:2]
    if few >= 20 and many < 100:
        points = (many - few) / np.log(more / people) * np.log(2.7)
        assert 9.4 < points < 10.7
    else:
        assert many >= few


@pytest.mark.parametrize("shape", SHAPES)
def test_who_has_more_influence_never_has_the_lower_score(shape: str) -> None:
    last = run(population(shape, 5, PEOPLE, np.full(5, 300)), PEOPLE)[-1]
    order = np.argsort(last.raw, kind="stable")
    assert (np.diff(last.scores[order]) >= 0).all()
