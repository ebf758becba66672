"""Where partitions end, and how far a group is, asked again and again over one connection."""

from collections.abc import Iterable

from confluent_kafka import ConsumerGroupTopicPartitions, IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]  # its types leave out what it re-exports
from faust.types import TP

from laurel.streams.reader import ReadError

ANSWER_WITHIN = 5.0  # seconds
COME_BACK = 1_000  # milliseconds: how soon a broker that was away is tried again, at the latest
LATEST = OffsetSpec.latest()  # type: ignore[no-untyped-call]

Place = tuple[str, int]  # topic and partition


class Ends:
    """Asks for the offset after the last record of partitions. Threads may share it."""

    def __init__(self, servers: str) -> None:
        """Connects when it is first asked."""
        self._servers = servers
        self._known: AdminClient | None = None  # once it has met a broker

    def of(self, places: Iterable[Place], level: IsolationLevel = IsolationLevel.READ_COMMITTED) -> dict[TP, int]:
        """The end of each topic and partition, by default the one that committed readers see.

        Raises ReadError if Kafka does not say within a few seconds.
        """
        wanted = {TopicPartition(*place): LATEST for place in places}
        if not wanted:
            return {}
        try:
            answers = self._client().list_offsets(wanted, isolation_level=level, request_timeout=ANSWER_WITHIN)
            return {TP(place.topic, place.partition): answer.result().offset for place, answer in answers.items()}
        except KafkaException as error:
            self._known = None
            raise ReadError(f"where partitions end is not known: {error.args[0].str()}") from None

    def committed(self, group: str, places: Iterable[Place]) -> dict[TP, int]:
        """How far a group has said that it is in each partition, 0 where it never did; ReadError likewise."""
        wanted = [TopicPartition(*place) for place in places]
        if not wanted:
            return {}
        asked = [ConsumerGroupTopicPartitions(group, wanted)]
        try:
            (answer,) = self._client().list_consumer_group_offsets(asked, request_timeout=ANSWER_WITHIN).values()
            found = answer.result().topic_partitions
        except KafkaException as error:
            self._known = None
            raise ReadError(f"how far the group is is not known: {error.args[0].str()}") from None
        return {TP(place.topic, place.partition): max(place.offset, 0) for place in found}

    def _client(self) -> AdminClient:
        """The client; a new one after an error, since it may go on believing in a leader that is none any more.

        One that is asked for ends before it has met a broker now and then looks for one only after three seconds.
        """
        client = self._known
        if client is None:
            client = AdminClient(
                {"bootstrap.servers": self._servers, "log_level": 0, "reconnect.backoff.max.ms": COME_BACK}
            )
            client.list_topics(timeout=ANSWER_WITHIN)
            self._known = client
        return client
