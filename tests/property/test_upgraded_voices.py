"""Actors whose state is of before acts were told: what nobody was told of is never taken off anybody's sums."""

from collections import Counter
from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from laurel.agents.layouts import VOICE
from laurel.models import ragged
from laurel.models.counted_once import MOVE, NOWHERE
from laurel.models.parameters import V1
from laurel.models.ragged import Ragged
from laurel.models.voice import ACT, Voices
from laurel.streams.packing import Layout, States, pack, unpack
from tests.property.plain_actor import COUNTED, RETRACTION
from tests.property.test_s12_reach import logs, scores
from tests.property.test_weighing import in_batches


def version(layout: Layout, number: int) -> Layout:
    """The layout of that version."""
    while layout.version > number:
        assert layout.earlier is not None
        layout = layout.earlier.layout
    return layout


def upgraded(voices: Voices) -> Voices:
    """The voices as they come back from a state of format 2."""
    earlier = version(VOICE, 2)
    sections = {
        name: Ragged(getattr(voices, name).offsets, getattr(voices, name).rows[list(dtype.names)].astype(dtype))
        for name, dtype in earlier.sections.items()
    }
    header = voices.header[list(earlier.header.names)].astype(earlier.header)
    found = unpack(VOICE, pack(earlier, States(header, sections)))
    return Voices(found.header, **found.sections, past=ragged.empty(len(header), ACT))


@given(log=logs, points=scores, cut=st.integers(0, 60), back=st.sets(st.integers(0, 59)))
@settings(max_examples=150, deadline=None)
def test_acts_that_were_never_told_are_never_taken_off(log, points, cut, back):
    taken = [
        (who, replace(event, event=10_000 + at, retracts=event.event))
        for at, (who, event) in enumerate(log)
        if at in back
    ]
    _, voices = in_batches(log[:cut], [], points, V1)
    rest = [*log[cut:], *taken]
    later, _ = in_batches(rest, [], points, V1, voices=upgraded(voices))
    acts: Counter[tuple[int, int, int]] = Counter()  # told of an actor's acts on an account, by day
    squares: Counter[tuple[int, int, int]] = Counter()
    for (who, event), one in zip(rest, later, strict=True):
        move = np.array([one[5]], MOVE)[0]
        for side, sign in (("left", -1), ("reached", 1)):
            if one[0] in (COUNTED, RETRACTION) and move[side] != NOWHERE:
                place, count = (who, event.target, int(move[side])), int(move[f"{side}_acts"])
                acts[place] += sign * count
                squares[place] += sign * count**2
    assert min(acts.values(), default=0) >= 0
    assert min(squares.values(), default=0) >= 0
