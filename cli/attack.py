"""`laurel attack`: what it gains to game the score, without Kafka."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn
from rich.table import Table
from rich.text import Text

from laurel.cli.show import bar, console, plain, signed
from laurel.ingest import attacks
from laurel.ingest.attacks import Outcome
from laurel.ingest.files import Format
from laurel.models import catalogue
from laurel.models.networks import Networks
from laurel.models.signals import SUSPICIOUS
from laurel.streams import settings as setting

app = typer.Typer(add_completion=False, rich_markup_mode=None)

BAR = 10  # characters, for 100 points
VERDICTS = {None: Text(""), True: Text("kept", "green"), False: Text("broken", "red")}
WIDE = 100  # columns of a terminal from which on there is room for bars
LEGEND = """accounts: new ones; people: of the population, borrowed.
gained: the most points on any day above a newcomer who does nothing."""


@app.command()
def attack(
    files: Annotated[list[Path] | None, typer.Argument(help="events of real people to play among")] = None,
    days: Annotated[int, typer.Option(min=1, max=365, help="how long attacks that go on last")] = 30,
    seed: Annotated[int, typer.Option(min=0, help="of the synthetic people, without files")] = 0,
    form: Annotated[Format | None, typer.Option("--format", help="of the files, if not to be detected")] = None,
    model: Annotated[str, typer.Option(help="name of the score model")] = catalogue.DEFAULT,
    as_json: Annotated[bool, typer.Option("--json", help="print the outcomes as JSON")] = False,
) -> None:
    """Play attacks on the score, and genuine growth, and show what each gains.

    Exit status 1 if one gains more than its bound.

    Each is played in a population of its own: that of the files, in their last days (their second half at most), or a
    synthetic one, made up by the seed. A newcomer who does nothing is what gains are counted from.
    """
    settings = setting.load()
    networks, score_model = Networks.load(settings.networks), catalogue.named(catalogue.load(settings.models), model)
    screen = console(stderr=True)
    with Progress(SpinnerColumn(), TextColumn("{task.description}"), console=screen, transient=True) as shown:
        task = shown.add_task("reading")
        background = attacks.from_files(files, days, form) if files else attacks.synthetic(days, seed)
        played = attacks.play(background, score_model, networks, lambda what: shown.update(task, description=what))
        found = dict(played)
    broken = [name for name, outcome in found.items() if outcome.kept is False]
    if as_json:
        rows = [_row(name, outcome) for name, outcome in found.items()]
        people: dict[str, Any] = {
            "population": background.name,
            "synthetic": background.synthetic,
            "model": score_model.name,
        }
        print(json.dumps(people | {"scenarios": rows, "broken": broken}))
    else:
        out = console()
        title = f"{score_model.name} among {plain(background.name)}"
        out.print(_gains(title, list(found.values()), wide=out.width >= WIDE))
        out.print(LEGEND)
        out.print()
        out.print(_signals(list(found.values())))
        out.print()
        attempts = sum(outcome.kept is not None for outcome in found.values())
        out.print(f"{attempts - len(broken)} of {attempts} attacks stay within their bound")
    raise typer.Exit(1 if broken else 0)


def _row(name: str, outcome: Outcome) -> dict[str, Any]:
    return {
        "scenario": name,
        "title": outcome.scenario.title,
        "days": outcome.days,
        "accounts": outcome.accounts,
        "borrowed": outcome.borrowed,
        "actions": outcome.actions,
        "gained": round(outcome.gained, 4),
        "score": round(outcome.score, 4),
        "bound": outcome.scenario.bound,
        "kept": outcome.kept,
        "signals": {signal: round(share, 4) for signal, share in outcome.signals.items()},
        "flagged": outcome.flagged,
    }


def _gains(title: str, outcomes: Sequence[Outcome], wide: bool) -> Table:
    table = _table(title, "days", "accounts", "people", "actions", "gained", "bound")
    table.add_column("", no_wrap=True)
    for outcome in outcomes:
        bound = outcome.scenario.bound
        drawn = [bar(outcome.gained, 100.0, BAR)] if wide else []
        table.add_row(
            outcome.scenario.title,
            *(f"{count:,}" for count in (outcome.days, outcome.accounts, outcome.borrowed, outcome.actions)),
            signed(outcome.gained),
            "" if bound is None else f"{bound:g}",
            VERDICTS[outcome.kept],
            *drawn,
        )
    return table


def _signals(outcomes: Sequence[Outcome]) -> Table:
    table = _table("signals of who gained most, apart from the score; ! is suspicious", *SUSPICIOUS)
    for outcome in outcomes:
        marks = {name: "!" if name in outcome.flagged else " " for name in SUSPICIOUS}
        shares = (f"{share:.2f} {marks[name]}" for name, share in outcome.signals.items())
        table.add_row(outcome.scenario.title, *shares)
    return table


def _table(title: str, *numbers: str) -> Table:
    """An empty table of scenarios and columns of numbers."""
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    table.add_column("scenario")
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    return table
