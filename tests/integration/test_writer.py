"""Writers: transactions that are seen whole or not at all, and only from whoever opened the name last."""

import os
import socket
import threading
from collections.abc import Callable

import pytest

from laurel.streams import outbox
from laurel.streams.log import KafkaLog
from laurel.streams.outbox import DeliveryError, Output
from laurel.streams.settings import Settings, load
from laurel.streams.topics import apply
from laurel.streams.writer import FencedError, StoppedError, Transaction, Writer

TOPIC = "changelog-actors"


@pytest.fixture
def settings(kafka: str, prefix: str) -> Settings:
    settings = load(bootstrap=kafka, topic_prefix=prefix, partitions=2)
    apply(settings)
    return settings


def opened(settings: Settings, name: str = "stage-0") -> Writer:
    writer = KafkaLog(settings.servers, settings.topic("group")).writer(name)
    writer.open()
    return writer


def records(settings: Settings, *values: bytes) -> Callable[[Transaction], None]:
    """Fills a transaction with records, the last of them sealed."""
    topic = settings.topic(TOPIC)

    def fill(transaction: Transaction) -> None:
        transaction.send(Output(topic, values[:-1], values[:-1], 1))
        transaction.seal(topic, values[-1], values[-1], 1)

    return fill


def seen(settings: Settings) -> list[bytes | None]:
    log, topic = KafkaLog(settings.servers, ""), settings.topic(TOPIC)
    low, _ = log.ends(topic, 1)
    # Up to all that was written: what comes of it is known by then.
    return [m.value() for messages in log.read(topic, 1, low, log.settled([(topic, 1)])[topic, 1]) for m in messages]


def test_a_transaction_is_seen_whole_and_its_last_offset_is_told(settings):
    writer = opened(settings)
    assert writer.transact(records(settings, b"a", b"b", b"mark")) == 2
    assert writer.transact(records(settings, b"c", b"mark")) == 5  # the end of the first took an offset too
    assert seen(settings) == [b"a", b"b", b"mark", b"c", b"mark"]


def test_of_what_was_interrupted_nothing_is_seen(settings):
    def interrupted(transaction: Transaction) -> None:
        records(settings, b"lost", b"mark")(transaction)
        raise InterruptedError

    with pytest.raises(InterruptedError):
        opened(settings).transact(interrupted)
    opened(settings).transact(records(settings, b"kept"))
    assert seen(settings) == [b"kept"]


def test_an_owner_of_the_past_can_write_no_more_not_even_what_it_had_begun(settings):
    old = opened(settings)
    other = opened(settings, "stage-1")
    new: list[Writer] = []

    def taken_over(transaction: Transaction) -> None:
        records(settings, b"begun", b"mark")(transaction)
        new.append(opened(settings))

    with pytest.raises(FencedError, match="stage-0"):
        old.transact(taken_over)
    with pytest.raises(FencedError):
        old.transact(records(settings, b"late"))
    new[0].transact(records(settings, b"new"))
    other.transact(records(settings, b"another name"))
    assert seen(settings) == [b"new", b"another name"]


def test_an_owner_of_the_past_is_told_so_also_when_it_has_more_to_send_than_the_queue_holds(settings, monkeypatch):
    monkeypatch.setattr(outbox, "WAITING_BYTES", 0)  # so that it waits for what it sent, each time
    old = opened(settings)

    def taken_over(transaction: Transaction) -> None:
        records(settings, b"begun", b"mark")(transaction)
        opened(settings)
        for _ in range(3):
            transaction.send(Output(settings.topic(TOPIC), [b"more"], [b"more"], 0))

    with pytest.raises(FencedError, match="stage-0"):
        old.transact(taken_over)


def test_more_than_the_queue_holds_arrives_whole_and_in_order(settings):
    values = [b"%d" % n for n in range(500_000)]
    opened(settings).transact(records(settings, *values))
    assert seen(settings) == values


def test_what_kafka_will_never_take_is_an_error_and_nothing_of_it_is_seen(settings):
    for size in (11 << 20, 5 << 20):  # beyond the client's own limit, and beyond the topic's
        with pytest.raises(DeliveryError, match=r"stage-0|changelog"):
            opened(settings).transact(records(settings, b"before", os.urandom(size), b"mark"))
    opened(settings).transact(records(settings, b"after"))
    assert seen(settings) == [b"after"]


def test_a_writer_waits_for_a_kafka_that_does_not_answer_until_it_is_told_to_stop():
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))  # and nobody listens
    log = KafkaLog(f"127.0.0.1:{taken.getsockname()[1]}", "group")
    writer = log.writer("stage-0")
    found: list[BaseException] = []

    def wait() -> None:
        try:
            writer.open()
        except StoppedError as error:
            found.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    log.stop()
    waiting.join(60)
    taken.close()
    assert "stage-0" in str(found[0])
