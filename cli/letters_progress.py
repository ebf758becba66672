"""How far a replay of dead letters is: a line that changes on a terminal, a line now and then elsewhere."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

LINE_EVERY = 100_000  # letters between two lines where there is no terminal


class LettersProgress:
    """Shows how many letters were sent so far."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._line = Progress(
            SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=console, transient=True
        )
        self._task = self._line.add_task("reading the dead letters", total=None)
        self._told = 0

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._line.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._console.is_terminal:
            self._line.stop()

    def show(self, sent: int) -> None:
        """Takes how many were sent so far."""
        if self._console.is_terminal:
            self._line.update(self._task, description=f"{sent:,} letters")
        elif sent >= self._told + LINE_EVERY:
            print(f"{sent:,} letters", file=self._console.file, flush=True)
            self._told = sent
