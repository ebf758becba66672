"""The calendar read: which days were asked to be closed, which are, and what was decided."""

import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from time import monotonic, sleep

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from laurel.models.errors import LaurelError
from laurel.streams.closeable import Closeable
from laurel.streams.codec import Codec
from laurel.streams.days import RANK, REQUESTED, Days, Record, closed
from laurel.streams.dead_letters import DeadLetter, from_message
from laurel.streams.log import Message
from laurel.streams.metadata import count_partitions
from laurel.streams.reader import consumer_settings
from laurel.streams.settings import Settings

ANSWER_WITHIN = 30.0  # seconds for Kafka to say what the calendar holds
GONE = (KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.GROUP_AUTHORIZATION_FAILED)  # what waiting doesn't mend
LOOK_EVERY = 0.1  # seconds a poll may wait for news
_EPOCH = date(1970, 1, 1).toordinal()
LAST = date.max.toordinal() - _EPOCH  # the last day that has a date

Refuse = Callable[[DeadLetter], None]

log = logging.getLogger(__name__)


class CalendarError(LaurelError):
    """The calendar can't be read, or a day can't be closed; the message names the day or topic."""


def iso(day: int) -> str:
    """A day since 1970-01-01 as YYYY-MM-DD."""
    return date.fromordinal(day + _EPOCH).isoformat()


def day_number(day: date) -> int:
    """A date as days since 1970-01-01."""
    return day.toordinal() - _EPOCH


def day_of(moment: datetime) -> int:
    """The UTC day of an aware moment, days since 1970-01-01."""
    return day_number(moment.astimezone(UTC).date())


def day_key(day: int) -> bytes:
    """The record key of a day: its number in decimal digits."""
    return str(day).encode()


def tell(letter: DeadLetter) -> None:
    """Logs a record that doesn't belong into the calendar."""
    log.error("%s is skipped (%s): %s", letter.origin, letter.reason, letter.message)


class Calendar(Closeable):
    """The newest record of each day, for tools that wait step by step.

    `days` maps days since 1970-01-01 to Calendar records. What is no such record is skipped, and `refuse` is told.
    """

    def __init__(self, settings: Settings, codec: Codec, refuse: Refuse = tell) -> None:
        """Raises MetadataError if no broker answers or there is no calendar."""
        self.days = Days()
        self._codec, self._refuse = codec, refuse
        self._topic = settings.topic("calendar")
        count_partitions(settings.servers, self._topic)
        self._place = TopicPartition(self._topic, 0, OFFSET_BEGINNING)
        self._consumer = Consumer(consumer_settings(settings.servers))
        self._consumer.assign([self._place])

    def catch_up(self, timeout: float = ANSWER_WITHIN) -> dict[int, Record]:
        """Reads to the calendar's present end and returns `days`; CalendarError if it takes over `timeout` seconds."""
        deadline = monotonic() + timeout
        begin, end = self._ends(deadline)
        while begin < end and self._consumer.position([self._place])[0].offset < end:
            if monotonic() > deadline:
                raise CalendarError(f"{self._topic} could not be read within {timeout:.0f} s")
            self.poll(LOOK_EVERY)
        return self.days

    def poll(self, timeout: float) -> list[Record]:
        """The records that arrived, waiting at most `timeout` seconds for the first; `days` has them too."""
        messages: list[Message] = []
        for message in self._consumer.consume(1, timeout) + self._consumer.consume(1_000, 0):
            error = message.error()
            if error is None:
                messages.append(message)
            elif error.code() in GONE:
                raise CalendarError(f"{self._topic} can't be read: {error.str()}")
            else:
                log.info("%s can't be read at the moment: %s", self._topic, error.str())
        return [record for record in decoded(self._codec, messages, self._refuse) if self.days.take(record)]

    def close(self) -> None:
        """Lets go of the connection."""
        self._consumer.close()

    def _ends(self, deadline: float) -> tuple[int, int]:
        while True:
            left = max(deadline - monotonic(), LOOK_EVERY)
            try:
                low, high = self._consumer.get_watermark_offsets(self._place, timeout=left)
                return int(low), int(high)
            except KafkaException as error:
                # A broker just back may not have found itself yet.
                if monotonic() > deadline:
                    raise CalendarError(f"the end of {self._topic} can't be read: {error.args[0].str()}") from None
                sleep(LOOK_EVERY)


def decoded(codec: Codec, messages: Sequence[Message], refuse: Refuse = lambda _letter: None) -> list[Record]:
    """The Calendar records among messages of the calendar, in order; `refuse` is told of what is none."""
    found, records = codec.decode([message.value() for message in messages]), dict[int, Record]()
    for bad in found.errors:
        if bad.reason != "empty_value":  # compaction's word for: forgotten
            refuse(from_message(messages[bad.position], bad.reason, bad.message))
    for name, rows in found.batches.items():
        for position, record in zip(rows.positions.tolist(), rows.table.to_pylist(), strict=True):
            wrong = _wrong(name, record, messages[position])
            if wrong:
                refuse(from_message(messages[position], "unexpected_record", wrong))
            else:
                records[position] = record
    return [record for _, record in sorted(records.items())]


def _wrong(name: str, record: Record, message: Message) -> str | None:
    """Why a decoded record does not belong here, None if it does."""
    if name != "Calendar":
        return f"a {name} does not belong into the calendar"
    if record["status"] not in RANK:
        return f"there is no status {record['status']!r}"
    if not 0 <= record["day"] <= LAST:
        return f"there is no day {record['day']}"
    if message.key() != day_key(record["day"]):
        return f"the key is not {record['day']}, the day"
    return None


def requested(day: int, model: str, shadows: Sequence[str] = ()) -> Record:
    """The Calendar record of a day that was asked for, by a model and with others in its shadow, and about which nothing is
    decided yet."""
    return {
        "day": day,
        "status": REQUESTED,
        "model": model,
        "parameters": "",
        "r0": None,
        "people": 0,
        "mean": None,
        "histogram": [],
        "percentiles": [],
        "bins": [],
        "reactions_per_post": [],
        "measured": [],
        "score_offsets": [],
        "closed_days": 0,
        "published": 0,
        "shadow_models": list(shadows),
        "shadows": [],
    }


def read(settings: Settings, codec: Codec | None = None) -> Days:
    """The newest Calendar record of each day, as of now. Raises CalendarError."""
    with Calendar(settings, codec or Codec()) as calendar:
        calendar.catch_up()
        return calendar.days


def follow(settings: Settings, codec: Codec | None = None) -> Iterator[Record]:
    """All calendar records there are and then each as it arrives, for ever. Raises CalendarError."""
    with Calendar(settings, codec or Codec()) as calendar:
        while True:
            yield from calendar.poll(LOOK_EVERY)


def wait_closed(settings: Settings, day: int, timeout: float, codec: Codec | None = None) -> Record:
    """The Calendar record of `day` once it is closed; CalendarError if it isn't within `timeout` seconds."""
    deadline = monotonic() + timeout
    with Calendar(settings, codec or Codec()) as calendar:
        calendar.catch_up()
        while not closed(calendar.days.get(day, requested(day, ""))):
            if monotonic() > deadline:
                status = calendar.days[day]["status"] if day in calendar.days else "not requested"
                raise CalendarError(
                    f"{iso(day)} is not closed after {timeout:.0f} s (it is {status}): "
                    "is a worker running on the same bootstrap and topic prefix?"
                )
            calendar.poll(LOOK_EVERY)
        return calendar.days[day]
