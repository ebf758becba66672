"""Verified publishing: what a tool sends to Kafka, in batches, and the proof that it arrived."""

import logging
import threading
from collections.abc import Callable, Sequence
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
    """Kafka did not take a record; `code` is its own word for why, where it gave one."""

    def __init__(self, message: str, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code


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


class Queue:
    """What waits in a producer to be sent, within bounds; threads may share it."""

    def __init__(
        self,
        producer: Producer,
        report: Callable[[KafkaError | None, Message], None] | None = None,
        drain: Callable[[], object] | None = None,
    ) -> None:
        """`report` is told what became of each record that the producer's settings want told; `drain` waits until little
        is left of what was queued."""
        self._producer, self._report = producer, report
        self._drain: Callable[[], object] = drain or (lambda: producer.flush(FLUSH_TIMEOUT))
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
                queued = self._producer.produce_batch(output.topic, messages, partition, on_delivery=self._report)
            if queued < len(messages):
                error = next(message["_error"] for message in messages if "_error" in message)
                raise DeliveryError(f"{output.topic}: {error.str()}", error.code())

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
                self._producer.produce(topic, value, key, headers=list(headers), on_delivery=self._report)
        except KafkaException as error:
            raise DeliveryError(f"{topic}: {error.args[0].str()}", error.args[0].code()) from None

    def _make_room(self, size: int) -> None:
        """Waits until the queue can't get full: it would let later records pass one that it had no room for."""
        self._waiting += size
        if self._waiting > WAITING_BYTES or len(self._producer) > WAITING_RECORDS - SLICE:
            self._drain()
            self._waiting = size


class Outbox(Queue):
    """A producer whose every delivery is verified by `flush`; threads may share it.

    Nobody knows whose delivery it was that failed, so from then on every flush says so, until `forget`.
    """

    def __init__(self, servers: str) -> None:
        super().__init__(Producer(producer_settings(servers) | {"delivery.report.only.error": True}), self._note)
        self._failed: list[str] = []

    def flush(self) -> None:
        """Waits until all that was sent has arrived; raises DeliveryError if anything did not."""
        left = self._producer.flush(FLUSH_TIMEOUT)
        if left and not self._failed:
            self._failed.append(f"{left} records were not taken within {FLUSH_TIMEOUT:.0f} s")
        if self._failed:
            raise DeliveryError(f"{len(self._failed)} records not delivered, the first because: {self._failed[0]}")

    def forget(self) -> None:
        """Lets flushes succeed again after a failed delivery. For one thread alone, which knows what it sent."""
        self._failed.clear()

    def _note(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._failed.append(f"{message.topic()}: {error.str()}")


def _tell(error: KafkaError) -> None:
    log.warning("Kafka: %s", error.str())
