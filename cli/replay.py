"""`laurel replay`: a file's events into Kafka, closing days as they pass."""

import json
from pathlib import Path
from typing import Annotated, Self

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from laurel.cli.days import parse_span
from laurel.ingest import replay as replays
from laurel.ingest.files import Format
from laurel.streams import settings as setting
from laurel.streams.calendar import iso

app = typer.Typer(add_completion=False, rich_markup_mode=None)

LINE_EVERY = 100_000  # engagements between two lines of progress where there is no terminal


@app.command()
def replay(
    files: Annotated[list[Path], typer.Argument(help="NDJSON, Higgs or Stack Exchange files, gzipped or not")],
    bootstrap: Annotated[str | None, typer.Option(help="Kafka, host:port")] = None,
    first: Annotated[str | None, typer.Option("--from", help="first day to replay, YYYY-MM-DD")] = None,
    last: Annotated[str | None, typer.Option("--to", help="last day to replay, YYYY-MM-DD")] = None,
    close: Annotated[bool, typer.Option("--close", help="close each day after its last event")] = False,
    shadow: Annotated[
        list[str] | None,
        typer.Option(help="with --close: another model to compute in shadow (repeatable); else the setting shadows"),
    ] = None,
    wait: Annotated[bool, typer.Option(help="with --close: wait for the last day's close")] = True,
    timeout: Annotated[float, typer.Option(min=1, help="seconds to wait for a day to close")] = replays.PATIENCE,
    form: Annotated[Format | None, typer.Option("--format", help="format of the files; else detected")] = None,
    limit: Annotated[int | None, typer.Option(min=0, help="publish at most this many engagements")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print the summary as JSON")] = False,
) -> None:
    """Publish the events of files in time order, every delivery verified.

    Several files become one stream by time. With --close, days are closed as they pass, by the workers that must be
    running; at most one day waits while the next one is read. Lines that are no engagement are named on stderr, and the
    exit status is then 1.
    """
    settings = setting.load(bootstrap=bootstrap, shadows=",".join(shadow) if shadow else None)
    days = parse_span(first, last)
    console = Console(stderr=True)
    with _Watch(console) as watch:
        summary = replays.replay(
            files,
            settings,
            close=close,
            wait=wait,
            first=days[0],
            last=days[1],
            limit=limit,
            form=form,
            patience=timeout,
            progress=watch.show,
        )
    for path, reject in summary.rejects:
        print(f"{path}:{reject.line}: {reject.reason}", file=console.file)
    if summary.rejected > len(summary.rejects):
        print(f"... and {summary.rejected - len(summary.rejects)} more rejected", file=console.file)
    print(json.dumps(as_data(summary)) if as_json else _in_words(summary))
    if summary.rejected:
        raise typer.Exit(1)


def as_data(summary: replays.ReplaySummary) -> dict[str, object]:
    """The summary as JSON holds it: days as YYYY-MM-DD, seconds, engagements a second."""
    return {
        "rows": summary.rows,
        "published": summary.published,
        "by_action": dict(summary.by_action.most_common()),
        "rejected": summary.rejected,
        "rejects": [
            {"file": str(path), "line": reject.line, "reason": reject.reason} for path, reject in summary.rejects
        ],
        "outside": summary.outside,
        "late": summary.late,
        "days_closed": [iso(day) for day in summary.days_closed],
        "seconds": round(summary.seconds, 3),
        "rate": round(summary.rate, 1),
    }


def _in_words(summary: replays.ReplaySummary) -> str:
    rate = f"in {summary.seconds:.1f} s ({summary.rate:,.0f}/s)"
    lines = [f"{summary.rows:,} rows read, {summary.published:,} engagements published {rate}"]
    lines += [f"  {count:>10,}  {_shown(action)}" for action, count in summary.by_action.most_common()]
    if summary.outside:
        lines.append(f"{summary.outside:,} engagements were outside the days asked for")
    if summary.late:
        lines.append(f"{summary.late:,} engagements came after one of a later day")
    if summary.rejected:
        lines.append(f"{summary.rejected:,} rows rejected")
    if days := summary.days_closed:
        lines.append(f"{len(days)} days closed: {iso(days[0])} to {iso(days[-1])}")
    return "\n".join(lines)


def _shown(action: str) -> str:
    return action if action.isprintable() else ascii(action)


class _Watch:
    """A bar on a terminal, a line now and then elsewhere; both on stderr."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar = Progress(
            SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=console
        )
        self._task = self._bar.add_task("reading", total=1.0)
        self._told = 0
        self._waiting: int | None = None

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._console.is_terminal:
            self._bar.stop()

    def show(self, progress: replays.Progress) -> None:
        """Takes the replay's progress."""
        text = f"{progress.published:,} engagements"
        if progress.day is not None:
            text += f", at {iso(progress.day)}"
        if progress.waiting_for is not None:
            text += f", waiting for {iso(progress.waiting_for)} to close"
        if self._console.is_terminal:
            self._bar.update(self._task, description=text, completed=progress.done)
        elif progress.published >= self._told + LINE_EVERY or progress.waiting_for not in (None, self._waiting):
            print(text, file=self._console.file, flush=True)
            self._told, self._waiting = progress.published, progress.waiting_for
