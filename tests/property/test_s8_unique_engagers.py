"""S8: unique engagers count; each repeat by the same pair counts less."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.property.logs import ACTIONS
from tests.property.pure import Hold, Int, Population, acts, run

HUNDRED = 100


def day_of(times: int, action: str, known: int = 0) -> Int:
    """What each of so many acts of one person on another in one day weighs, micro-points."""
    return Population(2, Hold(), [0, known]).take(acts(1, np.zeros(times, np.int64), action))


@pytest.mark.parametrize("score", [0, 20, 100])
def test_a_hundred_retweets_by_a_hundred_strangers_beat_a_hundred_by_one_whatever_the_ones_score(score: int) -> None:
    log = acts(range(3, 103), 0) + acts(np.full(HUNDRED, 2), 1)
    (close,) = run(log, 103, hold=Hold(), known=[0, 0, score, *[0] * 100])
    assert close.scores[0] > close.scores[1]


@given(st.lists(st.integers(0, 85), min_size=HUNDRED, max_size=HUNDRED).map(sorted), st.sampled_from(ACTIONS))
@settings(max_examples=15, deadline=None)
def test_a_hundred_people_beat_one_with_the_same_acts_on_the_same_days(days: list[int], action: str) -> None:
    log = acts(range(3, 103), 0, action, days) + acts(np.full(HUNDRED, 2), 1, action, days)
    raw = run(log, 103, hold=Hold())[-1].raw
    assert raw[0] > raw[1]


def test_the_more_people_share_a_hundred_acts_the_higher_the_score() -> None:
    scores = [
        run(acts(np.arange(HUNDRED) % people + 1, 0), 101, hold=Hold())[0].scores[0]
        for people in (1, 2, 3, 5, 10, 20, 30, 50, 70, 100)
    ]
    assert (np.diff(scores) > 0).all()


@given(st.sampled_from(ACTIONS), st.integers(0, 100))
@settings(max_examples=20, deadline=None)
def test_each_of_a_days_repeats_by_a_pair_counts_less_than_the_one_before(action: str, known: int) -> None:
    weights = day_of(250, action, known)
    assert (np.diff(weights)[:60] < 0).all()
    assert (np.diff(weights) <= 0).all()  # micro-points are whole


@given(st.integers(1, 89), st.integers(1, 10), st.sampled_from(ACTIONS))
@settings(max_examples=30, deadline=None)
def test_a_repeat_on_a_later_day_of_the_window_counts_less_than_the_first_did(
    gap: int, times: int, action: str
) -> None:
    population = Population(3, Hold())
    first = population.take(acts(1, np.zeros(times, np.int64), action))[0]
    while population.open_day < gap:
        population.mark()
        population.close()
    later, new = population.take(acts(1, [0, 2], action, gap))
    assert 0 < later <= first == new
    assert later < first or gap > 80


def test_a_repeat_counts_the_more_the_longer_ago_the_acts_before_it_were() -> None:
    gaps = range(90)
    log = acts(range(90), range(90, 180), day=[89 - gap for gap in gaps])
    population = Population(180, Hold())
    for day in gaps:
        population.take(log.take(log.day == day))
        if day < 89:
            population.mark()
            population.close()
    repeats = population.take(acts(range(90), range(90, 180), day=89))
    assert (np.diff(repeats)[:80] > 0).all()
    assert (np.diff(repeats) >= 0).all()


def test_a_pair_is_new_again_after_ninety_days() -> None:
    log = acts([1] * 50, 0) + acts(1, 0, day=90)
    assert run(log, 2, hold=Hold())[-1].raw[0] == run(acts(1, 0), 2, hold=Hold())[-1].raw[0]


def test_one_person_never_brings_more_in_a_day_than_three_strangers() -> None:
    assert day_of(5_000, "twitter/retweet").sum() < 3 * day_of(1, "twitter/retweet")[0]


@given(st.lists(st.integers(0, 3), min_size=1, max_size=30), st.integers(4, 9))
@settings(max_examples=30, deadline=None)
def test_what_others_did_to_the_same_person_makes_no_act_a_repeat(before: list[int], actor: int) -> None:
    population = Population(11, Hold())
    population.take(acts(before, 10))
    assert population.take(acts(actor, 10)).tolist() == day_of(1, "twitter/retweet").tolist()
