"""`laurel rebuild`: all state made anew from the engagements is what the workers have, and what isn't is found."""

import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from laurel.agents.layouts import INFLUENCE
from laurel.agents.runtime import STAGES
from laurel.streams.calendar import iso
from laurel.streams.log import KafkaLog
from laurel.streams.outbox import Output
from laurel.streams.packing import States, pack, unpack
from laurel.streams.settings import load
from laurel.streams.store import MARK, STATE
from laurel.streams.writer import Transaction
from tests.integration.days import WORKER
from tests.integration.pipeline import Pipeline
from tests.integration.test_messy_days import DAYS, FIRST, day_of_events

CHANGELOG = next(stage.changelog for stage in STAGES if stage.name == "targets")


def worked(pipeline: Pipeline, chance: random.Random) -> None:
    """Messy days, one after the other, a worker killed in the middle and its disk lost."""
    sent: list[dict[str, Any]] = []
    worker = pipeline.start(0, **WORKER)
    for day in range(FIRST, FIRST + DAYS):
        arrivals = day_of_events(chance, day, sent)
        encode = pipeline.codec.encode_one
        pipeline.produce(
            "engagements",
            [((event["actor"] or event["target"]).encode(), encode("Engagement", event)) for event in arrivals],
        )
        sent += arrivals
        if day == FIRST + DAYS // 2:
            worker.kill()
            shutil.rmtree(pipeline.state())
            worker = pipeline.start(0, **WORKER)
        pipeline.close_day(iso(day))
    assert worker.stop() == 0
    assert pipeline.start(0, "--until-idle", **WORKER).wait() == 0


def compared(pipeline: Pipeline, status: int) -> list[dict[str, Any]]:
    told = pipeline.laurel("rebuild", "--json", within=300)
    assert told.returncode == status, told.stderr + told.stdout
    found = json.loads(told.stdout)
    assert found["same"] == (status == 0)
    rows: list[dict[str, Any]] = found["compared"]
    return rows


def damage(pipeline: Pipeline) -> bytes:
    """Writes a state into the changelog that no engagement leads to, as its owner; returns whose it is."""
    settings = pipeline.settings
    topic = settings.topic(CHANGELOG)
    newest = {record.key: record.value for record in pipeline.read(CHANGELOG) if record.partition == 0}
    key = next(key for key, value in newest.items() if key is not None and key.startswith(STATE) and value is not None)
    states = unpack(INFLUENCE, [newest[key]])
    states.sections["buckets"].rows["weight"] += 1
    [wrong] = pack(INFLUENCE, States(states.header, states.sections))
    writer = KafkaLog(settings.servers, f"{settings.topic_prefix}{settings.group}").writer("targets-0")
    writer.open()

    def fill(transaction: Transaction) -> None:
        transaction.send(Output(topic, [key, MARK], [wrong, newest[MARK]], 0))

    writer.transact(fill)
    return key[len(STATE) :]


@pytest.mark.slow
def test_what_is_made_anew_is_what_there_is_and_what_is_damaged_is_found(
    kafka: str, prefix: str, tmp_path: Path
) -> None:
    seed = random.randrange(1 << 30)
    print(f"seed {seed}")
    with Pipeline(load(bootstrap=kafka, topic_prefix=prefix, partitions=2), tmp_path) as pipeline:
        worked(pipeline, random.Random(seed))
        whole = compared(pipeline, 0)
        by_name = {row["what"]: row for row in whole}
        for name in ("actors states", "targets states", "targets names", "leaders states", "score-updates", "calendar"):
            assert sum(row["equal"] for row in whole if row["what"] == name) > 0, by_name
        assert "signals" in by_name
        victim = damage(pipeline)
        differing = [row for row in compared(pipeline, 1) if row["different"] or row["missing"] or row["extra"]]
        assert [(row["what"], row["partition"], row["examples"]) for row in differing] == [
            ("targets states", 0, [victim.decode()])
        ]
        topics = pipeline.laurel("topics", "apply", "--dry-run").stdout
        assert "rebuild" not in topics


def test_a_rebuild_beside_workers_with_work_left_says_so_and_compares_nothing(
    kafka: str, prefix: str, tmp_path: Path
) -> None:
    with Pipeline(load(bootstrap=kafka, topic_prefix=prefix, partitions=2), tmp_path) as pipeline:
        pipeline.produce("influence", [(b"twitter:1", b"of whatever kind")], 1)
        told = pipeline.laurel("rebuild", "--json")
        assert (told.returncode, told.stdout) == (1, "")
        assert f"{prefix}influence/1 yet (offset 0 of 1)" in told.stderr
