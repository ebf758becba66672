"""Records that were refused: kept as they came, with headers that say where they came from and why.

The headers are those of Kafka Connect's dead letter queues, so that tools which know them work here too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from laurel.streams.outbox import Outbox

PREFIX = "__connect.errors."
COMPONENT = "laurel"


@dataclass(frozen=True)
class DeadLetter:
    """One refused record: its origin, its original key, value and headers, a reason code and a sentence."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]
    reason: str
    message: str


def from_record(record: Any, reason: str, message: str) -> DeadLetter:
    """A dead letter of a fetched record."""
    return DeadLetter(
        record.topic, record.partition, record.offset, record.key, record.value, record.headers or (), reason, message
    )


def headers(letter: DeadLetter) -> list[tuple[str, bytes | None]]:
    """The letter's headers: the original ones, then ours."""
    ours = {
        "topic": letter.topic,
        "partition": str(letter.partition),
        "offset": str(letter.offset),
        "connector.name": COMPONENT,
        "stage": "VALUE_CONVERTER",
        "class.name": COMPONENT,
        "exception.class.name": letter.reason,
        "exception.message": letter.message,
    }
    return [*letter.headers, *((PREFIX + name, text.encode()) for name, text in ours.items())]


def send(outbox: Outbox, topic: str, letter: DeadLetter) -> None:
    """Queues a letter; the outbox's flush verifies it."""
    outbox.send_raw(topic, letter.key, letter.value, headers(letter))
