"""`laurel demo`: real days through the whole pipeline, and what they come to."""

import json
import re
import shutil
import signal
import sys
import time
from enum import StrEnum
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from rich.console import Console

from laurel.cli import show_demo
from laurel.cli.demo_data import Source, sources
from laurel.cli.demo_run import Outcome, Watched, run
from laurel.cli.show import console
from laurel.cli.show_progress import DemoProgress
from laurel.streams import settings as setting
from laurel.streams.broker import EmbeddedBroker

app = typer.Typer(add_completion=False, rich_markup_mode=None)

FOLDER = Path(".laurel/demo")
LOOK_EVERY = 0.2  # seconds between looks at whether a broker that is kept still runs
INTERRUPTED = 130  # exit status
DRAWN_WIDTH = 80  # columns of the picture


class DataSet(StrEnum):
    """What to replay."""

    ALL = "all"
    STACKEXCHANGE = "stackexchange"
    HIGGS = "higgs"


@app.command()
def demo(
    data_set: Annotated[DataSet, typer.Option(help="what to replay")] = DataSet.ALL,
    days: Annotated[int | None, typer.Option(min=1, help="only the first days of each data set")] = None,
    processes: Annotated[int, typer.Option(min=1, max=16, help="worker processes")] = 1,
    stay: Annotated[
        bool | None, typer.Option("--stay/--no-stay", help="keep the broker to explore; default: on a terminal")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print the results as JSON")] = False,
    svg: Annotated[Path | None, typer.Option(hidden=True, help="also draw the results into this file")] = None,
) -> None:
    """Replay real days on a broker of its own, closing each, and show what they come to.

    Starts Kafka and workers in .laurel/demo, replays the first half year of a question site and the week of the Higgs
    boson on Twitter, and shows leaders, topics, a score explained, the scale, and every event accounted for. Real data
    is taken from LAUREL_DATA_DIR, or downloaded, or made up (and it says so). Nothing is left running afterwards.
    """
    if stay is None:
        stay = not as_json and sys.stdin.isatty() and sys.stdout.isatty()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    notes = console(stderr=True)
    names = [name.value for name in DataSet if name is not DataSet.ALL and data_set in (DataSet.ALL, name)]
    finished = False
    try:
        with EmbeddedBroker(FOLDER / "broker", clean=True) as broker:
            watched, began = Watched(broker), time.monotonic()
            _clean()
            notes.print(f"Kafka runs at {broker.bootstrap}", soft_wrap=True)
            chosen = sources(names, setting.load(), FOLDER, days, lambda text: notes.print(text, soft_wrap=True))
            outcomes = _run(chosen, watched, processes, notes)
            _show(outcomes, time.monotonic() - began, stay=stay, as_json=as_json, svg=svg)
            finished = True
            while stay:
                watched.check()
                time.sleep(LOOK_EVERY)
    except KeyboardInterrupt:
        notes.print("everything is stopped" if finished else "interrupted; everything is stopped")
        if not finished:
            raise typer.Exit(INTERRUPTED) from None
    if finished:
        shutil.rmtree(FOLDER, ignore_errors=True)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    # Once is enough: the end of everything takes its time, and must not be interrupted itself.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _clean() -> None:
    """Deletes what an earlier demo left beside the broker's folder, which the broker cleans itself."""
    for entry in FOLDER.iterdir():
        if entry.name == "broker":
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _run(chosen: list[Source], broker: Watched, processes: int, notes: Console) -> list[Outcome]:
    outcomes = []
    partitions = max(2, processes)  # each costs something at every close, and these are small days
    with DemoProgress(notes, chosen) as progress:
        for source in chosen:
            progress.begin(source)
            outcomes.append(run(source, broker, FOLDER, processes, partitions, progress.show))
    return outcomes


def _show(outcomes: list[Outcome], seconds: float, *, stay: bool, as_json: bool, svg: Path | None) -> None:
    if as_json:
        print(json.dumps(show_demo.as_data(outcomes, seconds)), flush=True)
        return
    screen = console(record=svg is not None, width=None if svg is None else DRAWN_WIDTH)
    for found in outcomes:
        screen.print(show_demo.outcome(found))
        screen.print()
    screen.print(show_demo.speed(outcomes, seconds))
    if svg is not None:
        _draw(screen, svg)
    screen.print()
    screen.print(show_demo.exploring(outcomes) if stay else show_demo.afterwards())


def _draw(screen: Console, path: Path) -> None:
    """The results as a picture that keeps its spaces everywhere and loads no fonts from the web."""
    drawn = screen.export_svg(title="laurel demo", unique_id="demo", clear=False)
    drawn = re.sub(r"@font-face \{.*?\}\s*", "", drawn, flags=re.DOTALL)
    path.write_text(drawn.replace("<svg ", '<svg xml:space="preserve" ', 1), encoding="utf-8")
