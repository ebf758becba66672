"""What a simulation published, as a reader of committed records sees it, held against what it should have."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from laurel.agents.coordinator import RESULTS
from laurel.agents.runtime import STAGES
from laurel.models.event_topics import EventTopics
from laurel.models.parameters import V1
from laurel.streams import ontology_file
from laurel.streams.dead_letters import read_back
from laurel.streams.restore import restore
from laurel.streams.store import MARK, Mark
from tests.integration.comparison import assert_same
from tests.integration.pipeline import Record
from tests.oracle.oracle import EVENT_COLUMNS, Oracle, OracleResult, read_networks
from tests.simulation.events import DAY
from tests.simulation.memory_log import NOW, MemoryLog
from tests.simulation.memory_store import Disk, MemoryStore
from tests.simulation.worker import shared
from tests.simulation.world import World

READER = EventTopics(ontology_file.load())
NETWORKS = Path(__file__).parents[2] / "models/networks.toml"
TOPICS = (
    "score-updates",
    "insights",
    "shadow-scores",
    "signals",
    "account-scores",
    "sash-events",
    "leaderboards",
    "influence-networks",
    "calendar",
    "dead-letters",
)
NAMES = {
    "score-updates": "person",
    "insights": "person",
    "shadow-scores": "person",
    "signals": "person",
    "account-scores": "account",
    "leaderboards": "topic",
    "influence-networks": "person",
}
NOWHERE = {"score_offsets": None}  # where something lies says nothing of what it is

Found = Counter[tuple[Any, ...]]


def messages(world: World, topic: str) -> list[Any]:
    """All committed records of a topic, each partition's in order."""
    return [
        message
        for partition in range(world.broker.topics[topic])
        for message in world.broker.messages((topic, partition), 0, 1 << 60)
    ]


def published(world: World, topic: str) -> Found:
    """How often each record is in a topic, but for those that change nothing: a tombstone of what was never there, and a first
    score of 1. Accounts that have only engagements of days still to be closed when they are linked get those, and who has depends on
    when they arrived."""
    codec = shared()[0]
    found: Found = Counter()
    known: set[bytes] = set()
    for message in messages(world, topic):
        if topic in NAMES and message.key() not in known:
            if message.value() is None or codec.decode_one(message.value())[1].get("score") == 1:
                continue
            known.add(message.key())
        if topic == "dead-letters":
            letter = read_back(message)
            assert letter is not None
            found[letter.topic, letter.key, letter.value, letter.reason, letter.message] += 1
        elif message.value() is None:
            found[message.key(), None] += 1
        else:
            name, record = codec.decode_one(message.value())
            found[message.key(), name, repr(sorted({**record, **(NOWHERE if name == "Calendar" else {})}.items()))] += 1
    return found


def check(world: World, calm: World) -> None:
    """Both published the same, each record once; days were closed in order; changelogs say what stores hold."""
    for topic in TOPICS:
        found, wanted = published(world, topic), published(calm, topic)
        assert found == wanted, f"{topic}: more {_few(found - wanted)}, less {_few(wanted - found)}"
    check_once(world)
    check_days(world)
    check_readable(world)
    check_changelogs(world)


def _few(records: Found) -> str:
    return f"{len(records)} {list(records.items())[:3]}"[:1_000]


def check_once(world: World) -> None:
    """Nothing was published twice."""
    codec = shared()[0]
    for topic in NAMES:
        told = [message for message in messages(world, topic) if message.value()]
        records = Counter((codec.decode_one(message.value())[1]["day"], message.key()) for message in told)
        twice = [key for key, n in records.items() if n > 1]
        assert not twice, f"{topic}: {twice[:3]} more than once"
    events = Counter(message.value() for message in messages(world, "sash-events"))
    assert not events or max(events.values()) == 1
    origins = [letter.origin for message in messages(world, "dead-letters") if (letter := read_back(message))]
    assert len(origins) == len(set(origins)), "a record is in the dead letters twice"


def check_days(world: World) -> None:
    """Each day was calibrated once, then closed once, after the one before."""
    codec = shared()[0]
    records = [codec.decode_one(message.value())[1] for message in messages(world, "calendar")]
    told = [(record["day"], record["status"]) for record in records if record["status"] != "requested"]
    days = sorted({day for day, _ in told})
    assert told == [(day, status) for day in days for status in ("calibrated", "closed")]


def check_readable(world: World) -> None:
    """Who saw that a day is closed could read all of its results."""
    codec = shared()[0]
    ends = world.broker.watched["calendar", 0]
    last: dict[str, dict[int, list[tuple[tuple[str, int], int]]]] = {}
    for topic in (*RESULTS, "shadow-scores"):
        for message in messages(world, topic):
            if message.value() is not None:
                day = codec.decode_one(message.value())[1]["day"]
                place = (topic, message.partition()), message.offset()
                last.setdefault(topic, {}).setdefault(day, []).append(place)
    for message in messages(world, "calendar"):
        record = codec.decode_one(message.value())[1]
        if record["status"] == "closed":
            readable = next(stable for end, stable in ends if end > message.offset())
            for topic in (*RESULTS, "shadow-scores"):
                late = [at for at, offset in last.get(topic, {}).get(record["day"], ()) if offset >= readable[at]]
                assert not late, f"{late[0]} was not readable to its end when {record['day']} was closed"


def check_changelogs(world: World) -> None:
    """Marks never went back, and a store made of nothing but the changelog is the store."""
    stores = {name: store for worker in world.workers for name, store in worker.stores().items()}
    log = MemoryLog(world.broker)
    for stage in STAGES:
        for number in range(world.partitions):
            marks = [
                Mark.from_bytes(message.value() or b"")
                for message in world.broker.messages((stage.changelog, number), 0, 1 << 60)
                if message.key() == MARK
            ]
            assert [mark.source for mark in marks] == sorted(mark.source for mark in marks)
            live = stores[f"{stage.name}-{number}"]
            fresh = MemoryStore(Path(stage.name), Disk())
            restore(fresh, log, stage.changelog, number, lambda *_: None)
            assert replace(fresh.mark, home={}, changelog=0) == replace(live.mark, home={}, changelog=0)
            assert contents(fresh) == contents(live), f"{stage.name}-{number} is not what its changelog says"


def contents(store: MemoryStore) -> dict[bytes, bytes]:
    """All states, names and links of a store."""
    return {
        kind + key: value
        for kind in (b"k", b"n", b"l", b"w")
        for keys, values in store.scan(kind)
        for key, value in zip(keys, values, strict=True)
    }


class _Published:
    """What the comparison with the oracle asks of a pipeline."""

    def __init__(self, world: World) -> None:
        self._world, self.codec = world, shared()[0]

    def records(self, topic: str, kind: str) -> list[dict[str, Any]]:
        rows = self.codec.decode([message.value() for message in messages(self._world, topic)]).batches.get(kind)
        return rows.table.to_pylist() if rows is not None else []

    def read(self, topic: str) -> list[Record]:
        return [
            Record(m.topic(), m.partition(), m.offset(), m.key(), m.value(), list(m.headers() or ()), m.timestamp()[1])
            for m in messages(self._world, topic)
        ]


def check_oracle(world: World) -> bool:
    """What was published is what the oracle computes from the same engagements; for worlds without linked accounts and noise.

    Whether it was compared: before the first marker the oracle takes an event's own day for the open one, so of an event that comes
    from the future of a first day that is still open it knows a score that was not there yet.
    """
    first = world.closes[0].day
    days = [sent.event["occurred_at"] // DAY for sent in world.sent if sent.event and sent.segment == 0]
    if max(days, default=first) > first + 1:
        return False
    assert_same(_Published(world), expected(world))  # type: ignore[arg-type]
    return True


def topics_of(event: Record) -> list[str]:
    """The topics of an engagement that is read by itself."""
    alone = pa.RecordBatch.from_pydict(
        {"topics": pa.array([event["topics"]], pa.list_(pa.string())), "text": pa.array([event["text"]], pa.string())}
    )
    return READER.of(alone, np.array([event["action"] == "plus_k"]), V1.topics_most).column("topics")[0].as_py()


def expected(world: World) -> OracleResult:
    """What the oracle computes from what a world's services published."""
    days = [close.day for close in world.closes]
    in_order = sorted(enumerate(world.sent), key=lambda sent: (sent[1].segment, sent[0]))
    rows = [
        {
            **sent.event,
            "topics": topics_of(sent.event),
            "seq": seq,
            "epoch": None if sent.segment == 0 else days[sent.segment - 1] + 1,
            "record_ts": NOW,
        }
        for seq, (_, sent) in enumerate(in_order)
        if sent.event is not None
    ]
    return Oracle(read_networks(NETWORKS)).run(pa.Table.from_pylist(rows, schema=pa.schema(EVENT_COLUMNS)), days)
