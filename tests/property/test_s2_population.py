"""S2 for whole populations: their average is 20, and ten points more take the same factor of influence."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laurel.models.amplification import amplification
from laurel.models.parameters import V1
from laurel.models.scale import score
from tests.property.logs import SHAPES, population
from tests.property.pure import Hold, acts, posts, run

PEOPLE = 200


@pytest.mark.parametrize("shape", SHAPES)
def test_the_average_is_twenty_within_a_half_on_every_day_of_a_population_of_any_shape(shape: str) -> None:
    closes = run(population(shape, 1, PEOPLE, np.full(60, 120)), PEOPLE)
    assert max(abs(close.mean - 20) for close in closes) < 0.5


@pytest.mark.parametrize("shape", ["everybody alike", "zipf 1"])
@pytest.mark.parametrize("growth", [-0.02, 0.015])
def test_the_average_stays_while_each_one_s_influence_shrinks_by_two_or_grows_by_one_and_a_half_percent_a_day(
    shape: str, growth: float
) -> None:
    sizes = (150 * np.exp(growth * np.arange(80))).astype(np.int64)
    closes = run(population(shape, 3, PEOPLE, sizes), PEOPLE)
    assert max(abs(close.mean - 20) for close in closes) < 0.5


@pytest.mark.parametrize("growth", [0.01, 0.05])
@pytest.mark.parametrize("silent", [0.0, 0.8])
def test_the_average_stays_while_people_join_at_up_to_five_percent_a_day_and_four_in_five_only_post(
    growth: float, silent: float
) -> None:
    rng, log = np.random.default_rng(1), posts(0, 1)
    for day in range(60):
        active = int(100 * (1 + growth) ** day)
        target = np.minimum((rng.pareto(1.0, 2 * active) * active / 20).astype(np.int64), active - 1)
        log += acts((target + rng.integers(1, active, len(target))) % active, target, day=day)
        joined = int(active * silent / (1 - silent))
        log += posts(10_000 + np.arange(day % 3, joined, 3), 1, day=day)
    closes = run(log, 30_000)
    assert max(abs(close.mean - 20) for close in closes) < 0.5


def test_influence_that_multiplies_overnight_after_the_first_weeks_is_taken_up_by_two_percent_a_day() -> None:
    sizes = np.full(60, 100)
    sizes[50] = 4_000
    closes = run(population("everybody alike", 7, PEOPLE, sizes), PEOPLE)
    means = [close.mean for close in closes]
    assert abs(means[49] - 20) < 0.1
    assert means[50] > 21
    assert (np.diff(means[50:57]) < 0).all()
    assert abs(means[-1] - 20) < 0.1
    for before, after in pairwise(closes[V1.free_days - 1 :]):
        assert 1 / 1.02 - 1e-12 <= after.r0 / before.r0 <= 1.02 + 1e-12


@given(st.floats(0, 1e6), st.integers(1, 10_000), st.integers(0, 10_000), st.floats(0.2, 100), st.floats(1e-3, 1e6))
@settings(max_examples=200, deadline=None)
def test_calibration_alone_moves_nobody_by_a_quarter_of_a_point_a_day(
    weight: float, reactions: int, own_posts: int, mean: float, r0: float
) -> None:
    """The worst that the steps of r0 and of a network's mean do together, in either direction."""
    for sign in (1, -1):
        factors = amplification(
            np.full(2, float(reactions)),
            np.full(2, float(own_posts)),
            mean * (1 + V1.mean_step) ** np.array([0, sign]),
            V1,
        )
        scores = score(weight * factors, r0 * (1 + V1.r0_step) ** np.array([0, sign]), V1)
        assert abs(scores[1] - scores[0]) < 0.25


def test_where_all_but_a_few_only_post_the_average_is_twenty_and_the_few_stand_out() -> None:
    (close,) = run(posts(range(PEOPLE), 1) + acts(range(10, 110), 0), PEOPLE)
    assert abs(close.mean - 20) < 0.1
    assert close.scores[0] > 22
    assert close.scores[1] > 19


@given(st.integers(1, 300), st.floats(0.02, 10))
@settings(max_examples=30, deadline=None)
def test_ten_points_take_about_two_and_a_half_times_the_influence_anywhere_above_twenty(people: int, r0: float) -> None:
    more = people * 27 // 10
    last = run(acts(range(2, 2 + people), 0) + acts(range(2, 2 + more), 1), 2 + more, hold=Hold(r0))[-1]
    few, many = last.scores[:2]
    if few >= 20 and many < 100:
        points = (many - few) / np.diff(np.log(last.raw[:2] + V1.prior))[0] * np.log(2.7)
        assert 8.5 < points < 10.7
    else:
        assert many >= few


@pytest.mark.parametrize("shape", SHAPES)
def test_who_has_more_influence_never_has_the_lower_score(shape: str) -> None:
    last = run(population(shape, 5, PEOPLE, np.full(5, 300)), PEOPLE)[-1]
    order = np.argsort(last.raw, kind="stable")
    assert (np.diff(last.scores[order]) >= 0).all()
