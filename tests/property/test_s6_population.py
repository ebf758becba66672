"""S6 for whole histories: 90 days that count, recent ones more, and a decline without a jolt."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laurel.models.parameters import V1
from laurel.models.scale import score
from tests.property.logs import ACTIONS, logs, population
from tests.property.pure import Float, Hold, Int, Log, acts, run

PEOPLE = 5
WINDOW = V1.window_days

daily = st.lists(st.integers(0, 4), min_size=1, max_size=100)


def by_strangers(counts: list[int] | Int, target: int = 0) -> tuple[Log, int]:
    """`counts[day]` people never seen before act on a target each day; and how many accounts that makes."""
    people = int(np.sum(counts))
    return acts(range(1, people + 1), target, day=np.repeat(np.arange(len(counts)), counts)), people + 1


def unit_of(raw: float, points: float) -> float:
    """The r0 by which a raw influence has a score of so many points."""
    return float((raw + V1.prior) / np.expm1((points - 1) / 99 * np.log1p(V1.top_ratio)))


def history(counts: list[int] | Int, points: float, until: int) -> Float:
    """Scores of one person at each close, in a unit that gives them `points` on the last day of `counts`."""
    log, people = by_strangers(counts)
    raw = np.array([close.raw[0] for close in run(log, people, until, Hold())])
    return score(
        raw, unit_of(raw[len(counts) - 1], points), V1
    )  # strangers have no score, so that the unit changes no weight


@given(logs(PEOPLE, 1), logs(PEOPLE, 3))
@settings(max_examples=6, deadline=None)
def test_nothing_older_than_ninety_days_counts(old: Log, new: Log) -> None:
    # By then the scores that weigh new engagements, two days old, are without the old ones as well.
    later = Log(new.actor, new.target, new.code, new.day + WINDOW + 2)
    until = WINDOW + 5
    before, after = run(later, PEOPLE, until, Hold()), run(old + later, PEOPLE, until, Hold())
    for with_old, without in zip(after[WINDOW:], before[WINDOW:], strict=True):
        assert (with_old.raw == without.raw).all()
        assert (with_old.present == without.present).all()


def test_what_is_89_days_old_still_counts_and_what_is_90_days_old_does_not() -> None:
    closes = run(acts(1, 0), 2, WINDOW, Hold())
    assert closes[WINDOW - 1].raw[0] > 0
    assert closes[WINDOW - 1].present[0]
    assert closes[WINDOW].raw[0] == 0
    assert not closes[WINDOW].present[0]


@given(st.sampled_from(ACTIONS), st.integers(0, 87), st.integers(1, 80))
@settings(max_examples=10, deadline=None)
def test_the_same_acts_count_more_the_later_they_come(action: str, day: int, later: int) -> None:
    later = min(day + later, 88)
    closes = run(acts(2, 0, action, day) + acts(3, 1, action, later), 4, 88, Hold())
    assert day == later or closes[-1].raw[1] > closes[-1].raw[0]


@given(st.integers(1, 4), st.integers(1, 95), st.floats(2, 100))
@settings(max_examples=10, deadline=None)
def test_a_quiet_weekend_costs_somebody_steadily_engaged_by_new_people_at_most_a_point(
    people: int, days: int, points: float
) -> None:
    scores = history([people] * days, points, days + 1)
    assert 0 < scores[days - 1] - scores[days + 1] <= 1.0


@given(st.integers(1, 10), st.integers(1, 3), st.integers(1, 95), st.floats(0.01, 10))
@settings(max_examples=10, deadline=None)
def test_a_quiet_weekend_costs_somebody_steadily_engaged_by_the_same_people_at_most_a_point(
    fans: int, times: int, days: int, r0: float
) -> None:
    log = acts(np.tile(np.repeat(np.arange(1, fans + 1), times), days), 0, day=np.repeat(np.arange(days), fans * times))
    closes = run(log, fans + 1, days + 1, Hold(r0))
    assert closes[days - 1].scores[0] - closes[days + 1].scores[0] <= 1.0


@given(daily.filter(lambda counts: counts[-1] > 0), st.floats(2, 100))
@settings(max_examples=8, deadline=None)
def test_whatever_the_history_silence_never_takes_more_than_four_points_a_day_and_one_up_to_fifty(
    counts: list[int], points: float
) -> None:
    falls = -np.diff(history(counts, points, len(counts) + WINDOW)[len(counts) - 1 :])
    assert (falls >= 0).all()
    assert falls.max() <= (1.0 if points <= 50 else 4.0)


@given(st.integers(1, 30))
@settings(max_examples=10, deadline=None)
def test_day_ninety_takes_less_influence_than_any_day_before_it(people: int) -> None:
    log, accounts = by_strangers([people])
    raw = np.array([close.raw[0] for close in run(log, accounts, WINDOW, Hold())])
    falls = -np.diff(raw)
    assert falls[-1] <= falls[:70].min()
    assert raw[-1] == 0


@given(st.integers(1, 4), st.integers(30, 95), st.integers(0, 2), st.floats(2, 100))
@settings(max_examples=10, deadline=None)
def test_a_day_with_none_to_twice_the_usual_reactions_moves_a_month_old_score_by_at_most_half_a_point(
    people: int, days: int, times: int, points: float
) -> None:
    log, accounts = by_strangers([people] * days + [people * times])
    raw = np.array([close.raw[0] for close in run(log, accounts, days, Hold())[days - 1 :]])
    before, after = score(raw, unit_of(raw[0], points), V1)
    assert abs(after - before) <= 0.5


@pytest.mark.parametrize("seed", [1, 2])
def test_chance_alone_moves_nobody_of_a_settled_population_by_more_than_half_a_point_a_day(seed: int) -> None:
    log = population("everybody alike", seed, 100, np.full(60, 200))  # two reactions a person and day, more or less
    scores = np.array([close.scores for close in run(log, 100)])
    assert np.abs(np.diff(scores, axis=0))[30:].max() < 0.5
