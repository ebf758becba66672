"""What Kafka says about its topics."""

from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from laurel.models.errors import LaurelError

ANSWER_WITHIN = 10.0  # seconds for a broker to answer


class MetadataError(LaurelError):
    """No broker answers, or a topic isn't there; the message says which, and what to do."""


def count_partitions(servers: str, topic: str) -> int:
    """How many partitions the topic has. Raises MetadataError.

    Asks for all topics, not for this one: where brokers create topics by themselves, asking for one would create it.
    """
    try:
        known = AdminClient({"bootstrap.servers": servers, "log_level": 0}).list_topics(timeout=ANSWER_WITHIN).topics
    except KafkaException as error:
        raise MetadataError(f"no Kafka broker answers at {servers}: {error.args[0].str()}") from None
    if topic not in known:
        raise MetadataError(f"there is no topic {topic} at {servers}: create the topics with `laurel topics apply`")
    return len(known[topic].partitions)


def identities(servers: str, *topics: str) -> tuple[str, ...]:
    """Id of the cluster, then of each topic: a topic that is deleted and made again has another. Raises MetadataError."""
    admin = AdminClient({"bootstrap.servers": servers, "log_level": 0})
    try:
        cluster = admin.list_topics(timeout=ANSWER_WITHIN).cluster_id
        described = admin.describe_topics(TopicCollection(list(topics)), request_timeout=ANSWER_WITHIN)
        return str(cluster), *(str(described[topic].result().topic_id) for topic in topics)
    except KafkaException as error:
        raise MetadataError(f"{servers} does not say what {', '.join(topics)} are: {error.args[0].str()}") from None
