"""Follows the calendar: what is decided about each day, as every worker and tool learns it."""

import asyncio
import threading
from collections.abc import Callable, Mapping
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from laurel.streams.codec import Codec
from laurel.streams.reader import ReadError, consumer_settings, ends
from laurel.streams.settings import Settings

Day = Mapping[str, Any]

POLL = 0.1  # seconds; a record is seen at once, this only bounds how long stopping takes
RANK = {"requested": 0, "calibrated": 1, "closed": 2}


class CalendarFollower:
    """The newest calendar record of each day, kept up by a thread; waits happen on the event loop that started it."""

    def __init__(self, settings: Settings, codec: Codec, tell: Callable[[Day], None] = lambda day: None) -> None:
        self._settings, self._codec, self._tell = settings, codec, tell
        self._days: dict[int, Day] = {}
        self._changed = asyncio.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._failure: Exception | None = None

    async def start(self) -> None:
        """Reads the calendar to its present end and follows it from there."""
        loop = asyncio.get_running_loop()
        topic = self._settings.topic("calendar")
        _, end = await asyncio.to_thread(ends, self._settings.servers, topic, 0)
        caught_up = asyncio.Event()
        self._thread = threading.Thread(target=self._follow, args=(loop, topic, end, caught_up), name="calendar", daemon=True)
        self._thread.start()
        await caught_up.wait()
        self._raise()

    async def stop(self) -> None:
        """Ends the thread."""
        self._stopping.set()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)

    def _follow(self, loop: asyncio.AbstractEventLoop, topic: str, end: int, caught_up: asyncio.Event) -> None:
        reader = Consumer(consumer_settings(self._settings.servers))
        try:
            reader.assign([TopicPartition(topic, 0, 0)])
            at = 0
            while not self._stopping.is_set():
                if at >= end and not caught_up.is_set():
                    loop.call_soon_threadsafe(caught_up.set)
                messages = reader.consume(1_000, timeout=POLL)
                records = []
                for message in messages:
                    if message.error() is not None:
                        raise ReadError(f"{topic}: {message.error().str()}")
                    at = message.offset() + 1
                    if message.value() is not None:
                        records.append(self._codec.decode_one(message.value())[1])
                if not messages:
                    at = max(at, reader.position([TopicPartition(topic, 0)])[0].offset)
                if records:
                    loop.call_soon_threadsafe(self._take, records)
        except Exception as error:
            self._failure = error
            loop.call_soon_threadsafe(self._wake)
            loop.call_soon_threadsafe(caught_up.set)
        finally:
            reader.close()

    def _take(self, records: list[Day]) -> None:
        for record in records:
            known = self._days.get(record["day"])
            # A record repeated after a crash must not take a day back.
            if known is None or RANK[record["status"]] >= RANK[known["status"]]:
                self._days[record["day"]] = record
                self._tell(record)
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def _raise(self) -> None:
        if self._failure is not None:
            raise self._failure

    def day(self, day: int) -> Day | None:
        """What is known of a day (since 1970-01-01)."""
        return self._days.get(day)

    @property
    def last_closed(self) -> int | None:
        """The newest closed day."""
        return max((day for day, record in self._days.items() if record["status"] == "closed"), default=None)

    def closed_before(self, day: int) -> Day | None:
        """The record of the newest closed day before one."""
        days = [other for other, record in self._days.items() if other < day and record["status"] == "closed"]
        return self._days[max(days)] if days else None

    @property
    def open_requests(self) -> list[int]:
        """Days that are to be closed and are not yet."""
        return sorted(day for day, record in self._days.items() if record["status"] != "closed")

    async def wait(self, day: int, status: str) -> Day:
        """The record of a day once its status is at least the one given."""
        while True:
            self._raise()
            record = self._days.get(day)
            if record is not None and RANK[record["status"]] >= RANK[status]:
                return record
            await self._changed.wait()

    async def wait_closed(self, day: int) -> Day:
        """The record of a day once it is closed."""
        return await self.wait(day, "closed")
