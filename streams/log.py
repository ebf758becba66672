"""The log: what the stages read and write. In Kafka; tests put another in its place that keeps the same promises."""

from collections.abc import Callable, Iterator, Sequence
from threading import Event
from typing import Any, Protocol, TypeVar

from laurel.streams import metadata, reader
from laurel.streams.ends import Ends, Place
from laurel.streams.patience import Patience, patiently
from laurel.streams.reader import ReadError
from laurel.streams.settling import settled
from laurel.streams.writer import Transaction, Writer

T = TypeVar("T")


class Message(Protocol):
    """A record as it was read."""

    def topic(self) -> str | None:
        """Name of its topic in Kafka."""

    def partition(self) -> int | None:
        """Its partition."""

    def offset(self) -> int | None:
        """Its offset."""

    def key(self) -> bytes | None:
        """Its key."""

    def value(self) -> bytes | None:
        """Its value."""

    def headers(self) -> Any:
        """A list of its headers' names and values, or None."""


def offset_of(message: Message) -> int:
    """Offset of a message that was read (one that was not yet sent has none)."""
    offset = message.offset()
    assert offset is not None
    return offset


class LogWriter(Protocol):
    """The only writer under its name; see streams/writer.py for what each call promises."""

    def open(self) -> None:
        """Takes the name over."""

    def transact(self, fill: Callable[[Transaction], None]) -> int:
        """Makes what `fill` adds visible, all at once; returns the offset of what was sealed."""

    def stop(self) -> None:
        """Ends what is under way."""


class Log(Protocol):
    """Topics of partitions of records, each partition in order."""

    def ends(self, topic: str, partition: int) -> tuple[int, int]:
        """First offset still there, and the offset after the last record that may be read."""

    def committed(self, topic: str, partition: int) -> int:
        """The offset up to which the group has said that it is done, 0 if it never did."""

    def written(self, topic: str, partition: int) -> int:
        """The offset after the last record, also of transactions that have not ended."""

    def settled(self, places: Sequence[Place]) -> dict[Place, int]:
        """The offset after the last record of some topics' partitions now, once all before it may be read or never will be."""

    def read(self, topic: str, partition: int, begin: int, end: int) -> Iterator[Sequence[Message]]:
        """What is there from offset `begin` up to, not including, `end`, in batches, without what was aborted."""

    def writer(self, name: str) -> LogWriter:
        """A writer, not opened yet."""

    def identities(self, *topics: str) -> tuple[str, ...]:
        """Which log it is, then which each topic is: one that is made anew under its name is another."""


class KafkaLog:
    """The log in Kafka. Whatever is asked of it waits for a Kafka that is away, for as long as that takes, or until `stop`."""

    def __init__(self, servers: str, group: str) -> None:
        """`group` is put before the names of writers."""
        self._servers, self._group = servers, group
        self._ends, self._ending = Ends(servers), Event()

    def ends(self, topic: str, partition: int) -> tuple[int, int]:
        """See Log. Raises ReadError."""
        return self._patiently(lambda: reader.ends(self._servers, topic, partition))

    def committed(self, topic: str, partition: int) -> int:
        """See Log. Raises ReadError."""
        return self._patiently(lambda: reader.committed(self._servers, self._group, topic, partition))

    def written(self, topic: str, partition: int) -> int:
        """See Log. Raises ReadError."""
        return self._patiently(lambda: reader.written(self._servers, topic, partition))

    def settled(self, places: Sequence[Place]) -> dict[Place, int]:
        """See Log. Raises ReadError."""
        return self._patiently(lambda: settled(self._ends, places, self._ending))

    def read(self, topic: str, partition: int, begin: int, end: int) -> Iterator[Sequence[Message]]:
        """See Log. Raises ReadError."""
        at, patience = begin, Patience(self._ending)
        while True:
            try:
                for messages in reader.read(self._servers, topic, partition, at, end):
                    at, patience = offset_of(messages[-1]) + 1, Patience(self._ending)
                    yield messages
                return
            except ReadError as error:
                patience.take(error)

    def writer(self, name: str) -> Writer:
        """See Log."""
        return Writer(self._servers, f"{self._group}-{name}", self._ending)

    def identities(self, *topics: str) -> tuple[str, ...]:
        """See Log. Raises MetadataError."""
        return self._patiently(lambda: metadata.identities(self._servers, *topics))

    def stop(self) -> None:
        """Ends what is being waited for. From any thread."""
        self._ending.set()

    def _patiently(self, work: Callable[[], T]) -> T:
        return patiently(work, self._ending)
