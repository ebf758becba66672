"""Packed states come back as they were, and what is none is refused."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laurel.agents.layouts import ACTS, INFLUENCE, PERSON, VOICE
from laurel.models.ragged import Ragged
from laurel.streams.packing import Earlier, Layout, StateFormatError, States, blank, pack, unpack

LAYOUTS = [VOICE, ACTS, INFLUENCE, PERSON]


def states_of(layout: Layout, seed: int, keys: int) -> States:
    """Random states: every byte of every column, runs of up to four rows."""
    chance = np.random.default_rng(seed)

    def column(dtype: np.dtype, size: int) -> np.ndarray:
        if not dtype.itemsize:
            return np.zeros(size, dtype)
        return np.frombuffer(chance.bytes(dtype.itemsize * size), dtype).copy()

    sections = {}
    for name, dtype in layout.sections.items():
        offsets = np.concatenate(([0], np.cumsum(chance.integers(0, 5, keys)))).astype(np.int64)
        sections[name] = Ragged(offsets, column(dtype, int(offsets[-1])))
    return States(column(layout.header, keys), sections)


@given(layout=st.sampled_from(LAYOUTS), seed=st.integers(0, 1 << 30), keys=st.integers(0, 12))
@settings(deadline=None)
def test_states_come_back_as_they_were(layout, seed, keys):
    states = states_of(layout, seed, keys)
    found = unpack(layout, pack(layout, states))
    assert found.header.tobytes() == states.header.tobytes()
    for name, section in states.sections.items():
        assert (found.sections[name].offsets == section.offsets).all()
        assert found.sections[name].rows.tobytes() == section.rows.tobytes()


@given(seed=st.integers(0, 1 << 30), known=st.lists(st.booleans(), max_size=10))
@settings(deadline=None)
def test_keys_never_seen_are_blank_among_the_others(seed, known):
    values = pack(VOICE, states_of(VOICE, seed, len(known)))
    found = unpack(VOICE, [value if there else None for value, there in zip(values, known, strict=True)])
    again = pack(VOICE, found)
    blank = pack(VOICE, unpack(VOICE, [None]))[0]
    assert again == [value if there else blank for value, there in zip(values, known, strict=True)]


@given(seed=st.integers(0, 1 << 30), cut=st.integers(1, 30))
@settings(deadline=None)
def test_a_value_cut_short_or_grown_is_refused(seed, cut):
    value = pack(VOICE, states_of(VOICE, seed, 1))[0]
    for wrong in (value[:-cut], value + b"\0" * cut):
        with pytest.raises(StateFormatError, match="voice"):
            unpack(VOICE, [wrong])


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_a_value_of_a_later_version_is_refused_whatever_lies_beside_it(layout):
    value = pack(layout, unpack(layout, [None]))[0]
    later = bytes([layout.version + 1]) + value[1:]
    for values in ([later], [value, later], [None, later[:1]], [b"\0" + value[1:], later]):
        with pytest.raises(StateFormatError, match=f"{layout.name} state was written by a later version"):
            unpack(layout, values)


def test_a_value_of_a_version_that_never_was_is_refused():
    value = pack(VOICE, unpack(VOICE, [None]))[0]
    with pytest.raises(StateFormatError, match="of no format that there was"):
        unpack(VOICE, [value, b"\0" + value[1:]])


# A state that has had three formats: weights of 32 bits, then of 64, then a header that says how many there are.
FIRST = Layout("synthetic", 1, np.dtype([("day", "<i4")]), {"rows": np.dtype([("weight", "<u4")])})
WIDE = np.dtype([("weight", "<u8")])
COUNTED = np.dtype([("day", "<i4"), ("rows", "<u2")])


def widened(states: States) -> States:
    rows = states.sections["rows"]
    return States(states.header, {"rows": Ragged(rows.offsets, rows.rows.astype(WIDE))})


def counted(states: States) -> States:
    header = np.empty(len(states.header), COUNTED)
    header["day"], header["rows"] = states.header["day"], states.sections["rows"].lengths
    return States(header, states.sections)


SECOND = Layout("synthetic", 2, FIRST.header, {"rows": WIDE}, Earlier(FIRST, widened))
THIRD = Layout("synthetic", 3, COUNTED, {"rows": WIDE}, Earlier(SECOND, counted))


@given(
    written=st.lists(
        st.tuples(
            st.sampled_from([None, 1, 2, 3]),
            st.integers(-(1 << 31), (1 << 31) - 1),
            st.lists(st.integers(0, (1 << 32) - 1), max_size=4),
        ),
        max_size=12,
    )
)
@settings(deadline=None)
def test_values_of_earlier_versions_are_read_among_those_of_this_one(written):
    def stored(version: int, day: int, weights: list[int]) -> bytes:
        layout = {1: FIRST, 2: SECOND, 3: THIRD}[version]
        states = blank(layout, 1)
        states.header["day"] = day
        if version == 3:
            states.header["rows"] = len(weights)
        rows = np.array(weights, np.uint64).astype(layout.sections["rows"]["weight"]).view(layout.sections["rows"])
        states.sections["rows"] = Ragged(np.array([0, len(weights)]), rows)
        return pack(layout, states)[0]

    values = [None if row[0] is None else stored(*row) for row in written]
    found = unpack(THIRD, values)
    expected = [(0, []) if version is None else (day, weights) for version, day, weights in written]
    rows = found.sections["rows"]
    assert (
        list(
            zip(
                found.header["day"].tolist(),
                [rows.rows["weight"][begin:end].tolist() for begin, end in itertools.pairwise(rows.offsets.tolist())],
                strict=True,
            )
        )
        == expected
    )
    assert found.header["rows"].tolist() == [len(weights) for _, weights in expected]
    assert all(value[0] == 3 for value in pack(THIRD, found))
