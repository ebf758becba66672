"""What one owner writes to Kafka, all or nothing: a transaction for each checkpoint, and no word from owners of the past.

The name a writer is opened under belongs to whoever opened it last. From then on Kafka refuses whatever an earlier owner
still sends, and what that one had begun is as if it had not been: a worker that was stopped for longer than its session,
and wakes up when its partitions are somebody else's, can do no harm.
"""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Event
from time import monotonic
from typing import Any, Protocol

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from laurel.models.errors import LaurelError
from laurel.streams.outbox import DeliveryError, Output, Queue, producer_settings

# Longer than the client goes on trying to deliver a record, so that Kafka itself ends only what has lost its owner.
TRANSACTION_TIMEOUT = 600.0  # seconds
STEP = 1.0  # seconds until it is looked again whether waiting is still wanted
REMIND = 10.0  # seconds between two words on what is waited for
RETRY = 0.5  # seconds before a transaction that failed is begun again
GRACE = 5.0  # seconds in which a writer that is told to stop may finish what it is at

log = logging.getLogger(__name__)
_quiet = logging.getLogger(f"{__name__}.client")  # what goes wrong is raised, or told by reminders
_quiet.propagate = False
_quiet.addHandler(logging.NullHandler())

# The client's own names begin with an underscore; they are public all the same.
_TAKEN_OVER = {KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH}  # noqa: SLF001
_TRANSACTION_FAILED = {KafkaError._STATE, KafkaError._FATAL, KafkaError._PURGE_QUEUE}  # noqa: SLF001
_FOR_GOOD = {  # no use to try again
    KafkaError.MSG_SIZE_TOO_LARGE,
    KafkaError.RECORD_LIST_TOO_LARGE,
    KafkaError.INVALID_RECORD,
    KafkaError.POLICY_VIOLATION,
    KafkaError.TOPIC_EXCEPTION,
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001
    KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001
}


class FencedError(LaurelError):
    """Somebody else has opened a writer of the same name: nothing can be written under it from here any more."""


class StoppedError(LaurelError):
    """A writer was told to stop before Kafka said what became of its transaction: whoever opens the next one will see."""


class Transaction(Protocol):
    """What is being written: all of it will be visible, or nothing."""

    def send(self, output: Output) -> None:
        """Adds an output's records, in order; blocks while too much waits."""

    def send_raw(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes | None]]
    ) -> None:
        """Adds one record with headers."""

    def seal(self, topic: str, key: bytes, value: bytes, partition: int) -> None:
        """Adds the record whose offset is asked for; one in a transaction."""


class Writer:
    """Writes transactions under a name, by one thread at a time; only `stop` may come from another."""

    def __init__(self, servers: str, name: str, ending: Event) -> None:
        """Opens nothing yet. `ending` says that the whole process is to stop."""
        self.name = name
        self._ending, self._stopping, self._stop_at = ending, Event(), 0.0
        settings = {"transactional.id": name, "transaction.timeout.ms": int(TRANSACTION_TIMEOUT * 1000)}
        self._producer = Producer(
            producer_settings(servers) | settings | {"error_cb": lambda _error: None}, logger=_quiet
        )
        self._queue = Queue(self._producer, drain=self._drain)
        self._sealed = -1

    def open(self) -> None:
        """Takes the name over from whoever had it, waiting for Kafka as long as it takes.

        Raises DeliveryError if Kafka refuses, StoppedError if told to stop meanwhile.
        """
        self._until_done(self._enter, "to be let in")

    def transact(self, fill: Callable[[Transaction], None]) -> int:
        """Makes what `fill` adds visible, all at once; returns the offset of the record that was sealed, -1 without one.

        Where Kafka was away for so long that the transaction failed, `fill` is called again for another, as often as it takes.
        Raises FencedError, StoppedError, DeliveryError for what Kafka will never take, and whatever `fill` raises. The writer
        is of no more use then.
        """
        while not self._attempt(fill):
            self._stopping.wait(RETRY)
        return self._sealed

    def stop(self) -> None:
        """What is under way may take a little longer, then StoppedError ends it. From any thread."""
        self._stop_at = monotonic() + GRACE
        self._stopping.set()

    # A Transaction, for `fill`.

    def send(self, output: Output) -> None:
        """See Transaction."""
        self._queue.send(output)

    def send_raw(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes | None]]
    ) -> None:
        """See Transaction."""
        self._queue.send_raw(topic, key, value, headers)

    def seal(self, topic: str, key: bytes, value: bytes, partition: int) -> None:
        """See Transaction."""

        def report(error: KafkaError | None, message: Message) -> None:
            if error is None:
                self._sealed = int(message.offset() or 0)

        try:
            self._producer.produce(topic, value, key, partition=partition, on_delivery=report)
        except KafkaException as error:
            raise DeliveryError(f"{topic}: {error.args[0].str()}", error.args[0].code()) from None

    def _enter(self, timeout: float) -> None:
        # A client that has not met a broker yet looks again only half a second later.
        with suppress(KafkaException):
            self._producer.list_topics(timeout=timeout)
        self._producer.init_transactions(timeout)

    def _attempt(self, fill: Callable[[Transaction], None]) -> bool:
        """Whether a transaction succeeded; False if it is to be tried again."""
        self._sealed = -1
        try:
            self._producer.begin_transaction()
        except KafkaException as error:
            raise self._ended(error.args[0]) from None
        try:
            fill(self)
        except DeliveryError as error:
            if error.code not in _TRANSACTION_FAILED:
                self._leave()
                raise
            # What made the transaction fail, the commit says.
        except BaseException:
            self._leave()
            raise
        refusal = self._until_done(self._producer.commit_transaction, "to take a checkpoint")
        if refusal is None:
            return True
        if refusal.code() in _FOR_GOOD:
            self._leave()
            raise DeliveryError(f"{self.name}: {refusal.str()}", refusal.code())
        self._until_done(self._producer.abort_transaction, "to drop a transaction")
        log.warning("%s: trying again what Kafka did not take: %s", self.name, refusal.str())
        return False

    def _leave(self) -> None:
        """Readers need not wait for what won't be committed; if Kafka can't be told, the next owner does it."""
        with suppress(KafkaException):
            self._producer.abort_transaction(STEP)

    def _drain(self) -> None:
        began = told = monotonic()
        with suppress(KafkaException):  # of a transaction that failed, which the commit says
            while self._producer.flush(STEP):
                told = self._waiting(began, told, "to take records")

    def _until_done(self, step: Callable[[float], Any], aim: str) -> KafkaError | None:
        """Repeats what may be repeated; returns the error that makes the transaction one to be aborted, if there is one."""
        began = told = monotonic()
        while True:
            try:
                step(STEP)
                return None
            except KafkaException as failed:
                error: KafkaError = failed.args[0]
                if error.txn_requires_abort():
                    return error
                if error.fatal() or not error.retriable():
                    raise self._ended(error) from None
                told = self._waiting(began, told, aim)

    def _waiting(self, began: float, told: float, aim: str) -> float:
        now = monotonic()
        if self._ending.is_set() and not self._stopping.is_set():
            self.stop()
        if self._stopping.is_set() and now > self._stop_at:
            raise StoppedError(f"{self.name}: stopped while waiting for Kafka {aim}")
        if now - told < REMIND:
            return told
        log.warning("%s: waiting for Kafka %s, for %.0f s", self.name, aim, now - began)
        return now

    def _ended(self, error: KafkaError) -> LaurelError:
        if error.code() in _TAKEN_OVER:
            return FencedError(f"{self.name} belongs to another worker by now")
        return DeliveryError(f"{self.name}: {error.str()}", error.code())
