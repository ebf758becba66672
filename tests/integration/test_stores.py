"""Stores: atomic writes, scans, and a changelog that brings one back."""

import itertools
import os
from dataclasses import replace

import pytest

from laurel.streams.log import KafkaLog
from laurel.streams.outbox import DeliveryError, Outbox, Output
from laurel.streams.reader import ends, read
from laurel.streams.restore import restore
from laurel.streams.settings import load
from laurel.streams.store import LINK, MARK, NAME, STATE, Mark, Store
from laurel.streams.store_errors import DiskError
from laurel.streams.topics import apply
from laurel.streams.writer import Transaction, Writer

TOPIC = "changelog-actors"


@pytest.fixture
def settings(kafka, prefix):
    settings = load(bootstrap=kafka, topic_prefix=prefix, partitions=2)
    apply(settings)
    return settings


def contents(store: Store) -> dict[bytes, bytes]:
    return {
        kind + key: value
        for kind in (STATE, NAME, LINK)
        for keys, values in store.scan(kind)
        for key, value in zip(keys, values, strict=True)
    }


def test_a_store_opens_again_with_what_was_written_and_its_mark(tmp_path):
    store = Store(tmp_path / "a")
    mark = Mark(7, 9, {"cluster": "c"}, {"marker": 3})
    store.write([STATE + b"x", NAME + b"y", STATE + b"gone"], [b"1", b"2", b"3"], Mark())
    store.write([STATE + b"gone"], [None], mark)
    store.close()
    again = Store(tmp_path / "a")
    assert (again.mark, contents(again)) == (mark, {STATE + b"x": b"1", NAME + b"y": b"2"})
    assert again.states([b"x", b"nobody"]) == [b"1", None]
    assert again.names([b"y"]) == [b"2"]
    again.close()


def test_a_scan_sees_the_states_as_they_were_when_it_began(tmp_path):
    store = Store(tmp_path / "a")
    store.write([STATE + b"%05d" % n for n in range(50_000)], [b"old"] * 50_000, Mark())
    blocks = store.scan()
    first = next(blocks)
    store.write([STATE + b"%05d" % n for n in range(50_000)], [b"new"] * 50_000, Mark())
    values = [value for _, values in itertools.chain([first], blocks) for value in values]
    assert values == [b"old"] * 50_000
    store.close()


def test_a_folder_in_use_and_one_that_can_t_be_made_are_named(tmp_path):
    store = Store(tmp_path / "a")
    with pytest.raises(DiskError, match=f"{tmp_path / 'a'} is in use by another worker"):
        Store(tmp_path / "a")
    store.close()
    (tmp_path / "file").write_text("")
    with pytest.raises(DiskError, match=r"file/b.*something else lies in its place"):
        Store(tmp_path / "file" / "b")


def log_of(settings) -> KafkaLog:
    return KafkaLog(settings.servers, settings.topic_prefix)


def writer_to(settings, name: str = "test") -> Writer:
    writer = log_of(settings).writer(name)
    writer.open()
    return writer


def checkpointed(writer: Writer, settings, store: Store, states: dict[bytes, bytes | None], source: int) -> Mark:
    """What a checkpoint leaves in the changelog, and in the store."""
    keys, values = [STATE + key for key in states], list(states.values())
    mark = Mark(source, notes={"source": source})

    def fill(transaction: Transaction) -> None:
        transaction.send(Output(settings.topic(TOPIC), keys, values, 1))
        transaction.seal(settings.topic(TOPIC), MARK, mark.to_bytes(), 1)

    mark = replace(mark, changelog=writer.transact(fill) + 1)
    store.write(keys, values, mark)
    return mark


def test_a_lost_store_is_restored_from_its_changelog(settings, tmp_path):
    writer, store = writer_to(settings), Store(tmp_path / "a")
    checkpointed(writer, settings, store, {b"%d" % n: b"first" for n in range(1_000)}, 10)
    mark = checkpointed(writer, settings, store, {b"1": b"second", b"2": None}, 20)
    told: list[tuple[int, int]] = []
    fresh = Store(tmp_path / "b")
    assert restore(fresh, log_of(settings), settings.topic(TOPIC), 1, lambda *seen: told.append(seen)) == 1_004
    assert replace(fresh.mark, changelog=mark.changelog) == mark
    assert contents(fresh) == contents(store)
    assert sum(applied for applied, _ in told) == 1_004
    assert told[-1][1] == 0
    # What is there already is not read again.
    assert restore(store, log_of(settings), settings.topic(TOPIC), 1, lambda *_: None) == 0
    store.close()
    fresh.close()


def test_a_store_left_behind_catches_up_and_sees_nothing_of_a_checkpoint_that_was_not_finished(settings, tmp_path):
    writer, store, old = writer_to(settings), Store(tmp_path / "a"), Store(tmp_path / "b")
    checkpointed(writer, settings, store, {b"x": b"1"}, 10)
    restore(old, log_of(settings), settings.topic(TOPIC), 1, lambda *_: None)
    mark = checkpointed(writer, settings, store, {b"x": b"2", b"y": b"2"}, 20)

    def torn(transaction: Transaction) -> None:
        transaction.send(Output(settings.topic(TOPIC), [STATE + b"y", STATE + b"z"], [b"torn", b"torn"], 1))
        raise InterruptedError

    with pytest.raises(InterruptedError):
        writer.transact(torn)
    writer_to(settings)
    assert restore(old, log_of(settings), settings.topic(TOPIC), 1, lambda *_: None) == 3
    assert contents(old) == {STATE + b"x": b"2", STATE + b"y": b"2"}
    assert (old.mark.source, old.mark.notes) == (mark.source, mark.notes)
    store.close()
    old.close()


def test_more_than_the_queue_holds_arrives_whole_and_in_order(settings):
    outbox = Outbox(settings.servers)
    values = [b"%d" % n for n in range(120_000)]
    outbox.send(Output(settings.topic("influence"), values, values, 1))
    outbox.flush()
    topic = settings.topic("influence")
    found = [
        message.value()
        for messages in read(settings.servers, topic, 1, *ends(settings.servers, topic, 1))
        for message in messages
    ]
    assert found == values


def test_a_record_kafka_does_not_take_is_an_error_that_names_the_topic(settings):
    outbox = Outbox(settings.servers)
    with pytest.raises(DeliveryError, match="engagements"):
        outbox.send(Output(settings.topic("engagements"), [b"k"], [bytes(11 << 20)]))
    outbox.send(Output(settings.topic("engagements"), [b"k"], [os.urandom(2 << 20)]))  # the topic's own limit is lower
    with pytest.raises(DeliveryError, match="engagements"):
        outbox.flush()
