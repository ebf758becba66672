"""Real days, end to end: what the pipeline publishes is what the oracle computes from the raw events."""

import random
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from laurel.ingest.generate import Plan, batches, write
from laurel.ingest.replay import replay
from laurel.streams import calendar
from laurel.streams.settings import Settings, load
from tests.integration.comparison import assert_same
from tests.integration.pipeline import Pipeline, eventually
from tests.oracle import datasets
from tests.oracle.oracle import Oracle, OracleResult, read_networks

ROOT = Path(__file__).parents[2]
WORKER = {"LAUREL_CHECKPOINT_SECONDS": "0.5", "LAUREL_SESSION_SECONDS": "6"}  # a crash is noticed soon
SYNTHETIC = Plan(events=60_000, users=3_000, skew=1.1, days=5, seed=7)


@dataclass(frozen=True)
class DataSet:
    """A file to replay, how many rows it has, and the same as the oracle's table of events."""

    file: Path
    rows: int
    events: Callable[[], pa.Table]


def _real(place: str, rows: int, events: Callable[[Path], pa.Table]) -> DataSet:
    file = (load().data_dir or Path()) / place
    return DataSet(file, rows, lambda: events(file))


def _synthetic_events() -> pa.Table:
    events = pa.Table.from_batches(batches(SYNTHETIC))
    n, day = len(events), pc.divide(events["occurred_at"], 86_400_000).cast(pa.int32())
    columns = {"seq": pa.array(range(n)), "epoch": day, "record_ts": events["occurred_at"]}
    return pa.table({**{name: events[name] for name in events.schema.names}, **columns})


# Real days where LAUREL_DATA_DIR has them, and synthetic ones of several networks, with posts and +Ks, everywhere.
DATA = {
    name: found
    for name, found in {
        "stackexchange": _real("stackexchange-quantum/events.csv.gz", 16_597, datasets.stackexchange),
        "higgs": _real("higgs/higgs-activity_time.txt.gz", 563_069, datasets.higgs),
    }.items()
    if found.file.is_file()
}
DATA["synthetic"] = DataSet(Path("synthetic.ndjson.gz"), SYNTHETIC.events, _synthetic_events)
LARGEST = "higgs" if "higgs" in DATA else "synthetic"


@cache
def oracle(name: str) -> OracleResult:
    events = DATA[name].events()
    return Oracle(read_networks(ROOT / "models/networks.toml")).run(events, datasets.days(events))


def file_of(name: str, folder: Path) -> Path:
    if name != "synthetic":
        return DATA[name].file
    file = folder / DATA[name].file
    for _ in write(SYNTHETIC, file):
        pass
    return file


def run(name: str, settings: Settings, folder: Path, workers: int, disturb: Callable[[Pipeline], None]) -> None:
    """Replays a data set through that many workers while `disturb` does what it does, and compares."""
    with Pipeline(settings, folder) as pipeline:
        for number in range(workers):
            pipeline.start(number, **WORKER)
        trouble = threading.Thread(target=disturb, args=(pipeline,))
        trouble.start()
        try:
            summary = replay([file_of(name, folder)], settings, close=True)
        finally:
            trouble.join()
        assert summary.rows == DATA[name].rows
        assert_same(pipeline, oracle(name))
        for worker in pipeline.workers:
            if worker.alive:
                assert worker.stop() == 0, worker.log.read_text()


@pytest.mark.parametrize(
    ("name", "partitions", "workers"),
    [(name, partitions, workers) for name in DATA for partitions, workers in ((1, 1), (2, 1), (4, 2))],
)
def test_real_days_come_out_as_the_oracle_says(kafka, prefix, tmp_path, name, partitions, workers):
    settings = load(bootstrap=kafka, topic_prefix=prefix, partitions=partitions)
    run(name, settings, tmp_path, workers, lambda pipeline: None)


@pytest.mark.parametrize("wipe", [False, True], ids=["state kept", "state wiped"])
def test_a_worker_killed_in_the_middle_changes_no_score(kafka, prefix, tmp_path, wipe):
    settings = load(bootstrap=kafka, topic_prefix=prefix, partitions=2)
    seed = random.randrange(1 << 30)
    print(f"seed {seed}")
    chance = random.Random(seed)

    def disturb(pipeline: Pipeline) -> None:
        days = [row["day"] for row in oracle(LARGEST).calendar.to_pylist()]
        for day in sorted(chance.sample(days[:-1], 3)):
            eventually(lambda day=day: day in calendar.read(settings), within=120, what=f"day {day} was asked for")
            time.sleep(chance.uniform(0, 0.5))  # no condition to wait for: any moment is one to crash at
            pipeline.workers[-1].kill()
            if wipe:
                shutil.rmtree(pipeline.state())
            pipeline.start(0, **WORKER)

    run(LARGEST, settings, tmp_path, 1, disturb)
