"""Reads given stretches of partitions straight from Kafka, in large batches, outside any consumer group."""

from collections.abc import Iterable, Iterator
from time import monotonic, sleep
from typing import Any

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition
from faust.types import TP

from laurel.models.errors import LaurelError

BATCH = 20_000  # messages at a time
STALL = 60.0  # seconds without a message or an answer before giving up
ANSWER = 10.0  # seconds for one answer
POLL = 0.05  # seconds for one look
LAST_POLL = 0.005  # likewise near the end: so long a read may hang on the control records a partition ends with
RETRY = 0.1  # seconds before asking again what could not be answered yet


class ReadError(LaurelError):
    """A partition can't be read to where it should be."""


def consumer_settings(servers: str) -> dict[str, Any]:
    """Librdkafka settings of a consumer that reads given partitions from given offsets and belongs to no group."""
    return {
        "bootstrap.servers": servers,
        "group.id": "laurel-reader",  # required by the client, never joined
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": "earliest",
        # What is fetched ahead is bounded in bytes. By default it is in records too, and who has that many waits for a
        # second before asking for more: that alone would be the speed of a restore.
        "queued.max.messages.kbytes": 16 << 10,
        "queued.min.messages": 1_000_000,
        "fetch.queue.backoff.ms": 2,
        "fetch.message.max.bytes": 2 << 20,
        "fetch.wait.max.ms": 20,
        "log_level": 2,  # what goes wrong is told by errors and by time running out
    }


def ends(servers: str, topic: str, partition: int) -> tuple[int, int]:
    """First offset still there and the offset after the last one; ReadError if Kafka does not say."""
    reader = Consumer(consumer_settings(servers))
    try:
        return _watermarks(reader, topic, partition)
    finally:
        reader.close()


def written(servers: str, topic: str, partition: int) -> int:
    """The offset after the last record, also of transactions that have not ended; ReadError if Kafka does not say."""
    reader = Consumer(consumer_settings(servers) | {"isolation.level": "read_uncommitted"})
    try:
        return _watermarks(reader, topic, partition)[1]
    finally:
        reader.close()


def _watermarks(reader: Consumer, topic: str, partition: int) -> tuple[int, int]:
    deadline = monotonic() + STALL
    while True:
        try:
            low, high = reader.get_watermark_offsets(TopicPartition(topic, partition), timeout=ANSWER)
            return int(low), int(high)
        except KafkaException as error:
            # A broker just back may not know its topics yet, nor that it leads them, and the client calls neither retriable.
            if monotonic() > deadline:
                raise ReadError(f"{topic}/{partition}: {error.args[0].str()}") from None
            sleep(RETRY)


def committed(servers: str, group: str, topic: str, partition: int) -> int:
    """The offset that a group has committed, 0 if it has none; ReadError if Kafka does not say."""
    reader = Consumer(consumer_settings(servers) | {"group.id": group})
    try:
        offset = reader.committed([TopicPartition(topic, partition)], timeout=STALL)[0].offset
        return max(int(offset), 0)
    except KafkaException as error:
        raise ReadError(f"what {group} has committed of {topic} can't be read: {error.args[0].str()}") from None
    finally:
        reader.close()


def read(servers: str, topic: str, partition: int, begin: int, end: int) -> Iterator[list[Message]]:
    """Messages from offset `begin` up to, not including, `end`, of transactions only what was committed.

    Compaction may have removed any of them, and the last offsets may be no messages at all, but ends of transactions and what
    was aborted. Raises ReadError if nothing comes for a minute, as when a transaction before `end` stays open.
    """
    if begin >= end:
        return
    reader = Consumer(consumer_settings(servers))
    try:
        reader.assign([TopicPartition(topic, partition, begin)])
        waited, at = 0.0, begin
        while at < end:
            # Not more than there can be: the call waits until it has that many or its time is up.
            wait = POLL if end - at > BATCH else LAST_POLL
            messages = reader.consume(min(BATCH, end - at), timeout=wait)
            error = next(filter(None, map(Message.error, messages)), None)
            if error is not None:
                raise ReadError(f"{topic}/{partition}: {error.str()}")
            # Over what is no message for us the client's position goes without a word.
            reached = offset_of(messages[-1]) + 1 if messages else _position(reader, topic, partition)
            if reached > at:
                at, waited = reached, 0.0
            else:
                waited += wait
                if waited > STALL:
                    raise ReadError(_stalled(servers, topic, partition, at, end))
            wanted = messages if at <= end else [message for message in messages if offset_of(message) < end]
            if wanted:
                yield wanted
    except KafkaException as error:
        raise ReadError(f"{topic}/{partition}: {error.args[0].str()}") from None
    finally:
        reader.close()


def _position(reader: Consumer, topic: str, partition: int) -> int:
    """The offset after what the client has passed; negative before it has passed anything."""
    return int(reader.position([TopicPartition(topic, partition)])[0].offset)


def _stalled(servers: str, topic: str, partition: int, at: int, end: int) -> str:
    told = f"{topic}/{partition}: nothing came for {STALL:.0f} s at offset {at} of {end}"
    if ends(servers, topic, partition)[1] < end:
        return f"{told}: a transaction that somebody began there is still open; Kafka ends it when its time is up"
    return told


def end_offsets(servers: str, places: Iterable[TP]) -> dict[TP, int]:
    """The offset after the last record of each topic and partition; ReadError if Kafka does not say."""
    reader = Consumer(consumer_settings(servers))
    try:
        return {place: _watermarks(reader, place.topic, place.partition)[1] for place in places}
    finally:
        reader.close()


def offset_of(message: Message) -> int:
    """Offset of a message that was fetched (one that was not yet sent has none)."""
    offset = message.offset()
    assert offset is not None
    return offset
