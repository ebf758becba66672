"""`laurel close-day`: asks for a day to be closed, and waits until it is."""

import json
from datetime import UTC, datetime
from typing import Annotated

import typer

from laurel.cli.days import parse_day
from laurel.models.parameters import V1
from laurel.streams import calendar
from laurel.streams import settings as setting
from laurel.streams.closing import Closer
from laurel.streams.days import closed

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def close_day(
    day: Annotated[str, typer.Argument(help="the day (UTC), YYYY-MM-DD")],
    bootstrap: Annotated[str | None, typer.Option(help="Kafka, host:port")] = None,
    wait: Annotated[bool, typer.Option(help="wait until the day is closed")] = True,
    timeout: Annotated[float, typer.Option(min=1, help="seconds to wait for a day to close")] = 600.0,
    force: Annotated[bool, typer.Option("--force", help="close a day that isn't over")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print what was decided as JSON")] = False,
) -> None:
    """Close a day: everything published so far counts for it, and the workers publish its scores.

    Days before it that were never closed are closed first, in order. A day that is closed already is left alone.
    """
    number = parse_day(day, "DAY")
    assert number is not None
    today = calendar.day_of(datetime.now(UTC))
    if number >= today and not force:
        over = "is still under way" if number == today else "is still to come"
        raise calendar.CalendarError(f"{day} {over} (UTC): close it when it is over, or give --force")
    with Closer(setting.load(bootstrap=bootstrap), V1.name) as closer:
        written = closer.request(number)
        if wait:
            closer.wait(number, timeout)
        else:
            closer.refresh()
        record = closer.days[number]
    if as_json:
        print(json.dumps(record | {"day": day, "requested_days": [calendar.iso(other) for other in written]}))
    elif closed(record):
        print(f"{day} closed: {record['people']:,} people, mean score {record['mean']:.2f}")
    else:
        print(f"{day} {record['status']}")
