"""Verified publishing: what a worker or a tool sends to Kafka, in batches, and the proof that it arrived."""

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from laurel.models.errors import LaurelError

FLUSH_TIMEOUT = 120.0  # seconds, the client's own limit for one delivery
ANY_PARTITION = -1  # librdkafka's word for: as the key says
SLICE = 10_000  # records handed over at a time
WAITING_RECORDS = 400_000  # on their way at most
WAITING_BYTES = 64 << 20  # on their way, about, at most


log = logging.getLogger(__name__)


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
    """Librdkafka settings that every producer of ours shares: no loss, no reordering, and the partitioner of Kafka's own clients."""
    return {
        "bootstrap.servers": servers,
        "enable.idempotence": True,
        "acks": "all",
        "partitioner": "murmur2_random",
        "compression.type": "lz4",
        "linger.ms": 5,
        "batch.size": 1 << 20,
        "queue.buffering.max.messages": 0,  # unlimited: the senders wait, see Outbox
        "queue.buffering.max.kbytes": 2_097_151,
        "delivery.timeout.ms": int(FLUSH_TIMEOUT * 1000),
        "message.max.bytes": 10 << 20,
        "log_level": 2,  # what goes wrong is told by delivery reports and the error callback
        "error_cb": _tell,
    }


class Outbox:
    """A producer whose every delivery is verified by `flush`; threads may share it.

    Nobody knows whose delivery it was that failed, so from then on every flush says so, until `forget`.
    """

    def __init__(self, servers: str) -> None:
        self._bulk = Producer(producer_settings(servers) | {"delivery.report.only.error": True})
        self._single = Producer(producer_settings(servers) | {"linger.ms": 0})
        self._failed: list[str] = []
        self._lock = threading.Lock()
        self._waiting = 0  # bytes on their way, at most

    def send(self, output: Output) -> None:
        """Queues an output's records, in order; blocks while too much waits. Raises DeliveryError for one Kafka can't take."""
        partition = ANY_PARTITION if output.partition is None else output.partition
        for begin in range(0, len(output.keys), SLICE):
            keys, values = output.keys[begin : begin + SLICE], output.values[begin : begin + SLICE]
            messages: list[dict[str, Any]] = [
                {"key": key, "value": value} for key, value in zip(keys, values, strict=True)
            ]
            with self._lock:
                self._make_room(sum(map(len, keys)) + sum(len(value) for value in values if value is not None))
                queued = self._bulk.produce_batch(output.topic, messages, partition, on_delivery=self._report)
            if queued < len(messages):
                error = next(message["_error"] for message in messages if "_error" in message)
                raise DeliveryError(f"{output.topic}: {error.str()}")

    def _make_room(self, size: int) -> None:
        """Waits until the queue can't get full: it would let later records pass one that it had no room for."""
        self._waiting += size
        if self._waiting > WAITING_BYTES or len(self._bulk) > WAITING_RECORDS - SLICE:
            self._bulk.flush(FLUSH_TIMEOUT)
            self._waiting = size

    def send_raw(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[tuple[str, bytes | None]],
    ) -> None:
        """Queues one record with headers."""
        try:
            with self._lock:
                self._make_room(len(key or b"") + len(value or b""))
                self._bulk.produce(topic, value, key, headers=list(headers), on_delivery=self._report)
        except KafkaException as error:
            raise DeliveryError(f"{topic}: {error.args[0].str()}") from None

    def flush(self) -> None:
        """Waits until all that was sent has arrived; raises DeliveryError if anything did not."""
        left = self._bulk.flush(FLUSH_TIMEOUT)
        if left and not self._failed:
            self._failed.append(f"{left} records were not taken within {FLUSH_TIMEOUT:.0f} s")
        if self._failed:
            raise DeliveryError(f"{len(self._failed)} records not delivered, the first because: {self._failed[0]}")

    def forget(self) -> None:
        """Lets flushes succeed again after a failed delivery. For one thread alone, which knows what it sent."""
        self._failed.clear()

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


def _tell(error: KafkaError) -> None:
    log.warning("Kafka: %s", error.str())
