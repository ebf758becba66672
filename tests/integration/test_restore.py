"""Restoring a store: whatever the changelog's history and end look like, and wherever it is interrupted."""

import itertools
import logging
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from laurel.streams import patience, reader, restore
from laurel.streams.log import KafkaLog
from laurel.streams.reader import ends, read, written
from laurel.streams.store import MARK, STATE, Mark, Store
from tests.integration.pipeline import eventually

PARTITIONS = 100
WITHIN = 60.0  # seconds

Changes = dict[bytes, bytes | None]


class Changelog:
    """A compacted topic of many partitions, an unused one for each history, and whoever writes transactions to it."""

    def __init__(self, servers: str, topic: str) -> None:
        self.servers, self.topic = servers, topic
        new = NewTopic(topic, PARTITIONS, 1, config={"cleanup.policy": "compact"})
        admin = AdminClient({"bootstrap.servers": servers})
        for future in admin.create_topics([new]).values():
            future.result(WITHIN)
        self._unused = itertools.count()
        self._names = itertools.count()
        self._producer = self.producer()

    def producer(self) -> Producer:
        producer = Producer(
            {"bootstrap.servers": self.servers, "transactional.id": f"{self.topic}-{next(self._names)}", "log_level": 0}
        )
        producer.init_transactions(WITHIN)
        return producer

    def unused(self) -> int:
        return next(self._unused)

    def begin(self, producer: Producer, partition: int, changes: Changes, source: int) -> None:
        """A transaction with a checkpoint's records, which Kafka has, not ended."""
        producer.begin_transaction()
        for key, value in changes.items():
            producer.produce(self.topic, value, STATE + key, partition=partition)
        producer.produce(self.topic, Mark(source).to_bytes(), MARK, partition=partition)
        assert producer.flush(WITHIN) == 0

    def checkpoint(self, partition: int, changes: Changes, source: int, *, aborted: bool = False) -> None:
        self.begin(self._producer, partition, changes, source)
        if aborted:
            self._producer.abort_transaction(WITHIN)
        else:
            self._producer.commit_transaction(WITHIN)

    def restore(self, store: Store, partition: int, progress: Callable[[int, int], None] = lambda *_: None) -> int:
        return restore.restore(store, KafkaLog(self.servers, ""), self.topic, partition, progress)


@pytest.fixture(scope="module")
def changelog(kafka) -> Changelog:
    return Changelog(kafka, f"changelog-of-test-{os.getpid()}")


@pytest.fixture
def store(tmp_path) -> Iterator[Store]:
    store = Store(tmp_path / "store")
    yield store
    store.close()


def contents(store: Store) -> dict[bytes, bytes]:
    return {key: value for keys, values in store.scan() for key, value in zip(keys, values, strict=True)}


KEYS = st.sampled_from([b"a", b"b", b"c", b"d", b"e"])
CHANGES = st.dictionaries(KEYS, st.one_of(st.none(), st.binary(max_size=8)), max_size=5)
HISTORIES = st.lists(st.tuples(CHANGES, st.booleans()), max_size=6)


@given(HISTORIES, st.integers(1, 7), st.lists(st.integers(1, 6), max_size=3))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_any_history_is_restored_in_batches_of_any_size_with_any_interruptions(
    changelog, tmp_path_factory, history, batch, interruptions
):
    partition, expected, source = changelog.unused(), {}, -1
    for number, (changes, aborted) in enumerate(history):
        changelog.checkpoint(partition, changes, number, aborted=aborted)
        if not aborted:
            expected |= changes
            source = number

    def interrupt(after: int) -> Callable[[int, int], None]:
        told = itertools.count(1)

        def progress(_applied: int, _left: int) -> None:
            if next(told) > after:
                raise InterruptedError

        return progress

    folder = tmp_path_factory.mktemp("store")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "BATCH", batch)
        for after in interruptions:
            store = Store(folder)
            try:
                changelog.restore(store, partition, interrupt(after))
            except InterruptedError:
                pass
            finally:
                store.close()
        store = Store(folder)
        changelog.restore(store, partition)
    assert contents(store) == {key: value for key, value in expected.items() if value is not None}
    assert store.mark == Mark(source, written(changelog.servers, changelog.topic, partition))
    store.close()


@pytest.mark.parametrize("committed", [0, 1])
def test_a_partition_that_ends_with_what_was_aborted_is_read_to_its_end(changelog, store, committed):
    partition = changelog.unused()
    for _ in range(committed):
        changelog.checkpoint(partition, {b"x": b"1"}, 1)
    for source in (2, 3):
        changelog.checkpoint(partition, {b"x": b"2", b"y": b"2"}, source, aborted=True)
    low, end = ends(changelog.servers, changelog.topic, partition)
    found = list(read(changelog.servers, changelog.topic, partition, low, end))
    assert [message.key() for messages in found for message in messages] == [STATE + b"x", MARK] * committed
    assert changelog.restore(store, partition) == 2 * committed
    assert contents(store) == ({b"x": b"1"} if committed else {})
    assert store.mark.changelog == end


def test_only_control_records_after_the_mark_are_no_work(changelog, store):
    partition = changelog.unused()
    changelog.checkpoint(partition, {b"x": b"1"}, 1)
    _, end = ends(changelog.servers, changelog.topic, partition)
    store.write([STATE + b"x"], [b"1"], Mark(1, end - 1))
    assert changelog.restore(store, partition) == 0
    assert store.mark == Mark(1, end)


def test_a_restore_waits_for_a_transaction_that_is_still_open(changelog, store):
    partition, other = changelog.unused(), changelog.producer()
    changelog.checkpoint(partition, {b"x": b"1"}, 1)
    changelog.begin(other, partition, {b"x": b"2"}, 2)
    begun, restored = threading.Event(), []
    thread = threading.Thread(
        target=lambda: restored.append(changelog.restore(store, partition, lambda *_: begun.set()))
    )
    thread.start()
    assert begun.wait(WITHIN)
    other.commit_transaction(WITHIN)
    thread.join(WITHIN)
    assert restored == [4]
    assert (contents(store), store.mark.source) == ({b"x": b"2"}, 2)


def test_a_transaction_that_stays_open_is_named_as_what_holds_a_restore_back(changelog, store, monkeypatch, caplog):
    partition, other = changelog.unused(), changelog.producer()
    changelog.begin(other, partition, {b"x": b"2"}, 2)
    monkeypatch.setattr(reader, "STALL", 0.5)
    monkeypatch.setattr(patience, "REMIND", 0.0)
    restored: list[int] = []
    thread = threading.Thread(target=lambda: restored.append(changelog.restore(store, partition)))
    thread.start()
    eventually(lambda: re.search(rf"{changelog.topic}/{partition}: .* still open", caplog.text))
    other.abort_transaction(WITHIN)
    thread.join(WITHIN)
    assert restored == [0]


def test_a_restore_says_how_far_it_is(changelog, store, monkeypatch, caplog):
    partition = changelog.unused()
    changelog.checkpoint(partition, {b"%d" % number: b"1" for number in range(10)}, 1)
    monkeypatch.setattr(restore, "TELL_EVERY", 0.0)
    monkeypatch.setattr(reader, "BATCH", 4)
    told: list[tuple[int, int]] = []
    with caplog.at_level(logging.INFO, "laurel"):
        assert changelog.restore(store, partition, lambda *seen: told.append(seen)) == 11
    assert told == [(0, 12), (4, 8), (4, 4), (3, 1), (0, 0)]
    lines = [record.getMessage() for record in caplog.records if record.name == restore.__name__]
    assert [line.split(" a second")[1] for line in lines] == [f", {left} offsets left" for left in (8, 4, 1)]
    assert lines[0].startswith(f"{changelog.topic}/{partition}: 4 records restored, ")


KILLED = """
import os, signal, sys, time
from pathlib import Path
from laurel.streams import reader
from laurel.streams.log import KafkaLog
from laurel.streams.restore import restore
from laurel.streams.store import Store
reader.BATCH, left_at_end = 1_000, int(sys.argv[5])
store, deadline = Store(Path(sys.argv[1])), time.monotonic() + 60
def progress(applied, left):
    if left < left_at_end:
        # RocksDB writes what no longer fits into memory in its own time.
        while left < 20_000 and not store._db.property_int_value("rocksdb.total-sst-files-size"):
            assert time.monotonic() < deadline
        os.kill(os.getpid(), signal.SIGKILL)
restore(store, KafkaLog(sys.argv[2], ""), sys.argv[3], int(sys.argv[4]), progress)
"""


def test_a_process_killed_while_it_restores_leaves_a_store_that_goes_on(changelog, tmp_path):
    partition, folder = changelog.unused(), tmp_path / "store"
    values = {b"%05d" % number: os.urandom(1_000) for number in range(20_000)}  # more than a store keeps in memory
    changelog.checkpoint(partition, dict.fromkeys(values, b"old"), 1)
    changelog.checkpoint(partition, values, 2)
    begun = []
    for left_at_end in (39_000, 12_000, 2_000):
        command = [sys.executable, "-c", KILLED, str(folder), changelog.servers, changelog.topic]
        killed = subprocess.run([*command, str(partition), str(left_at_end)], check=False)
        assert killed.returncode == -signal.SIGKILL
        store = Store(folder)
        begun.append(store.mark.changelog)
        store.close()
    assert begun == sorted(begun)
    assert begun[-1] > 0
    store = Store(Path(folder))
    changelog.restore(store, partition)
    assert contents(store) == values
    assert store.mark == Mark(2, written(changelog.servers, changelog.topic, partition))
    store.close()
