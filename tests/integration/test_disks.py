"""Workers whose disk fails: they say so and stop, or begin anew what is broken, and no score differs from what it would have been."""

import random
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from laurel.ingest.generate import Plan, write
from laurel.ingest.replay import replay
from laurel.streams.homes import open_at_home
from laurel.streams.settings import load
from laurel.streams.store import ROOM_BYTES, STATE, Mark, Store
from tests.integration.comparison import assert_same
from tests.integration.days import ROOT, WORKER, synthetic_events
from tests.integration.disks import FAULTS, files, flip, small_disk
from tests.integration.pipeline import Pipeline, Worker, eventually
from tests.oracle import datasets
from tests.oracle.oracle import Oracle, OracleResult, read_networks

PLAN = Plan(events=6_000, users=800, skew=1.1, days=3, seed=11)
STAGES, PARTITIONS = ("actors", "targets", "persons", "leaders"), 2
ELSEWHERE = {"cluster": "elsewhere", "source": "a", "changelog": "b", "partitions": 3}


class History:
    """Days of events in a file, and what must come of them."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "events.ndjson.gz"
        for _ in write(PLAN, self.file):
            pass
        events = synthetic_events(PLAN)
        self.days = datasets.days(events)
        self.expected: OracleResult = Oracle(read_networks(ROOT / "models/networks.toml")).run(events, self.days)


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    return History(tmp_path_factory.mktemp("history"))


@contextmanager
def pipeline_of(kafka: str, prefix: str, folder: Path) -> Iterator[Pipeline]:
    with Pipeline(load(bootstrap=kafka, topic_prefix=prefix, partitions=PARTITIONS), folder) as pipeline:
        yield pipeline


def store(pipeline: Pipeline, stage: str, number: int) -> Path:
    return pipeline.state() / f"{pipeline.settings.topic_prefix}{pipeline.settings.group}" / f"{stage}-{number}"


def stores(pipeline: Pipeline) -> list[Path]:
    return [store(pipeline, stage, number) for stage in STAGES for number in range(PARTITIONS)]


def live(pipeline: Pipeline, history: History, day: int) -> int:
    """A day is published and closed; a worker that stops is started again, as a supervisor does. How often that was needed."""
    again = 0
    with ThreadPoolExecutor(1) as beside:
        told = beside.submit(replay, [history.file], pipeline.settings, close=True, first=day, last=day)
        while not told.done():
            if not pipeline.workers[-1].alive:
                stopped(pipeline.workers[-1], "is damaged")
                again += 1
                assert again < 10, "it stops again and again"
                pipeline.start(**WORKER)
        told.result()
    return again


def stopped(worker: Worker, why: str) -> str:
    """What a worker said that stops, or has, for a reason that a person can act on."""
    assert worker.wait() == 1, worker.log.read_text()
    text = worker.log.read_text()
    [said] = [line for line in text.splitlines() if ": stopping: " in line]
    assert why in said, text
    assert "Traceback" not in text
    return said


def refused(pipeline: Pipeline) -> str:
    """What a worker says that does not even begin."""
    told = pipeline.laurel("worker", "--state", str(pipeline.state()), "--until-idle")
    assert told.returncode == 1, told.stderr
    assert "Traceback" not in told.stderr, told.stderr
    return told.stderr


def holds_all(worker: Worker) -> bool:
    return worker.scrape().count("laurel_state_keys{") == len(STAGES) * PARTITIONS


@pytest.mark.slow
def test_whatever_breaks_between_two_starts_changes_no_score(kafka, prefix, tmp_path, history):
    seed = random.randrange(1 << 30)
    print(f"seed {seed}")
    chance = random.Random(seed)
    with pipeline_of(kafka, prefix, tmp_path) as pipeline:
        for folder in stores(pipeline):  # a disk that was another cluster's
            strange = open_at_home(folder, ELSEWHERE)
            strange.write([STATE + b"twitter:1"], [b"not ours"], Mark(1 << 40, 1 << 40, ELSEWHERE, {"marker": 1}))
            strange.close()
        worker = pipeline.start(**WORKER)
        eventually(lambda: worker.metric("laurel_state_rebuilt_total", reason="another_home") == len(stores(pipeline)))
        assert worker.log.read_text().count("'cluster': 'elsewhere'") == len(stores(pipeline))
        for day in history.days:
            live(pipeline, history, day)
            assert pipeline.workers[-1].stop() == 0
            for folder in stores(pipeline):
                file = chance.choice(files(folder))
                chance.choice(FAULTS)(file, chance.randrange(file.stat().st_size))
            pipeline.start(**WORKER)
        assert_same(pipeline, history.expected)
        begun = sum(worker.log.read_text().count("begun anew") for worker in pipeline.workers)
        assert begun > len(stores(pipeline))


@pytest.mark.slow
def test_what_breaks_under_a_running_worker_stops_it_and_changes_no_score(kafka, prefix, tmp_path, history):
    first, second, third, *rest = history.days
    with pipeline_of(kafka, prefix, tmp_path) as pipeline:
        worker = pipeline.start(**WORKER)
        live(pipeline, history, first)
        assert worker.stop() == 0  # now its states are in files
        worker = pipeline.start(**WORKER)
        eventually(lambda: holds_all(worker))
        for number in range(PARTITIONS):
            for file in store(pipeline, "targets", number).glob("*.sst"):
                flip(file, file.stat().st_size // 3)
        # Nobody has read what is damaged; at the latest, the close does.
        assert live(pipeline, history, second) >= 1
        worker = pipeline.workers[-1]
        assert worker.metric("laurel_state_rebuilt_total", stage="targets", reason="damaged") >= 1
        eventually(lambda: holds_all(worker))
        shutil.rmtree(pipeline.state())
        assert str(pipeline.state()) in stopped(worker, "removed while in use")
        pipeline.start(**WORKER)
        for day in (third, *rest):
            assert live(pipeline, history, day) == 0
        assert_same(pipeline, history.expected)


@pytest.mark.slow
def test_a_full_or_read_only_disk_stops_a_worker_at_once_and_costs_nothing(kafka, prefix, tmp_path, history):
    first, *rest = history.days
    with small_disk(tmp_path / "state-0", 16 * ROOM_BYTES) as disk, pipeline_of(kafka, prefix, tmp_path) as pipeline:
        worker = pipeline.start(**WORKER)
        live(pipeline, history, first)
        disk.fill()
        said = stopped(worker, "is full: ")
        assert str(disk.path) in said
        assert "make room" in said
        assert "is full: " in refused(pipeline)
        disk.empty()
        disk.remount("ro")
        assert "read-only" in refused(pipeline)
        disk.remount("rw")
        pipeline.start(**WORKER)
        for day in rest:
            assert live(pipeline, history, day) == 0
        assert_same(pipeline, history.expected)
        assert pipeline.workers[-1].metric("laurel_state_rebuilt_total") == 0


def test_a_folder_that_is_in_use_or_not_laurel_s_is_refused(kafka, prefix, tmp_path):
    with pipeline_of(kafka, prefix, tmp_path) as pipeline:
        theirs = store(pipeline, "actors", 0)
        theirs.mkdir(parents=True)
        (theirs / "chapter.tex").write_text("years of work")
        said = refused(pipeline)
        assert str(theirs) in said
        assert "nothing in it was touched" in said
        assert [file.name for file in theirs.iterdir()] == ["chapter.tex"]
        shutil.rmtree(theirs)
        held = Store(theirs)
        said = refused(pipeline)
        assert str(theirs) in said
        assert "is in use by another worker" in said
        held.close()
