"""Records that were refused: kept as they came, with headers that say where they came from and why.

The headers are those of Kafka Connect's dead letter queues, so that tools which know them work here too. Ours are the last
ones of a letter, so what a record says of itself in headers of the same names is neither lost nor believed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from laurel.streams.log import Message

PREFIX = "__connect.errors."
COMPONENT = "laurel"
FIRST_ORIGIN = "laurel.first-origin"  # header of a record that was sent again: where it was refused first

Headers = Sequence[tuple[str, bytes | None]]

_TOLD = (
    "topic",
    "partition",
    "offset",
    "connector.name",
    "stage",
    "class.name",
    "exception.class.name",
    "exception.message",
)
_NAMES = [PREFIX + name for name in _TOLD]
_READ = [_TOLD.index(name) for name in ("topic", "partition", "offset", "exception.class.name", "exception.message")]


class Sender(Protocol):
    """Where a letter can be queued."""

    def send_raw(self, topic: str, key: bytes | None, value: bytes | None, headers: Headers) -> None:
        """Queues one record with headers."""


@dataclass(frozen=True)
class DeadLetter:
    """One refused record: its origin, its original key, value and headers, a reason code and a sentence."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    reason: str
    message: str

    @property
    def origin(self) -> str:
        """Where it was refused, as topic/partition/offset."""
        return f"{self.topic}/{self.partition}/{self.offset}"

    @property
    def first_origin(self) -> str:
        """Where it was refused first: it may have been sent again, and refused again, since."""
        told = [value for name, value in self.headers if name == FIRST_ORIGIN]
        return told[-1].decode(errors="replace") if told and told[-1] is not None else self.origin


def from_record(record: Any, reason: str, message: str) -> DeadLetter:
    """A dead letter of a record that a stage fetched."""
    return DeadLetter(
        record.topic, record.partition, record.offset, record.key, record.value, record.headers or (), reason, message
    )


def from_message(record: Message, reason: str, message: str) -> DeadLetter:
    """A dead letter of a message that was read outside the consumer group."""
    topic, partition, offset = _place(record)
    key, value, own = _content(record)
    return DeadLetter(topic, partition, offset, key, value, own, reason, message)


def is_sent_again(record: Any) -> bool:
    """Whether a fetched record was refused once and sent again since."""
    return any(name == FIRST_ORIGIN for name, _ in record.headers or ())


def headers(letter: DeadLetter) -> list[tuple[str, bytes | None]]:
    """The letter's headers: the original ones, then ours."""
    ours = (
        letter.topic,
        str(letter.partition),
        str(letter.offset),
        COMPONENT,
        "VALUE_CONVERTER",
        COMPONENT,
        letter.reason,
        letter.message,
    )
    return [*letter.headers, *zip(_NAMES, (text.encode() for text in ours), strict=True)]


def send(outbox: Sender, topic: str, letter: DeadLetter) -> None:
    """Queues a letter; whoever owns the outbox verifies it."""
    outbox.send_raw(topic, letter.key, letter.value, headers(letter))


def read_back(message: Message) -> DeadLetter | None:
    """The letter that a message of `dead-letters` is, the inverse of `send`; None for one that is no letter of ours."""
    key, value, all_headers = _content(message)
    own, ours = all_headers[: -len(_NAMES)], all_headers[-len(_NAMES) :]
    if [name for name, _ in ours] != _NAMES:
        return None
    told = [(ours[at][1] or b"").decode(errors="replace") for at in _READ]
    try:
        partition, offset = int(told[1]), int(told[2])
    except ValueError:
        return None
    return DeadLetter(told[0], partition, offset, key, value, own, reason=told[3], message=told[4])


def _place(message: Message) -> tuple[str, int, int]:
    topic, partition, offset = message.topic(), message.partition(), message.offset()
    assert topic is not None
    assert partition is not None
    assert offset is not None
    return topic, partition, offset


def _content(message: Message) -> tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]]:
    key: Any = message.key()  # bytes, as no deserializer is set
    value: Any = message.value()
    found: Any = message.headers()
    return key, value, list(found or ())
