"""Small cases for the oracle: engagements in one call each, and what came of them by name."""

import math
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from tests.oracle.oracle import EVENT_COLUMNS, Oracle, OracleResult

DAY = 86_400_000
MONDAY = 20_000  # days since 1970-01-01; no meaning beyond being long after it
NETWORKS = {
    ("twitter", "retweet"): (1.0, "reaction"),
    ("twitter", "like"): (0.3, "reaction"),
    ("twitter", "post"): (0.0, "post"),
    ("flickr", "favorite"): (0.5, "reaction"),
    ("laurel", "plus_k"): (0.0, "plus_k"),
}
BASE = 1_000_000  # engager factor of somebody without a score, millionths


def potential(points: int) -> int:
    """What `points` micro-points of one actor on one target add up to, micro-points."""
    return 2_000_000 * points // (points + 1_000_000)


def added(memory: int, points: int, factor: int = BASE) -> int:
    """What `points` after `memory` weigh, times a factor in millionths."""
    return 2 * 10**9 * points // (memory + 10**6) * factor // ((memory + points + 10**6) * 1_000)


def counted(*weights: int) -> float:
    """Points that weights on one network and day count."""
    total = sum(weights)
    return round(2 * total / (1 + (1 + total / 100_000) ** 0.5)) / 1e6


def points_for(adding_up: int) -> int:
    """The micro-points that add up to so many micro-points: the inverse of `potential`."""
    return adding_up * 1_000_000 // (2_000_000 - adding_up)


def event(
    actor: str | None, target: str = "twitter:t", action: str = "retweet", day: int = MONDAY, **more: Any
) -> dict[str, Any]:
    """An engagement on a day, by default a retweet that arrives on the day it happens; `more` are further columns."""
    filled = {"network": "twitter", "topics": [], "private": False, "occurred_at": day * DAY, "epoch": day, **more}
    filled.setdefault("record_ts", filled["occurred_at"])
    return {"actor": actor, "target": target, "action": action, **filled}


def plus_k(giver: str, receiver: str, topic: str, day: int = MONDAY, **more: Any) -> dict[str, Any]:
    """A +K given on a day."""
    return event(giver, receiver, "plus_k", day, network="laurel", topics=[topic], **more)


def run(events: Sequence[dict[str, Any]], closes: Sequence[int] = ()) -> OracleResult:
    """What comes of events in this order; ids are e0, e1 ... unless given."""
    rows = [{"event_id": f"e{number}", "seq": number, **row} for number, row in enumerate(events)]
    return Oracle(NETWORKS).run(pa.Table.from_pylist(rows, schema=pa.schema(EVENT_COLUMNS)), closes)


def weights(events: Sequence[dict[str, Any]], closes: Sequence[int] = ()) -> list[int]:
    """Weights of the accepted events, in order, micro-points."""
    return [row["weight"] for row in run(events, closes).weights.to_pylist()]


def reasons(events: Sequence[dict[str, Any]]) -> dict[str, str]:
    """Why events were refused, by event id."""
    return {row["event_id"]: row["reason"] for row in run(events).dead_letters.to_pylist()}


def scores(result: OracleResult, day: int) -> dict[str, dict[str, Any]]:
    """The score rows of a day, by account."""
    return {row["account"]: row for row in result.scores.to_pylist() if row["day"] == day}


def changes(result: OracleResult) -> list[tuple[Any, ...]]:
    """The sash changes, as (day, person, sash, change)."""
    rows = [tuple(row[name] for name in ("day", "person", "sash", "change")) for row in result.sashes.to_pylist()]
    return sorted(rows)


def earned(result: OracleResult, day: int, account: str) -> int:
    """Whole points of an account's score above that of no influence, which everybody has at the day's r0."""
    (r0,) = [row["r0"] for row in result.calendar.to_pylist() if row["day"] == day]
    base = 1 + 99 * math.log1p(17 / r0) / math.log1p(10_000)
    return round(scores(result, day)[account]["score"] - base)
