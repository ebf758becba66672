"""A log in memory that keeps the promises of Kafka that laurel relies on; test_log_conformance.py holds it against Kafka.

Topics of partitions; transactions of named writers, of which the last to open a name is the only one; a record that takes an
offset where a transaction ends in a partition, which happens a moment after it was agreed to; readers that see only what was
committed, and nothing beyond a transaction that has not ended; murmur2; compaction.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from confluent_kafka import Message

from laurel.streams.log import LogWriter
from laurel.streams.outbox import Output
from laurel.streams.scan import partition_of
from laurel.streams.settling import Place
from laurel.streams.writer import FencedError, StoppedError, Transaction
from tests.simulation.lockstep import Crashed, pause

Headers = Sequence[tuple[str, bytes | None]]

NOW = 2_000_000_000_000  # milliseconds: later than anything a test says happened
BATCH = 3  # messages at a time, so that reading takes steps


@dataclass(eq=False)
class Act:
    """A transaction: `open` until it is agreed how it ends, then ended in one partition after the other."""

    name: str
    open: bool = True
    committed: bool = False
    places: dict[Place, int] = field(default_factory=dict)  # where it has not ended yet, with its first offset there


@dataclass(frozen=True, eq=False)
class Entry:
    """What takes an offset: a record, or the end of a transaction (no `message`)."""

    offset: int
    message: Message | None
    act: Act | None


class Broker:
    """What all logs of a simulation share. `happens` decides by chance what Kafka does by chance: "refuse" a commit, or
    "forget" to answer a writer that is told to stop."""

    def __init__(self, topics: Mapping[str, int], happens: Callable[[str], bool] = lambda _what: False) -> None:
        self.topics = dict(topics)
        self.happens = happens
        self.records: dict[Place, list[Entry]] = {(t, p): [] for t, count in topics.items() for p in range(count)}
        self.committed: dict[Place, int] = {}  # by the one group of readers that commits
        # Where every partition could be read to when a transaction ended in one of these, by the offset where it did.
        self.watched: dict[Place, list[tuple[int, dict[Place, int]]]] = {("calendar", 0): []}
        self._next = dict.fromkeys(self.records, 0)
        self._epochs: dict[str, int] = {}
        self._last: dict[str, Act] = {}  # of each name

    # Writing.

    def add(
        self,
        topic: str,
        partition: int | None,
        key: bytes | None,
        value: bytes | None,
        headers: Headers,
        act: Act | None,
    ) -> int:
        """Appends a record; its offset."""
        if partition is None:
            partition = 0 if key is None else partition_of(key, self.topics[topic])
        place = topic, partition
        offset = self._next[place]
        if act is not None:
            act.places.setdefault(place, offset)
        message = Message(
            topic=topic,
            partition=partition,
            offset=offset,
            key=key,
            value=value,
            headers=list(headers),
            timestamp=(1, NOW),
        )
        self._append(place, message, act)
        return offset

    def _append(self, place: Place, message: Message | None, act: Act | None) -> None:
        self.records[place].append(Entry(self._next[place], message, act))
        self._next[place] += 1

    def open(self, name: str) -> int:
        """Takes a name over; its epoch."""
        if (last := self._last.get(name)) is not None:
            if last.open:
                self.end(last, committed=False)
            self.finish(last)
        self._epochs[name] = self._epochs.get(name, 0) + 1
        return self._epochs[name]

    def current(self, name: str, epoch: int) -> bool:
        """Whether nobody opened the name since."""
        return self._epochs[name] == epoch

    def begin(self, name: str) -> Act:
        """A transaction; the one before it has ended everywhere."""
        if name in self._last:
            self.finish(self._last[name])
        self._last[name] = Act(name)
        return self._last[name]

    def end(self, act: Act, *, committed: bool) -> None:
        """Agrees to how it ends."""
        act.open, act.committed = False, committed

    @property
    def ending(self) -> list[tuple[Act, Place]]:
        """Where transactions are about to end."""
        return [(act, place) for act in self._last.values() if not act.open for place in act.places]

    def finish(self, act: Act, place: Place | None = None) -> None:
        """Ends a transaction in a partition, or in all."""
        for at in [place] if place is not None else list(act.places):
            del act.places[at]
            if at in self.watched:
                self.watched[at].append((self._next[at], {place: self.stable(place) for place in self.records}))
            self._append(at, None, act)

    # Reading.

    def written(self, place: Place) -> int:
        """The offset after the last record."""
        return self._next[place]

    def stable(self, place: Place) -> int:
        """The offset up to which every transaction has ended."""
        return min([act.places[place] for act in self._last.values() if place in act.places], default=self._next[place])

    def messages(self, place: Place, begin: int, end: int, most: int | None = None) -> list[Message]:
        """What a reader sees between two offsets."""
        end, found = min(end, self.stable(place)), []
        for entry in self.records[place]:
            if begin <= entry.offset < end and entry.message is not None and (entry.act is None or entry.act.committed):
                found.append(entry.message)
                if len(found) == most:
                    break
        return found

    def compact(self, place: Place) -> None:
        """Forgets all but the newest record of each key, as far as transactions have ended. The last record stays."""
        stable, newest = self.stable(place), {}
        for message in self.messages(place, 0, stable):
            newest[message.key()] = message.offset()
        self.records[place] = [
            entry
            for entry in self.records[place]
            if entry.offset >= stable - 1
            or (entry.message is not None and newest.get(entry.message.key()) == entry.offset)
        ]


class MemoryLog:
    """A process's connection to a broker. It can be cut."""

    def __init__(self, broker: Broker) -> None:
        self.broker, self._cut = broker, False

    def cut(self) -> None:
        """The process is no more: nothing of it reaches the broker from now on."""
        self._cut = True

    def at(self, doing: str, until: Callable[[], bool] | None = None) -> None:
        """A step: others may come first, and so may the end of the process."""
        pause(doing, until)
        if self._cut:
            raise Crashed

    def ends(self, topic: str, partition: int) -> tuple[int, int]:
        """See Log."""
        self.at("ask for ends")
        first = self.broker.records[topic, partition][:1]
        return (first[0].offset if first else 0), self.broker.stable((topic, partition))

    def committed(self, topic: str, partition: int) -> int:
        """See Log."""
        self.at("ask what was committed")
        return self.broker.committed.get((topic, partition), 0)

    def written(self, topic: str, partition: int) -> int:
        """See Log."""
        self.at("ask what was written")
        return self.broker.written((topic, partition))

    def settled(self, places: Sequence[Place]) -> dict[Place, int]:
        """See Log."""
        self.at("ask what was written")
        ends = {place: self.broker.written(place) for place in places}
        self.at("wait for transactions", lambda: all(self.broker.stable(place) >= end for place, end in ends.items()))
        return ends

    def read(self, topic: str, partition: int, begin: int, end: int) -> Iterator[Sequence[Message]]:
        """See Log."""
        while begin < end:
            self.at("read", lambda: self.broker.stable((topic, partition)) >= end)  # Kafka waits for it, a minute
            if not (found := self.broker.messages((topic, partition), begin, end, BATCH)):
                return
            yield found
            begin = int(found[-1].offset() or 0) + 1

    def writer(self, name: str) -> LogWriter:
        """See Log."""
        return MemoryWriter(self, name)

    def identities(self, *topics: str) -> tuple[str, ...]:
        """See Log."""
        return "memory", *topics


class MemoryWriter:
    """Writes transactions under a name."""

    def __init__(self, log: MemoryLog, name: str) -> None:
        self.name = name
        self._log, self._broker = log, log.broker
        self._epoch, self._sealed = 0, -1
        self._act: Act | None = None
        self._stopping = False

    def open(self) -> None:
        """See LogWriter."""
        self._log.at("open a writer")
        self._epoch = self._broker.open(self.name)

    def transact(self, fill: Callable[[Transaction], None]) -> int:
        """See LogWriter."""
        while not self._attempt(fill):
            pass
        return self._sealed

    def stop(self) -> None:
        """See LogWriter."""
        self._stopping = True

    def send(self, output: Output) -> None:
        """See Transaction."""
        for key, value in zip(output.keys, output.values, strict=True):
            self._add(output.topic, output.partition, key, value, ())
        self._log.at("send more")

    def send_raw(self, topic: str, key: bytes | None, value: bytes | None, headers: Headers) -> None:
        """See Transaction."""
        self._add(topic, None, key, value, headers)

    def seal(self, topic: str, key: bytes, value: bytes, partition: int) -> None:
        """See Transaction."""
        self._sealed = self._add(topic, partition, key, value, ())

    def _add(self, topic: str, partition: int | None, key: bytes | None, value: bytes | None, headers: Headers) -> int:
        # What comes of an owner of the past, the commit says.
        return self._broker.add(topic, partition, key, value, headers, self._act) if self._mine else -1

    @property
    def _mine(self) -> bool:
        return self._broker.current(self.name, self._epoch)

    def _attempt(self, fill: Callable[[Transaction], None]) -> bool:
        self._sealed = -1
        self._log.at("begin a transaction")
        self._check()
        act = self._act = self._broker.begin(self.name)
        try:
            fill(self)
        except BaseException as error:
            if self._mine and not isinstance(error, Crashed):  # of what crashed the transaction stays open
                self._broker.end(act, committed=False)
            raise
        self._log.at("commit")
        self._check()
        if self._broker.happens("refuse"):
            self._broker.end(act, committed=False)
            return False
        if self._stopping and self._broker.happens("forget"):
            raise StoppedError(f"{self.name}: stopped while waiting to commit")
        self._broker.end(act, committed=True)
        self._log.at("hear of the commit")
        if self._stopping and self._broker.happens("forget"):
            raise StoppedError(f"{self.name}: stopped while waiting to hear of a commit")
        return True

    def _check(self) -> None:
        if not self._mine:
            raise FencedError(f"{self.name} belongs to another worker by now")
