"""The two public data sets as tables of events that the oracle reads, with the ids and actions that laurel publishes.

A replay closes each day before the next one's events, so the open day is always the event's own.
"""

import csv
import gzip
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv

from tests.oracle.oracle import EVENT_COLUMNS

DAY_MS = 86_400_000

HIGGS_ACTIONS = {"RT": "retweet", "MT": "mention", "RE": "reply"}
# Actions without an entry keep their own name, which no network knows.
STACKEXCHANGE_ACTIONS = {"upvote": "like"}


def higgs(path: Path) -> pa.Table:
    """SNAP's Higgs activity file (`actor target unix_ts type`, gzipped or plain) as EVENT_COLUMNS."""
    rows = pyarrow.csv.read_csv(
        path,
        read_options=pyarrow.csv.ReadOptions(column_names=["actor", "target", "ts", "type"]),
        parse_options=pyarrow.csv.ParseOptions(delimiter=" "),
        convert_options=pyarrow.csv.ConvertOptions(column_types={"actor": pa.string(), "target": pa.string()}),
    ).to_pydict()
    size = len(rows["ts"])
    return _table(
        {
            "event_id": [f"higgs:{line}" for line in range(1, size + 1)],
            "network": ["twitter"] * size,
            "action": [HIGGS_ACTIONS[kind] for kind in rows["type"]],
            "actor": [f"twitter:{actor}" for actor in rows["actor"]],
            "target": [f"twitter:{target}" for target in rows["target"]],
            "topics": [[]] * size,
            "occurred_at": [ts * 1000 for ts in rows["ts"]],
        }
    )


def stackexchange(path: Path) -> pa.Table:
    """The Stack Exchange events file (`ts,action,actor_id,target_id,post_id,topics`) as EVENT_COLUMNS."""
    columns: dict[str, list[Any]] = {name: [] for name in _DATA_COLUMNS}
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        for number, row in enumerate(csv.DictReader(lines), start=1):
            for index, (network, action, actor, target, topics) in enumerate(_engagements(row), start=1):
                columns["event_id"].append(f"stackexchange:{number}" + (f"/{index}" if index > 1 else ""))
                columns["network"].append(network)
                columns["action"].append(action)
                columns["actor"].append(f"stackexchange:{actor}" if actor else None)
                columns["target"].append(f"stackexchange:{target}" if target else "")
                columns["topics"].append(topics)
                columns["occurred_at"].append(int(row["ts"]) * 1000)
    return _table(columns)


def days(events: pa.Table) -> range:
    """Every day from the first event's to the last one's."""
    epochs = events["epoch"].to_numpy()
    return range(int(epochs.min()), int(epochs.max()) + 1)


def _engagements(row: dict[str, str]) -> list[tuple[str, str, str, str, list[str]]]:
    action, actor, target = row["action"], row["actor_id"], row["target_id"]
    topics = row["topics"].split("|") if row["topics"] else []
    match action:
        case "accept":
            return [("laurel", "plus_k", actor, target, [topic]) for topic in topics]
        case "answer":
            return [
                ("stackexchange", "reply", actor, target, topics),
                ("stackexchange", "post", actor, actor, topics),
            ]
        case "question":
            return [("stackexchange", "post", actor, actor, topics)]
        case _:
            return [("stackexchange", STACKEXCHANGE_ACTIONS.get(action, action), actor, target, topics)]


_DATA_COLUMNS = ("event_id", "network", "action", "actor", "target", "topics", "occurred_at")


def _table(columns: dict[str, list[Any]]) -> pa.Table:
    size = len(columns["occurred_at"])
    return pa.table(
        {
            **columns,
            "seq": range(size),
            "epoch": [ms // DAY_MS for ms in columns["occurred_at"]],
            "record_ts": columns["occurred_at"],
            "private": [False] * size,
            "retracts": pa.nulls(size, pa.string()),
        },
        schema=pa.schema(EVENT_COLUMNS),
    )
