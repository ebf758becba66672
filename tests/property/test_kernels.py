"""What is compiled gives what plain Python does, to the last bit, wherever rows lie and in whatever order."""

import os
import subprocess
import sys

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from laurel.models.amplification import amplification
from laurel.models.daily import by_day
from laurel.models.fade import FADE_UNIT
from laurel.models.influence import BUCKET, TOPIC
from laurel.models.kernels.sorting import ascending
from laurel.models.networks import Networks
from laurel.models.parameters import V1
from laurel.models.ragged import Ragged, Runs, at_each_byte
from laurel.models.reach import PEOPLE, SUMS, reach
from laurel.models.standing import raw_of, topic_parts
from tests.property import plain_close

NETWORKS = Networks.load()
TODAY = 1_000
moments = st.integers(TODAY - 100, TODAY + 2)
admits = st.one_of(moments, st.integers(TODAY - 3, TODAY + 2))
actions = st.sampled_from([*NETWORKS.ids[::7].tolist(), *NETWORKS.ids[:4].tolist(), 3])  # 3 is none of the table
weights = st.one_of(st.integers(-(10**7), 10**13), st.integers(0, 1 << 55))
buckets = st.tuples(moments, admits, actions, weights, st.integers(-5, 50))
topics = st.tuples(
    moments, admits, st.one_of(st.integers(0, 5), st.integers(0, 2**64 - 1)), weights, st.integers(-9, 9)
)
people = st.tuples(moments, admits, *[st.integers(-3, 9)] * 2, *[st.integers(-300, 900)] * 3)


def accounts(row: st.SearchStrategy, most: int = 12) -> st.SearchStrategy:
    return st.lists(st.lists(row, max_size=most), max_size=4)


def ragged(found: list[list[tuple]], dtype: np.dtype) -> Ragged:
    rows = [row for rows in found for row in rows]
    return Ragged(np.cumsum([0, *map(len, found)]), np.array(rows, dtype))


def scattered(rows: Ragged, gap: int) -> Runs:
    """The same rows with a gap of some bytes before each account's, as they lie in stored states."""
    parts, begins, at = [], [], 0
    for begin, end in zip(rows.offsets[:-1].tolist(), rows.offsets[1:].tolist(), strict=True):
        parts += [b"\xff" * gap, rows.rows[begin:end].tobytes()]
        begins.append(at + gap)
        at += gap + len(parts[-1])
    buffer = np.frombuffer(b"".join([*parts, b"\xff"]), np.uint8)
    return Runs(at_each_byte(buffer, rows.rows.dtype), np.array(begins, np.int64), rows.lengths)


@given(accounts(buckets), st.integers(0, 3), st.integers(0, 9))
@settings(deadline=None)
def test_days_count_what_they_do_in_plain_python(found, ago, gap):
    rows = ragged(found, BUCKET)
    days = by_day(scattered(rows, gap), TODAY, TODAY - ago, NETWORKS, V1)
    expected = plain_close.days(rows, TODAY, TODAY - ago, NETWORKS, V1)
    parts, places = days.parts, days.presences
    assert parts.rows.tolist() == [(code, *sums) for one in expected for code, sums in one.parts.items()]
    assert parts.lengths.tolist() == [len(one.parts) for one in expected]
    now, was, aged = ([one.places[network][of] for one in expected for network in one.places] for of in range(3))
    networks = [network for one in expected for network in one.places]
    assert places.rows.tolist() == [(network, *sums) for network, sums in zip(networks, now, strict=True)]
    assert places.lengths.tolist() == [len(one.places) for one in expected]
    assert days.was.tolist() == [(network, *sums) for network, sums in zip(networks, was, strict=True)]
    assert days.aged.tolist() == [(network, *sums) for network, sums in zip(networks, aged, strict=True)]
    assert list(zip(days.present.tolist(), days.had_previous.tolist(), strict=True)) == [one.there for one in expected]
    assert (places.owners[days.place] == parts.owners).all()
    assert (places.rows["network"][days.place] == NETWORKS.network_code[parts.rows["code"]]).all()


@given(accounts(buckets), st.lists(st.floats(0.2, 100), min_size=2, max_size=2), st.integers(0, 3))
@settings(deadline=None)
def test_influence_is_what_array_operations_add_up_to_the_last_bit(found, mean, ago):
    days = by_day(ragged(found, BUCKET).runs, TODAY, TODAY - ago, NETWORKS, V1)
    means = np.resize(mean, len(NETWORKS.network_names))
    for counted, posted in ((days.presences.rows, days.presences.rows), (days.aged, days.was)):
        factors, raw = raw_of(days, counted, posted, means, V1)
        reactions, posts = counted["reactions"] / FADE_UNIT, posted["posts"] / FADE_UNIT
        assert factors.tolist() == amplification(reactions, posts, means[counted["network"]], V1).tolist()
        points = factors * counted["part"] / (FADE_UNIT * 1e6)
        assert raw.tolist() == np.bincount(days.presences.owners, points, len(found)).tolist()


@given(accounts(topics, 40), st.integers(0, 9))
@settings(deadline=None)
def test_topics_count_what_they_do_in_plain_python(found, gap):
    rows = ragged(found, TOPIC)
    counted, expected = topic_parts(scattered(rows, gap), TODAY, V1), plain_close.topics(rows, TODAY, V1)
    assert counted.rows.tolist() == [row for one in expected for row in one]
    assert counted.lengths.tolist() == list(map(len, expected))


@given(accounts(people), st.integers(0, 9))
@settings(deadline=None)
def test_people_are_counted_as_in_plain_python(found, gap):
    rows = ragged(found, PEOPLE)
    counted = reach(scattered(rows, gap), TODAY, V1)
    sums = (getattr(counted, name).tolist() for name in SUMS)
    assert list(zip(*sums, strict=True)) == plain_close.people(rows, TODAY, V1)


@given(accounts(buckets), st.integers(0, 9))
@settings(deadline=None)
def test_runs_are_the_rows_they_lie_as(found, gap):
    rows = ragged(found, BUCKET)
    for runs in (scattered(rows, gap), rows.runs):
        assert runs.ragged().rows.tobytes() == rows.rows.tobytes()
        assert runs.ragged().offsets.tolist() == rows.offsets.tolist()


@given(st.lists(st.integers(0, 50), max_size=200))
@settings(deadline=None)
def test_keys_are_sorted_and_what_goes_along_with_them(keys):
    found, along = np.array(keys, np.int64), np.arange(len(keys))
    ascending(found, along, len(keys))
    assert found.tolist() == sorted(keys)
    assert [keys[at] for at in along.tolist()] == sorted(keys)


def test_kernels_of_one_kind_of_rows_are_compiled_once_wherever_these_come_from():
    from laurel.models.kernels.adding import add_up
    from laurel.models.kernels.days import count_days

    means = np.ones(len(NETWORKS.network_names))
    none, one = ragged([[]], BUCKET), ragged([[(TODAY, TODAY, int(NETWORKS.ids[0]), 1, 1)]], BUCKET)
    for runs in (none.runs, one.runs, scattered(none, 0), scattered(one, 3), scattered(ragged([], BUCKET), 0)):
        days = by_day(runs, TODAY, TODAY - 1, NETWORKS, V1)
        raw_of(days, days.was, days.presences.rows, means, V1)
    assert len(count_days.signatures) == len(add_up.signatures) == 1


def test_kernels_work_where_nothing_can_be_kept(tmp_path):
    (tmp_path / "file").touch()
    asks = "from laurel.models.kernels.formulas import day_counts_one; print(day_counts_one(100, 1e11))"
    places = {"NUMBA_CACHE_DIR": str(tmp_path / "file"), "PYTHONPATH": os.pathsep.join(sys.path)}
    asked = subprocess.run(
        [sys.executable, "-c", asks], env={**os.environ, **places}, capture_output=True, text=True, check=True
    )
    assert asked.stdout == "100.0\n"
    assert not asked.stderr
