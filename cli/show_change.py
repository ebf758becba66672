"""Why a score moved, as people read it: part by part, and in sentences."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from laurel.cli.show import bar, colour, exact, heading, moved, signed
from laurel.models.change import PARTS, Change
from laurel.models.contributions import BASE, Contributions
from laurel.models.networks import OWN_NETWORK
from laurel.models.sentences import sentences

Record = Mapping[str, Any]

BAR = 16  # characters
NAMES = {
    "reactions": "new reactions",
    "fading": "earlier ones fading",
    "posts": "own posts",
    "networks": "accounts linked",
    "calibration": "the scale itself",
    "model": "a new model",
}


def sentences_of(update: Record) -> list[str]:
    """What a ScoreUpdate says in plain words, the most important first."""
    parts, change = update["contributions"], update["change"]
    code = [BASE if part["network"] == OWN_NETWORK else at for at, part in enumerate(parts)]
    made_of = Contributions(
        np.array([0, len(parts)]), np.array(code, np.int64), np.array([part["points"] for part in parts], np.float64)
    )
    told = sentences(
        np.array([update["score"]]),
        np.array([update["previous"] or 0.0]),
        np.array([update["previous"] is not None]),
        Change(*(np.array([change[part] if change else 0.0]) for part in PARTS)),
        made_of,
        [part["network"] for part in parts],
        [part["action"] for part in parts],
    )
    return [str(sentence) for sentence in told.to_pylist()[0]]


def change_lines(update: Record) -> RenderableType | None:
    """The parts of a score's change, as they sum to it; None if nothing is known of them or none can be seen."""
    change, total = update["change"], moved(update)
    if change is None or total is None:
        return None
    values = dict(zip(PARTS, exact([change[part] for part in PARTS], total), strict=True))
    most = max(abs(value) for value in values.values())
    if not most:
        return None
    table = Table.grid(padding=(0, 2, 0, 0))
    for justify in ("left", "right", "left"):
        table.add_column(justify=justify, no_wrap=True)
    for part, value in values.items():
        if value:
            style = colour(value)
            table.add_row(
                f"  {NAMES[part]}", Text(signed(value), style=style), Text(bar(abs(value), most, BAR), style=style)
            )
    return Group(heading("why it moved"), table)
