"""The broker's side of a measurement: topics, their records, committed offsets."""

from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]  # its types leave out what it re-exports
from faust.types import TP

from laurel.ingest.records import keys
from laurel.streams.codec import Codec
from laurel.streams.outbox import Outbox, Output
from laurel.streams.reader import end_offsets, ends, read

ANSWER_WITHIN = 30.0  # seconds
SLICE = 10_000  # rows encoded and queued at a time


class Cluster:
    """One Kafka; every topic made here has the same number of partitions."""

    def __init__(self, bootstrap: str, partitions: int) -> None:
        self.bootstrap, self.partitions = bootstrap, partitions
        self._admin = AdminClient({"bootstrap.servers": bootstrap})
        self._codec = Codec()

    def create(self, topic: str, **settings: str) -> None:
        """Makes a topic."""
        new = NewTopic(topic, num_partitions=self.partitions, replication_factor=1, config=settings)
        for future in self._admin.create_topics([new]).values():
            future.result(ANSWER_WITHIN)

    def load(self, topic: str, batches: Iterable[pa.RecordBatch]) -> Iterator[int]:
        """Publishes engagements, keyed by actor; yields how many so far."""
        outbox, done = Outbox(self.bootstrap), 0
        for batch in batches:
            for start in range(0, batch.num_rows, SLICE):
                rows = batch.slice(start, SLICE)
                outbox.send(Output(topic, keys(rows), self._codec.encode("Engagement", rows)))
            done += batch.num_rows
            yield done
        outbox.flush()

    def topics(self) -> list[str]:
        """All there are."""
        return list(self._admin.list_topics(timeout=ANSWER_WITHIN).topics)

    def delete(self, mark: str) -> None:
        """Deletes the topics with `mark` in their names."""
        found = [topic for topic in self.topics() if mark in topic]
        for future in (self._admin.delete_topics(found) if found else {}).values():
            future.result(ANSWER_WITHIN)

    def records(self, topic: str) -> int:
        """How many records the topic has had."""
        return sum(end_offsets(self.bootstrap, [TP(topic, number) for number in range(self.partitions)]).values())

    def read(self, topic: str) -> Iterator[Message]:
        """All records of a topic."""
        for number in range(self.partitions):
            low, high = ends(self.bootstrap, topic, number)
            for messages in read(self.bootstrap, topic, number, low, high):
                yield from messages


class Committed:
    """What a group has committed."""

    def __init__(self, cluster: Cluster, group: str) -> None:
        self._partitions = cluster.partitions
        self._client: Any = Consumer({"bootstrap.servers": cluster.bootstrap, "group.id": group, "log_level": 0})

    def records(self, topic: str) -> int:
        """The sum of a topic's committed offsets."""
        places = [TopicPartition(topic, number) for number in range(self._partitions)]
        try:
            return sum(max(place.offset, 0) for place in self._client.committed(places, timeout=ANSWER_WITHIN))
        except KafkaException as error:
            if error.args[0].retriable() or error.args[0].code() == KafkaError.NOT_COORDINATOR:
                return 0  # the group's coordinator is not up yet
            raise

    def close(self) -> None:
        """Lets the connection go."""
        self._client.close()
