"""Influence adds up to the same state in any order and in any batches."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from laurel.models import influence, ragged
from laurel.models.influence import BUCKET, TOPIC, Influences, accrue

KEYS, CLOSED, WINDOW = 3, 200, 90

bucket = st.tuples(
    st.integers(0, KEYS - 1),
    st.tuples(
        st.integers(100, 203), st.integers(198, 203), st.integers(1, 3), st.integers(-50, 50), st.sampled_from([1, -1])
    ),
)
topic = st.tuples(
    st.integers(0, KEYS - 1),
    st.tuples(st.integers(100, 203), st.integers(198, 203), st.integers(1, 3), st.integers(-50, 50), st.integers(0, 2)),
)


def empty() -> Influences:
    return Influences(ragged.empty(KEYS, BUCKET), ragged.empty(KEYS, TOPIC))


def added(held: Influences, buckets: list, topics: list) -> Influences:
    return accrue(
        held,
        np.array([owner for owner, _ in buckets], np.int64),
        np.array([row for _, row in buckets], BUCKET),
        np.array([owner for owner, _ in topics], np.int64),
        np.array([row for _, row in topics], TOPIC),
        CLOSED,
        WINDOW,
    )


def same(one: Influences, other: Influences) -> bool:
    return all(
        (getattr(one, name).offsets == getattr(other, name).offsets).all()
        and (getattr(one, name).rows == getattr(other, name).rows).all()
        for name in ("buckets", "topics")
    )


@given(
    buckets=st.lists(bucket, max_size=40),
    topics=st.lists(topic, max_size=40),
    cut=st.integers(0, 40),
    order=st.randoms(use_true_random=False),
)
@settings(deadline=None)
def test_any_order_and_any_batches_give_the_same_state(buckets, topics, cut, order):
    whole = added(empty(), buckets, topics)
    shuffled, mixed = list(buckets), list(topics)
    order.shuffle(shuffled)
    order.shuffle(mixed)
    halves = added(added(empty(), shuffled[:cut], mixed[:cut]), shuffled[cut:], mixed[cut:])
    assert same(whole, halves)


@given(buckets=st.lists(bucket, max_size=40))
@settings(deadline=None)
def test_what_is_held_is_the_sum_by_day_and_action_of_what_can_still_count(buckets):
    expected: dict = {}
    for owner, (day, admit, action, weight, count) in buckets:
        if day > CLOSED - WINDOW:
            key = (owner, day, day if admit <= CLOSED else admit, action)
            before = expected.get(key, (0, 0))
            expected[key] = (before[0] + weight, before[1] + count)
    found = added(empty(), buckets, []).buckets
    rows = zip(found.owners.tolist(), found.rows.tolist(), strict=True)
    held = {(owner, day, admit, action): (w, c) for owner, (day, admit, action, w, c) in rows}
    assert held == {key: sums for key, sums in expected.items() if sums != (0, 0)}


def test_no_account_keeps_more_rows_than_fit_into_kafka(monkeypatch):
    monkeypatch.setattr(influence, "ROWS_KEPT", 3)
    topics = [(0, (201, 201, name, weight, 0)) for name, weight in enumerate([5, 9, 1, 7, 8], start=1)]
    found = added(empty(), [], [*topics, (1, (201, 201, 1, 1, 0))]).topics
    assert found.rows["weight"].tolist() == [9, 7, 8, 1]
    assert found.lengths.tolist() == [3, 1, 0]
