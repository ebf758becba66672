"""Follows the calendar: what is decided about each day, as every worker and tool learns it."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable

from laurel.streams.calendar import Calendar, tell
from laurel.streams.codec import Codec
from laurel.streams.days import CLOSED, RANK, Days, Record
from laurel.streams.dead_letters import DeadLetter
from laurel.streams.settings import Settings

POLL = 0.1  # seconds; a record is seen at once, this only bounds how long stopping takes
FOREIGN = 1_000  # records that don't belong into the calendar remembered, at most


class CalendarFollower:
    """The newest calendar record of each day, kept up by a thread; waits happen on the event loop that started it."""

    def __init__(self, settings: Settings, codec: Codec, tell: Callable[[Record], None] = lambda _record: None) -> None:
        self._settings, self._codec, self._tell = settings, codec, tell
        self._days = Days()
        self.overtaken: frozenset[int] = frozenset()  # see Days
        self.foreign: deque[DeadLetter] = deque(maxlen=FOREIGN)  # what was skipped, to be taken from the left
        self._changed = asyncio.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._failure: Exception | None = None

    async def start(self) -> None:
        """Reads the calendar to its present end and follows it from there. Raises CalendarError or MetadataError."""
        calendar = await asyncio.to_thread(Calendar, self._settings, self._codec, self._refuse)
        try:
            await asyncio.to_thread(calendar.catch_up)
        except BaseException:
            calendar.close()
            raise
        self._take(list(calendar.days.values()), calendar.days.overtaken)
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
                    before = calendar.days.overtaken
                    news = calendar.poll(POLL)
                    if news or calendar.days.overtaken != before:
                        loop.call_soon_threadsafe(self._take, news, calendar.days.overtaken)
            except Exception as error:
                self._failure = error
                loop.call_soon_threadsafe(self._wake)

    def _refuse(self, letter: DeadLetter) -> None:
        tell(letter)
        self.foreign.append(letter)

    def _take(self, news: list[Record], overtaken: frozenset[int]) -> None:
        self.overtaken = overtaken
        for record in news:
            self._days.take(record)
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
        """What is known of a day (since 1970-01-01); of one closed long ago, without the large arrays."""
        return self._days.get(day)

    @property
    def last_closed(self) -> int | None:
        """The newest closed day."""
        return self._days.last_closed

    def closed_before(self, day: int) -> Record | None:
        """The record of the newest closed day before one that is being closed."""
        return self._days.closed_before(day)

    @property
    def open_requests(self) -> list[int]:
        """Days that are to be closed and are not yet."""
        return self._days.open

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
