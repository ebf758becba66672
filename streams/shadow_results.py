"""What a model in shadow would change, read back from `shadow-scores`."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from laurel.models.moves import Moves, moves
from laurel.streams import calendar
from laurel.streams.calendar import iso
from laurel.streams.codec import Codec
from laurel.streams.days import Days, Record, closed
from laurel.streams.results import ResultsError, forget, remembered
from laurel.streams.scan import blocks
from laurel.streams.settings import Settings
from laurel.streams.topic_table import SHADOW_DAYS

Float = npt.NDArray[np.float64]

TOPIC, RECORD = "shadow-scores", "ShadowScore"


@dataclass(frozen=True)
class Mover:
    """Somebody whose score moves, and the part of it, by network and action, whose points differ most in that direction."""

    person: str
    before: float
    after: float
    network: str
    action: str
    points: float


@dataclass(frozen=True)
class ShadowReport:
    """What scores of a day, published by the model `published`, are by `model`. `scored` people were published that day: more than
    there are moves of, where a later day has taken the place of some. Movers are by size of their move."""

    day: int
    published: str
    model: str
    scored: int
    moves: Moves
    up: list[Mover]
    down: list[Mover]


def shadow_report(
    settings: Settings, model: str | None, day: int | None, top: int, codec: Codec | None = None
) -> ShadowReport:
    """What a model in shadow would change on a day (days since 1970-01-01); the only one, and the newest day it was computed on,
    unless said otherwise, with the `top` people who move most up and down.

    Takes 16 bytes of memory a person. Raises ResultsError where there is nothing to report, and as Results does.
    """
    codec = codec or Codec()
    record = _day_of(calendar.read(settings, codec), model, day)
    model = _one_of(record, model)
    before, after, movers = _read(settings, codec, record, model, top)
    if not len(before):
        raise ResultsError(
            f"{TOPIC} holds no scores of {iso(record['day'])} by {model} any more: a later day has taken their "
            f"place, or they are older than {SHADOW_DAYS} days; close a day with it in shadow, and leave out --day"
        )
    up, down = ([_mover(row, record["model"], model) for row in rows] for rows in movers)
    return ShadowReport(record["day"], record["model"], model, record["published"], moves(before, after), up, down)


def _day_of(days: Days, model: str | None, day: int | None) -> Record:
    """The Calendar record of the day to report. Raises ResultsError."""
    shadowed = sorted(
        number
        for number, record in days.items()
        if closed(record) and record["shadow_models"] and model in (None, *record["shadow_models"])
    )
    if day is None and shadowed:
        return days[shadowed[-1]]
    if day in shadowed:
        return days[day]
    named = f"the model {model}" if model else "a model"
    if shadowed:
        raise ResultsError(
            f"{iso(day or 0)} was not computed by {named} in shadow: the newest day that was is {iso(shadowed[-1])}"
        )
    raise ResultsError(
        f"no closed day was computed by {named} in shadow: close one with `laurel close-day DAY --shadow {model or 'NAME'}`, "
        "or set shadows (LAUREL_SHADOWS) where days are closed"
    )


def _one_of(record: Record, model: str | None) -> str:
    names: list[str] = record["shadow_models"]
    if model is None and len(names) > 1:
        raise ResultsError(
            f"{iso(record['day'])} was computed by {', '.join(names)} in shadow: choose one with --model"
        )
    return model or names[0]


def _read(
    settings: Settings, codec: Codec, record: Record, model: str, top: int
) -> tuple[Float, Float, tuple[list[Record], list[Record]]]:
    """The published score and the model's of everybody on the day, float64[n], and the records of who moves most up and down."""
    forgotten: dict[str, int] = {}
    while True:
        scores: dict[str, list[Float]] = defaultdict(list)
        kept: list[pa.Table] = [pa.table({}), pa.table({})]
        incomplete = False
        for block in blocks(settings, codec, TOPIC, RECORD):
            # One forgotten after it was counted: read again, knowing of it.
            incomplete |= forget(block, forgotten)
            table = pa.Table.from_batches([block.table]).append_column("offset", pa.array(block.offsets))
            table = table.filter(pc.equal(table["day"], record["day"]))
            if forgotten:
                table = table.filter(remembered(table, forgotten))
            table = _with_scores(table.combine_chunks(), record["model"], model)
            for name in ("before", "after"):
                scores[name].append(table[name].to_numpy())
            kept = [_most(held, table, sign, top) for held, sign in zip(kept, (1, -1), strict=True)]
        if not incomplete:
            found = [np.concatenate(scores[name] or [np.empty(0)]) for name in ("before", "after")]
            return found[0], found[1], (kept[0].to_pylist(), kept[1].to_pylist())


def _with_scores(table: pa.Table, published: str, model: str) -> pa.Table:
    """The rows that have a score by both models, with these as `before` and `after`, and `move`."""
    rows = pc.list_parent_indices(table["scores"]).combine_chunks()
    flat = pc.list_flatten(table["scores"]).combine_chunks()
    names, values = pc.struct_field(flat, "model"), np.asarray(pc.struct_field(flat, "score"))
    found = np.full((2, len(table)), np.nan)
    for at, name in enumerate((published, model)):
        mine = np.asarray(pc.equal(names, name)).astype(bool)
        found[at][np.asarray(rows)[mine]] = values[mine]
    for name, column in zip(("before", "after", "move"), (*found, found[1] - found[0]), strict=True):
        table = table.append_column(name, pa.array(column))
    return table.filter(pa.array(~np.isnan(found[1] - found[0])))


def _most(held: pa.Table, table: pa.Table, sign: int, top: int) -> pa.Table:
    """The `top` rows of both that move most in a direction, by size of the move and then by person."""
    both = pa.concat_tables([held, table]) if held.num_rows else table
    both = both.filter(pc.greater(pc.multiply(both["move"], sign), 0.0))
    order = [("move", "descending" if sign > 0 else "ascending"), ("person", "ascending")]
    return both.take(pc.sort_indices(both, order)[:top]).combine_chunks()


def _mover(row: Record, published: str, model: str) -> Mover:
    sign: dict[str, int] = {published: -1, model: 1}
    differences: dict[tuple[str, str], float] = defaultdict(float)
    for part in row["contributions"]:
        differences[part["network"], part["action"]] += sign.get(part["model"], 0) * part["points"]
    direction = 1 if row["move"] > 0 else -1
    (network, action), points = max(differences.items(), key=lambda item: (direction * item[1], item[0]))
    return Mover(row["person"], row["before"], row["after"], network, action, points)
