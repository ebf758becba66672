"""Where accounts stand at the close of a day: their influence, computed from their state and nothing else."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from laurel.models import ragged
from laurel.models.amplification import amplification
from laurel.models.daily import POINT, by_day
from laurel.models.fade import FADE_UNIT, fade_table
from laurel.models.influence import Influences
from laurel.models.networks import POST, REACTION, Networks
from laurel.models.parameters import ScoreModel
from laurel.models.ragged import Int, Ragged

Float = npt.NDArray[np.float64]

# Faded sums are added up in two halves, so that no account is too influential for 64 bits.
HALF = 20  # bits in the low one
MOST = 1 << 62  # what a sum is held at, 70 million points

# code: index into the network table. part: its share of what its days count, faded, micro-points / 65536. count: faded
# count / 65536.
PART = np.dtype([("code", "<i8"), ("part", "<i8"), ("count", "<i8")])
# One account on one network. part: what its days count, faded, micro-points / 65536. reactions, posts: faded counts / 65536.
PRESENCE = np.dtype([("network", "<i8"), ("part", "<i8"), ("reactions", "<i8"), ("posts", "<i8")])
# topic: hash. strength: faded weight, micro-points / 65536. plus_k: micro-+Ks of the window, not faded.
TOPIC_PART = np.dtype([("topic", "<u8"), ("strength", "<i8"), ("plus_k", "<i8")])


@dataclass(frozen=True)
class Standing:
    """n accounts at a close: `present` bool[n] where anything counts; `parts` (PART) by network and
    action; `presences` (PRESENCE) by network; `factors` float64, the amplification of each presence; `raw` float64[n] points."""

    present: npt.NDArray[np.bool_]
    parts: Ragged
    presences: Ragged
    factors: Float
    raw: Float


def standing(influences: Influences, day: int, means: Float, networks: Networks, model: ScoreModel) -> Standing:
    """The accounts' standing at the close of `day`; `means` float64[networks] are reactions per post (see amplification)."""
    rows, owners, _ = _admitted(influences.buckets, day, model)
    keys = len(influences)
    at = np.searchsorted(networks.ids, rows["action"])
    known = (
        networks.ids[np.minimum(at, len(networks.ids) - 1)] == rows["action"]
    )  # an operator may have removed an action
    owners, rows, at = owners[known], rows[known], at[known]
    days = by_day(owners, at, rows, networks, model)
    owners, fade = days["owner"], fade_table(model)[day - days["day"]]
    count = days["count"] * fade

    order = np.argsort(owners * len(networks.ids) + days["code"])
    columns = np.empty(len(order), _halved(PART))
    columns["code"] = days["code"][order]
    columns["high"], columns["low"] = _faded(days["share"][order], fade[order])
    columns["count"] = count[order]
    parts = _whole(_sum(owners[order], columns, ("code",), keys), PART)

    # What was wholly taken back leaves nothing behind, whether or not its rows have met in one bucket yet.
    left = np.zeros(keys, np.int64)
    np.add.at(left, parts.owners, parts.rows["count"])

    kind = networks.kind[days["code"]]
    order = np.argsort(owners * len(networks.network_names) + days["network"])
    columns = np.empty(len(order), _halved(PRESENCE))
    columns["network"] = days["network"][order]
    columns["high"], columns["low"] = _faded(days["whole"][order], fade[order])
    columns["reactions"] = np.where(kind == REACTION, count, 0)[order]
    columns["posts"] = np.where(kind == POST, count, 0)[order]
    presences = _whole(_sum(owners[order], columns, ("network",), keys), PRESENCE)
    counts = presences.rows
    factors = amplification(
        counts["reactions"] / FADE_UNIT, counts["posts"] / FADE_UNIT, means[counts["network"]], model
    )
    # An account's networks are added in the order of the table, so that the sum is the same to the last bit.
    raw = np.zeros(keys)
    np.add.at(raw, presences.owners, factors * counts["part"] / (FADE_UNIT * POINT))
    return Standing(left > 0, parts, presences, factors, raw)


def topic_parts(influences: Influences, day: int, model: ScoreModel) -> Ragged:
    """Each account's topics (TOPIC_PART) at the close of `day`."""
    rows, owners, fade = _admitted(influences.topics, day, model)
    order = np.lexsort((rows["topic"], owners))
    columns = np.empty(len(order), _halved(TOPIC_PART, "strength"))
    columns["topic"] = rows["topic"][order]
    columns["high"], columns["low"] = _faded(rows["weight"][order], fade[order])
    columns["plus_k"] = rows["plus_k"][order]
    return _whole(_sum(owners[order], columns, ("topic",), len(influences)), TOPIC_PART, "strength")


def _halved(dtype: np.dtype[np.void], name: str = "part") -> np.dtype[np.void]:
    """The columns of a sum while it is added up: two halves in place of the named one."""
    names = dtype.names or ()
    halves = [(half, "<i8") for half in ("high", "low")]
    return np.dtype([*((column, dtype[column]) for column in names if column != name), *halves])


def _faded(weight: Int, fade: Int) -> tuple[Int, Int]:
    return (weight >> HALF) * fade, (weight & ((1 << HALF) - 1)) * fade


def _whole(halves: Ragged, dtype: np.dtype[np.void], name: str = "part") -> Ragged:
    rows = np.empty(len(halves.rows), dtype)
    for column in dtype.names or ():
        if column != name:
            rows[column] = halves.rows[column]
    high, low = halves.rows["high"], halves.rows["low"]
    fits = high < (MOST >> HALF) - (1 << HALF)
    rows[name] = np.where(fits, (np.where(fits, high, 0) << HALF) + low, MOST)
    return Ragged(halves.offsets, rows)


def _admitted(held: Ragged, day: int, model: ScoreModel) -> tuple[npt.NDArray[np.void], Int, Int]:
    """Rows that the close of `day` counts, their owners, and their fades."""
    table = fade_table(model)
    age = day - held.rows["day"].astype(np.int64)
    counts = (held.rows["admit"] <= day) & (age >= 0) & (age < len(table))
    return held.rows[counts], held.owners[counts], table[age[counts]]


def _sum(owners: Int, rows: npt.NDArray[np.void], names: tuple[str, ...], keys: int) -> Ragged:
    """Rows ordered by owner and name, those alike added up."""
    heads = np.flatnonzero(ragged.starts(owners, *(rows[name] for name in names)))
    merged = rows[heads]
    if len(heads):
        for column in rows.dtype.names or ():
            if column not in names:
                merged[column] = np.add.reduceat(rows[column], heads)
    return ragged.from_owners(owners[heads], merged, keys)
