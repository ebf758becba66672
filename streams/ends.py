"""Where partitions end, asked again and again over one connection."""

from collections.abc import Iterable

from confluent_kafka import IsolationLevel, KafkaException, TopicPartition
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
