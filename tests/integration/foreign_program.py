"""A service of somebody else's: publishes engagements and reads scores and sashes with nothing of laurel's but `avro/`.

    python foreign_program.py publish localhost:9092 avro 2024-05-01
    python foreign_program.py scores localhost:9092 avro
    python foreign_program.py sashes localhost:9092 avro

It needs the packages confluent-kafka and fastavro. A topic prefix is read from LAUREL_TOPIC_PREFIX.
"""

import io
import json
import os
import struct
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Producer, TopicPartition
from fastavro import parse_schema, schemaless_reader, schemaless_writer

PREFIX = os.environ.get("LAUREL_TOPIC_PREFIX", "")


class Avro:
    """The Confluent wire format: a zero byte, the schema's id as four bytes, big-endian, and the Avro body."""

    def __init__(self, folder: Path) -> None:
        files = json.loads((folder / "ids.json").read_text())
        self._schemas = {int(number): self._load(folder / file) for number, file in files.items()}

    @staticmethod
    def _load(file: Path) -> Any:
        return parse_schema(json.loads(file.read_text()))

    def write(self, name: str, record: dict[str, Any]) -> bytes:
        number = max(number for number, schema in self._schemas.items() if schema["name"] == f"laurel.{name}")
        body = io.BytesIO()
        schemaless_writer(body, self._schemas[number], record)
        return struct.pack(">bI", 0, number) + body.getvalue()

    def read(self, value: bytes) -> Any:
        magic, number = struct.unpack(">bI", value[:5])
        assert magic == 0
        return schemaless_reader(io.BytesIO(value[5:]), self._schemas[number], None)


def publish(servers: str, avro: Avro, day: date) -> int:
    """A day in a gardeners' forum: five people are retweeted, one of them and two more are given +Ks."""
    producer = Producer(
        {
            "bootstrap.servers": servers,
            "partitioner": "murmur2_random",  # the one that Kafka's own clients have; librdkafka's default is another
            "enable.idempotence": True,
        }
    )
    failures: list[str] = []
    noon = datetime.combine(day, time(12), UTC)
    retweets = [(f"twitter:fan-{fan}", f"twitter:gardener-{who}") for who in range(5) for fan in range(4 * who + 2)]
    plus_ks = [
        (f"twitter:friend-{friend}", f"twitter:{who}") for who in ("gardener-4", "ann", "bo") for friend in range(3)
    ]
    events = [("twitter", "retweet", actor, target) for actor, target in retweets]
    events += [("laurel", "plus_k", giver, receiver) for giver, receiver in plus_ks]
    for number, (network, action, actor, target) in enumerate(events):
        event = {
            "event_id": f"{day}-{number}",
            "network": network,
            "action": action,
            "actor": actor,
            "target": target,
            "content_id": None,
            "topics": ["gardening"],
            "occurred_at": noon,
        }
        producer.produce(
            f"{PREFIX}engagements",
            key=event["actor"],
            value=avro.write("Engagement", event),
            on_delivery=lambda error, _message: failures.append(str(error)) if error else None,
        )
    producer.flush()
    assert not failures, failures[0]
    return len(events)


def read(servers: str, topic: str) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of all records there are in a topic."""
    consumer = Consumer(
        {
            "bootstrap.servers": servers,
            "group.id": "gardeners",
            "enable.auto.commit": False,
            "enable.partition.eof": True,  # a partition may end with the end of a transaction, which is no message
        }
    )
    for number in consumer.list_topics(topic, timeout=30).topics[topic].partitions:
        consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING)])
        while True:
            message = consumer.poll(30)
            assert message is not None, "Kafka does not answer"
            if message.error() and message.error().code() == KafkaError._PARTITION_EOF:
                break
            assert not message.error(), message.error()
            if message.value() is not None:
                yield message.key(), message.value()
    consumer.close()


def scores(servers: str, avro: Avro) -> list[dict[str, Any]]:
    """The newest score of each person; the topic is compacted, so an older one may still be there and comes before it."""
    newest: dict[str, dict[str, Any]] = {}
    for key, value in read(servers, f"{PREFIX}score-updates"):
        update = avro.read(value)
        assert key.decode() == update["person"]
        assert 1 <= update["score"] <= 100
        assert abs(sum(part["points"] for part in update["contributions"]) - update["score"]) < 1e-9
        newest[update["person"]] = update
    return list(newest.values())


def sashes(servers: str, avro: Avro) -> list[dict[str, Any]]:
    """Every sash event, each person's in the order of days."""
    return [avro.read(value) for _, value in read(servers, f"{PREFIX}sash-events")]


def main(command: str, servers: str, folder: str, *more: str) -> None:
    avro = Avro(Path(folder))
    match command:
        case "publish":
            print(publish(servers, avro, date.fromisoformat(more[0])))
        case "scores":
            print(json.dumps(scores(servers, avro), default=str))
        case "sashes":
            print(json.dumps(sashes(servers, avro), default=str))


if __name__ == "__main__":
    main(*sys.argv[1:])
