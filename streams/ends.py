"""Where partitions end, and how far a group is, asked again and again over one connection."""

from collections.abc import Iterable

from confluent_kafka import ConsumerGroupTopicPartitions, IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]  # its types leave out what it re-exports
from faust.types import TP

from laurel.streams.reader import ReadError

ANSWER_WITHIN = 5.0  # seconds
LATEST = OffsetSpec.latest()  # type: ignore[no-untyped-call]


class Ends:
    """Asks for the offset after the last record that committed readers may read."""

    def __init__(self, servers: str) -> None:
        self._admin = AdminClient({"bootstrap.servers": servers, "log_level": 0})

    def of(self, places: Iterable[TP]) -> dict[TP, int]:
        """The end of each topic and partition; ReadError if Kafka does not say within a few seconds."""
        wanted = {TopicPartition(place.topic, place.partition): LATEST for place in places}
        if not wanted:
            return {}
        answers = self._admin.list_offsets(
            wanted, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=ANSWER_WITHIN
        )
        try:
            return {TP(place.topic, place.partition): answer.result().offset for place, answer in answers.items()}
        except KafkaException as error:
            raise ReadError(f"where partitions end is not known: {error.args[0].str()}") from None

    def committed(self, group: str, places: Iterable[TP]) -> dict[TP, int]:
        """How far a group has said that it is in each partition, 0 where it never did; ReadError likewise."""
        wanted = [TopicPartition(place.topic, place.partition) for place in places]
        if not wanted:
            return {}
        asked = [ConsumerGroupTopicPartitions(group, wanted)]
        (answer,) = self._admin.list_consumer_group_offsets(asked, request_timeout=ANSWER_WITHIN).values()
        try:
            found = answer.result().topic_partitions
        except KafkaException as error:
            raise ReadError(f"how far the group is is not known: {error.args[0].str()}") from None
        return {TP(place.topic, place.partition): max(place.offset, 0) for place in found}
