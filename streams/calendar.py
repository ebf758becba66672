"""The calendar read: which days were asked to be closed, which are, and what was decided."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from time import monotonic
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Message, TopicPartition

from laurel.models.errors import LaurelError
from laurel.streams.closeable import Closeable
from laurel.streams.codec import Codec
from laurel.streams.metadata import count_partitions
from laurel.streams.reader import consumer_settings
from laurel.streams.settings import Settings

REQUESTED, CALIBRATED, CLOSED = "requested", "calibrated", "closed"
ANSWER_WITHIN = 30.0  # seconds for Kafka to say what the calendar holds
LOOK_EVERY = 0.1  # seconds a poll may wait for news
_EPOCH = date(1970, 1, 1).toordinal()
_RANK = {REQUESTED: 0, CALIBRATED: 1, CLOSED: 2}

Record = dict[str, Any]


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


class Calendar(Closeable):
    """The newest record of each day, for tools that wait step by step.

    `days` maps days since 1970-01-01 to Calendar records.
    """

    def __init__(self, settings: Settings, codec: Codec) -> None:
        """Raises MetadataError if no broker answers or there is no calendar."""
        self.days: dict[int, Record] = {}
        self._codec = codec
        self._topic = settings.topic("calendar")
        count_partitions(settings.servers, self._topic)
        self._place = TopicPartition(self._topic, 0, OFFSET_BEGINNING)
        self._consumer = Consumer(consumer_settings(settings.servers))
        self._consumer.assign([self._place])

    def catch_up(self, timeout: float = ANSWER_WITHIN) -> dict[int, Record]:
        """Reads to the calendar's present end and returns `days`; CalendarError if it takes over `timeout` seconds."""
        deadline = monotonic() + timeout
        try:
            begin, end = self._consumer.get_watermark_offsets(self._place, timeout=timeout)
        except KafkaException as error:
            raise CalendarError(f"the end of {self._topic} can't be read: {error.args[0].str()}") from None
        while begin < end and self._consumer.position([self._place])[0].offset < end:
            if monotonic() > deadline:
                raise CalendarError(f"{self._topic} could not be read within {timeout:.0f} s")
            self.poll(LOOK_EVERY)
        return self.days

    def poll(self, timeout: float) -> list[Record]:
        """The records that arrived, waiting at most `timeout` seconds for the first; `days` has them too."""
        news = []
        for message in self._consumer.consume(1, timeout) + self._consumer.consume(1_000, 0):
            record = self._take(message)
            if record is not None:
                news.append(record)
        return news

    def close(self) -> None:
        """Lets go of the connection."""
        self._consumer.close()

    def _take(self, message: Message) -> Record | None:
        error, value = message.error(), message.value()
        if error is not None:
            if error.retriable():
                return None
            raise CalendarError(f"{self._topic} can't be read: {error.str()}")
        if value is None:
            return None
        name, record = self._codec.decode_one(value)
        if name != "Calendar":
            raise CalendarError(f"{self._topic} has a {name} at offset {message.offset()}, not a Calendar record")
        known = self.days.get(record["day"])
        if known is not None and _RANK[known["status"]] > _RANK[record["status"]]:
            return None  # two that ask for the same day at once: what was decided stands
        self.days[record["day"]] = record
        return record


def requested(day: int, model: str) -> Record:
    """The Calendar record of a day that was asked for and about which nothing is decided yet."""
    return {
        "day": day,
        "status": REQUESTED,
        "model": model,
        "r0": None,
        "people": 0,
        "mean": None,
        "histogram": [],
        "percentiles": [],
        "bins": [],
        "reactions_per_post": [],
        "score_offsets": [],
        "closed_days": 0,
        "published": 0,
    }


def read(settings: Settings, codec: Codec | None = None) -> dict[int, Record]:
    """The newest Calendar record of each day, day since 1970-01-01 to record, as of now. Raises CalendarError."""
    with Calendar(settings, codec or Codec()) as calendar:
        return calendar.catch_up()


def follow(settings: Settings, codec: Codec | None = None) -> Iterator[Record]:
    """All calendar records there are and then each as it arrives, for ever. Raises CalendarError."""
    with Calendar(settings, codec or Codec()) as calendar:
        while True:
            yield from calendar.poll(LOOK_EVERY)


def closed(record: Record) -> bool:
    """Whether the record says that its day is closed."""
    return bool(record["status"] == CLOSED)


def last_closed(days: dict[int, Record]) -> int | None:
    """The newest closed day of a calendar, None if there is none."""
    return max((day for day, record in days.items() if closed(record)), default=None)


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
