"""Closes days by the clock, where a deployment wants that: each a set time after its midnight (UTC)."""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from laurel.agents.context import Context
from laurel.models.errors import LaurelError
from laurel.streams.calendar import CLOSED, day_of, iso
from laurel.streams.closing import write_markers

log = logging.getLogger(__name__)

LOOK_EVERY = 5.0  # seconds between looks at the clock


def due(now: datetime, after: timedelta) -> int:
    """The newest day (since 1970-01-01) that ended at least `after` ago, at an aware moment."""
    return day_of(now - after) - 1


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
    asked: int | None = None
    while True:
        day = due(now(), timedelta(minutes=minutes))
        known = context.calendar.day(day)
        if in_charge() and asked != day and (known is None or known["status"] != CLOSED):
            try:
                written = await asyncio.to_thread(
                    write_markers, context.settings, day, context.model.name, context.codec
                )
                asked = day
                log.info("asked for %s to be closed", ", ".join(map(iso, written)) or iso(day))
            except LaurelError as error:
                log.warning("could not ask for %s to be closed, trying again: %s", iso(day), error)
        await asyncio.sleep(LOOK_EVERY)
