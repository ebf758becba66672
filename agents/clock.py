"""Closes days by the clock, where a deployment wants that: each a set time after its midnight (UTC).

A machine's clock may be wrong. One that is behind closes late, which does no harm. One that jumps ahead would close days
that are not over: so a jump is believed only after it has lasted, and a clock that is years ahead of the calendar not at all.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from time import monotonic

from laurel.agents.context import Context
from laurel.agents.day_model import shadows_of_day
from laurel.models.errors import LaurelError
from laurel.streams.calendar import day_of, iso
from laurel.streams.closing import write_markers

LOOK_EVERY = 5.0  # seconds between looks at the clock
JUMP = 60.0  # seconds that the clock may run ahead of the time that has passed
BELIEVED_AFTER = 600.0  # seconds that it must stay ahead to be believed, as after a suspended machine wakes up
MOST = 400  # missed days that are closed by the clock; more are closed by hand, or the clock is wrong

log = logging.getLogger(__name__)


def due(now: datetime, after: timedelta) -> int:
    """The newest day (since 1970-01-01) that ended at least `after` ago, at an aware moment."""
    return day_of(now - after) - 1


class Clock:
    """The machine's clock, held against the time that has passed."""

    def __init__(self, now: Callable[[], datetime], passed: Callable[[], float]) -> None:
        """`passed` is seconds since whenever, and never jumps."""
        self._now, self._passed = now, passed
        self._ahead: float | None = None  # seconds since 1970 less seconds passed, as believed
        self._doubted: tuple[float, float] | None = (
            None  # such a difference not yet believed, and when it was first seen
        )

    def now(self) -> datetime | None:
        """The time; None while the clock is in doubt, having jumped ahead."""
        now, passed = self._now(), self._passed()
        ahead = now.timestamp() - passed
        if self._ahead is None or ahead <= self._ahead + JUMP:
            self._ahead, self._doubted = ahead, None
            return now
        if self._doubted is None or abs(ahead - self._doubted[0]) > JUMP:
            log.warning("the clock jumped %.0f s ahead: no day is closed until that has lasted", ahead - self._ahead)
            self._doubted = ahead, passed
        if passed - self._doubted[1] < BELIEVED_AFTER:
            return None
        self._ahead, self._doubted = ahead, None
        return now


def wanted(now: datetime | None, after: timedelta, last_closed: int | None) -> int | None:
    """The day to ask for, None if there is none: days close in order, so none at or before the last closed one."""
    if now is None:
        return None
    day = due(now, after)
    return None if day < 0 or (last_closed is not None and day <= last_closed) else day


async def close_days(
    context: Context,
    in_charge: Callable[[], bool],
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> None:
    """Asks for the day that is due, and those missed before it, for ever; does nothing if the setting says never.

    Only while `in_charge`, which one worker of a group is. A day is asked for once by each worker in charge, so one that an
    earlier worker had only begun to ask for is asked for again. Kafka being away for a while is logged and tried again.
    """
    minutes = context.settings.close_after_minutes
    if minutes < 0:
        return
    clock, asked = Clock(now, monotonic), None
    while True:
        last = context.calendar.last_closed
        day = wanted(clock.now(), timedelta(minutes=minutes), last)
        if day is not None and in_charge() and asked != day:
            if last is not None and day - last > MOST:
                log.error(
                    "the clock says that %s is to be closed, and the last closed day is %s: if so many days were missed, "
                    "close the first of them with `laurel close-day`, else mend the clock",
                    iso(day),
                    iso(last),
                )
                asked = day
            elif await _ask(context, day):
                asked = day
        await asyncio.sleep(LOOK_EVERY)


async def _ask(context: Context, day: int) -> bool:
    try:
        # By the models as this worker knows them: whatever has become of a shadow's file, its day doesn't wait for it.
        settings, model = context.settings, context.model
        shadows = [shadow.name for shadow in shadows_of_day(context, settings.shadow_models, model, day)]
        written = await asyncio.to_thread(
            write_markers, settings, day, model.name, context.codec, shadows, context.models
        )
    except LaurelError as error:
        log.warning("could not ask for %s to be closed, trying again: %s", iso(day), error)
        return False
    log.info("asked for %s to be closed", ", ".join(map(iso, written)) or iso(day))
    return True
