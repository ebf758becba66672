"""Kafka is not there: before a worker starts, while it works, and when it is told to stop."""

import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from laurel.streams.broker import EmbeddedBroker
from laurel.streams.settings import load
from tests.integration.pipeline import Pipeline, Worker, eventually
from tests.integration.test_workers import publish

SOON = {"LAUREL_SESSION_SECONDS": "6"}
STOPS_WITHIN = 30.0  # seconds; 10 are promised, on a machine that isn't busy
LINES = 60  # of a log in which Kafka went away and came back; clients left alone write a hundred a second


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedBroker]:
    """A broker of this file's own, to be killed."""
    with EmbeddedBroker(tmp_path_factory.mktemp("kafka")) as broker:
        yield broker


def begun(pipeline: Pipeline, *options: str, **variables: str) -> Worker:
    """A worker that is started and not waited for."""
    command = [sys.executable, "-m", "laurel", "worker", "--state", str(pipeline.state()), *options]
    log = pipeline.folder / f"worker-{len(pipeline.workers)}.log"
    worker = Worker(command, pipeline.environment | variables, pipeline.folder, log)
    pipeline.workers.append(worker)
    return worker


def says(worker: Worker, text: str) -> int:
    return worker.log.read_text().count(text)


def weighed(pipeline: Pipeline) -> int:
    return len({(row["upstream"], row["upstream_offset"]) for row in pipeline.records("influence", "Influence")})


def test_a_worker_goes_on_when_kafka_comes_back(broker, prefix, tmp_path):
    with Pipeline(load(bootstrap=broker.bootstrap, topic_prefix=prefix, partitions=2), tmp_path) as pipeline:
        worker = pipeline.start(0, **SOON)
        publish(pipeline, 20_000)
        eventually(lambda: worker.metric("laurel_records_in_total") > 0)
        broker.kill()  # in the middle of work
        try:
            eventually(lambda: worker.metric("laurel_kafka_brokers") == 0, what="the worker notices")
            eventually(lambda: re.search(r"since \d\d:\d\d:\d\d UTC", worker.log.read_text()), what="and reminds of it")
        finally:
            broker.restart()
        eventually(lambda: worker.metric("laurel_kafka_brokers") == 1, what="it notices that Kafka is back")
        publish(pipeline, 1_000, seed=2)
        eventually(lambda: weighed(pipeline) == 21_000, what="every event is weighed, once")
        assert says(worker, "answers again") == 1
        assert worker.alive
        assert len(worker.log.read_text().splitlines()) < LINES, worker.log.read_text()
        assert worker.stop() == 0, worker.log.read_text()


def test_a_worker_waits_for_a_broker_that_is_not_there_yet(broker, prefix, tmp_path):
    with Pipeline(load(bootstrap=broker.bootstrap, topic_prefix=prefix, partitions=1), tmp_path) as pipeline:
        publish(pipeline, 500)
        broker.kill()
        try:
            worker = begun(pipeline, "--until-idle")
            eventually(lambda: says(worker, f"no Kafka broker answers at {broker.bootstrap}"))
            assert worker.alive
        finally:
            broker.restart()
        assert worker.wait() == 0, worker.log.read_text()
        assert weighed(pipeline) == 500


def test_a_worker_that_waits_for_kafka_stops_when_told(prefix, tmp_path):
    with socket.socket() as taken:  # an address that accepts connections and never answers
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        command = [sys.executable, "-m", "laurel", "worker", "--bootstrap", f"127.0.0.1:{taken.getsockname()[1]}"]
        log = tmp_path / "log"
        with log.open("wb") as errors, subprocess.Popen(command, stderr=errors, cwd=tmp_path) as process:
            try:
                eventually(lambda: "no Kafka broker answers" in log.read_text())
                began = time.monotonic()
                process.terminate()
                assert process.wait(60) == 0, log.read_text()
                assert time.monotonic() - began < STOPS_WITHIN
            finally:
                process.kill()


def test_a_worker_told_to_stop_while_kafka_is_away_leaves_and_loses_nothing(broker, prefix, tmp_path):
    with Pipeline(load(bootstrap=broker.bootstrap, topic_prefix=prefix, partitions=2), tmp_path) as pipeline:
        worker = pipeline.start(0, **SOON)
        publish(pipeline, 20_000)
        eventually(lambda: worker.metric("laurel_records_in_total") > 0)
        broker.kill()
        try:
            eventually(lambda: worker.metric("laurel_kafka_brokers") == 0)
            began = time.monotonic()
            worker.process.terminate()
            worker.process.terminate()  # once is enough, and twice no harm
            assert worker.stop() == 0, worker.log.read_text()
            assert time.monotonic() - began < STOPS_WITHIN
        finally:
            broker.restart()
        again = pipeline.start(0, "--until-idle", **SOON)
        assert again.wait() == 0, again.log.read_text()
        assert weighed(pipeline) == 20_000
