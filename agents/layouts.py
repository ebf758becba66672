"""The format of each stage's stored state. A change of columns is a new version."""

import numpy as np

from laurel.models import influence, voice
from laurel.streams.packing import Layout

VOICE = Layout("voice", 1, voice.HEADER, {"pairs": voice.PAIR, "seen": voice.SEEN, "given": voice.GIVEN})
PERSON = Layout(
    "person", 1, np.dtype([("day", "<i4"), ("score", "<f8")]), {}
)  # what was published last, and for what day
INFLUENCE = Layout("influence", 1, influence.HEADER, {"buckets": influence.BUCKET, "topics": influence.TOPIC})
