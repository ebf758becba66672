"""When what was written can be read: Kafka ends a transaction in each partition a moment after it has agreed to it."""

from collections.abc import Mapping, Sequence
from threading import Event
from time import monotonic

from confluent_kafka import IsolationLevel

from laurel.streams.ends import Ends, Place
from laurel.streams.reader import ReadError

GIVE_UP = 120.0  # seconds for transactions to end
LOOK_EVERY = 0.01  # seconds
AGAIN = 1.0  # seconds before asking brokers again that did not answer


def settled(ends: Ends, places: Sequence[Place], ending: Event) -> dict[Place, int]:
    """The offset after the last record of each partition now, once all before it was committed or dropped.

    `ending` says that nobody waits any more. Raises ReadError if Kafka does not say, or a transaction does not end.
    """
    deadline = monotonic() + GIVE_UP
    written = _ends(ends, places, IsolationLevel.READ_UNCOMMITTED, deadline, ending)
    left = list(places)
    while left:
        readable = _ends(ends, left, IsolationLevel.READ_COMMITTED, deadline, ending)
        left = [place for place in left if readable[place] < written[place]]
        if left and (ending.wait(LOOK_EVERY) or monotonic() > deadline):
            topic, partition = left[0]
            raise ReadError(f"{topic}/{partition}: a transaction has not ended at offset {readable[left[0]]}")
    return {place: written[place] for place in places}


def _ends(
    ends: Ends, places: Sequence[Place], level: IsolationLevel, deadline: float, ending: Event
) -> Mapping[Place, int]:
    while True:
        try:
            return {(place.topic, place.partition): end for place, end in ends.of(places, level).items()}
        except ReadError:
            if ending.wait(AGAIN) or monotonic() > deadline:
                raise
