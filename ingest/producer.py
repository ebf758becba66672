"""Publishing engagements to Kafka from a service, a tool or a file, with every delivery verified."""

from collections.abc import Iterable
from types import TracebackType
from typing import Self

import pyarrow as pa

from laurel.ingest.records import Engagement, check, conform, keys
from laurel.streams.codec import Codec
from laurel.streams.metadata import count_partitions
from laurel.streams.outbox import DeliveryError, Outbox, Output

TOPIC = "engagements"
_SLICE = 10_000  # rows encoded and queued at a time


class Producer:
    """Publishes engagements, in order for each actor, none lost and none doubled by retries.

    The key is the actor, or the target if there is none, and decides the partition as it does for Kafka's Java clients.
    When the queue is full, sending waits. Nothing is known to be published before `flush` returns, or the `with` block
    ends.

        with Producer("localhost:9092") as producer:
            now = datetime.now(UTC)
            producer.send(Engagement("like-7", "twitter", "like", "twitter:42", now, actor="twitter:7"))

    For one thread at a time.
    """

    def __init__(self, bootstrap: str, topic_prefix: str = "", *, codec: Codec | None = None) -> None:
        """Raises MetadataError if no broker answers or the topic doesn't exist."""
        self._topic = f"{topic_prefix}{TOPIC}"
        count_partitions(bootstrap, self._topic)  # a topic that isn't there shows now, not minutes later
        self._codec = codec or Codec()
        self._outbox = Outbox(bootstrap)

    def send(self, engagement: Engagement) -> None:
        """Queues one engagement; EngagementError names the field whose type or form is wrong."""
        row = engagement.row()
        key = row["actor"] or row["target"]
        self._outbox.send(Output(self._topic, [key.encode()], [self._codec.encode_one("Engagement", row)]))

    def send_all(self, engagements: Iterable[Engagement]) -> None:
        """Queues them in order, checked like `send`."""
        for engagement in engagements:
            self.send(engagement)

    def send_batch(self, batch: pa.RecordBatch) -> None:
        """Queues columns (those of records.SCHEMA; optional ones may be left out) in row order.

        Nothing of the batch is queued if EngagementError is raised, which names field, value and event.
        """
        rows = conform(batch)
        check(rows)
        self.send_unchecked(rows)

    def send_unchecked(self, batch: pa.RecordBatch) -> None:
        """Queues columns of records.SCHEMA whatever they hold: the agents refuse what is wrong, with a reason."""
        for start in range(0, batch.num_rows, _SLICE):
            rows = batch.slice(start, _SLICE)
            values = self._codec.encode("Engagement", rows)
            self._outbox.send(Output(self._topic, keys(rows), values))

    def flush(self) -> None:
        """Waits until everything sent since the last flush has arrived; DeliveryError says what didn't, and why."""
        try:
            self._outbox.flush()
        finally:
            self._outbox.forget()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.flush()
        except DeliveryError as failure:
            if error is None:
                raise
            error.add_note(str(failure))
