"""Verified publishing: what a worker or a tool sends to Kafka, in batches, and the proof that it arrived."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from laurel.models.errors import LaurelError

FLUSH_TIMEOUT = 120.0  # seconds, the client's own limit for one delivery
QUEUE_WAIT = 0.1  # seconds between looks at a full queue


class DeliveryError(LaurelError):
    """Kafka did not take a record."""


@dataclass(frozen=True)
class Output:
    """Records for one topic: the key decides the partition unless one is given."""

    topic: str
    keys: Sequence[bytes]
    values: Sequence[bytes | None]
    partition: int | None = None


def producer_settings(servers: str) -> dict[str, Any]:
    """librdkafka settings that every producer of ours shares: no loss, no reordering, and the partitioner of Kafka's own clients."""
    return {
        "bootstrap.servers": servers,
        "enable.idempotence": True,
        "acks": "all",
        "partitioner": "murmur2_random",
        "compression.type": "lz4",
        "linger.ms": 5,
        "batch.size": 1 << 20,
        "queue.buffering.max.messages": 500_000,
        "queue.buffering.max.kbytes": 256 << 10,
        "delivery.timeout.ms": int(FLUSH_TIMEOUT * 1000),
        "message.max.bytes": 10 << 20,
    }


class Outbox:
    """A producer whose every delivery is verified by `flush`. Used by one thread at a time."""

    def __init__(self, servers: str) -> None:
        self._bulk = Producer(producer_settings(servers) | {"delivery.report.only.error": True})
        self._single = Producer(producer_settings(servers) | {"linger.ms": 0})
        self._failed: list[str] = []

    def send(self, output: Output) -> None:
        """Queues an output's records; blocks while the queue is full."""
        waiting = [{"key": key, "value": value} for key, value in zip(output.keys, output.values, strict=True)]
        place = {} if output.partition is None else {"partition": output.partition}
        while waiting:
            queued = self._bulk.produce_batch(output.topic, waiting, on_delivery=self._report, **place)
            if queued < len(waiting):
                waiting = [message for message in waiting if "_error" in message]
                refused = [message.pop("_error") for message in waiting]
                fatal = [error for error in refused if error.code() != KafkaError._QUEUE_FULL]
                if fatal:
                    raise DeliveryError(f"{output.topic}: {fatal[0].str()}")
                self._bulk.poll(QUEUE_WAIT)
            else:
                return

    def send_raw(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[tuple[str, bytes | None]],
    ) -> None:
        """Queues one record with headers."""
        while True:
            try:
                self._bulk.produce(topic, value, key, headers=list(headers), on_delivery=self._report)
                return
            except BufferError:
                self._bulk.poll(QUEUE_WAIT)
            except KafkaException as error:
                raise DeliveryError(f"{topic}: {error.args[0].str()}") from None

    def flush(self) -> None:
        """Waits until all that was sent has arrived; raises DeliveryError if anything did not."""
        left = self._bulk.flush(FLUSH_TIMEOUT)
        if left and not self._failed:
            self._failed.append(f"{left} records were not taken within {FLUSH_TIMEOUT:.0f} s")
        if self._failed:
            failed, self._failed = self._failed, []
            raise DeliveryError(f"{len(failed)} records not delivered, the first because: {failed[0]}")

    def seal(self, topic: str, key: bytes, value: bytes, partition: int) -> int:
        """Sends one record by itself, waits for it, and returns its offset; DeliveryError if it does not arrive."""
        outcome: list[Any] = []

        def report(error: KafkaError | None, message: Message) -> None:
            outcome.append(error if error is not None else message.offset())

        self._single.produce(topic, value, key, partition=partition, on_delivery=report)
        self._single.flush(FLUSH_TIMEOUT)
        if not outcome or isinstance(outcome[0], KafkaError):
            reason = outcome[0].str() if outcome else f"not taken within {FLUSH_TIMEOUT:.0f} s"
            raise DeliveryError(f"{topic}: {reason}")
        return int(outcome[0])

    def _report(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._failed.append(f"{message.topic()}: {error.str()}")


