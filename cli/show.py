"""What every screen is drawn with: numbers, bars, sparklines, columns; plain text where there is no terminal."""

import sys
from collections.abc import Mapping, Sequence
from math import floor, log10
from typing import IO, Any

import numpy as np
from rich.console import Console
from rich.text import Text

EIGHTHS = " ▏▎▍▌▋▊▉█"
STEPS = "▁▂▃▄▅▆▇█"
GOLD, BLUE, BOTH = "yellow", "bright_blue", "green"  # colours that both dark and light terminals show


def console(*, stderr: bool = False, record: bool = False, width: int | None = None) -> Console:
    """A console on stdout or stderr; colours only on a terminal that has them and without NO_COLOR."""
    stream: Any = sys.stderr if stderr else sys.stdout
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="replace")  # a bar must not end a command where a terminal has no such character
    return Console(file=stream, highlight=False, markup=False, emoji=False, record=record, width=width)


def plain(text: str) -> str:
    """The text with what would steer a terminal made visible: names come from outside."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)


def points(value: float) -> str:
    """A score or a part of one."""
    return f"{value:.2f}"


def signed(value: float) -> str:
    """A change, with its sign; nothing for one too small to show."""
    return f"{value:+.2f}" if abs(value) >= 0.005 else "0.00"


def colour(change: float) -> str:
    """The style of a change."""
    return "green" if change >= 0.005 else "red" if change <= -0.005 else "dim"


def short(count: float) -> str:
    """A count in at most five characters: 950, 18.2k, 563k, 1.2M."""
    if count < 1000:
        return f"{count:.0f}"
    power = min(int(log10(count)) // 3, 3)
    scaled = count / 1000**power
    return f"{scaled:.1f}".removesuffix(".0")[:4].rstrip(".") + " kMG"[power]


def exact(values: Sequence[float], total: float, digits: int = 2) -> list[float]:
    """The values, which sum to `total`, rounded so that they sum to the rounded total: the largest remainders go up."""
    unit = 10**digits
    scaled = [value * unit for value in values]
    whole = [floor(value) for value in scaled]
    left = round(round(total, digits) * unit) - sum(whole)
    by_remainder = sorted(range(len(scaled)), key=lambda at: whole[at] - scaled[at])
    for at in by_remainder[: max(left, 0)]:
        whole[at] += 1
    return [value / unit for value in whole]


def moved(update: Mapping[str, Any]) -> float | None:
    """By how much a score moved since the day before, as the difference of the two scores that are shown."""
    previous = update["previous"]
    return None if previous is None else round(round(update["score"], 2) - round(previous, 2), 2)


def bar(value: float, most: float, width: int) -> str:
    """A bar of at most `width` characters, `most` long at its full width; something above 0 is always to be seen."""
    if value <= 0 or most <= 0:
        return ""
    eighths = max(1, round(min(value / most, 1.0) * width * 8))
    return EIGHTHS[8] * (eighths // 8) + EIGHTHS[eighths % 8].strip()


def sparkline(days: Sequence[int], values: Sequence[float], first: int, last: int, width: int, most: float) -> str:
    """Values by day on an axis from day `first` to `last`, `width` characters at most, 0 to `most` high.

    A character shows the last of the days it stands for, and is blank where none of them has a value.
    """
    span = last - first + 1
    cells = [" "] * min(width, span)
    for day, value in sorted(zip(days, values, strict=True)):
        if first <= day <= last:
            height = round(max(0.0, min(value / most, 1.0)) * (len(STEPS) - 1)) if most > 0 else 0
            cells[(day - first) * len(cells) // span] = STEPS[height]
    return "".join(cells)


def columns(counts: Sequence[float], height: int) -> list[str]:
    """A column chart of `height` lines, top first; what is above 0 is always to be seen."""
    heights = np.asarray(counts, np.float64)
    most = float(heights.max(initial=0.0))
    eighths = np.where(heights > 0, np.maximum(1, np.rint(heights / (most or 1.0) * height * 8)), 0).astype(int)
    return [
        "".join((" " + STEPS)[min(max(value - 8 * level, 0), 8)] for value in eighths.tolist())
        for level in reversed(range(height))
    ]


def heading(text: str, note: str = "") -> Text:
    """The line above a block."""
    line = Text(text, style="bold")
    return line.append(f"  {note}", style="not bold dim") if note else line


def end_quietly(stream: IO[str]) -> None:
    """Keeps the interpreter from complaining at exit about a reader that has gone away."""
    import os  # noqa: PLC0415 (only here)

    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
