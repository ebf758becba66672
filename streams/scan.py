"""What a topic still holds, read in bulk: all of it, or the records of some keys from their partitions alone."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from aiokafka.partitioner import murmur2
from confluent_kafka import Message
from numpy.typing import NDArray

from laurel.models.errors import LaurelError
from laurel.streams.codec import Codec
from laurel.streams.metadata import count_partitions
from laurel.streams.reader import ends, read
from laurel.streams.settings import Settings


class ScanError(LaurelError):
    """A topic holds something that is no record of ours; the message says where."""


@dataclass(frozen=True, eq=False)
class Block:
    """Records of one partition in the order of the log: `table` with a row for each of `offsets` (int64[n]), and what
    was forgotten in between, offset by key (a record without a value)."""

    table: pa.RecordBatch
    offsets: NDArray[np.int64]
    forgotten: dict[bytes, int]


def partition_of(key: bytes, partitions: int) -> int:
    """The partition Kafka's own clients put a key in: the positive murmur2 of its bytes, modulo the partitions.

    Source: org.apache.kafka.clients.producer.internals.BuiltInPartitioner.partitionForKey.
    """
    return int((murmur2(key) & 0x7FFFFFFF) % partitions)


def messages(settings: Settings, topic: str, keys: Collection[bytes] | None = None) -> Iterator[list[Message]]:
    """The topic's messages as of now, one partition after the other; with `keys` only those that have one of them.

    `topic` is a plain name. Raises MetadataError if it isn't there, and ReadError.
    """
    name = settings.topic(topic)
    partitions = count_partitions(settings.servers, name)
    wanted = None if keys is None else frozenset(keys)
    places = range(partitions) if wanted is None else sorted({partition_of(key, partitions) for key in wanted})
    for partition in places:
        begin, end = ends(settings.servers, name, partition)
        for batch in read(settings.servers, name, partition, begin, end):
            kept = batch if wanted is None else [message for message in batch if message.key() in wanted]
            if kept:
                yield kept


def key_of(message: Message) -> bytes:
    """A message's key; empty if it has none."""
    key: Any = message.key()  # bytes, as no deserializer is set
    return key or b""


def blocks(
    settings: Settings, codec: Codec, topic: str, record: str, keys: Collection[bytes] | None = None
) -> Iterator[Block]:
    """The topic's records of one kind, decoded; raises ScanError for a value that is none, and as `messages` does."""
    for batch in messages(settings, topic, keys):
        decoded = codec.decode([message.value() for message in batch])
        forgotten: dict[bytes, int] = {}
        for bad in decoded.errors:
            message = batch[bad.position]
            if message.value() is not None:
                where = f"{message.topic()}/{message.partition()} at offset {message.offset()}"
                raise ScanError(f"{where} holds no laurel.{record}: {bad.message}")
            forgotten[key_of(message)] = message.offset() or 0
        found = decoded.batches.get(record)
        positions = found.positions if found else np.empty(0, np.int64)
        table = found.table if found else pa.RecordBatch.from_pylist([], schema=codec.arrow(record))
        offsets = np.fromiter((batch[at].offset() or 0 for at in positions.tolist()), np.int64, len(positions))
        yield Block(table, offsets, forgotten)
