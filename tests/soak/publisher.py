"""Sends the days and asks for them to be closed, through whatever happens to the broker; remembers where each record went."""

import time
from collections.abc import Callable
from typing import Any

import pyarrow as pa
from confluent_kafka import KafkaError, Message, Producer

from laurel.models.errors import LaurelError
from laurel.models.parameters import V1
from laurel.streams.closing import Closer
from laurel.streams.outbox import producer_settings
from tests.integration.comparison import Place
from tests.integration.pipeline import Pipeline
from tests.oracle.oracle import EVENT_COLUMNS
from tests.soak.course import STUCK, Course
from tests.soak.traffic import FIRST, Sent, Traffic, for_oracle, profiles

SLICES = 25  # of a day; a slice is sent when the one before has arrived
AGAIN = 0.5  # seconds
LATER = 2_000_000_000_000  # a record's timestamp as the oracle sees it: after all events


class Publisher:
    """Sends days of traffic into a pipeline, in order, each record once."""

    def __init__(self, pipeline: Pipeline, traffic: Traffic, course: Course) -> None:
        self._pipeline, self._traffic, self._course = pipeline, traffic, course
        self._topic = pipeline.settings.topic("engagements")
        lasting = {"delivery.timeout.ms": int(STUCK * 1000), "error_cb": lambda _error: None, "log_level": 0}
        self._producer = Producer(producer_settings(pipeline.settings.servers) | lasting)
        self._rows: list[dict[str, Any]] = []
        self._places: list[Place | None] = []  # of each row
        self._unreadable: dict[Place, str] = {}
        self._failed: list[str] = []

    def run(self, days: int, ready: Callable[[int], bool]) -> None:
        """Sends and closes so many days; a day is begun once `ready` says so and all but the one before it are closed."""
        self._pipeline.produce("profiles", profiles(self._pipeline.codec))
        for day in range(days):
            self._course.wait(lambda day=day: ready(day) and self._course.is_closed(day - 2), f"day {day} to begin")
            records = self._traffic.day(day)
            for number in range(SLICES):
                part = records[number * len(records) // SLICES : (number + 1) * len(records) // SLICES]
                self._send(part, day)
                self._course.send(day, (number + 1) / SLICES, len(part))
            self._ask(FIRST + day)
        self._course.wait(lambda: ready(days) and self._course.is_closed(days - 1), "the last day to be closed")

    @property
    def events(self) -> pa.Table:
        """What was sent and can be read, as the oracle wants it."""
        return pa.Table.from_pylist(self._rows, schema=pa.schema(EVENT_COLUMNS))

    def letters(self, refused: pa.Table) -> dict[Place, str]:
        """The dead letters there have to be, and why, given the oracle's."""
        places = {self._places[row["seq"]]: row["reason"] for row in refused.to_pylist()}
        return self._unreadable | {place: reason for place, reason in places.items() if place is not None}

    def counted(self, weights: pa.Table) -> set[Place]:
        """Where the events are that the oracle has weighed."""
        return {place for seq in weights["seq"].to_pylist() if (place := self._places[seq]) is not None}

    def _send(self, part: list[Sent], day: int) -> None:
        for record in part:
            self._producer.produce(self._topic, record.value, record.key, on_delivery=self._arrival(record))
            if record.event is not None:
                epoch = FIRST + day if day else None  # no marker was there before the first day's
                self._rows.append(
                    {**for_oracle(record.event), "seq": len(self._rows), "epoch": epoch, "record_ts": LATER}
                )
                self._places.append(None)
        left = self._producer.flush(STUCK)
        assert not left, f"{left} events could not be sent"
        assert not self._failed, f"an event could not be sent: {self._failed[0]}"

    def _arrival(self, record: Sent) -> Callable[[KafkaError | None, Message], None]:
        row = len(self._rows)

        def arrived(error: KafkaError | None, message: Message) -> None:
            place = (self._topic, message.partition(), message.offset())
            if error is not None:
                self._failed.append(error.str())
            elif record.event is None:
                self._unreadable[place] = record.reason
            else:
                self._places[row] = place

        return arrived

    def _ask(self, day: int) -> None:
        """Asking twice does no harm, so it is asked until it has worked."""
        deadline = time.monotonic() + STUCK
        while True:
            try:
                with Closer(self._pipeline.settings, V1.name, self._pipeline.codec) as closer:
                    closer.request(day)
                return
            except LaurelError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(AGAIN)
