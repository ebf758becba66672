"""S6: a day's noise counts by its root, an audience that comes again in full."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from laurel.models import ragged
from laurel.models.daily import Days, by_day, counted
from laurel.models.fade import fade_table
from laurel.models.influence import BUCKET
from laurel.models.parameters import V1
from tests.property.logs import ACTIONS
from tests.property.pure import CODES, NETWORKS, Hold, acts, run

weight = st.integers(0, 10**15)  # micro-points
rows = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4), st.sampled_from(ACTIONS), st.integers(0, 10**12)))


def what_counts(*weights: int) -> list[int]:
    return [int(found) for found in counted(np.array(weights, np.int64), V1)]


@given(weight, weight)
def test_more_never_counts_less_and_never_more_than_it_is(one: int, more: int) -> None:
    few, many = what_counts(one, one + more)
    assert few <= many <= max(one + more, 0)


@given(weight, weight)
def test_two_days_count_at_least_as_much_as_both_on_one(one: int, other: int) -> None:
    first, second, both = what_counts(one, other, one + other)
    assert both <= first + second + 1  # micro-points are whole


def test_the_very_little_counts_in_full_and_much_by_its_square_root() -> None:
    assert what_counts(100) == [100]
    hundredfold = np.divide(*what_counts(10**11 * 100, 10**11))
    assert abs(hundredfold - 10) < 0.01


@given(rows, st.integers(0, 4))
@settings(deadline=None)
def test_what_actions_have_of_a_day_is_what_it_counts_whatever_the_order_of_rows(
    found: list[tuple[int, int, str, int]], day: int
) -> None:
    of_day = [row for row in found if row[1] == day]

    def days(order: list[tuple[int, int, str, int]]) -> Days:
        held = [(day, day, NETWORKS.ids[CODES[kind]], weight, 1) for _, day, kind, weight in order]
        owners = np.array([owner for owner, *_ in order], np.int64)
        return by_day(ragged.from_owners(owners, np.array(held, BUCKET), 4).runs, 4, 4, NETWORKS, V1)

    for rows in (found, of_day):
        parts = days(sorted(rows, key=lambda row: row[0]))
        mixed = days(sorted(rows, key=lambda row: (row[0], -row[1], row[3])))
        assert parts.parts.rows.tolist() == mixed.parts.rows.tolist()
        assert parts.presences.rows.tolist() == mixed.presences.rows.tolist()
    fade, presences = int(fade_table(V1)[4 - day]), parts.presences
    for place, (owner, row) in enumerate(zip(presences.owners.tolist(), presences.rows, strict=True)):
        came = sum(
            weight
            for whose, _, kind, weight in of_day
            if whose == owner and NETWORKS.network_code[CODES[kind]] == row["network"]
        )
        shares = parts.parts.rows["part"][parts.place == place]
        assert row["part"] == what_counts(came)[0] * fade
        assert abs(int(shares.sum()) - int(row["part"])) <= fade * len(shares)


def test_a_crowd_that_comes_over_ten_days_counts_far_more_than_the_same_at_once() -> None:
    once = run(acts(range(2, 102), 0), 102, 10, Hold())[-1].raw[0]
    again = run(acts(range(2, 102), 0, day=np.arange(100) // 10), 102, 10, Hold())[-1].raw[0]
    assert again > 2.5 * once
