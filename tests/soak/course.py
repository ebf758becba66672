"""How far the days have come: what was sent, and what the calendar says; whoever waits for it is told."""

import threading
from collections.abc import Callable
from time import monotonic

from laurel.streams.calendar import Calendar
from laurel.streams.codec import Codec
from laurel.streams.settings import Settings
from tests.soak.schedule import CALIBRATED, CLOSED, REQUESTED, SENDING, Action
from tests.soak.traffic import FIRST

STUCK = 600.0  # seconds without anything having come further, with everything started again that was ended
LOOK = 0.2  # seconds
RANKS = {REQUESTED: 1, CALIBRATED: 2, CLOSED: 3}


class StuckError(AssertionError):
    """Nothing goes on."""


class Course:
    """Where a round is. Days are counted from 0."""

    def __init__(self, settings: Settings, codec: Codec) -> None:
        self.closed = 0  # days
        self.events = 0  # sent
        self._sent = (0, 0.0)
        self._ranks: dict[int, int] = {}
        self._told = threading.Condition()
        self._ending = threading.Event()
        self._moved = monotonic()
        self._calendar = Calendar(settings, codec)
        self._follower = threading.Thread(target=self._follow, name="calendar")
        self._follower.start()

    def close(self) -> None:
        """Follows no longer."""
        self._ending.set()
        self._follower.join()

    def send(self, day: int, share: float, events: int) -> None:
        """So much of a day was sent, with so many more events."""
        with self._told:
            self._sent, self.events, self._moved = (day, share), self.events + events, monotonic()
            self._told.notify_all()

    def done(self) -> None:
        """Something was done that may be waited for."""
        with self._told:
            self._moved = monotonic()
            self._told.notify_all()

    def reached(self, action: Action) -> bool:
        """Whether it is time for something."""
        if action.phase == SENDING:
            return self._sent >= (action.day, action.share)
        return self._ranks.get(action.day, 0) >= RANKS[action.phase]

    def is_closed(self, day: int) -> bool:
        """Whether a day is closed; those before the first are."""
        return day < 0 or self._ranks.get(day, 0) == RANKS[CLOSED]

    def wait(self, until: Callable[[], bool], what: str) -> None:
        """Returns once `until` holds; StuckError if nothing goes on."""
        with self._told:
            while not until():
                if monotonic() - self._moved > STUCK:
                    raise StuckError(f"nothing has come further for {STUCK:.0f} s, waiting for {what}")
                self._told.wait(LOOK)

    def _follow(self) -> None:
        with self._calendar as calendar:
            while not self._ending.is_set():
                for record in calendar.poll(LOOK):
                    with self._told:
                        self._ranks[record["day"] - FIRST] = RANKS[record["status"]]
                        self.closed = sum(rank == RANKS[CLOSED] for rank in self._ranks.values())
                        self._moved = monotonic()
                        self._told.notify_all()
