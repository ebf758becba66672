"""`laurel rebuild`: recomputes all state from the engagements as they lie in Kafka, and compares."""

import json
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from laurel.agents import rebuild as compare
from laurel.agents.rebuild import Basis, Compared
from laurel.agents.runtime import STAGES
from laurel.cli.show import plain
from laurel.models import catalogue
from laurel.models.errors import LaurelError
from laurel.streams import calendar, topics
from laurel.streams.codec import Codec
from laurel.streams.days import closed
from laurel.streams.log import KafkaLog
from laurel.streams.restore import restore
from laurel.streams.settings import SOURCES, Settings, load
from laurel.streams.store import Store
from laurel.streams.topic_table import TOPICS

LOOK_EVERY = 0.5  # seconds
STOP_WITHIN = 30.0  # seconds for the worker to stop before it is killed
LOG_LINES = 12  # lines of the worker's log that an error shows

app = typer.Typer(add_completion=False, rich_markup_mode=None)


class RebuildError(LaurelError):
    """State can't be rebuilt, or not compared; the message says why and what to do."""


@app.command()
def rebuild(
    bootstrap: Annotated[str | None, typer.Option(help="Kafka, host:port")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="keep the scratch topics and folder")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print the comparison as JSON")] = False,
) -> None:
    """Recompute all state from the engagements topic into a fresh state, and compare it and its results with what there is.

    Nothing of what there is is changed. The workers must have nothing left to do meanwhile. Exit status: 0 if nothing
    differs, 1 if something does, or if it can't be compared.
    """
    live = load(bootstrap=bootstrap)
    partitions = topics.check(live)
    _reach_back(live, partitions)
    _idle(live, partitions)
    console = Console(stderr=True)
    with _scratch(live, partitions, keep=keep) as (anew, folder):
        _work(anew, partitions, folder, console)
        found = list(_compared(live, anew, partitions, folder, console))
    differing = [one for one in found if not one.same]
    if as_json:
        print(json.dumps({"same": not differing, "compared": [asdict(one) for one in found]}))
    else:
        _show(found)
    raise typer.Exit(1 if differing else 0)


def _log(settings: Settings) -> KafkaLog:
    return KafkaLog(settings.servers, f"{settings.topic_prefix}{settings.group}")


def _reach_back(live: Settings, partitions: int) -> None:
    log, topic = _log(live), live.topic("engagements")
    for number in range(partitions):
        low, _ = log.ends(topic, number)
        if low > 0:
            raise RebuildError(
                f"{topic}/{number} begins at offset {low}: what came before was deleted (retention.ms), so what it left in the "
                "state can't be computed again"
            )


def _idle(live: Settings, partitions: int) -> None:
    """Whether the workers have nothing left to do: what a stage has not worked through yet would be missing at all later ones."""
    log = _log(live)
    for stage in STAGES:
        topic = live.topic(stage.source)
        for number in range(partitions):
            begin, (_, end) = log.committed(topic, number), log.ends(topic, number)
            if next(iter(log.read(topic, number, begin, end)), None):  # the last offsets may be no records
                raise RebuildError(
                    f"the workers have not worked through {topic}/{number} yet (offset {begin} of {end}): run it again when they have "
                    "nothing left to do"
                )


@contextmanager
def _scratch(live: Settings, partitions: int, *, keep: bool) -> Iterator[tuple[Settings, Path]]:
    """Settings of a deployment beside the live one, that reads the same sources; gone afterwards."""
    prefix = f"{live.topic_prefix}rebuild-{uuid.uuid4().hex[:8]}."
    sources = live.topic_prefix if live.sources_prefix is None else live.sources_prefix
    with _folder(keep=keep) as folder:
        anew = live.model_copy(
            update={
                "topic_prefix": prefix,
                "sources_prefix": sources,
                "state": folder / "state",
                "instance": None,
                "close_after_minutes": -1,
            }
        )
        topics.apply(anew, partitions=partitions)
        try:
            yield anew, folder
        finally:
            if not keep:
                _delete(anew)


@contextmanager
def _folder(*, keep: bool) -> Iterator[Path]:
    if keep:
        folder = Path(tempfile.mkdtemp(prefix="laurel-rebuild-"))
        yield folder
        print(f"kept: {folder}", file=sys.stderr)
        return
    with tempfile.TemporaryDirectory(prefix="laurel-rebuild-", ignore_cleanup_errors=True) as name:
        yield Path(name)


def _delete(anew: Settings) -> None:
    admin = AdminClient({"bootstrap.servers": anew.servers, "log_level": 0})
    made = [anew.topic(topic.name) for topic in TOPICS if topic.name not in SOURCES]
    group = f"{anew.topic_prefix}{anew.group}"
    for future in (*admin.delete_topics(made).values(), *admin.delete_consumer_groups([group]).values()):
        with suppress(KafkaException):  # what can't be deleted is in nobody's way, and its name says what it was
            future.result()


def _work(anew: Settings, partitions: int, folder: Path, console: Console) -> None:
    """Runs a worker until it has worked through all engagements."""
    log, topic = _log(anew), anew.topic("engagements")
    total = sum(log.ends(topic, number)[1] for number in range(partitions))
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    out = folder / "worker.log"
    with out.open("wb") as told, Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("recomputing", total=total)
        worker = subprocess.Popen(
            [sys.executable, "-m", "laurel", "worker", "--until-idle"],
            env=os.environ | _environment(anew),
            stdout=subprocess.DEVNULL,
            stderr=told,
        )
        try:
            while worker.poll() is None:
                progress.update(task, completed=sum(log.committed(topic, number) for number in range(partitions)))
                time.sleep(LOOK_EVERY)
        finally:
            _stop(worker)
    if worker.returncode:
        lines = out.read_text(errors="replace").splitlines()[-LOG_LINES:]
        raise RebuildError("the worker that recomputes has failed; the end of its log:\n" + "\n".join(lines))


def _environment(settings: Settings) -> Mapping[str, str]:
    """All settings as variables, so that the worker has those and no others."""
    found = {name: value for name, value in settings.model_dump(mode="json").items() if value is not None}
    return {f"LAUREL_{name.upper()}": str(value) for name, value in found.items()} | {"LAUREL_METRICS_PORT": "0"}


def _stop(worker: "subprocess.Popen[bytes]") -> None:
    if worker.poll() is None:
        worker.terminate()
        try:
            worker.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()


def _compared(live: Settings, anew: Settings, partitions: int, folder: Path, console: Console) -> Iterator[Compared]:
    codec, model = Codec(), catalogue.named(catalogue.load(live.models), live.model)
    theirs, ours = calendar.read(anew, codec), calendar.read(live, codec)
    last = max((day for day, record in theirs.items() if closed(record)), default=-1)
    yield _days(ours, theirs)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("comparing", total=partitions * (len(STAGES) + len(compare.PUBLISHED)))
        for stage in STAGES:
            for number in range(partitions):
                one, other = (
                    _restored(settings, stage.changelog, number, folder / f"{name}-{stage.name}-{number}")
                    for name, settings in (("live", live), ("anew", anew))
                )
                if stage is STAGES[0] and one.mark.source != other.mark.source:
                    raise RebuildError(
                        f"the workers have worked {live.topic('engagements')}/{number} up to offset {one.mark.source}, and the "
                        f"recomputation up to {other.mark.source}: run it again when they have nothing left to do"
                    )
                yield from compare.stores(stage.name, number, one, other, Basis(last, model))
                one.close()
                other.close()
                progress.advance(task)
        for name in compare.PUBLISHED:
            for number in range(partitions):
                read = [
                    compare.results(_log(settings), name, settings.topic(name), number) for settings in (live, anew)
                ]
                yield compare.published(name, number, *read)
                progress.advance(task)


def _restored(settings: Settings, changelog: str, number: int, folder: Path) -> Store:
    store = Store(folder)
    restore(store, _log(settings), settings.topic(changelog), number, lambda _applied, _left: None)
    return store


def _days(live: Mapping[int, Any], anew: Mapping[int, Any]) -> Compared:
    """The closed days and what was decided of them, but for offsets; for models in shadow, whose files may be gone since; and for how
    a model's parameters were written down, which earlier versions didn't do."""
    aside: dict[str, Any] = {"score_offsets": [], "shadow_models": [], "shadows": [], "parameters": ""}
    days = [
        {b"%d" % day: repr(sorted((record | aside).items())).encode() for day, record in one.items() if closed(record)}
        for one in (live, anew)
    ]
    return compare.published("calendar", 0, *days)


def _show(found: list[Compared]) -> None:
    """One row for each thing compared, over all partitions; where something differs, which ones and which keys."""
    columns = ("what", "equal", "different", "missing", "extra", "such as")
    table = Table(*columns, box=None, pad_edge=False)
    for column in table.columns[1:5]:
        column.justify = "right"
    for what in dict.fromkeys(one.what for one in found):
        parts = [one for one in found if one.what == what]
        sums = [sum(getattr(one, name) for one in parts) for name in columns[1:5]]
        if any(sums):
            keys = [f"{one.partition}: {plain(key)}" for one in parts for key in one.examples]
            style = "bold red" if any(sums[1:]) else None
            table.add_row(what, *(f"{number:,}" for number in sums), ", ".join(keys), style=style)
    console = Console()
    console.print(table)
    differing = sum(not one.same for one in found)
    console.print(f"{differing} parts differ from what was recomputed" if differing else "all is as recomputed")
