"""Ragged columns behave as lists of lists do."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from laurel.models import ragged
from laurel.models.ragged import Ragged

ROW = np.dtype([("name", "<u8"), ("value", "<i8")])
rows = st.tuples(st.integers(0, 9), st.integers(-99, 99))
lists = st.lists(st.lists(rows, max_size=5), max_size=8)


def columns(runs: list[list[tuple[int, int]]]) -> Ragged:
    flat = np.array([row for run in runs for row in run], ROW)
    return Ragged(np.concatenate(([0], np.cumsum([len(run) for run in runs]))).astype(np.int64), flat)


def back(found: Ragged) -> list[list[tuple[int, int]]]:
    return [
        [tuple(row) for row in found.rows[begin:end].tolist()]
        for begin, end in zip(found.offsets[:-1].tolist(), found.offsets[1:].tolist(), strict=True)
    ]


@given(runs=lists, low=st.integers(-99, 99))
def test_keep_filters_each_run(runs, low):
    held = columns(runs)
    assert back(held.keep(held.rows["value"] >= low)) == [[row for row in run if row[1] >= low] for run in runs]


@given(runs=lists, data=st.data())
def test_take_picks_whole_runs_in_any_order(runs, data):
    chosen = data.draw(st.lists(st.integers(0, len(runs) - 1))) if runs else []
    assert back(columns(runs).take(np.array(chosen, np.int64))) == [runs[at] for at in chosen]


@given(runs=lists, data=st.data())
def test_append_adds_to_the_end_of_each_run_in_order(runs, data):
    added = data.draw(st.lists(st.tuples(st.integers(0, len(runs) - 1), rows))) if runs else []
    found = ragged.append(
        columns(runs), np.array([owner for owner, _ in added], np.int64), np.array([row for _, row in added], ROW)
    )
    expected = [list(run) for run in runs]
    for owner, row in added:
        expected[owner].append(row)
    assert back(found) == expected


@given(values=st.lists(st.tuples(st.integers(0, 3), st.integers(-9, 9)), max_size=20))
def test_running_sums_begin_again_with_each_group(values):
    values.sort(key=lambda pair: pair[0])
    groups = np.array([group for group, _ in values], np.int64)
    numbers = np.array([number for _, number in values], np.int64)
    first = ragged.starts(groups)
    before = [sum(n for g, n in values[:at] if g == group) for at, (group, _) in enumerate(values)]
    place = [sum(1 for g, _ in values[:at] if g == group) for at, (group, _) in enumerate(values)]
    assert ragged.running(numbers, first).tolist() == before
    assert ragged.ordinals(first).tolist() == place


@given(st.lists(st.lists(st.integers(-9, 9), min_size=1, max_size=4), min_size=1, max_size=8))
def test_groups_are_added_up(groups: list[list[int]]) -> None:
    heads = np.cumsum([0, *map(len, groups[:-1])])
    assert ragged.totals(np.concatenate(groups), heads).tolist() == [sum(group) for group in groups]
