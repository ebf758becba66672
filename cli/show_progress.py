"""The demo's one bar over all data sets: the day, events, their rate and days closed; lines where there is no terminal."""

from collections.abc import Sequence
from time import monotonic
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from laurel.cli.demo_data import Source
from laurel.ingest.replay import Progress
from laurel.streams.calendar import iso

CLOSE = 6_000  # events that take about as long as the close of a day
LINE_EVERY = 0.1  # of the whole, between two lines where there is no terminal


class DemoProgress:
    """Shows how far a demo is, on a console meant for progress."""

    def __init__(self, console: Console, sources: Sequence[Source]) -> None:
        self._console = console
        self._total = sum(_work(source.events, source.days) for source in sources)
        columns = (TextColumn("{task.description}"), BarColumn(bar_width=16), TextColumn("{task.fields[facts]}"))
        self._bar = Bar(*columns, TimeElapsedColumn(), console=console, transient=True)
        self._task = self._bar.add_task("starting", total=self._total, facts="")
        self._done = 0
        self._told = 0.0
        self._source: Source | None = None
        self._began = 0.0
        self._closed = 0

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._console.is_terminal:
            self._bar.stop()

    def begin(self, source: Source) -> None:
        """A source's turn begins."""
        if self._source is not None:
            self._done += _work(self._source.events, self._source.days)
        self._source, self._began, self._closed = source, monotonic(), 0
        self._tell(source, 0, source.first)

    def show(self, progress: Progress) -> None:
        """Takes the progress of the source's replay."""
        source = self._source
        assert source is not None
        day = source.first if progress.day is None else progress.day
        # While a day is written, all but the one before it are closed; a day that is waited for says it exactly.
        closed = (day - 1 if progress.waiting_for is None else progress.waiting_for) - source.first
        self._closed = max(self._closed, closed)
        self._tell(source, progress.published, day)

    def _tell(self, source: Source, published: int, day: int) -> None:
        done = self._done + _work(published, self._closed)
        rate = published / max(monotonic() - self._began, 0.1)
        facts = f"{published:,} events {rate:,.0f}/s, {self._closed}/{source.days} closed"
        if self._console.is_terminal:
            self._bar.update(self._task, description=f"{source.name} {iso(day)}", completed=done, facts=facts)
        elif done / self._total >= self._told:
            self._console.print(f"{done / self._total:4.0%}  {source.name} {iso(day)}  {facts}", soft_wrap=True)
            self._told = done / self._total + LINE_EVERY


def _work(events: int, days: int) -> int:
    return events + CLOSE * days
