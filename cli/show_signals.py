"""Signals as people read them: shares, which of them are suspicious, and that they prove nothing."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from laurel.cli.show import bar, heading, plain
from laurel.cli.show_results import grid
from laurel.models.signals import LEAST, YOUNG_DAYS
from laurel.streams.calendar import iso

Record = Mapping[str, Any]

MEANINGS = {
    "burst": "of the reactions came on the busiest day",
    "concentration": "1.00 if one account gave all named reactions, 0.50 if two gave half each",
    "youth": f"of the accounts acted for the first time fewer than {YOUNG_DAYS} days before they last acted on this one",
}
NAMED = "all by the accounts that acted within 90 days, each one's since it began or last paused for 90 days"
CAVEAT = "A signal proves nothing and moves no score: it says where to look."
BAR = 16  # characters
SUSPICIOUS = "yellow"


def of_one(record: Record) -> RenderableType:
    """All signals of one person, with what each means."""
    title = Text(plain(record["person"]), style="bold")
    title.append(f"  {_number(record['reactions'])} within 90 days up to {iso(record['day'])}", style="not bold")
    table = grid("left", "right", "left", "left", names=3)
    for name, meaning in MEANINGS.items():
        table.add_row(name, _share(record, name), bar(record[name], 1.0, BAR), Text(meaning, style="dim"))
    named = Text(f"{record['named']:,} named: {NAMED}", style="dim")
    return Group(title, table, named, Text(CAVEAT, style="dim"))


def of_many(rows: Sequence[Record], day: int) -> RenderableType:
    """The most suspicious people as of a day, and of a later one whose close is on its way."""
    if not rows:
        return Text(f"nobody has a suspicious signal on {iso(day)}")
    table = grid("left", *["right"] * (len(MEANINGS) + 1), "left", names=0)
    table.add_row("", *(Text(name, style="dim") for name in ("reactions", *MEANINGS)))
    for row in rows:
        other = Text("" if row["day"] == day else f"on {iso(row['day'])}", style="dim")
        table.add_row(plain(row["person"]), f"{row['reactions']:,}", *(_share(row, name) for name in MEANINGS), other)
    return Group(heading("the most suspicious", "! is flagged"), table, Text(CAVEAT, style="dim"))


def nothing_found(account: str, day: int) -> Text:
    """What there is to say of somebody without signals."""
    return Text(
        f"{plain(account)} has no suspicious signal on {iso(day)}; of fewer than {LEAST} reactions within 90 days, and of "
        "whoever opted out, none is told"
    )


def _share(record: Record, name: str) -> Text:
    flagged = name in record["flagged"]
    return Text(f"{record[name]:.2f} {'!' if flagged else ' '}", style=SUSPICIOUS if flagged else "")


def _number(count: int) -> str:
    return f"{count:,} reaction{'s' if count != 1 else ''}"
