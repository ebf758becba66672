"""Days as people write them on the command line."""

from datetime import UTC, datetime

import typer

from laurel.streams.calendar import day_number


def parse_day(text: str | None, option: str) -> int | None:
    """YYYY-MM-DD as days since 1970-01-01 (None stays None); typer.BadParameter (exit status 2) if it is no date."""
    if text is None:
        return None
    try:
        return day_number(datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date())
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no day, such as 2012-07-04", param_hint=option) from None


def parse_span(first: str | None, last: str | None) -> tuple[int | None, int | None]:
    """What `--from` and `--to` say, as `parse_day` reads them; typer.BadParameter (exit status 2) if they are the wrong way round."""
    begin, end = parse_day(first, "--from"), parse_day(last, "--to")
    if begin is not None and end is not None and begin > end:
        raise typer.BadParameter(f"{last} is before {first}, where --from begins", param_hint="--to")
    return begin, end
