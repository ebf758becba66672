"""Signals of a member are those of its accounts' reactions together, whoever wrote what these bring."""

import tracemalloc
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laurel.agents.persons import _People
from laurel.models.signals import SUSPICIOUS
from laurel.models.tally import MOST_COUNTED, together
from laurel.streams.codec import Codec

MEMBERS, DAYS = 3, 5
SMALLEST, GREATEST = -(1 << 63), (1 << 63) - 1
counts = st.one_of(st.integers(-2, 9), st.sampled_from([SMALLEST, GREATEST]))


@given(st.lists(st.tuples(st.integers(0, MEMBERS - 1), st.integers(-1, DAYS + 1), counts)))
def test_accounts_of_a_member_are_added_up_day_by_day(rows: list[tuple[int, int, int]]) -> None:
    daily: Counter[tuple[int, int]] = Counter()
    for member, age, count in rows:
        if 0 <= age < DAYS:
            daily[member, age] += min(max(count, 0), MOST_COUNTED)
    found = together(MEMBERS, DAYS, *np.array(rows, np.int64).reshape(-1, 3).T)
    held = zip(zip(found.owner.tolist(), found.age.tolist(), strict=True), found.count.tolist(), strict=True)
    assert dict(held) == dict(+daily)
    for member in range(MEMBERS):
        own = [count for (of, _), count in daily.items() if of == member]
        assert (found.reactions()[member], found.busiest()[member]) == (sum(own), max(own, default=0))


def part(person: str, **columns: object) -> dict[str, object]:
    own = {"person": person, "day": 0, "upstream": 0, "account": f"twitter:{person}", "present": True, "raw": 1.0}
    return own | {"amounts": []} | columns


def members(rows: list[dict[str, object]]) -> _People:
    """As they come out of the topic."""
    codec = Codec()
    found = codec.decode([codec.encode_one("PersonPart", row) for row in rows])
    return _People(pa.Table.from_batches([found.batches["PersonPart"].table]))


# Of what is told in numbers there is nothing that a stranger can't have written.
numbers = st.sampled_from([SMALLEST, -1, 0, 1, 25, 1 << 40, GREATEST])
parts = st.builds(
    part,
    st.sampled_from(["m:1", "m:2"]),
    people=numbers,
    young=numbers,
    acts=numbers,
    squares=numbers,
    daily=st.lists(numbers, max_size=4),
)


@given(st.lists(parts, min_size=1, max_size=5))
def test_whatever_accounts_bring_signals_are_shares(rows: list[dict[str, object]]) -> None:
    found = members(rows).signals(DAYS)
    assert (found.reactions >= 0).all()
    for name in SUSPICIOUS:
        share = getattr(found, name)
        assert ((share >= 0) & (share <= 1)).all()


def test_one_account_with_very_many_days_takes_no_room_for_the_others() -> None:
    people = members([part("m:0", daily=[1] * 100_000), *(part(f"m:{n}", daily=[1]) for n in range(1, 2_000))])
    tracemalloc.start()
    try:
        found = people.signals(90)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.reactions.tolist() == [90] + [1] * 1_999
    assert peak < 64 << 20


@pytest.mark.parametrize("shadow", ["", "v2"])
def test_an_account_that_tells_nothing_has_no_signals(shadow: str) -> None:
    found = members([part("m:0", shadow=shadow)]).signals(DAYS)
    assert not found.any_flagged().any()
    assert found.reactions.tolist() == [0]
