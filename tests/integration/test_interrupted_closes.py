"""A day's close that is interrupted, at any step: whoever takes over finishes it, and nothing is published in two versions."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from laurel.agents.reports import LEADERS, TARGETS_RAW
from laurel.ingest.replay import replay
from laurel.streams.settings import load
from laurel.streams.tail import Tail
from tests.integration.comparison import assert_same
from tests.integration.days import WORKER, file_of, oracle
from tests.integration.pipeline import Pipeline

WITHIN = 120.0  # seconds for a step to be seen
STOPS_WITHIN = 30.0  # seconds; 10 are promised, on a machine that isn't busy

Row = dict[str, Any]

# What is seen of a close, step after step: topic, record, and what tells the step.
STEPS: list[tuple[str, str, Callable[[Row], bool]]] = [
    ("calendar", "Calendar", lambda row: row["status"] == "requested"),
    ("day-reports", "DayReport", lambda row: row["stage"] == TARGETS_RAW),
    ("calendar", "Calendar", lambda row: row["status"] == "calibrated"),
    ("score-updates", "ScoreUpdate", lambda _row: True),
    ("day-reports", "DayReport", lambda row: row["stage"] == LEADERS),
]


def wait_for(pipeline: Pipeline, day: int, topic: str, kind: str, told: Callable[[Row], bool]) -> None:
    """Returns once a record of that kind about the day is there."""
    deadline = time.monotonic() + WITHIN
    with Tail(pipeline.settings, topic, from_beginning=True) as tail:
        for messages in tail.batches():
            rows = pipeline.codec.decode([message.value() for message in messages]).batches.get(kind)
            if rows is not None and any(row["day"] == day and told(row) for row in rows.table.to_pylist()):
                return
            assert time.monotonic() < deadline, f"no {kind} of day {day} in {topic}"


def assert_one_version(pipeline: Pipeline) -> None:
    """Everything that was ever published of a key and a day says the same."""
    for topic, kind, names in (
        ("score-updates", "ScoreUpdate", ("day", "person")),
        ("insights", "Insight", ("day", "person")),
        ("sash-events", "SashEvent", ("day", "person", "topic")),
        ("leaderboards", "Leaderboard", ("day", "topic")),
        ("calendar", "Calendar", ("day", "status")),
        ("account-scores", "AccountScore", ("day", "account")),
    ):
        found: dict[tuple[Any, ...], Row] = {}
        for row in pipeline.records(topic, kind):
            key = tuple(row[name] for name in names)
            assert found.setdefault(key, row) == row, f"{topic}: {key} in two versions"
        assert found, topic


@pytest.mark.slow
def test_a_close_interrupted_at_any_step_is_finished_by_whoever_takes_over(kafka, prefix, tmp_path):
    days = [row["day"] for row in oracle("synthetic").calendar.to_pylist()]
    assert len(days) == len(STEPS)
    failed: list[BaseException] = []
    with Pipeline(load(bootstrap=kafka, topic_prefix=prefix, partitions=2), tmp_path) as pipeline:
        pipeline.start(0, **WORKER)

        def disturb() -> None:
            try:
                for number, (day, step) in enumerate(zip(days, STEPS, strict=True)):
                    wait_for(pipeline, day, *step)
                    worker = pipeline.workers[-1]
                    if number % 2:
                        began = time.monotonic()
                        worker.process.terminate()
                        worker.process.terminate()  # told twice
                        assert worker.stop() == 0, worker.log.read_text()
                        assert time.monotonic() - began < STOPS_WITHIN
                    else:
                        worker.kill()
                    # In turn with the state it has, and as another worker that has to restore it.
                    pipeline.start(number // 2, **WORKER)
            except BaseException as error:
                failed.append(error)

        trouble = threading.Thread(target=disturb)
        trouble.start()
        try:
            replay([file_of("synthetic", tmp_path)], pipeline.settings, close=True)
        finally:
            trouble.join()
        assert not failed, failed[0]
        assert_same(pipeline, oracle("synthetic"))
        assert_one_version(pipeline)
        assert pipeline.workers[-1].stop() == 0
