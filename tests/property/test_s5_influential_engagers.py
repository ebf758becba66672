"""S5: the more influential the engager, the greater the impact."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from laurel.models.parameters import V1
from tests.property.logs import ACTIONS, logs
from tests.property.pure import NOBODY, Hold, Int, Log, Population, acts, posts, run

PEOPLE = 5
whole = st.integers(0, 100)


def weights(log: Log, known: list[int]) -> Int:
    return Population(len(known), Hold(), known).take(log)


@given(logs(PEOPLE, 1, kinds=ACTIONS), st.lists(whole, min_size=PEOPLE, max_size=PEOPLE), st.data())
@settings(max_examples=100, deadline=None)
def test_the_same_acts_by_somebody_with_a_higher_score_count_at_least_as_much(
    log: Log, known: list[int], data: st.DataObject
) -> None:
    higher = [data.draw(st.integers(score, 100)) for score in known]
    assert (weights(log, higher) >= weights(log, known)).all()


@given(logs(PEOPLE, 1, kinds=ACTIONS), st.integers(1, 99))
@settings(max_examples=100, deadline=None)
def test_they_count_strictly_more_from_whole_point_to_whole_point(log: Log, score: int) -> None:
    lower, higher = weights(log, [score] * PEOPLE), weights(log, [score + 1] * PEOPLE)
    # Micro-points are whole numbers: what counts fewer than ten of them before the engager's factor may stay the same.
    told_apart = weights(log, [1] * PEOPLE) >= 11
    assert (higher > lower)[told_apart].all()


def test_who_has_earned_sixty_four_points_counts_twenty_one_times_a_stranger_and_a_stranger_more_than_nobody() -> None:
    famous, stranger, nobody = (int(weights(acts(actor, 0), [0, 0, 64])[0]) for actor in (2, 1, NOBODY))
    assert abs(famous - 21 * stranger) <= 21
    assert famous > stranger > nobody > 0


@given(st.integers(1, 300))
@settings(max_examples=10, deadline=None)
def test_a_score_that_one_has_just_for_posting_weighs_nothing(count: int) -> None:
    poster, stranger, by_poster, by_stranger = range(4)
    log = posts(poster, count) + acts(range(4, 20), 4 + np.arange(16)[::-1])
    log += acts([poster, stranger], [by_poster, by_stranger], day=2)
    closes = run(log, 20)
    assert closes[0].scores[poster] > 10
    assert closes[2].raw[by_poster] == closes[2].raw[by_stranger]


@given(st.integers(30, 90))
@settings(max_examples=20, deadline=None)
def test_acts_of_people_whom_many_act_on_count_more_two_days_later_and_not_before(crowd: int) -> None:
    famous, unknown, by_famous, by_unknown = range(4)
    log = acts(range(4, 4 + crowd), famous)
    for day in (1, 2):
        log += acts([famous, unknown], [by_famous, by_unknown], day=day)
    closes = run(log, 4 + crowd)
    assert closes[1].raw[by_famous] == closes[1].raw[by_unknown]
    assert closes[2].raw[by_famous] > closes[2].raw[by_unknown]


@given(st.lists(st.integers(0, 60), min_size=3, max_size=8))
@settings(max_examples=20, deadline=None)
def test_of_engagers_ordered_by_score_each_gives_at_least_as_much_as_the_one_before(crowds: list[int]) -> None:
    n = len(crowds)
    fans = np.arange(2 * n, 2 * n + sum(crowds))
    log = acts(fans, np.repeat(np.arange(n), crowds)) + acts(range(n), range(n, 2 * n), day=2)
    closes = run(log, 2 * n + sum(crowds))
    scores, given_raw = closes[0].earned(V1)[:n], closes[2].raw[n : 2 * n]
    order = np.argsort(scores, kind="stable")
    more = np.diff(scores[order]) > 0
    assert (np.diff(given_raw[order])[more] > 0).all()
    assert (np.diff(given_raw[order])[~more] == 0).all()
