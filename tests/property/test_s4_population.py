"""S4 for whole populations: all engagement helps, whoever it comes from."""

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.property.logs import ACTIONS, logs
from tests.property.pure import BIN, NOBODY, Hold, Log, acts, posts, run

PEOPLE, DAYS = 6, 6
TRIFLE = 0.5  # points

account, step = st.integers(0, PEOPLE - 1), st.integers(1, PEOPLE - 1)


@given(logs(PEOPLE, DAYS), st.integers(NOBODY, PEOPLE - 1), account, st.sampled_from(ACTIONS))
@settings(max_examples=100, deadline=None)
def test_one_more_engagement_never_lowers_anybodys_influence_at_the_next_close(
    log: Log, actor: int, target: int, action: str
) -> None:
    assume(actor != target)
    before = run(log, PEOPLE, DAYS - 1, Hold())[-1].raw
    after = run(log + acts(actor, target, action, DAYS - 1), PEOPLE, DAYS - 1, Hold())[-1].raw
    assert (after >= before).all()
    assert np.delete(after, target).tolist() == np.delete(before, target).tolist()


@given(logs(PEOPLE, DAYS), account, step, st.sampled_from(ACTIONS), st.integers(0, DAYS - 1))
@settings(max_examples=60, deadline=None)
def test_an_actors_last_engagement_never_lowers_anybody_at_any_later_close(
    log: Log, actor: int, other: int, action: str, day: int
) -> None:
    log = log.take((log.actor != actor) | (log.day <= day))
    extra = acts(actor, (actor + other) % PEOPLE, action, day)
    before = run(log, PEOPLE, DAYS + 6, Hold(0.1))
    after = run(log + extra, PEOPLE, DAYS + 6, Hold(0.1))
    for with_it, without in zip(after, before, strict=True):
        assert (with_it.raw >= without.raw).all()
        assert (with_it.scores >= without.scores).all()


@given(st.lists(st.integers(0, 100), min_size=PEOPLE, max_size=PEOPLE), logs(PEOPLE, 1), account, step)
@settings(max_examples=60, deadline=None)
def test_being_engaged_by_somebody_with_the_lowest_score_helps(
    known: list[int], log: Log, target: int, other: int
) -> None:
    actor = (target + other) % PEOPLE
    known[actor] = 0
    (before,), (after,) = (
        run(given_log, PEOPLE, hold=Hold(), known=known) for given_log in (log, log + acts(actor, target))
    )
    assert after.raw[target] > before.raw[target]


@given(st.lists(st.integers(0, 100), min_size=PEOPLE, max_size=PEOPLE), logs(PEOPLE, 1), account, step)
@settings(max_examples=60, deadline=None)
def test_engaging_somebody_with_a_low_score_costs_nothing(known: list[int], log: Log, actor: int, other: int) -> None:
    target = (actor + other) % PEOPLE
    known[target] = 0
    (before,), (after,) = (
        run(given_log, PEOPLE, hold=Hold(), known=known) for given_log in (log, log + acts(actor, target))
    )
    assert after.raw[actor] == before.raw[actor]
    assert after.scores[actor] == before.scores[actor]


@given(logs(PEOPLE, 3, most=60), account, step, st.sampled_from(ACTIONS))
@settings(max_examples=60, deadline=None)
def test_being_engaged_does_not_lower_ones_score_by_way_of_the_days_calibration_either(
    log: Log, actor: int, other: int, action: str
) -> None:
    target = (actor + other) % PEOPLE
    log = posts(range(PEOPLE), 1) + log
    before, after = run(log, PEOPLE, 2)[-1], run(log + acts(actor, target, action, 2), PEOPLE, 2)[-1]
    assert after.scores[target] >= before.scores[target] - BIN


@given(logs(PEOPLE, DAYS), account, step, st.sampled_from(ACTIONS), st.integers(0, DAYS - 1), st.integers(0, 1_000))
@settings(max_examples=20, deadline=None)
def test_one_more_engagement_takes_no_more_than_a_trifle_from_anybody_at_any_later_close_even_amid_a_crowd(
    log: Log, target: int, other: int, action: str, day: int, crowd: int
) -> None:
    # On a loud day it may add less than its pair's memory then takes from what the same person does on a quiet one.
    log += acts(PEOPLE + np.arange(crowd), target, day=day)
    people, extra = PEOPLE + crowd, acts((target + other) % PEOPLE, target, action, day)
    before, after = (run(some, people, DAYS + 6, Hold(4.0)) for some in (log, log + extra))
    for with_it, without in zip(after, before, strict=True):
        assert (with_it.scores >= without.scores - TRIFLE).all()


def test_what_sixty_people_did_too_often_on_a_loud_day_takes_up_to_two_points_from_what_they_do_later() -> None:
    # The price of S8 and S13 together, told on the page on the score: this many repeats are no engagement that anybody adds.
    later = acts(np.arange(60) + 1, 0, "twitter/reply", 1 + np.arange(60) // 2)
    loud = acts(np.repeat(np.arange(60) + 1, 10), 0, "twitter/reply")
    without, with_it = (run(log, 61, 31, Hold(4.0))[-1].scores[0] for log in (later, loud + later))
    assert -2.0 < with_it - without < 0.0


@given(
    first=st.integers(0, 60),
    early=st.integers(1, 60),
    gap=st.integers(1, 89),
    later=st.integers(1, 12),
    action=st.sampled_from(ACTIONS),
)
@settings(max_examples=80, deadline=None)
def test_earlier_acts_of_a_pair_never_take_more_than_a_trifle_from_later_ones(
    first: int, early: int, gap: int, later: int, action: str
) -> None:
    # What an act put into the memory of its pair lessens later acts for a while; it must not outweigh the act itself.
    after = acts([1] * later, 0, action, first + gap)
    until = first + gap + 3
    without = run(after, 2, until, Hold(0.5))[-1]
    with_it = run(acts([1] * early, 0, action, first) + after, 2, until, Hold(0.5))[-1]
    assert with_it.scores[0] >= without.scores[0] - TRIFLE
