"""S9: the more someone engages in one day, the less each of their actions counts."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from laurel.models.parameters import V1
from tests.property.logs import ACTIONS, logs
from tests.property.pure import Hold, Int, Log, Population, acts, posts, run

FREE = V1.selective_after
PEOPLE = 6


def one_day(people: int, action: str = "twitter/retweet") -> Int:
    """What each act of a day weighs, done to so many people once each, micro-points."""
    return Population(people + 1, Hold()).take(acts(0, range(1, people + 1), action))


@given(st.sampled_from(ACTIONS))
@settings(max_examples=5, deadline=None)
def test_no_act_of_a_day_counts_more_than_the_one_before_and_after_ten_each_counts_less(action: str) -> None:
    falls = -np.diff(one_day(V1.daily_limit, action))
    assert (falls >= 0).all()
    assert (falls[: FREE - 1] == 0).all()
    assert (falls[FREE - 1 : 300] > 0).all()


@given(st.integers(FREE, 999), st.integers(1, 500), st.sampled_from(ACTIONS))
@settings(max_examples=20, deadline=None)
def test_the_more_one_does_the_less_an_act_counts_on_average_while_the_total_grows(
    few: int, more: int, action: str
) -> None:
    weights = one_day(few + more, action)
    assert weights.mean() < weights[:few].mean()
    assert weights.sum() > weights[:few].sum()


@given(logs(PEOPLE, 1, kinds=ACTIONS), st.integers(1, PEOPLE - 1), st.sampled_from(ACTIONS), st.integers(0, 60))
@settings(max_examples=60, deadline=None)
def test_one_act_more_leaves_what_was_done_before_as_it_is_and_never_takes_from_the_total(
    log: Log, target: int, action: str, busy: int
) -> None:
    log = acts(0, np.ones(busy, np.int64)) + log
    before, after = (Population(PEOPLE, Hold()).take(some) for some in (log, log + acts(0, target, action)))
    assert after[:-1].tolist() == before.tolist()
    assert after[-1] > 0


@given(st.integers(FREE, 500), st.integers(1, 500))
@settings(max_examples=20, deadline=None)
def test_an_act_of_somebody_selective_counts_more_than_the_same_act_of_somebody_busy(others: int, more: int) -> None:
    log = acts(0, np.arange(others) + 4) + acts(0, 2) + acts(1, np.arange(others + more) + 4) + acts(1, 3)
    (close,) = run(log, others + more + 4, hold=Hold())
    assert close.scores[2] > close.scores[3]


def test_twice_the_acts_before_halve_what_one_counts_at_first() -> None:
    weights = one_day(400, "twitter/reply") / 1e6
    weights = weights / (2 - weights)  # in points, before the pair's are added up
    assert np.allclose(weights[[19, 39, 79, 159, 319]], [0.5, 0.25, 0.125, 0.0625, 0.03125], rtol=1e-4)


@given(st.integers(1, 300))
@settings(max_examples=20, deadline=None)
def test_every_day_begins_anew(busy: int) -> None:
    population = Population(busy + 2, Hold())
    first = population.take(acts(0, range(2, busy + 2)))[0]
    assert population.take(acts(0, 1, day=1)).tolist() == [first]


@given(st.integers(1, 200))
@settings(max_examples=20, deadline=None)
def test_posting_and_what_others_do_make_nobody_less_selective(count: int) -> None:
    population = Population(5, Hold())
    population.take(posts(0, count) + acts(2, np.full(count, 3)))
    assert population.take(acts(0, 1)).tolist() == one_day(1).tolist()


def test_beyond_the_daily_limit_nothing_counts() -> None:
    weights = one_day(V1.daily_limit + 3)
    assert (weights[: V1.daily_limit] > 0).all()
    assert (weights[V1.daily_limit :] == 0).all()
