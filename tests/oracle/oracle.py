"""The oracle: scores, boards and sashes from raw engagements, in DuckDB, straight from docs/architecture.md.

It knows nothing of partitions, batches or state: each close is computed anew from all engagements, in SQL. The
statements are in the files beside this one; here is their order and the one step that is a search, the calibration.
"""

import itertools
import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

Networks = Mapping[tuple[str, str], tuple[float, str]]

AVERAGE = 20.0  # points: the mean score that r0 is chosen for
LOWEST_R0, HIGHEST_R0 = 1e-6, 1e9
HALVINGS = 200
LENT = 17.0  # points of raw influence that everybody has
FREE_CLOSES = 45  # closes after which r0 moves slowly
STEP = 0.02  # share by which r0 rises at a close at most; it falls by the same factor
PAIRS_KEPT = 4096
LAST_EPOCH = 2**31 - 1

EVENT_COLUMNS: Mapping[str, pa.DataType] = {
    "seq": pa.int64(),
    "epoch": pa.int32(),
    "record_ts": pa.int64(),
    "event_id": pa.string(),
    "network": pa.string(),
    "action": pa.string(),
    "actor": pa.string(),
    "target": pa.string(),
    "topics": pa.list_(pa.string()),
    "occurred_at": pa.int64(),
    "private": pa.bool_(),
    "retracts": pa.string(),
}


@dataclass(frozen=True)
class OracleResult:
    """Tables of everything published, each sorted by its columns. Days are days since 1970-01-01 UTC, int64.

    `scores(day, account, raw, score, previous, percentile)`: raw in points, percentile 0..100, previous may be null;
    `contributions(day, account, network, action, points)`;
    `changes(day, account, reactions, fading, posts, calibration)`: parts of score - previous where there is a previous;
    `reach(day, account, true_reach, network_influence, amplification)`: the classic parts of each score, the last two may be null;
    `signals(day, account, reactions, named, burst, concentration, youth, flagged)`: of who has any flagged;
    `calendar(day, people, r0, mean, binned_mean)`: mean scores, of people and of their bins' centres;
    `weights(seq, event_id, weight)`: accepted engagements, micro-points;
    `dead_letters(seq, event_id, reason)`;
    `dropped(seq, event_id, why)`: a `repeat`; an engagement `withdrawn` before it came; a retraction that was `waiting` for
    what it takes back, or `unmatched`, with nothing to take back any more;
    `leaderboards(day, topic, kind, rank, person, strength, plus_k)`: all ranks; kind influencer or plus_k, strength in
    micro-points / 65536;
    `sashes(day, person, topic, sash, change, influencer_rank, plus_k_rank)`: changes only;
    `means(day, network, mean, days)`: reactions per post, used from the next close on, and closes that measured them.
    """

    scores: pa.Table
    contributions: pa.Table
    changes: pa.Table
    reach: pa.Table
    signals: pa.Table
    calendar: pa.Table
    weights: pa.Table
    dead_letters: pa.Table
    dropped: pa.Table
    leaderboards: pa.Table
    sashes: pa.Table
    means: pa.Table


class Oracle:
    """Computes what must be published under one table of networks.

    `networks` maps (network, action) to (weight 0..1, kind), kind being reaction, post or plus_k.
    """

    def __init__(self, networks: Networks) -> None:
        self._networks = pa.table(
            {
                "network": pa.array([network for network, _ in networks], pa.string()),
                "action": pa.array([action for _, action in networks], pa.string()),
                "micro": pa.array([round(weight * 1e6) for weight, _ in networks.values()], pa.int64()),
                "kind": pa.array([kind for _, kind in networks.values()], pa.string()),
            }
        )

    def run(self, events: pa.Table, closes: Sequence[int]) -> OracleResult:
        """Everything published when the days of `closes` (ascending) are closed over `events`.

        `events` has the columns of EVENT_COLUMNS (others are ignored): Engagement's, with `occurred_at` in epoch
        milliseconds, and `seq` (unique; ascending in log order for each actor), `epoch` (the day that was open when the
        event arrived: its partition's last marker + 1; null before the first marker) and `record_ts` (epoch ms).
        Raises ValueError for closes out of order, and for an actor with more targets than laurel keeps pairs of: which
        pairs are then forgotten is not computed here.
        """
        if any(later <= earlier for earlier, later in itertools.pairwise(closes)):
            raise ValueError(f"closes must ascend, these don't: {list(closes)}")
        rows = events.select(list(EVENT_COLUMNS)).cast(pa.schema(EVENT_COLUMNS))
        with duckdb.connect() as con:
            con.register("events", rows)
            con.register("networks", self._networks)
            for script in ("base", "admit", "weigh"):
                _run(con, script)
            _check_pairs(con)
            _set(con, means_from=None, before=None, weighed_to=-LAST_EPOCH, old_r0=None)
            r0: float | None = None
            for number, day in enumerate(closes):
                r0 = _close(con, day, r0, number)
            _set(con, today=LAST_EPOCH)
            _run(con, "collect")
            return OracleResult(
                scores=_table(con, "scores"),
                contributions=_table(con, "contributions"),
                changes=_table(con, "score_changes"),
                reach=_table(con, "reach"),
                signals=_table(con, "signals"),
                calendar=_table(con, "calendar"),
                weights=_table(con, "weights"),
                dead_letters=_table(con, "refused"),
                dropped=_table(con, "dropped"),
                leaderboards=_table(con, "leaderboards"),
                sashes=_table(con, "sashes"),
                means=_table(con, "means"),
            )


def _check_pairs(con: duckdb.DuckDBPyConnection) -> None:
    crowded = con.execute(
        "SELECT actor, count(DISTINCT target) AS targets FROM accepted GROUP BY actor HAVING targets > ?", [PAIRS_KEPT]
    ).fetchone()
    if crowded is not None:
        raise ValueError(f"actor {crowded[0]} acts on {crowded[1]} accounts, the oracle follows at most {PAIRS_KEPT}")


def _close(con: duckdb.DuckDBPyConnection, day: int, previous_r0: float | None, closed_days: int) -> float:
    _set(con, today=day)
    _run(con, "collect")
    _run(con, "raw")
    histogram = con.execute("SELECT centre, people FROM bins ORDER BY bin").fetchall()
    r0 = calibrated(histogram, previous_r0, closed_days)
    _set(con, r0=r0)
    _run(con, "publish")
    _run(con, "change")
    _run(con, "reach")
    _run(con, "signals")
    people = sum(count for _, count in histogram)
    binned = mean_score(histogram, r0) if people else None
    con.execute(
        "INSERT INTO calendar SELECT today(), ?, ?, (SELECT avg(score) FROM scores WHERE day = today()), ?",
        [people, r0, binned],
    )
    con.execute("SET VARIABLE means_from = before()")
    _set(con, before=day, weighed_to=day, old_r0=r0)
    return r0


def read_networks(path: Path) -> Networks:
    """The table of networks in a TOML file: a table a network, in it `action = { kind = ..., weight = ... }`."""
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    return {
        (network, action): (entry.get("weight", 0.0), entry["kind"])
        for network, actions in document.items()
        for action, entry in actions.items()
    }


def calibrated(histogram: Sequence[tuple[float, int]], previous_r0: float | None, closed_days: int) -> float:
    """r0 (points) for people counted by raw influence, (raw, people) each, after `closed_days` earlier closes."""
    if not histogram:
        return 1.0 if previous_r0 is None else previous_r0
    low, high = math.log(LOWEST_R0), math.log(HIGHEST_R0)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if mean_score(histogram, math.exp(middle)) > AVERAGE:
            low = middle
        else:
            high = middle
    r0 = math.exp((low + high) / 2)
    if previous_r0 is not None and closed_days >= FREE_CLOSES:
        r0 = min(max(r0, previous_r0 / (1 + STEP)), previous_r0 * (1 + STEP))
    return r0


def mean_score(histogram: Sequence[tuple[float, int]], r0: float) -> float:
    """Mean score of people counted by raw influence."""
    scale = math.log1p(10_000)
    points = sum(min(100.0, 1 + 99 * math.log1p((raw + LENT) / r0) / scale) * people for raw, people in histogram)
    return points / sum(people for _, people in histogram)


def _run(con: duckdb.DuckDBPyConnection, script: str) -> None:
    con.execute(_SCRIPTS[script])


def _set(con: duckdb.DuckDBPyConnection, **variables: float | None) -> None:
    for name, value in variables.items():
        con.execute(f"SET VARIABLE {name} = {'NULL' if value is None else repr(value)}")


def _table(con: duckdb.DuckDBPyConnection, name: str) -> pa.Table:
    table: pa.Table = con.sql(f"FROM {name} ORDER BY ALL").to_arrow_table()
    return table


_SCRIPTS = {path.stem: path.read_text() for path in Path(__file__).parent.glob("*.sql")}
