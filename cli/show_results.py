"""Results as people read them: a score, leaders, and what a score is made of."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from laurel.cli.show import BLUE, BOTH, GOLD, bar, colour, exact, heading, moved, plain, points, signed, sparkline
from laurel.cli.show_change import change_lines, sentences_of
from laurel.models.networks import OWN_NETWORK
from laurel.streams.calendar import iso

Record = Mapping[str, Any]

BASE = (OWN_NETWORK, "base")  # the contribution everybody has
SASHES = {"blue_and_gold": ("blue and gold", BOTH), "gold": ("gold", GOLD), "blue": ("blue", BLUE)}  # worthiest first
BAR = 24  # characters
NAMED = 6  # topics named for each kind of sash


def score_line(update: Record, last: int) -> Text:
    """One person's score in one line or two; `last` is the newest closed day."""
    line = Text(plain(update["person"]), style="bold")
    line.append(f"  {points(update['score'])}", style="bold cyan").append(
        f"  on {iso(update['day'])}", style="not bold"
    )
    line.append(", ", style="not bold").append_text(_moved(update)).append(f", {_place(update)}", style="not bold")
    reached = _classic_line(update)
    if reached:
        line.append(f"\n{reached}", style="not bold dim")
    if update["day"] < last:
        line.append(f"\nno longer scored: nothing of the 90 days up to {iso(last)} counts", style="not bold yellow")
    return line


def leaders(title: str, rows: Sequence[Record]) -> RenderableType:
    """The highest scores of a day."""
    table = grid("right", "left", "right", "right", "left")
    for rank, row in enumerate(rows, 1):
        score = Text(points(row["score"]), style="bold cyan")
        table.add_row(str(rank), plain(row["person"]), score, change_of(row), bar(row["score"], 100, BAR))
    return Group(heading(title), table)


def board(title: str, rows: Sequence[Record], *, plus_k: bool) -> RenderableType:
    """The leaders of a topic by strength, or by +Ks."""
    table = grid("right", "left", "right", "right", "left")
    by = "plus_k" if plus_k else "strength"
    table.add_row("", "", *(Text(name, style="dim") for name in ("strength", "+K")), "")
    most = max((row[by] for row in rows), default=0.0)
    for row in rows:
        numbers = points(row["strength"]), f"{row['plus_k']:.0f}"
        table.add_row(str(row["rank"]), plain(row["person"]), *numbers, bar(row[by], most, BAR))
    return Group(heading(title), table)


def explanation(update: Record, history: Sequence[Record], worn: Sequence[Record], people: int) -> RenderableType:
    """A score line by line: what it is made of, why it moved since the day before, in parts and in words, and the sashes worn.

    `history` are the person's updates by day, the newest (`update`) last.
    """
    title = Text(plain(update["person"]), style="bold")
    title.append(f"  {points(update['score'])}", style="bold cyan").append(
        f"  on {iso(update['day'])}", style="not bold"
    )
    facts = (
        Text().append_text(_moved(update)).append(f", {_place(update)} of {people:,} people, model {update['model']}")
    )
    parts: list[RenderableType] = [title, facts]
    if len(history) > 1:
        parts.append(_past(history))
    parts += [Text(), _lines(update, _day_before(update, history))]
    known = classic_lines(update)
    if known is not None:
        parts += [Text(), known]
    why = change_lines(update)
    if why is not None:
        parts += [Text(), why]
    parts += [Text(), heading("in words"), *(Text(f"  {plain(sentence)}") for sentence in sentences_of(update))]
    if worn:
        parts += [Text(), sash_lines(worn)]
    return Group(*parts)


def contributions(update: Record, before: Record | None) -> list[tuple[str, str, float, float | None]]:
    """Network, action, points and change since the day before, largest first: each column sums to its rounded total."""
    now = _exact_parts(update)
    then = _exact_parts(before) if before is not None else {}
    names = sorted(now.keys() | then.keys(), key=lambda name: (name == BASE, -now.get(name, 0.0), name))
    return [
        (*name, now.get(name, 0.0), now.get(name, 0.0) - then.get(name, 0.0) if before is not None else None)
        for name in names
    ]


def sash_lines(worn: Sequence[Record]) -> RenderableType:
    """The sashes somebody wears, by kind, with some of the topics, newest first."""
    counts = Counter(event["sash"] for event in worn)
    table = Table.grid(padding=(0, 2, 0, 0))
    for sash, (name, style) in SASHES.items():
        if counts[sash]:
            topics = [plain(event["topic"]) for event in reversed(worn) if event["sash"] == sash]
            more = f" and {len(topics) - NAMED} more" if len(topics) > NAMED else ""
            table.add_row(f"  {counts[sash]:>3}", Text(name, style=style), f"{', '.join(topics[:NAMED])}{more}")
    return Group(heading(f"wears {len(worn)} sash{'es' if len(worn) > 1 else ''}"), table)


def classic_lines(update: Record) -> RenderableType | None:
    """True reach, amplification and network influence, each with what it means; None for an update of before they were told."""
    if update["true_reach"] is None:
        return None
    people = update["true_reach"]
    table = grid("left", "right", "left", names=2)
    rows = (
        ("true reach", f"{people:,}", f"{'person' if people == 1 else 'people'} acted on this account within 90 days"),
        (
            "amplification",
            _or_none(update["amplification"]),
            "reactions for each post" if update["amplification"] is not None else "no posts to hold reactions against",
        ),
        (
            "network influence",
            _or_none(update["network_influence"]),
            "points that these people have earned themselves, on average" if people else "nobody to be influential",
        ),
    )
    for name, value, meaning in rows:
        table.add_row(f"  {name}", Text(value, style="bold cyan"), Text(meaning, style="dim"))
    return Group(heading("whom it reaches"), table)


def _or_none(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _classic_line(update: Record) -> str:
    """The three classic parts in one line, empty for an update of before they were told."""
    people = update["true_reach"]
    if people is None:
        return ""
    said = [f"reached {people:,} {'person' if people == 1 else 'people'} within 90 days"]
    if update["amplification"] is not None:
        said.append(f"{update['amplification']:.1f} reactions a post")
    if update["network_influence"] is not None:
        said.append(f"network influence {update['network_influence']:.1f}")
    return ", ".join(said)


def _lines(update: Record, before: Record | None) -> Table:
    table = grid("left", "right", "left", "right", names=0)
    rows = contributions(update, before)
    most = max(value for *_, value, _ in rows)
    for network, action, value, change in rows:
        name = "what everybody has" if (network, action) == BASE else f"{plain(network)} {plain(action)}"
        moved = Text("") if change is None else Text(signed(change), style=colour(change))
        table.add_row(f"  {name}", points(value), Text(bar(value, most, BAR), style="cyan"), moved)
    total = Text(signed(sum(change or 0.0 for *_, change in rows)) if before is not None else "", style="bold")
    table.add_row("", Text("─" * 6, style="dim"), "", Text("─" * 5 if before is not None else "", style="dim"))
    table.add_row(
        Text("  score", style="bold"), Text(points(sum(row[2] for row in rows)), style="bold cyan"), "", total
    )
    return table


def _past(history: Sequence[Record]) -> Text:
    days, scores = [record["day"] for record in history], [record["score"] for record in history]
    line = sparkline(days, scores, days[0], days[-1], 40, max(scores))
    return Text(line, style="cyan").append(f"  since {iso(days[0])}, at most {points(max(scores))}", style="dim")


def _day_before(update: Record, history: Sequence[Record]) -> Record | None:
    return next((record for record in reversed(history) if record["day"] == update["day"] - 1), None)


def _exact_parts(update: Record) -> dict[tuple[str, str], float]:
    parts = update["contributions"]
    values = exact([part["points"] for part in parts], update["score"])
    return {(part["network"], part["action"]): value for part, value in zip(parts, values, strict=True)}


def _moved(update: Record) -> Text:
    change = moved(update)
    if change is None:
        return Text("scored for the first time", style="not bold")
    if not change:
        return Text("as the day before", style="not bold")
    way = "up" if change > 0 else "down"
    return Text(f"{way} {abs(change):.2f} from {points(update['previous'])}", style=f"not bold {colour(change)}")


def change_of(update: Record) -> Text:
    """A score's change since the day before, coloured."""
    change = moved(update)
    return Text("new", style="green") if change is None else Text(signed(change), style=colour(change))


def _place(update: Record) -> str:
    # Nobody but a person is above all others: digits enough that it doesn't say 100.
    texts = (f"{update['percentile']:.{digits}f}" for digits in (1, 2, 3, 4))
    return f"above {next((text for text in texts if float(text) < 100), '99.9999')} %"


def grid(*justify: Any, names: int = 1) -> Table:
    """A table without lines: `left` or `right` for each column; the one of `names` gives way where it is narrow."""
    table = Table.grid(padding=(0, 2, 0, 0))
    for at, side in enumerate(justify):
        table.add_column(justify=side, overflow="fold", no_wrap=at != names)
    return table
