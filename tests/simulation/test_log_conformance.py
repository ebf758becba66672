"""The log in memory and the one in Kafka, told the same, are the same: every promise that the simulation relies on."""

import itertools
import os
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import AdminClient, NewTopic
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from laurel.streams.log import KafkaLog, Log, LogWriter
from laurel.streams.outbox import Output
from laurel.streams.writer import FencedError, Transaction
from tests.simulation.memory_log import Broker, MemoryLog

WITHIN = 60.0  # seconds
WIDE, KEYED = 100, 7  # partitions

Record = tuple[int, bytes | None, bytes | None, Any]


class Kafka:
    """The real log, and what services and tests do to it."""

    def __init__(self, servers: str) -> None:
        self.run = f"conformance-{os.getpid()}"
        self.wide, self.keyed = f"{self.run}-wide", f"{self.run}-keyed"
        new = [NewTopic(self.wide, WIDE, 1), NewTopic(self.keyed, KEYED, 1)]
        admin = AdminClient({"bootstrap.servers": servers})
        for future in admin.create_topics(new).values():
            future.result(WITHIN)
        self.log: Log = KafkaLog(servers, self.run)
        self._producer = Producer({"bootstrap.servers": servers, "partitioner": "murmur2_random", "log_level": 0})
        self.unused = itertools.count()

    def publish(self, partition: int, value: bytes) -> None:
        self._producer.produce(self.wide, value, b"plain", partition=partition)
        assert self._producer.flush(WITHIN) == 0

    def arrive(self, transaction: Any) -> None:
        """What was sent so far is there."""
        with suppress(KafkaException):  # it was fenced: the commit will say so
            assert transaction._producer.flush(WITHIN) == 0

    def finish(self) -> None:
        """Kafka ends transactions by itself."""


class Memory:
    """The log in memory, and the same."""

    def __init__(self, wide: str, keyed: str) -> None:
        self.broker = Broker({wide: WIDE, keyed: KEYED})
        self.wide, self.keyed = wide, keyed
        self.log: Log = MemoryLog(self.broker)

    def publish(self, partition: int, value: bytes) -> None:
        self.broker.add(self.wide, partition, b"plain", value, (), None)

    def arrive(self, transaction: Any) -> None:
        """It is at once."""

    def finish(self) -> None:
        """Transactions whose end was agreed to have ended."""
        for act, place in self.broker.ending:
            self.broker.finish(act, place)


@pytest.fixture(scope="module")
def real(kafka: str) -> Kafka:
    return Kafka(kafka)


class InterruptionError(Exception):
    """Something went wrong while a transaction was filled."""


class Both:
    """Does the same to both logs, and looks whether the same comes of it."""

    def __init__(self, real: Kafka, writers: int = 2) -> None:
        self.real, self.memory = real, Memory(real.wide, real.keyed)
        self.partitions = [next(real.unused), next(real.unused)]
        self.names = [f"writer-{self.partitions[0]}-{number}" for number in range(writers)]
        self.pairs: list[list[tuple[LogWriter, LogWriter]]] = [[] for _ in self.names]
        self.busy: set[int] = set()
        self._values = itertools.count()
        for number in range(writers):
            self.open(number)

    def value(self) -> bytes:
        return b"%d" % next(self._values)

    def plain(self, partition: int) -> None:
        value = self.value()
        self.real.publish(self.partitions[partition], value)
        self.memory.publish(self.partitions[partition], value)
        self.agree()

    def open(self, number: int) -> None:
        """Takes a name over on both."""
        pair = self.real.log.writer(self.names[number]), self.memory.log.writer(self.names[number])
        for writer in pair:
            writer.open()
        self.pairs[number].append(pair)
        self.agree()

    def act(self, number: int, age: int, partitions: list[int], interrupted: bool, inner: list[Any]) -> None:
        """A transaction under a name by whoever opened it last, or by an owner of the past (`age`); meanwhile other things happen."""
        pair = self.pairs[number][max(len(self.pairs[number]) - 1 - age, 0)]
        if id(pair) in self.busy:
            return
        self.busy.add(id(pair))
        sent = [(self.partitions[partition], self.value(), self.value()) for partition in partitions]
        sealed = self.partitions[partitions[0]]

        def add(log: Kafka | Memory, transaction: Transaction) -> None:
            for partition, key, value in sent:
                transaction.send(Output(log.wide, [key], [value], partition))
                log.arrive(transaction)  # one after the other, so that offsets are the same
            transaction.seal(log.wide, b"mark", sent[0][2], sealed)
            log.arrive(transaction)

        def both(transaction: Transaction) -> None:
            add(self.memory, remembered[0])
            add(self.real, transaction)
            if age == 0:
                self.agree()
            self.do(inner)
            if interrupted:
                raise InterruptionError

        remembered: list[Transaction] = []
        told: list[Any] = [None, None]

        def outer(transaction: Transaction) -> None:
            remembered.append(transaction)
            told[0] = outcome(lambda: pair[0].transact(both))
            if interrupted:
                raise InterruptionError

        told[1] = outcome(lambda: pair[1].transact(outer))
        if told[0] is None:  # the memory's was told at once; Kafka's is when it has sent something
            told[0] = outcome(lambda: pair[0].transact(lambda transaction: add(self.real, transaction)))
        assert told[0] == told[1]
        self.busy.discard(id(pair))
        self.agree()

    def do(self, steps: list[Any]) -> None:
        for name, *arguments in steps:
            getattr(self, name)(*arguments)

    def agree(self) -> None:
        """Both say the same of where partitions end, once what was agreed to is done."""
        self.memory.finish()
        for partition in self.partitions:
            wanted = self.memory.log.written(self.real.wide, partition), self.memory.log.ends(self.real.wide, partition)
            eventually(
                lambda p=partition: (
                    self.real.log.written(self.real.wide, p),
                    self.real.log.ends(self.real.wide, p),
                ),
                wanted,
            )

    def compare(self) -> None:
        """Both say the same of everything, every transaction having ended."""
        for number in range(len(self.names)):
            self.open(number)
        for partition in self.partitions:
            place = self.real.wide, partition
            settled = self.memory.log.settled([place])
            assert self.real.log.settled([place]) == settled
            for begin, end in ((0, settled[place]), (1, settled[place] - 1)):
                found = contents(self.memory.log, self.real.wide, partition, begin, end)
                assert contents(self.real.log, self.real.wide, partition, begin, end) == found


def outcome(call: Callable[[], int]) -> object:
    """What a transaction returns or raises."""
    try:
        return call()
    except (FencedError, InterruptionError) as error:
        return type(error)


def eventually(found: Callable[[], object], wanted: object) -> None:
    deadline = time.monotonic() + WITHIN
    while (last := found()) != wanted and time.monotonic() < deadline:
        time.sleep(0.01)
    assert last == wanted


def contents(log: Log, topic: str, partition: int, begin: int, end: int) -> list[Record]:
    return [
        (message.offset() or 0, message.key(), message.value(), message.headers() or [])
        for messages in log.read(topic, partition, begin, end)
        for message in messages
    ]


def steps(inner: st.SearchStrategy[list[Any]]) -> st.SearchStrategy[list[Any]]:
    number, age = st.integers(0, 1), st.sampled_from([0, 0, 0, 1])
    partitions = st.lists(st.integers(0, 1), min_size=1, max_size=2)
    return st.lists(
        st.one_of(
            st.tuples(st.just("act"), number, age, partitions, st.sampled_from([False, False, True]), inner),
            st.tuples(st.just("plain"), st.integers(0, 1)),
            st.tuples(st.just("open"), number),
        ),
        max_size=4,
    )


@given(done=steps(steps(st.just([]))))
@settings(max_examples=10, phases=[Phase.explicit, Phase.reuse, Phase.generate])  # to shrink would take very long
def test_transactions_fencing_and_what_readers_see_are_the_same(real: Kafka, done: list[Any]) -> None:
    both = Both(real)
    both.do(done)
    both.compare()


def test_an_owner_that_goes_on_after_it_was_replaced_is_told_so_by_both(real: Kafka) -> None:
    both = Both(real)
    both.act(0, 0, [0, 1], False, [("plain", 0), ("open", 0), ("act", 0, 0, [0], False, []), ("plain", 1)])
    both.act(0, 1, [0], False, [])
    both.act(0, 0, [1], True, [("act", 1, 0, [1], False, [])])
    both.compare()


@pytest.fixture(params=["kafka", "memory"])
def either(request: pytest.FixtureRequest, real: Kafka) -> Kafka | Memory:
    return real if request.param == "kafka" else Memory(real.wide, real.keyed)


def test_keys_go_to_the_partitions_of_kafka_s_own_clients(real: Kafka) -> None:
    keys = [b"", *(b"twitter:%d" % number for number in range(200)), *(os.urandom(n) for n in range(1, 50))]
    found = []
    for log in (real, Memory(real.wide, real.keyed)):
        writer = log.log.writer("keyed")
        writer.open()
        writer.transact(lambda transaction, log=log: transaction.send(Output(log.keyed, keys, keys)))
        log.finish()
        ends = log.log.settled([(log.keyed, partition) for partition in range(KEYED)])
        found.append([[r[1] for r in contents(log.log, log.keyed, p, 0, ends[log.keyed, p])] for p in range(KEYED)])
    assert found[0][1:] == found[1][1:]
    assert set(found[0][0]) == set(found[1][0])


def test_headers_tombstones_and_records_without_a_key_come_back_as_they_were(either: Kafka | Memory) -> None:
    writer, name = either.log.writer("headers"), "headers"
    writer.open()

    def fill(transaction: Transaction) -> None:
        transaction.send_raw(either.keyed, b"twitter:1", None, [(name, b"1"), (name, None), ("", b"")])
        transaction.send_raw(either.keyed, b"twitter:1", b"", [])

    writer.transact(fill)
    writer.transact(lambda transaction: transaction.send_raw(either.keyed, None, b"nobody's", [("a", b"b")]))
    either.finish()
    found = []
    for partition in range(KEYED):
        end = either.log.settled([(either.keyed, partition)])[either.keyed, partition]
        found += contents(either.log, either.keyed, partition, 0, end)
    wanted = [(b"twitter:1", None, [(name, b"1"), (name, None), ("", b"")]), (b"twitter:1", b"", [])]
    assert [record[1:] for record in found if record[1] == b"twitter:1"][-2:] == wanted
    assert (None, b"nobody's", [("a", b"b")]) in [record[1:] for record in found]


def test_a_partition_without_records_begins_and_ends_with_0_and_has_nothing_to_read(real: Kafka) -> None:
    partition = next(real.unused)
    for log in (real, Memory(real.wide, real.keyed)):
        assert log.log.ends(log.wide, partition) == (0, 0)
        assert log.log.written(log.wide, partition) == 0
        assert contents(log.log, log.wide, partition, 0, 0) == contents(log.log, log.wide, partition, 5, 3) == []


def test_each_topic_has_an_identity_that_stays(either: Kafka | Memory) -> None:
    first = either.log.identities(either.wide, either.keyed)
    assert len(set(first)) == 3
    assert either.log.identities(either.wide, either.keyed) == first


def test_a_transaction_without_records_is_one_too(either: Kafka | Memory) -> None:
    writer = either.log.writer("nothing")
    writer.open()
    assert writer.transact(lambda _transaction: None) == -1
    with suppress(InterruptionError):
        writer.transact(_interrupt)
    assert writer.transact(lambda _transaction: None) == -1


def _interrupt(_transaction: Transaction) -> None:
    raise InterruptionError
