"""The format of each stage's stored state.

A change of columns is a new version: the layout here gets the next number and the one before it as its `earlier`, and
`streams/store_folder.FORMAT` goes up, so that earlier versions of laurel refuse what they would not understand.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from laurel.models import influence, ragged, reach, ties, voice
from laurel.models.counted_once import UNTOLD
from laurel.models.ragged import Ragged
from laurel.streams.packing import Earlier, Layout, States

_VOICE_HEADER_2 = np.dtype(
    [
        ("day", "<i4"),
        ("acts", "<u4"),
        ("plus_ks", "<u4"),
        ("withdrawn", "<u4"),
        ("newest", "<i4"),
        ("first_block", "<u4"),
        ("score", "u1"),
    ]
)
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
_PAIR_2 = np.dtype([*_PAIR_1.descr, ("points", "u1")])
_ACT_2 = np.dtype([*_ACT_1.descr, ("points", "u1"), ("points_before", "u1")])
_PEOPLE_2 = np.dtype([("day", "<i4"), ("admit", "<i4"), ("people", "<i4"), ("points", "<i8")])


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
    for name, dtype in (("pairs", _PAIR_2), ("recent", _ACT_2), ("acts", _ACT_2)):
        if name in found:
            found[name] = _untold(found[name], dtype)
    return States(states.header, found)


def _nobody_reached(states: States) -> States:
    none = ragged.empty(len(states.header), _PEOPLE_2)
    return States(states.header, {**states.sections, "people": none})


def _wider(layout: Layout) -> Callable[[States], States]:
    """What gives states the columns that this layout has more, all of them 0: what nobody counted until then."""

    def upgrade(states: States) -> States:
        sections = {
            name: Ragged(states.sections[name].offsets, _with(states.sections[name].rows, dtype))
            for name, dtype in layout.sections.items()
        }
        return States(_with(states.header, layout.header), sections)

    return upgrade


def _with(rows: npt.NDArray[np.void], dtype: np.dtype[np.void]) -> npt.NDArray[np.void]:
    found = np.zeros(len(rows), dtype)
    for name in rows.dtype.names or ():
        found[name] = rows[name]
    return found


def _after(earlier: Layout, header: np.dtype[np.void], **sections: np.dtype[np.void]) -> Layout:
    """The layout after one, with another header and sections that are wider."""
    layout = Layout(earlier.name, earlier.version + 1, header, {**earlier.sections, **sections})
    return replace(layout, earlier=Earlier(earlier, _wider(layout)))


_VOICE_1 = Layout(
    "voice",
    1,
    _VOICE_HEADER_2,
    {
        "pairs": _PAIR_1,
        "recent": _ACT_1,
        "given": voice.GIVEN,
        "blocks": voice.BLOCK,
        "awaited": voice.AWAITED,
    },
)
_VOICE_2 = Layout(
    "voice",
    2,
    _VOICE_HEADER_2,
    {**_VOICE_1.sections, "pairs": _PAIR_2, "recent": _ACT_2},
    Earlier(_VOICE_1, _told_from_now),
)
VOICE = _after(_VOICE_2, voice.HEADER, pairs=voice.PAIR, recent=voice.ACT)
# Older acts of a voice, beside it. The header says which of its blocks it is.
_ACTS_1 = Layout("block of acts", 1, np.dtype([("number", "<u4")]), {"acts": _ACT_1})
_ACTS_2 = Layout("block of acts", 2, _ACTS_1.header, {"acts": _ACT_2}, Earlier(_ACTS_1, _told_from_now))
ACTS = _after(_ACTS_2, _ACTS_1.header, acts=voice.ACT)
_PERSON_1 = Layout("person", 1, np.dtype([("day", "<i4"), ("score", "<f8")]), {})
# What was published last, and for what day; and whether signals were.
PERSON = _after(_PERSON_1, np.dtype([*_PERSON_1.header.descr, ("flagged", "?")]))
_INFLUENCE_1 = Layout("influence", 1, np.dtype([]), {"buckets": influence.BUCKET, "topics": influence.TOPIC})
_INFLUENCE_2 = Layout(
    "influence",
    2,
    np.dtype([]),
    {**_INFLUENCE_1.sections, "people": _PEOPLE_2},
    Earlier(_INFLUENCE_1, _nobody_reached),
)
INFLUENCE = _after(_INFLUENCE_2, _INFLUENCE_2.header, people=reach.PEOPLE)
# Whom an account is tied to the most, beside its voice (whom it acts on) and beside its influence (who acts on it).
TIED = Layout("ties", 1, np.dtype([]), {"ties": ties.TIE, "names": ties.BYTE})
