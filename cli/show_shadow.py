"""What a model in shadow would change, as people read it."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from laurel.cli.show import bar, colour, heading, plain, points, signed
from laurel.cli.show_results import BASE, grid
from laurel.models.moves import EDGES, QUANTILES, Moves
from laurel.streams.calendar import iso
from laurel.streams.shadow_results import Mover, ShadowReport

BAR = 34  # characters

Differences = Mapping[str, tuple[float, float]]


def screen(report: ShadowReport, differing: Differences | None) -> RenderableType:
    """The report on 80 columns; `differing` are the parameters in which the models differ, None where a file isn't known here."""
    found, one, other = report.moves, plain(report.published), plain(report.model)
    title = heading(f"{other} in the shadow of {one}, {iso(report.day)}", f"{found.people:,} people")
    lines: list[RenderableType] = [title]
    if found.people < report.scored:
        lines.append(
            Text(
                f"of {report.scored:,} scored that day: of the others a later day has come, or no score by both",
                "yellow",
            )
        )
    lines += [_figures(found, one, other), Text(), heading("how people would move"), _classes(found), Text()]
    lines += _movers("most up", report.up, one, other) + _movers("most down", report.down, one, other)
    return Group(*lines, heading("what differs"), _differing(differing, one, other))


def as_data(report: ShadowReport) -> dict[str, Any]:
    """All of it as JSON holds it."""
    found = report.moves
    return {
        "day": iso(report.day),
        "published": report.published,
        "model": report.model,
        "scored": report.scored,
        "people": found.people,
        "mean_before": found.mean_before,
        "mean_after": found.mean_after,
        "mean_move": found.mean,
        "mean_size": found.mean_size,
        "quantiles": dict(zip(map(str, QUANTILES), found.quantiles.tolist(), strict=True)),
        "edges": list(EDGES),
        "counts": found.counts.tolist(),
        "rank_correlation": found.rank_correlation,
        "top": found.top,
        "top_overlap": found.overlap,
        "up": [vars(mover) for mover in report.up],
        "down": [vars(mover) for mover in report.down],
    }


def _figures(found: Moves, one: str, other: str) -> Table:
    table = grid("left", "left", names=0)
    table.add_row("mean score", f"{points(found.mean_before)} by {one}, {points(found.mean_after)} by {other}")
    table.add_row("mean move", f"{signed(found.mean)}, {points(found.mean_size)} without its sign")
    for share, value in zip(QUANTILES, found.quantiles.tolist(), strict=True):
        if share in (0.01, 0.5, 0.99):
            name = "half of all move by" if share == 0.5 else f"{share:.0%} of all move by"
            table.add_row(name, f"{signed(value)} or less")
    rank = found.rank_correlation
    table.add_row("rank correlation", "-" if rank is None else f"{rank:.4f}")
    table.add_row(f"first {found.top}", f"{found.overlap} are so by both")
    return table


def _classes(found: Moves) -> Table:
    table = grid("right", "right", "right", "left", names=3)
    counts = found.counts.tolist()
    most = max(counts)
    for at in reversed(range(len(counts))):
        low, high = (-float("inf"), *EDGES)[at], (*EDGES, float("inf"))[at]
        count = counts[at]
        style = colour(low) if low > 0 else colour(high) if high < 0 else "dim"
        share = f"{count / found.people:.1%}" if count * 1000 >= found.people else "<0.1%" if count else ""
        table.add_row(_class(low, high), f"{count:,}", share, Text(bar(count, most, BAR), style))
    return table


def _class(low: float, high: float) -> str:
    if low < 0 < high:
        return f"less than {high:g} either way"
    if high == float("inf"):
        return f"{low:+g} and more"
    if low == -float("inf"):
        return f"{high:+g} and more"
    return f"{low:+g} to {high:+g}" if low > 0 else f"{high:+g} to {low:+g}"


def _movers(title: str, movers: Sequence[Mover], one: str, other: str) -> list[RenderableType]:
    if not movers:
        return [heading(title, "nobody"), Text()]
    table = grid("left", "right", "right", "right", "left", names=0)
    dim = (Text(name, "dim") for name in ("", one, other, "move", "most of it by"))
    table.add_row(*dim)
    for mover in movers:
        move = mover.after - mover.before
        part = f"{plain(mover.network)} {plain(mover.action)}"
        why = f"{'what everybody has' if (mover.network, mover.action) == BASE else part} {signed(mover.points)}"
        scores = points(mover.before), points(mover.after), Text(signed(move), colour(move))
        table.add_row(plain(mover.person), *scores, why)
    return [heading(title), table, Text()]


def _differing(differing: Differences | None, one: str, other: str) -> RenderableType:
    if differing is None:
        return Text(f"  the file of {one} or {other} is not known here (setting models, LAUREL_MODELS)", "yellow")
    if not differing:
        return Text("  nothing: the two have the same parameters")
    table = grid("left", "right", "right", names=0)
    table.add_row(*(Text(name, "dim") for name in ("", one, other)))
    for name, (before, after) in differing.items():
        table.add_row(name, f"{before:g}", f"{after:g}")
    return table
