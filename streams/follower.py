"""Follows the calendar: what is decided about each day, as every worker and tool learns it."""

import asyncio
import threading
from collections.abc import Callable

from laurel.streams.calendar import CALIBRATED, CLOSED, REQUESTED, Calendar, Record
from laurel.streams.codec import Codec
from laurel.streams.settings import Settings

POLL = 0.1  # seconds; a record is seen at once, this only bounds how long stopping takes
RANK = {REQUESTED: 0, CALIBRATED: 1, CLOSED: 2}


class CalendarFollower:
    """The newest calendar record of each day, kept up by a thread; waits happen on the event loop that started it."""

    def __init__(self, settings: Settings, codec: Codec, tell: Callable[[Record], None] = lambda _record: None) -> None:
        self._settings, self._codec, self._tell = settings, codec, tell
        self._days: dict[int, Record] = {}
        self._changed = asyncio.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._failure: Exception | None = None

    async def start(self) -> None:
        """Reads the calendar to its present end and follows it from there. Raises CalendarError or MetadataError."""
        calendar = await asyncio.to_thread(Calendar, self._settings, self._codec)
        self._days = dict(await asyncio.to_thread(calendar.catch_up))
        for record in self._days.values():
            self._tell(record)
        loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._follow, args=(loop, calendar), name="calendar", daemon=True)
        self._thread.start()

    async def stop(self) -> None:
        """Ends the thread."""
        self._stopping.set()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)

    def _follow(self, loop: asyncio.AbstractEventLoop, calendar: Calendar) -> None:
        with calendar:
            try:
                while not self._stopping.is_set():
                    news = calendar.poll(POLL)
                    if news:
                        loop.call_soon_threadsafe(self._take, news)
            except Exception as error:
                self._failure = error
                loop.call_soon_threadsafe(self._wake)

    def _take(self, news: list[Record]) -> None:
        for record in news:
            self._days[record["day"]] = record
            self._tell(record)
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def _raise(self) -> None:
        if self._failure is not None:
            raise self._failure

    async def failure(self) -> Exception:
        """What ended the following, once it has."""
        while self._failure is None:
            await self._changed.wait()
        return self._failure

    def day(self, day: int) -> Record | None:
        """What is known of a day (since 1970-01-01)."""
        return self._days.get(day)

    @property
    def last_closed(self) -> int | None:
        """The newest closed day."""
        return max((day for day, record in self._days.items() if record["status"] == CLOSED), default=None)

    def closed_before(self, day: int) -> Record | None:
        """The record of the newest closed day before one."""
        days = [other for other, record in self._days.items() if other < day and record["status"] == CLOSED]
        return self._days[max(days)] if days else None

    @property
    def open_requests(self) -> list[int]:
        """Days that are to be closed and are not yet."""
        return sorted(day for day, record in self._days.items() if record["status"] != CLOSED)

    async def wait(self, day: int, status: str) -> Record:
        """The record of a day once its status is at least the one given."""
        while True:
            self._raise()
            record = self._days.get(day)
            if record is not None and RANK[record["status"]] >= RANK[status]:
                return record
            await self._changed.wait()

    async def wait_closed(self, day: int) -> Record:
        """The record of a day once it is closed."""
        return await self.wait(day, CLOSED)
