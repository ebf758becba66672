"""When what was written can be read: Kafka ends a transaction in each partition a moment after it has agreed to it."""

from collections.abc import Sequence
from threading import Event
from time import monotonic
from typing import Any, cast

from confluent_kafka import IsolationLevel, KafkaException, TopicPartition, admin

from laurel.streams.reader import ReadError

ANSWER_WITHIN = 30.0  # seconds for brokers to answer
GIVE_UP = 120.0  # seconds for transactions to end
LOOK_EVERY = 0.01  # seconds
AGAIN = 1.0  # seconds before asking brokers again that did not answer

Place = tuple[str, int]  # topic and partition


def settled(servers: str, places: Sequence[Place], ending: Event) -> dict[Place, int]:
    """The offset after the last record of each partition now, once all before it was committed or dropped.

    `ending` says that nobody waits any more. Raises ReadError if Kafka does not say, or a transaction does not end.
    """
    client = admin.AdminClient({"bootstrap.servers": servers, "log_level": 0})
    deadline = monotonic() + GIVE_UP
    written = _ends(client, places, IsolationLevel.READ_UNCOMMITTED, deadline, ending)
    left = list(places)
    while left:
        readable = _ends(client, left, IsolationLevel.READ_COMMITTED, deadline, ending)
        left = [place for place in left if readable[place] < written[place]]
        if left and (ending.wait(LOOK_EVERY) or monotonic() > deadline):
            topic, partition = left[0]
            raise ReadError(f"{topic}/{partition}: a transaction has not ended at offset {readable[left[0]]}")
    return written


def _ends(
    client: admin.AdminClient, places: Sequence[Place], level: IsolationLevel, deadline: float, ending: Event
) -> dict[Place, int]:
    latest: Any = cast("Any", admin).OffsetSpec.latest()  # its module does not say that it has it
    while True:
        try:
            told = client.list_offsets(
                {TopicPartition(*place): latest for place in places},
                isolation_level=level,
                request_timeout=ANSWER_WITHIN,
            )
            return {(place.topic, place.partition): int(future.result().offset) for place, future in told.items()}
        except KafkaException as error:
            if ending.wait(AGAIN) or monotonic() > deadline:
                raise ReadError(f"the end of {places[0][0]} can't be read: {error.args[0].str()}") from None
