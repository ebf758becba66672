"""The days of a calendar: what was decided stands, whatever comes in between; and years of them stay small."""

import sys
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from laurel.streams.calendar import requested
from laurel.streams.days import LARGE, RANK, WHOLE, Days

STATUS = st.sampled_from(sorted(RANK))


def record(day: int, status: str, number: int = 0) -> dict[str, Any]:
    return requested(day, "v1") | {"status": status, "people": number, "bins": [number] * 3}


@given(st.lists(st.tuples(st.integers(0, 20), STATUS), max_size=60))
def test_what_was_decided_stands_and_whoever_overtook_it_is_named(story):
    days = Days()
    for number, (day, status) in enumerate(story):
        days.take(record(day, status, number))
    for day in {day for day, _ in story}:
        told = [(RANK[status], number) for number, (other, status) in enumerate(story) if other == day]
        rank, number = max(told)
        assert (RANK[days[day]["status"]], days[day]["people"]) == (rank, number)
        assert (day in days.overtaken) == (told[-1] != (rank, number))
    closed = sorted(day for day in days if days[day]["status"] == "closed")
    assert days.last_closed == (closed[-1] if closed else None)
    assert days.open == sorted(set(days) - set(closed))
    for day in range(max(closed, default=-1), 22):
        before = days.closed_before(day)
        assert before == (days[closed[-1]] if closed and closed[-1] < day else before)
        assert before is None or before["bins"]


def test_ten_years_of_days_take_a_few_megabytes() -> None:
    days = Days()
    for day in range(3_650):
        days.take(requested(day, "v1") | {"status": "closed", "bins": list(range(1_000, 3_048))})
    assert sum(bool(found["bins"]) for found in days.values()) == WHOLE
    values = [found for found in days.values() if not found["bins"]]
    size = sum(sys.getsizeof(found) + sum(sys.getsizeof(found[name]) for name in LARGE) for found in values)
    assert size < 8 << 20
