"""Keeps the calendar whole: what was decided stays in it, and what doesn't belong there is kept as dead letters.

Two that ask for the same day at once may write `requested` after what was decided since. Readers know better, but the
topic's compaction keeps the newest record: so what was decided is written again. One worker of a group does this.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import cast

from laurel.agents.context import Context
from laurel.models.errors import LaurelError
from laurel.models.refusals import UNREADABLE
from laurel.streams.calendar import day_key, iso
from laurel.streams.days import RANK, REQUESTED
from laurel.streams.dead_letters import send
from laurel.streams.outbox import Outbox, Output
from laurel.streams.reader import ends, read

STAGE = "calendar"  # in the metric of dead letters
LOOK_EVERY = 2.0  # seconds

log = logging.getLogger(__name__)


async def care(context: Context, in_charge: Callable[[], bool]) -> None:
    """Mends, for ever, while in charge. Kafka being away for a while is logged and tried again."""
    calendar, outbox = context.calendar, Outbox(context.settings.servers)
    context.metrics.expect_refusals(STAGE, UNREADABLE)
    while True:
        if in_charge() and (calendar.foreign or calendar.overtaken):
            try:
                await asyncio.to_thread(_mend, context, outbox)
            except LaurelError as error:
                outbox.forget()
                log.warning("could not mend the calendar, trying again: %s", error)
        await asyncio.sleep(LOOK_EVERY)


def _mend(context: Context, outbox: Outbox) -> None:
    letters = list(context.calendar.foreign)
    for letter in letters:
        send(outbox, context.topic("dead-letters"), letter)
    decided = _decided(context, context.calendar.overtaken)
    values = [value for _, value in decided.values()]
    outbox.send(Output(context.topic("calendar"), [day_key(day) for day in decided], values, 0))
    outbox.flush()
    for letter in letters:
        context.calendar.foreign.popleft()
        context.metrics.refused(STAGE, letter.reason)
    for day, (status, _) in decided.items():
        log.warning("%s was asked for again after it was %s: that is written again", iso(day), status)


def _decided(context: Context, overtaken: frozenset[int]) -> dict[int, tuple[str, bytes]]:
    """What the topic has of the days that were overtaken: the status that counts, and the record, byte for byte."""
    if not overtaken:
        return {}
    servers, topic = context.settings.servers, context.topic("calendar")
    wanted, found = {day_key(day) for day in overtaken}, dict[int, tuple[str, bytes]]()
    for messages in read(servers, topic, 0, *ends(servers, topic, 0)):
        values = [cast("bytes", message.value()) for message in messages if cast("bytes", message.key()) in wanted]
        rows = context.codec.decode(values).batches.get("Calendar")
        for at, record in zip(rows.positions.tolist(), rows.table.to_pylist(), strict=True) if rows else ():
            status = record["status"]
            if RANK.get(status, -1) >= RANK[found.get(record["day"], (REQUESTED, b""))[0]]:
                found[record["day"]] = status, values[at]
    return found
