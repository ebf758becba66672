"""How the pictures of the docs are drawn: SVG that is the same everywhere, small, and readable on light and dark paper."""

import io
import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Each colour on light paper, and what it becomes on dark.
PAPER, INK, FAINT, GRID = "#ffffff", "#24292f", "#6e7781", "#d8dee4"
BLUE, ORANGE, GREEN, PURPLE = "#0969da", "#bc4c00", "#1a7f37", "#8250df"
DARK = {
    PAPER: "#0d1117",
    INK: "#e6edf3",
    FAINT: "#8b949e",
    GRID: "#30363d",
    BLUE: "#58a6ff",
    ORANGE: "#f0883e",
    GREEN: "#3fb950",
    PURPLE: "#bc8cff",
}
FONTS = "system-ui, -apple-system, 'Segoe UI', 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif"
RULES: Any = {
    "svg.fonttype": "none",  # text stays text: small, searchable, and the reader's own font
    "svg.hashsalt": "laurel",  # ids depend on what is drawn alone
    "path.simplify": False,  # every number that is drawn is in the file
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "text.color": INK,
    "figure.facecolor": PAPER,
    "axes.facecolor": PAPER,
    "axes.edgecolor": GRID,
    "axes.labelcolor": FAINT,
    "axes.titlecolor": INK,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "xtick.color": GRID,
    "ytick.color": GRID,
    "xtick.labelcolor": FAINT,
    "ytick.labelcolor": FAINT,
    "xtick.minor.visible": False,
    "ytick.minor.visible": False,
}


def panels(*titles: str) -> tuple[Figure, list[Axes]]:
    """A figure with one panel beside the other, placed by numbers alone, so that no font moves what is drawn."""
    figure = Figure(figsize=(7.5, 3.0))
    left, right, gap = 0.085, 0.955, 0.115
    width = (right - left - gap * (len(titles) - 1)) / len(titles)
    axes = [figure.add_axes((left + at * (width + gap), 0.17, width, 0.69)) for at in range(len(titles))]
    for panel, title in zip(axes, titles, strict=True):
        panel.set_title(title, pad=9)
    return figure, axes


def scales(panel: Axes, x: tuple[str, Sequence[float]], y: tuple[str, Sequence[float]], *, log_x: bool = False) -> None:
    """Names and ticks of both axes; the first and the last tick are their ends."""
    if log_x:
        panel.set_xscale("log")
        panel.minorticks_off()
    for (name, ticks), limit, label, place in (
        (x, panel.set_xlim, panel.set_xlabel, panel.set_xticks),
        (y, panel.set_ylim, panel.set_ylabel, panel.set_yticks),
    ):
        label(name)
        place(ticks, [f"{tick:,.10g}" for tick in ticks])
        limit(ticks[0], ticks[-1])


def line(
    panel: Axes,
    name: str,
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    colour: str = BLUE,
    *,
    style: str = "-",
    width: float = 1.8,
    marker: str = "",
) -> None:
    """A line that a test finds again by its name."""
    panel.plot(
        x, y, style, color=colour, linewidth=width, marker=marker, markersize=3, gid=f"line {name}", clip_on=False
    )


def note(panel: Axes, text: str, x: float, y: float, colour: str = INK, align: str = "left") -> None:
    """Words in the picture, at a place given in data."""
    panel.text(x, y, text, color=colour, ha=align, va="center", linespacing=1.35)


def svg(figure: Figure) -> str:
    """The picture as the text of an SVG file."""
    out = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    figure.savefig(out, format="svg", metadata=nothing)
    text = out.getvalue().replace("font-family: 'DejaVu Sans'", f"font-family: {FONTS}")
    dark = "".join(
        f'[style*="{kind}: {light}"]{{{kind}:{there}!important}}'
        for light, there in DARK.items()
        for kind in ("fill", "stroke")
    )
    text = text.replace("<defs>", f"<style>@media(prefers-color-scheme:dark){{{dark}}}</style>\n <defs>", 1)
    return "\n".join(row.rstrip() for row in text.splitlines()) + "\n"


def drawn(text: str) -> tuple[list[str], dict[str, npt.NDArray[np.float64]]]:
    """What a picture says, its texts in order, and its lines by name: float64[k], coordinates in the picture (1/72 inch)."""
    words = re.findall(r"<text[^>]*>([^<]*)</text>", text)
    lines = re.findall(r'<g id="line ([^"]+)">\s*<path d="([^"]*)"', text)
    numbers = {name: np.array(re.findall(r"-?\d+(?:\.\d+)?", path), np.float64) for name, path in lines}
    return words, numbers


def ruled() -> AbstractContextManager[None]:
    """A context in which everything is drawn by these rules."""
    return mpl.rc_context(RULES)
