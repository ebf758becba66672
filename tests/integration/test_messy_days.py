"""Days as they really arrive: late, twice, taken back, of several networks, some of it wrong. Still what the oracle says.

Half of what is sent again or taken back is of any age, so that for the busiest accounts hundreds of acts lie between; and some
of it is taken back before it comes, or twice.
"""

import random
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from laurel.streams.settings import load
from tests.integration.comparison import assert_same
from tests.integration.days import WORKER
from tests.integration.pipeline import Pipeline
from tests.oracle.oracle import EVENT_COLUMNS, Oracle, read_networks

NETWORKS = Path(__file__).parents[2] / "models/networks.toml"
FIRST = 19_800  # days since 1970-01-01
DAYS, EVENTS, PEOPLE = 6, 1_500, 50
DAY = 86_400_000
ACTIONS = {
    "twitter": ("retweet", "mention", "reply", "like", "post"),
    "facebook": ("comment", "like", "share", "post"),
    "flickr": ("favorite", "comment", "post"),
}
TOPICS = ("jazz", "chess", "physics", "rust", "bread")


def day_of_events(chance: random.Random, day: int, sent: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One day's arrivals; `sent` are those of the days before, to be sent again or taken back."""
    arrivals: list[dict[str, Any]] = []
    late: list[dict[str, Any]] = []  # what was taken back before it came
    for number in range(EVENTS):
        earlier = [*sent[-500:], *arrivals] if chance.random() < 0.5 else [*sent, *arrivals]
        kind = chance.random()
        if earlier and kind < 0.10:
            arrivals.append(chance.choice(earlier))  # sent twice
        elif earlier and kind < 0.16:
            taken = chance.choice(earlier)
            arrivals.append({**taken, "event_id": f"back-{day}-{number}", "retracts": taken["event_id"]})
        elif kind < 0.18:
            coming = _event(chance, day, f"{day}-{number}")
            arrivals.append({**coming, "event_id": f"back-{day}-{number}", "retracts": coming["event_id"]})
            late.append(coming)
        elif late and kind < 0.20:
            arrivals.append(late.pop(chance.randrange(len(late))))
        else:
            arrivals.append(_event(chance, day, f"{day}-{number}"))
    return arrivals


def _event(chance: random.Random, day: int, name: str) -> dict[str, Any]:
    network = chance.choice(list(ACTIONS))
    actor, target = (f"{network}:{int(chance.paretovariate(0.8)) % PEOPLE}" for _ in range(2))
    event = {
        "event_id": name,
        "network": network,
        "action": chance.choice(ACTIONS[network]),
        "actor": None if chance.random() < 0.05 else actor,
        "target": target,
        "content_id": None,
        "topics": chance.sample(TOPICS, chance.choice([0, 0, 1, 1, 2])),
        "text": None,
        "occurred_at": (day - (chance.randrange(1, 100) if chance.random() < 0.1 else 0)) * DAY + chance.randrange(DAY),
        "private": chance.random() < 0.01,
        "retracts": None,
    }
    if event["action"] == "post":
        event["actor"] = target
    if chance.random() < 0.06:
        event |= {"network": "laurel", "action": "plus_k", "topics": chance.sample(TOPICS, 1), "actor": actor}
    return event


@pytest.mark.slow
@pytest.mark.parametrize(("partitions", "workers"), [(1, 1), (3, 2)])
def test_late_repeated_and_retracted_events_come_out_as_the_oracle_says(kafka, prefix, tmp_path, partitions, workers):
    seed = random.randrange(1 << 30)
    print(f"seed {seed}")
    chance = random.Random(seed)
    sent: list[dict[str, Any]] = []
    epochs: list[int | None] = []
    with Pipeline(load(bootstrap=kafka, topic_prefix=prefix, partitions=partitions), tmp_path) as pipeline:
        for number in range(workers):
            pipeline.start(number, **WORKER)
        for day in range(FIRST, FIRST + DAYS):
            arrivals = day_of_events(chance, day, sent)
            pipeline.produce(
                "engagements",
                [
                    ((event["actor"] or event["target"]).encode(), pipeline.codec.encode_one("Engagement", event))
                    for event in arrivals
                ],
            )
            sent += arrivals
            if day == FIRST + DAYS // 2 and workers > 1:  # older acts come back from the changelog too
                pipeline.workers[0].kill()
                shutil.rmtree(pipeline.state(0))
                pipeline.start(0, **WORKER)
            epochs += [None if day == FIRST else day] * len(arrivals)
            pipeline.close_day(datetime.fromtimestamp(day * 86_400, UTC).date().isoformat())
        rows = [
            {**event, "seq": number, "epoch": epoch, "record_ts": 2_000_000_000_000}
            for number, (event, epoch) in enumerate(zip(sent, epochs, strict=True))
        ]
        events = pa.Table.from_pylist(rows, schema=pa.schema(EVENT_COLUMNS))
        expected = Oracle(read_networks(NETWORKS)).run(events, list(range(FIRST, FIRST + DAYS)))
        assert_same(pipeline, expected)
