"""S6: a rolling window in which recent counts more and the decline is gradual."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from laurel.models.fade import FADE_UNIT, fade_table, memory_table
from laurel.models.parameters import V1
from laurel.models.scale import raw_of, score

units = st.floats(3.5, 100)  # r0: bases of 20 down to 3 points


def test_recent_counts_more_and_the_window_ends_near_zero() -> None:
    table = fade_table(V1)
    assert len(table) == V1.window_days == 90
    assert table[0] == FADE_UNIT
    assert (np.diff(table) <= 0).all()
    assert (np.diff(table[:85]) < 0).all()
    assert 0 < table[-1] < FADE_UNIT / 10_000


def test_the_decline_has_no_cliff_anywhere() -> None:
    falls = -np.diff(np.append(fade_table(V1), 0)) / FADE_UNIT
    assert falls.max() < 0.025  # of what an action counted at first, a day
    assert falls[-1] < 0.0001


def test_what_a_pair_brought_is_forgotten_by_more_than_half_in_twenty_days_and_never_outlives_what_it_still_gives() -> (
    None
):
    table = memory_table(V1)
    assert len(table) == V1.window_days
    assert table[0] == FADE_UNIT
    assert table[20] < FADE_UNIT / 2 < table[16]
    assert (np.diff(table) <= 0).all()
    assert (table <= fade_table(V1)).all()


@given(st.floats(20, 100), st.integers(1, 90), units)
def test_a_quiet_weekend_after_steady_days_costs_at_most_a_point(points: float, days: int, r0: float) -> None:
    table = np.append(fade_table(V1), [0, 0])
    raw = raw_of(np.array([points]), r0, V1)
    kept = table[2 : days + 2].sum() / table[:days].sum()
    assert points - score(raw * kept, r0, V1)[0] <= 1.0


@given(st.floats(20, 100), st.integers(0, 90), units)
def test_silence_after_one_loud_day_never_takes_more_than_four_points_a_day(points: float, age: int, r0: float) -> None:
    table = np.append(fade_table(V1), [0, 0]) / FADE_UNIT
    raw = raw_of(np.array([points]), r0, V1)[0]
    today, tomorrow = score(raw * table[age : age + 2], r0, V1)
    assert today - tomorrow <= 4.0
