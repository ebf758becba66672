"""`laurel generate`: synthetic events into a file."""

import json
from pathlib import Path
from time import monotonic
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from laurel.cli.days import parse_day
from laurel.ingest import generate as generator
from laurel.streams.calendar import iso

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def generate(
    output: Annotated[Path, typer.Option("--output", "-o", help="file to write; .gz packs it")],
    events: Annotated[int, typer.Option(min=0, help="how many events")] = 100_000,
    users: Annotated[int, typer.Option(min=2, help="how many accounts")] = 10_000,
    skew: Annotated[float, typer.Option(min=0, max=5, help="an account's share falls as rank**-skew")] = 1.1,
    days: Annotated[int, typer.Option(min=1, help="over how many days")] = 30,
    seed: Annotated[int, typer.Option(min=0, help="the same seed gives the same file")] = 0,
    start: Annotated[str, typer.Option(help="first day, YYYY-MM-DD")] = iso(generator.START),
    as_json: Annotated[bool, typer.Option("--json", help="print what was written as JSON")] = False,
) -> None:
    """Write synthetic events as JSON lines: made up by a seeded random generator, about nobody.

    Each event's id begins with `synthetic:`. Accounts act and are acted upon with skew, on several networks; some
    events are posts, +Ks, or by nobody in particular.
    """
    first = parse_day(start, "--start")
    assert first is not None
    plan = generator.Plan(events, users, skew, days, seed, first)
    console = Console(stderr=True)
    began = monotonic()
    with Progress(console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("writing", total=events)
        for done in generator.write(plan, output):
            bar.update(task, completed=done)
    seconds = monotonic() - began
    print(f"{output}: {events:,} synthetic events (random, seed {seed}), about nobody", file=console.file)
    if as_json:
        found = {"file": str(output), "events": events, "synthetic": True, "seed": seed, "seconds": round(seconds, 3)}
        print(json.dumps(found))
