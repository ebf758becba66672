"""Real days, end to end: what the pipeline publishes is what the oracle computes from the raw events."""

import random
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from laurel.ingest.replay import replay
from laurel.streams import calendar
from laurel.streams.settings import Settings, load
from tests.integration.comparison import assert_same
from tests.integration.days import DATA, LARGEST, WORKER, file_of, oracle
from tests.integration.pipeline import Pipeline, eventually


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


def once_computed(name: str) -> pytest.MarkDecorator:
    """Of tests on one data set: in a parallel run they go to one process, so that the oracle computes it once."""
    return pytest.mark.xdist_group(f"oracle-{name}")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "partitions", "workers"),
    [
        pytest.param(name, partitions, workers, marks=once_computed(name))
        for name in DATA
        for partitions, workers in ((1, 1), (2, 1), (4, 2))
    ],
)
def test_real_days_come_out_as_the_oracle_says(kafka, prefix, tmp_path, name, partitions, workers):
    settings = load(bootstrap=kafka, topic_prefix=prefix, partitions=partitions)
    run(name, settings, tmp_path, workers, lambda pipeline: None)


@pytest.mark.slow
@once_computed(LARGEST)
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
