"""`laurel models`: which score models there are, what is in them, and in what they differ."""

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from laurel.cli.days import parse_day
from laurel.cli.show import console
from laurel.cli.show_shadow import as_data, screen
from laurel.models import catalogue
from laurel.models.parameters import descriptions, sections
from laurel.streams import settings as setting
from laurel.streams.shadow_results import shadow_report

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Name = Annotated[str, typer.Argument(help="name of a model")]


@app.callback()
def about() -> None:
    """Score models: every constant of the score, under a name."""


@app.command("list")
def list_models(as_json: AsJson = False) -> None:
    """All models, and in what each differs from the built-in one."""
    models = catalogue.load(setting.load().models)
    default = models[catalogue.DEFAULT]
    changed = {name: catalogue.differences(default, model) for name, model in models.items()}
    if as_json:
        print(json.dumps([{"name": name, "parameters": asdict(model)} for name, model in models.items()]))
        return
    for name, found in changed.items():
        told = ", ".join(f"{parameter} {after:g}" for parameter, (_, after) in found.items())
        print(f"{name}  {told or 'built in'}")


@app.command()
def show(name: Name, as_json: AsJson = False) -> None:
    """A model's parameters, as a file that another can be made from."""
    model = catalogue.named(catalogue.load(setting.load().models), name)
    print(json.dumps(asdict(model)) if as_json else catalogue.document(model), end="\n" if as_json else "")


@app.command()
def diff(one: Name, other: Name, as_json: AsJson = False) -> None:
    """The parameters in which two models differ."""
    models = catalogue.load(setting.load().models)
    found = catalogue.differences(catalogue.named(models, one), catalogue.named(models, other))
    if as_json:
        print(json.dumps({name: {one: before, other: after} for name, (before, after) in found.items()}))
        return
    if not found:
        print(f"{one} and {other} have the same parameters")
        return
    told = descriptions()
    table = Table("section", "parameter", one, other, "what it is", box=None, header_style="bold")
    for section, names in sections().items():
        for name in names:
            if name in found:
                table.add_row(section, name, *(f"{value:g}" for value in found[name]), told[name])
    console().print(table)


@app.command("shadow-report")
def report_shadow(
    bootstrap: Annotated[str | None, typer.Option(help="Kafka, host:port")] = None,
    model: Annotated[str | None, typer.Option(help="the model in shadow, where a day has several")] = None,
    day: Annotated[
        str | None, typer.Option(help="the day, YYYY-MM-DD; else the newest that was computed in shadow")
    ] = None,
    top: Annotated[int, typer.Option(min=0, max=1_000, help="how many of those who move most, up and down")] = 10,
    as_json: AsJson = False,
) -> None:
    """What people's scores would be by a model in shadow: who would move, by how much, and why."""
    settings = setting.load(bootstrap=bootstrap)
    found = shadow_report(settings, model, parse_day(day, "--day"), top)
    models = catalogue.load(settings.models)
    known = found.published in models and found.model in models
    differing = catalogue.differences(models[found.published], models[found.model]) if known else None
    if as_json:
        print(json.dumps(as_data(found) | {"differing": differing}))
    else:
        console().print(screen(found, differing))
