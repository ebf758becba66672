"""`laurel evaluate`: how well scores foretell who will be reacted to, on a file, without Kafka."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from laurel.cli.days import parse_span
from laurel.cli.show import console
from laurel.cli.show_evaluation import as_data, plot, table
from laurel.ingest import datasets
from laurel.ingest.evaluate import Every
from laurel.ingest.evaluate import evaluate as evaluate_files
from laurel.ingest.files import Format
from laurel.models import catalogue
from laurel.models.ablation import ablations
from laurel.models.networks import Networks
from laurel.streams import settings as setting
from laurel.streams.settings import Settings

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def evaluate(
    files: Annotated[
        list[str], typer.Argument(help="NDJSON, Higgs or Stack Exchange files, gzipped or not; or a data set's name")
    ],
    every: Annotated[Every, typer.Option(help="how long a period is")] = Every.DAY,
    k: Annotated[int, typer.Option("--k", "-k", min=1, max=1_000_000, help="how many of the first are judged")] = 100,
    first: Annotated[str | None, typer.Option("--from", help="first day to rank at the end of, YYYY-MM-DD")] = None,
    last: Annotated[str | None, typer.Option("--to", help="last day to rank at the end of, YYYY-MM-DD")] = None,
    form: Annotated[Format | None, typer.Option("--format", help="format of the files; else detected")] = None,
    names: Annotated[
        list[str] | None, typer.Option("--model", help="a score model; may be given several times")
    ] = None,
    ablate: Annotated[bool, typer.Option("--ablate", help="also the first model without each of its terms")] = False,
    picture: Annotated[Path | None, typer.Option("--plot", help="draw it into this file, .svg or .png")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print all figures, period by period, as JSON")] = False,
) -> None:
    """Rank people at the end of each period, and judge by the reactions they get in the next one.

    The model ranks by raw influence, and so do simple counts, distinct engagers, weighted PageRank and the h-index of
    posts, all on the same engagements. Everything read counts, whatever days are judged. docs/evaluation.md tells more.
    """
    if picture is not None and picture.suffix not in (".svg", ".png"):
        raise typer.BadParameter(f"{picture} is neither .svg nor .png", param_hint="--plot")
    days = parse_span(first, last)
    settings = setting.load()
    networks = Networks.load(settings.networks)
    known = catalogue.load(settings.models)
    chosen = [catalogue.named(known, name) for name in names or [catalogue.DEFAULT]]
    models = {f"laurel {model.name}": (model, networks) for model in chosen}
    if ablate:
        models |= ablations(chosen[0], networks)
    paths = [_path(name, settings) for name in files]
    bar_console = console(stderr=True)
    with Progress(console=bar_console, disable=not bar_console.is_terminal) as bar:
        task = bar.add_task("evaluating", total=1.0)
        found = evaluate_files(
            paths, models, every, k, *days, form=form, progress=lambda done: bar.update(task, completed=done)
        )
    if picture is not None:
        plot(found, picture)
    if as_json:
        print(json.dumps(as_data(found)))
    else:
        console().print(table(found))


def _path(name: str, settings: Settings) -> Path:
    """A file's path, or where the data set of that name is."""
    path = Path(name)
    return datasets.find(name, settings) if name in datasets.DATA_SETS and not path.exists() else path
