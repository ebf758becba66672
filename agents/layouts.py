"""The format of each stage's stored state.

A change of columns is a new version: the layout here gets the next number and the one before it as its `earlier`, and
`streams/store_folder.FORMAT` goes up, so that earlier versions of laurel refuse what they would not understand.
"""

import numpy as np

from laurel.models import influence, ragged, reach, voice
from laurel.models.counted_once import UNTOLD
from laurel.models.ragged import Ragged
from laurel.streams.packing import Earlier, Layout, States

_PAIR_1 = np.dtype([("target", "<u8"), ("day", "<i4"), ("memory", "<i8")])
_ACT_1 = np.dtype(
    [
        ("event", "<u8"),
        ("other", "<u8"),
        ("memory", "<i8"),
        ("since", "<i4"),
        ("used", "<u4"),
        ("weight", "<u4"),
        ("day", "<i4"),
        ("now", "<i4"),
        ("kind", "u1"),
        ("status", "u1"),
    ]
)


def _untold(rows: Ragged, dtype: np.dtype[np.void]) -> Ragged:
    """Pairs or acts of before reach was told: nobody counts them until the next act of each pair."""
    after = np.empty(len(rows.rows), dtype)
    for name in dtype.names or ():
        after[name] = rows.rows[name] if name in (rows.rows.dtype.names or ()) else UNTOLD
    if "since" in (dtype.names or ()):
        after["since"][after["memory"] == 0] = voice.NEW
    return Ragged(rows.offsets, after)


def _told_from_now(states: States) -> States:
    found = dict(states.sections)
    for name, dtype in (("pairs", voice.PAIR), ("recent", voice.ACT), ("acts", voice.ACT)):
        if name in found:
            found[name] = _untold(found[name], dtype)
    return States(states.header, found)


def _nobody_reached(states: States) -> States:
    none = ragged.empty(len(states.header), reach.PEOPLE)
    return States(states.header, {**states.sections, "people": none})


_VOICE_1 = Layout(
    "voice",
    1,
    voice.HEADER,
    {
        "pairs": _PAIR_1,
        "recent": _ACT_1,
        "given": voice.GIVEN,
        "blocks": voice.BLOCK,
        "awaited": voice.AWAITED,
    },
)
VOICE = Layout(
    "voice",
    2,
    voice.HEADER,
    {**_VOICE_1.sections, "pairs": voice.PAIR, "recent": voice.ACT},
    Earlier(_VOICE_1, _told_from_now),
)
# Older acts of a voice, beside it. The header says which of its blocks it is.
_ACTS_1 = Layout("block of acts", 1, np.dtype([("number", "<u4")]), {"acts": _ACT_1})
ACTS = Layout("block of acts", 2, _ACTS_1.header, {"acts": voice.ACT}, Earlier(_ACTS_1, _told_from_now))
PERSON = Layout(
    "person", 1, np.dtype([("day", "<i4"), ("score", "<f8")]), {}
)  # what was published last, and for what day
_INFLUENCE_1 = Layout("influence", 1, np.dtype([]), {"buckets": influence.BUCKET, "topics": influence.TOPIC})
INFLUENCE = Layout(
    "influence",
    2,
    np.dtype([]),
    {**_INFLUENCE_1.sections, "people": reach.PEOPLE},
    Earlier(_INFLUENCE_1, _nobody_reached),
)
