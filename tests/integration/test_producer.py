"""The producer against a real broker: what arrives, where, and what is said when it doesn't."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from aiokafka.partitioner import DefaultPartitioner
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its types leave out what it re-exports
    AdminClient,
    NewTopic,
)

from laurel import Engagement, Producer
from laurel.ingest.errors import EngagementError
from laurel.streams.codec import Codec
from laurel.streams.metadata import MetadataError
from laurel.streams.outbox import DeliveryError
from laurel.streams.reader import ends, read
from laurel.streams.settings import load
from laurel.streams.topics import apply

PARTITIONS = 4
LIKE = Engagement("e1", "twitter", "like", "twitter:1", datetime(2012, 7, 1, tzinfo=UTC), actor="twitter:2")


@pytest.fixture
def topics(kafka: str, prefix: str) -> str:
    """Prefix of topics that are there."""
    apply(load(bootstrap=kafka, topic_prefix=prefix, partitions=PARTITIONS))
    return prefix


def arrived(kafka: str, topics: str) -> Iterator[tuple[int, bytes, dict[str, Any]]]:
    """Partition, key and engagement of each record, in the order of each partition."""
    codec = Codec()
    for partition in range(PARTITIONS):
        begin, end = ends(kafka, f"{topics}engagements", partition)
        for messages in read(kafka, f"{topics}engagements", partition, begin, end):
            for message in messages:
                name, row = codec.decode_one(message.value() or b"")
                assert name == "Engagement"
                yield partition, message.key() or b"", row


def test_an_engagement_arrives_as_it_was_sent_under_its_actor(kafka: str, topics: str) -> None:
    with Producer(kafka, topics) as producer:
        producer.send(LIKE)
        producer.send(Engagement("e2", "laurel", "plus_k", "twitter:1", 5, topics=("python",)))
    found = sorted(arrived(kafka, topics), key=lambda record: record[2]["event_id"])
    assert [record[2] for record in found] == [
        LIKE.row() | {"occurred_at": 1_341_100_800_000},
        Engagement("e2", "laurel", "plus_k", "twitter:1", 5, topics=("python",)).row(),
    ]
    assert [record[1] for record in found] == [b"twitter:2", b"twitter:1"]


def test_columns_land_in_order_on_the_partitions_that_kafkas_own_clients_choose(kafka: str, topics: str) -> None:
    count = 25_000
    batch = pa.RecordBatch.from_pydict(
        {
            "event_id": [str(number) for number in range(count)],
            "network": ["twitter"] * count,
            "action": ["like"] * count,
            "target": ["twitter:1"] * count,
            "actor": [f"twitter:{number % 997}" for number in range(count)],
            "occurred_at": list(range(count)),
        }
    )
    with Producer(kafka, topics) as producer:
        producer.send_batch(batch)
    chosen = DefaultPartitioner()
    last: dict[bytes, int] = {}
    total = 0
    for partition, key, row in arrived(kafka, topics):
        assert partition == chosen(key, list(range(PARTITIONS)), list(range(PARTITIONS)))
        assert last.get(key, -1) < row["occurred_at"]
        last[key] = row["occurred_at"]
        total += 1
    assert total == count


def test_nothing_of_a_batch_is_sent_if_one_row_has_the_wrong_form(kafka: str, topics: str) -> None:
    rows = [LIKE.row() | {"event_id": str(number)} for number in range(5)]
    rows[3]["target"] = "somebody"
    with Producer(kafka, topics) as producer:
        with pytest.raises(EngagementError, match="target: 'somebody' is not an account"):
            producer.send_batch(pa.RecordBatch.from_pylist(rows))
        with pytest.raises(EngagementError, match="event_id: is empty"):
            producer.send(Engagement("", "twitter", "like", "twitter:1", 1))
    assert list(arrived(kafka, topics)) == []


def test_a_record_that_kafka_refuses_is_an_error_when_flushed(kafka: str, prefix: str) -> None:
    topic = NewTopic(f"{prefix}engagements", 1, 1, config={"max.message.bytes": "2000"})
    admin = AdminClient({"bootstrap.servers": kafka})
    [future] = admin.create_topics([topic]).values()
    future.result(30)
    producer = Producer(kafka, prefix)
    producer.send(Engagement("e1", "twitter", "post", "twitter:1", 1, text="".join(map(chr, range(200, 3_000)))))
    with pytest.raises(DeliveryError, match=r"1 records not delivered.*engagements"):
        producer.flush()
    producer.send(LIKE)
    producer.flush()


def test_an_error_inside_the_block_is_not_hidden_by_the_flush(kafka: str, topics: str) -> None:
    def fails() -> None:
        with Producer(kafka, topics) as producer:
            producer.send(LIKE)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert len(list(arrived(kafka, topics))) == 1


def test_topics_that_are_not_there_are_missed_at_once(kafka: str, prefix: str) -> None:
    with pytest.raises(MetadataError, match="create the topics with `laurel topics apply`"):
        Producer(kafka, prefix)


def test_a_broker_that_is_not_there_is_missed_in_seconds() -> None:
    with pytest.raises(MetadataError, match=r"no Kafka broker answers at 127\.0\.0\.1:1"):
        Producer("127.0.0.1:1")


def test_importing_laurel_alone_loads_none_of_its_weight() -> None:
    script = (
        "import sys, laurel; print([name for name in ('pyarrow', 'numpy', 'confluent_kafka') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "[]\n"
