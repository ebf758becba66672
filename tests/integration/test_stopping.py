"""Told to stop: at any moment from a worker's start on, and with several processes under one command."""

import contextlib
import os
import random
import shutil
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from laurel.streams.settings import load
from tests.integration.pipeline import Pipeline, Worker, eventually
from tests.integration.test_workers import publish

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="looks for processes in /proc")

STOPS_WITHIN = 30.0  # seconds; 10 are promised, on a machine that isn't busy


@contextlib.contextmanager
def begun(pipeline: Pipeline, *options: str) -> Iterator[Worker]:
    """A worker that is started and not waited for; as it ends, so do those that it started."""
    command = [sys.executable, "-m", "laurel", "worker", "--state", str(pipeline.state()), *options]
    log = pipeline.folder / f"worker-{len(pipeline.workers)}.log"
    worker = Worker(command, pipeline.environment, pipeline.folder, log)
    pipeline.workers.append(worker)
    try:
        yield worker
    finally:
        worker.stop()


def listens(worker: Worker) -> bool:
    """Whether the process has asked to be told of SIGTERM; until then it has begun nothing."""
    status = Path(f"/proc/{worker.process.pid}/status").read_text()
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1)


def children(worker: Worker) -> list[int]:
    """Process ids of the workers it runs."""
    pid = worker.process.pid
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def gone(pid: int) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return True


def stopped_in_time(worker: Worker) -> bool:
    began = time.monotonic()
    worker.process.terminate()
    assert worker.stop() == 0, worker.log.read_text()
    return time.monotonic() - began < STOPS_WITHIN


def test_a_worker_told_to_stop_while_it_starts_or_restores_ends_in_order(kafka, prefix, tmp_path):
    seed = random.randrange(1 << 30)
    print(f"seed {seed}")
    chance = random.Random(seed)
    with Pipeline(load(bootstrap=kafka, topic_prefix=prefix, partitions=2), tmp_path) as pipeline:
        publish(pipeline, 10_000)
        for _ in range(3):
            with begun(pipeline) as worker:
                eventually(lambda worker=worker: listens(worker))
                time.sleep(chance.uniform(0, 4))  # no condition to wait for: any moment is one to be told at
                assert stopped_in_time(worker)
            shutil.rmtree(pipeline.state(), ignore_errors=True)  # so the next one has to restore
        last = pipeline.start(0, "--until-idle")
        assert last.wait() == 0, last.log.read_text()
        influence = pipeline.records("influence", "Influence")
        assert len({(row["upstream"], row["upstream_offset"]) for row in influence}) == len(influence) == 10_000


def test_several_processes_end_when_their_command_is_told_to(kafka, prefix, tmp_path):
    with Pipeline(load(bootstrap=kafka, topic_prefix=prefix, partitions=2), tmp_path) as pipeline:
        publish(pipeline, 20_000)
        with begun(pipeline, "--processes", "2") as worker:
            worker.port()
            started = children(worker)
            assert len(started) == 2
            assert stopped_in_time(worker)
            assert all(map(gone, started))


def test_several_processes_end_when_any_of_them_fails(kafka, prefix, tmp_path):
    settings = load(bootstrap=kafka, topic_prefix=prefix, partitions=2)
    with Pipeline(settings, tmp_path) as pipeline, begun(pipeline, "--processes", "3") as worker:
        worker.port()
        started = children(worker)
        assert len(started) == 3
        os.kill(started[-1], signal.SIGKILL)
        assert worker.wait() == 1
        assert all(map(gone, started))
        assert "1 of 3 worker processes failed" in worker.log.read_text()


def test_a_metrics_port_that_is_taken_is_said_so(kafka, prefix, tmp_path):
    with socket.socket() as taken, Pipeline(load(bootstrap=kafka, topic_prefix=prefix), tmp_path) as pipeline:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        told = pipeline.laurel("worker", "--metrics-port", str(port))
        assert told.returncode == 1
        assert told.stderr.strip() == f"error: metrics can't be served on 127.0.0.1:{port}: Address already in use"
