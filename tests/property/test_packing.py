"""Packed states come back as they were, and what is none is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laurel.agents.layouts import ACTS, INFLUENCE, PERSON, VOICE
from laurel.models.ragged import Ragged
from laurel.streams.packing import Layout, StateFormatError, States, pack, unpack

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


def test_a_value_of_another_version_is_refused():
    value = pack(VOICE, unpack(VOICE, [None]))[0]
    with pytest.raises(StateFormatError, match=f"not of format {VOICE.version}"):
        unpack(VOICE, [bytes([VOICE.version + 1]) + value[1:]])
