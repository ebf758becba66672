"""Letters sent again: each to the topic it came from, once, however often and by however many it is asked for.

Whoever replays opens a transactional producer of one name, so that Kafka refuses whoever did before. Only then it looks what was
replayed so far. A few thousand letters at a time are sent again in one transaction with the record that says so: both are there
or neither. A record sent again is a new record: it gets a new timestamp, which is when it was published, and is examined as
any other, because retention, the door's checks and what was closed meanwhile all go by that.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from time import monotonic

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from laurel.models.errors import LaurelError
from laurel.streams.codec import Codec
from laurel.streams.dead_letters import FIRST_ORIGIN
from laurel.streams.letters import MARK, MARK_RECORD, TOPIC, Letter, Letters, LettersError, Selection
from laurel.streams.outbox import producer_settings
from laurel.streams.settings import Settings

# Topics whose records a stage examines one by one. What the others held belongs to a close that is over, or may be older by
# now than another record of the same key.
DOORS = ("engagements", "influence")

BATCH = 5_000  # letters in a transaction
BATCH_BYTES = 8 << 20  # of keys and values in a transaction, about
# Kafka ends by itself what has lost its owner, and whatever came after it in the same partitions waits for that.
TRANSACTION = 30.0  # seconds
PATIENCE = 120.0  # seconds for Kafka to be ready, or to take a transaction
STEP = 5.0  # seconds a call may take before it is repeated
TRIES = 5  # transactions begun for the same letters
NAMED = 20  # letters that could not be sent, named one by one

Progress = Callable[[int], None]


@dataclass
class Replayed:
    """What came of a replay: letters sent (or, in a dry run, to be sent) by topic, those `already` sent before, and those `left`
    that can't be, of which the first few are named with the reason."""

    sent: Counter[str] = field(default_factory=Counter)
    already: int = 0
    left: int = 0
    named: list[tuple[str, str]] = field(default_factory=list)

    def leave(self, name: str, why: str) -> None:
        """One can't be sent."""
        self.left += 1
        if len(self.named) < NAMED:
            self.named.append((name, why))


class _RefusedError(LaurelError):
    """Kafka will never take one of a transaction's records."""


def replay(
    settings: Settings, codec: Codec, selection: Selection, *, dry_run: bool, progress: Progress = lambda _sent: None
) -> Replayed:
    """Sends the selected letters again that were not yet; `progress` is told how many were sent so far.

    What is selected but not there, or is from a topic that is none of DOORS, is left, and told of. Raises LettersError if
    another replay began meanwhile or Kafka fails: what was sent so far stays sent, and the rest can be asked for again.
    """
    writer = None if dry_run else _Writer(settings, codec)
    letters = Letters(settings, codec, wait=not dry_run)
    done, doors = Replayed(), {settings.topic(name) for name in DOORS}
    missing = {(partition, at) for partition, offsets in (selection.places or {}).items() for at in offsets}
    for batch in _batches(_waiting(letters, selection, doors, missing, done)):
        if writer is not None:
            writer.send(batch, done)
        else:
            done.sent.update(letter.refused.topic for letter in batch)
        progress(done.sent.total())
    for partition, offset in sorted(missing):
        done.leave(f"{partition}/{offset}", "there is no such dead letter")
    return done


def _waiting(
    letters: Letters, selection: Selection, doors: set[str], missing: set[tuple[int, int]], done: Replayed
) -> Iterator[Letter]:
    """The letters to be sent. Takes those that are there out of `missing`, and counts those that are not to be sent."""
    for batch in letters.among(selection):
        for letter in batch:
            missing.discard((letter.partition, letter.offset))
            if letter.replayed:
                done.already += 1
            elif letter.refused.topic in doors:
                yield letter
            else:
                done.leave(
                    letter.id,
                    f"it came from {letter.refused.topic}, and only {' and '.join(sorted(doors))} are sent to again",
                )


def _batches(letters: Iterator[Letter]) -> Iterator[list[Letter]]:
    batch: list[Letter] = []
    size = 0
    for letter in letters:
        batch.append(letter)
        size += len(letter.refused.value or b"") + len(letter.refused.key or b"")
        if len(batch) == BATCH or size > BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


class _Writer:
    """Sends letters again in transactions, under a name that has one owner."""

    def __init__(self, settings: Settings, codec: Codec) -> None:
        """Takes the name over: what another replay had begun and not committed is dropped. Raises LettersError."""
        self._codec, self._letters = codec, settings.topic(TOPIC)
        self._producer = Producer(
            producer_settings(settings.servers)
            | {
                "transactional.id": f"{self._letters}-replay",
                "transaction.timeout.ms": int(TRANSACTION * 1000),
                "delivery.timeout.ms": int(TRANSACTION * 1000),
                "batch.size": 1 << 19,  # below what the doors take
                "log_level": 0,
            }
        )
        self._until_done(self._producer.init_transactions)

    def send(self, letters: Sequence[Letter], done: Replayed, *, named: bool = True) -> None:
        """Sends letters, all or none; if Kafka will not have one of them, the others. `named`: with their first origin.

        A letter that is too large for one more header goes without.
        """
        try:
            self._transact(letters, named=named)
            done.sent.update(letter.refused.topic for letter in letters)
        except _RefusedError as refused:
            if len(letters) > 1:
                middle = len(letters) // 2
                self.send(letters[:middle], done)
                self.send(letters[middle:], done)
            elif named:
                self.send(letters, done, named=False)
            else:
                done.leave(letters[0].id, str(refused))

    def _transact(self, letters: Sequence[Letter], *, named: bool) -> None:
        """Sends letters, all or none. Raises _RefusedError for what Kafka will never take, and LettersError."""
        left = TRIES
        while failed := self._attempt(letters, named=named):
            if failed.code() in _FOR_GOOD:
                raise _RefusedError(f"Kafka will not take it: {failed.str()}")
            # The client fails one transaction more for what became of the one before; that mends itself.
            left -= 1
            if not left:
                raise LettersError(
                    f"Kafka did not take {len(letters)} letters ({failed.str()}), and none of them was sent: "
                    "ask for the replay again"
                )

    def _attempt(self, letters: Sequence[Letter], *, named: bool) -> KafkaError | None:
        """One transaction; what made it fail, if it did and is dropped."""
        errors: list[KafkaError] = []

        def report(error: KafkaError | None, _message: Message) -> None:
            if error is not None:
                errors.append(error)

        places: dict[int, list[int]] = {}
        try:
            self._producer.begin_transaction()
            for letter in letters:
                refused = letter.refused
                headers: list[tuple[str, str | bytes | None]] = list(refused.headers)
                if named and all(name != FIRST_ORIGIN for name, _ in headers):
                    headers.append((FIRST_ORIGIN, refused.origin.encode()))
                self._producer.produce(refused.topic, refused.value, refused.key, headers=headers, on_delivery=report)
                places.setdefault(letter.partition, []).append(letter.offset)
            for partition, offsets in places.items():
                mark = self._codec.encode_one(MARK_RECORD, {"offsets": offsets})
                self._producer.produce(self._letters, mark, MARK, partition=partition, on_delivery=report)
            self._until_done(self._producer.commit_transaction)
        except KafkaException as problem:
            error: KafkaError = problem.args[0]
            if error.fatal() or error.code() in _TAKEN_OVER:
                raise _taken_over() from None
            self._until_done(self._producer.abort_transaction)
            return next((each for each in errors if each.code() in _FOR_GOOD), error)
        return None

    def _until_done(self, step: Callable[[float], object]) -> None:
        """Repeats what may be repeated. Raises LettersError, and KafkaException for what makes a transaction fail."""
        deadline = monotonic() + PATIENCE
        while True:
            try:
                step(STEP)
                return
            except KafkaException as problem:
                error: KafkaError = problem.args[0]
                if error.fatal() or error.code() in _TAKEN_OVER:
                    raise _taken_over() from None
                if error.txn_requires_abort():
                    raise
                if not error.retriable() or monotonic() > deadline:
                    raise LettersError(f"Kafka is not ready for a replay: {error.str()}") from None


def _taken_over() -> LettersError:
    return LettersError(
        "another replay has begun meanwhile, and this one ends: what it has sent stays sent, and `laurel dead-letters list` "
        "tells what was replayed"
    )


# The client's own names begin with an underscore; they are public all the same.
_TAKEN_OVER = {KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH}  # noqa: SLF001
_FOR_GOOD = {KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE, KafkaError.INVALID_RECORD}
