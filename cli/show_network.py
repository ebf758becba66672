"""Influence networks as people and programs read them."""

from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from laurel.cli.show import bar, heading, plain, points
from laurel.cli.show_results import grid
from laurel.streams.calendar import iso
from laurel.streams.days import Record
from laurel.streams.network_results import InfluenceNetwork

BAR = 24  # characters
MOST = 2.0  # points that a pair's acts add up to, at the most


def network_lines(account: str, network: InfluenceNetwork) -> RenderableType:
    """Both lists of a person, each with bars as long as its strengths."""
    parts: list[RenderableType] = [Text(plain(account), style="bold")]
    for title, record, nobody in (
        ("influences", network.influences, "nobody acts on it"),
        ("is influenced by", network.influenced_by, "it acts on nobody"),
    ):
        note = nobody if record is None else f"as of {iso(record['day'])}"
        parts += [Text(), heading(title, note)]
        if record is not None:
            parts.append(_lines(record))
    return Group(*parts)


def as_data(account: str, network: InfluenceNetwork) -> dict[str, Any]:
    """Both lists as JSON holds them: `day` (YYYY-MM-DD, since when the list is this one) and `accounts`; null for nobody."""
    sides = {"influences": network.influences, "influenced_by": network.influenced_by}
    told = {
        side: None if record is None else {"day": iso(record["day"]), "accounts": record["accounts"]}
        for side, record in sides.items()
    }
    return {"person": account, **told}


def _lines(record: Record) -> RenderableType:
    table = grid("right", "left", "right", "left")
    most = max(MOST, *(tied["strength"] for tied in record["accounts"]))
    for rank, tied in enumerate(record["accounts"], 1):
        strength = Text(points(tied["strength"]), style="bold cyan")
        table.add_row(str(rank), plain(tied["account"]), strength, Text(bar(tied["strength"], most, BAR), style="cyan"))
    return table
