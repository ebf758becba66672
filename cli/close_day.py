"""`laurel close-day`: asks for a day to be closed, and waits until it is."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated

import typer

from laurel.cli.days import parse_day
from laurel.models.catalogue import ModelError
from laurel.streams import calendar
from laurel.streams import settings as setting
from laurel.streams.closing import Closer
from laurel.streams.days import Record, closed

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def close_day(
    day: Annotated[str, typer.Argument(help="the day (UTC), YYYY-MM-DD")],
    bootstrap: Annotated[str | None, typer.Option(help="Kafka, host:port")] = None,
    model: Annotated[str | None, typer.Option(help="score model to close it by; else the setting model")] = None,
    shadow: Annotated[
        list[str] | None, typer.Option(help="another model to compute in shadow (repeatable); else the setting shadows")
    ] = None,
    wait: Annotated[bool, typer.Option(help="wait until the day is closed")] = True,
    timeout: Annotated[float, typer.Option(min=1, help="seconds to wait for a day to close")] = 600.0,
    force: Annotated[bool, typer.Option("--force", help="close a day that isn't over")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print what was decided as JSON")] = False,
) -> None:
    """Close a day: everything published so far counts for it, and the workers publish its scores.

    Days before it that were never closed are closed first, in order. A day that is closed already is left alone. Without
    --model, and as long as the setting model names no other, days are closed by the built-in model v1.
    """
    number = parse_day(day, "DAY")
    assert number is not None
    today = calendar.day_of(datetime.now(UTC))
    if number >= today and not force:
        over = "is still under way" if number == today else "is still to come"
        raise calendar.CalendarError(f"{day} {over} (UTC): close it when it is over, or give --force")
    settings = setting.load(bootstrap=bootstrap, model=model, shadows=",".join(shadow) if shadow else None)
    with Closer(settings, settings.model, shadows=settings.shadow_models) as closer:
        if model is not None:
            _keeps(model, closer.days, number)
        if shadow:
            _keeps_shadows(settings.shadow_models, closer.days, number)
        written = closer.request(number)
        if wait:
            closer.wait(number, timeout)
        else:
            closer.refresh()
        record = closer.days[number]
    if as_json:
        print(json.dumps(record | {"day": day, "requested_days": [calendar.iso(other) for other in written]}))
    elif closed(record):
        mean = "" if record["mean"] is None else f", mean score {record['mean']:.2f}"
        print(f"{day} closed: {record['people']:,} people{mean}")
    else:
        print(f"{day} {record['status']}")


def _keeps(name: str, days: Mapping[int, Record], day: int) -> None:
    """Raises ModelError where the day has a model already, and another was chosen for it."""
    known = days.get(day)
    if known is not None and known["model"] != name:
        raise ModelError(
            f"{calendar.iso(day)} is {known['status']}, by the model {known['model']}: a day keeps the model that it was "
            f"first asked to be closed by; close a later day with --model {name}"
        )


def _keeps_shadows(names: list[str], days: Mapping[int, Record], day: int) -> None:
    """Raises ModelError where the day was asked for already, and without one of these models in shadow."""
    known = days.get(day)
    missing = [name for name in names if known is not None and name not in (known["model"], *known["shadow_models"])]
    if known is not None and missing:
        raise ModelError(
            f"{calendar.iso(day)} is {known['status']}, without {', '.join(missing)} in shadow: a day keeps the models that it "
            f"was first asked to be closed by; close a later day with --shadow {missing[0]}"
        )
