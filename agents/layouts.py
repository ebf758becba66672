"""The format of each stage's stored state.

A change of columns is a new version: the layout here gets the next number and the one before it as its `earlier`, and
`streams/store_folder.FORMAT` goes up, so that earlier versions of laurel refuse what they would not understand.
"""

import numpy as np

from laurel.models import influence, voice
from laurel.streams.packing import Layout

VOICE = Layout(
    "voice",
    1,
    voice.HEADER,
    {
        "pairs": voice.PAIR,
        "recent": voice.ACT,
        "given": voice.GIVEN,
        "blocks": voice.BLOCK,
        "awaited": voice.AWAITED,
    },
)
# Older acts of a voice, beside it. The header says which of its blocks it is.
ACTS = Layout("block of acts", 1, np.dtype([("number", "<u4")]), {"acts": voice.ACT})
PERSON = Layout(
    "person", 1, np.dtype([("day", "<i4"), ("score", "<f8")]), {}
)  # what was published last, and for what day
INFLUENCE = Layout("influence", 1, np.dtype([]), {"buckets": influence.BUCKET, "topics": influence.TOPIC})
