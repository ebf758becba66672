"""The dead letters that are there, read as a stream: each with its place, and whether it was replayed.

A letter's place is its partition and offset in `dead-letters`. That it was replayed is said by a LettersReplayed record further
on in the same partition, so retention never takes that away before the letter itself.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from threading import Event

import numpy as np
import pyarrow.compute as pc
from confluent_kafka import Message
from numpy.typing import NDArray

from laurel.models.errors import LaurelError
from laurel.streams.codec import Codec
from laurel.streams.dead_letters import DeadLetter, read_back
from laurel.streams.ends import Ends
from laurel.streams.metadata import count_partitions
from laurel.streams.reader import ends, read
from laurel.streams.settings import Settings
from laurel.streams.settling import settled

TOPIC = "dead-letters"
MARK, MARK_RECORD = b"laurel-replayed", "LettersReplayed"  # key and record that say what was replayed


class LettersError(LaurelError):
    """There is no such letter, or it can't be replayed; the message names it."""


@dataclass(frozen=True)
class Letter:
    """One letter: its partition and offset in `dead-letters`, when it was refused (milliseconds since 1970), and what."""

    partition: int
    offset: int
    at: int
    refused: DeadLetter
    replayed: bool

    @property
    def id(self) -> str:
        """Its name on the command line."""
        return f"{self.partition}/{self.offset}"


@dataclass(frozen=True)
class Selection:
    """Which letters are meant: those of which all that is given is true.

    `topic` is the full name of the origin, `begin` and `end` are when it was refused, milliseconds since 1970, `end` excluded;
    `places` are offsets in `dead-letters` by partition.
    """

    reason: str | None = None
    topic: str | None = None
    begin: int | None = None
    end: int | None = None
    places: Mapping[int, frozenset[int]] | None = None

    def takes(self, letter: Letter) -> bool:
        """Whether the letter is meant."""
        return (
            (self.reason is None or letter.refused.reason == self.reason)
            and (self.topic is None or letter.refused.topic == self.topic)
            and (self.begin is None or letter.at >= self.begin)
            and (self.end is None or letter.at < self.end)
            and (self.places is None or letter.offset in self.places.get(letter.partition, ()))
        )

    def stretch(self, partition: int, begin: int, end: int) -> tuple[int, int]:
        """What of a partition's offsets may hold letters that are meant."""
        if self.places is None:
            return begin, end
        wanted = [offset for offset in self.places.get(partition, ()) if begin <= offset < end]
        return (min(wanted), max(wanted) + 1) if wanted else (end, end)


class Letters:
    """What `dead-letters` held when this was made. It is read anew by each use, and never held in memory.

    What was replayed is held: eight bytes a letter.
    """

    def __init__(self, settings: Settings, codec: Codec, *, wait: bool = False) -> None:
        """What transactions that are still open hide is left out or, with `wait`, waited for.

        Raises MetadataError if Kafka or the topic isn't there, ReadError if it can't be read to its end.
        """
        self._servers, self._topic, self._codec = settings.servers, settings.topic(TOPIC), codec
        partitions = range(count_partitions(self._servers, self._topic))
        self._ends = [ends(self._servers, self._topic, number) for number in partitions]
        if wait:
            self._ends = [(low, high) for (low, _), high in zip(self._ends, settle(settings), strict=True)]
        self._replayed = [self._marks(number) for number in partitions]

    def among(self, selection: Selection) -> Iterator[list[Letter]]:
        """The letters that are meant, in the order of the log, one partition after the other. Raises ReadError."""
        for partition, (low, high) in enumerate(self._ends):
            begin, end = selection.stretch(partition, low, high)
            for messages in read(self._servers, self._topic, partition, begin, end):
                found = filter(selection.takes, self._letters(partition, messages))
                if letters := list(found):
                    yield letters

    def _letters(self, partition: int, messages: list[Message]) -> Iterator[Letter]:
        replayed = self._replayed[partition]
        for message in messages:
            refused = read_back(message)
            if refused is not None:
                offset, at = int(message.offset() or 0), message.timestamp()[1]
                place = int(np.searchsorted(replayed, offset))
                yield Letter(partition, offset, at, refused, place < len(replayed) and bool(replayed[place] == offset))

    def _marks(self, partition: int) -> NDArray[np.int64]:
        low, high = self._ends[partition]
        found = [np.empty(0, np.int64)]
        for messages in read(self._servers, self._topic, partition, low, high):
            values = [message.value() for message in messages if is_mark(message)]
            rows = self._codec.decode(values).batches.get(MARK_RECORD) if values else None
            if rows is not None:
                found.append(pc.list_flatten(rows.table.column("offsets")).to_numpy(zero_copy_only=False))
        offsets = np.unique(np.concatenate(found))
        return offsets[offsets >= low]


def settle(settings: Settings) -> list[int]:
    """How far each partition of `dead-letters` reaches now, once all before it can be read. Raises ReadError."""
    topic = settings.topic(TOPIC)
    places = [(topic, number) for number in range(count_partitions(settings.servers, topic))]
    told = settled(Ends(settings.servers), places, Event())
    return [told[place] for place in places]


def is_mark(message: Message) -> bool:
    """Whether a message of `dead-letters` says what was replayed. A letter with that key is a letter all the same."""
    return message.key() == MARK and read_back(message) is None


def parse_id(text: str) -> tuple[int, int]:
    """Partition and offset of a letter's id. Raises LettersError."""
    partition, slash, offset = text.partition("/")
    if not (slash and partition.isdecimal() and offset.isdecimal()):
        raise LettersError(f"{text!r} is no letter's id, such as 0/123 (partition and offset in {TOPIC})")
    return int(partition), int(offset)
