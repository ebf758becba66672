"""A pipeline of one test's own: its topics, `laurel worker` processes and commands, and what comes out of the topics.

    with Pipeline(settings, tmp_path) as pipeline:
        worker = pipeline.start()
        pipeline.produce("engagements", [(b"twitter:1", value)])
        pipeline.close_day("2024-05-01")
        updates = pipeline.records("score-updates", "ScoreUpdate")

Whatever was started has ended when the block does.
"""

import json
import os
import queue
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

from confluent_kafka import Consumer, Producer, TopicPartition
from prometheus_client.parser import text_string_to_metric_families

from laurel.streams.codec import Codec
from laurel.streams.settings import Settings
from laurel.streams.topics import apply

T = TypeVar("T")

WITHIN = 60.0  # seconds for anything that is waited for

Headers = Sequence[tuple[str, bytes | None]]


def eventually(found: Callable[[], T], within: float = WITHIN, what: str = "") -> T:
    """The first true value that `found` returns; AssertionError after `within` seconds."""
    deadline = time.monotonic() + within
    while not (value := found()):
        assert time.monotonic() < deadline, f"not within {within:.0f} s: {what or found.__name__}"
        time.sleep(0.02)
    return value


@dataclass(frozen=True)
class Record:
    """One record as it lies in a topic. `timestamp` in milliseconds."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]
    timestamp: int


class Worker:
    """One `laurel worker` process. What it logs goes to a file."""

    def __init__(self, command: list[str], environment: dict[str, str], folder: Path, log: Path) -> None:
        self.log = log
        with log.open("wb") as errors:
            self.process = subprocess.Popen(
                command, env=environment, cwd=folder, stdout=subprocess.PIPE, stderr=errors, text=True
            )
        self._ports: queue.Queue[int | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._port: int | None = None

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                told = json.loads(line)
                if told.get("ready"):
                    self._ports.put(told["metrics_port"])
        self._ports.put(None)

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def port(self, within: float = WITHIN) -> int:
        """Its metrics port, once it says that it is ready."""
        if self._port is None:
            try:
                self._port = self._ports.get(timeout=within)
            except queue.Empty:
                self._port = None
            assert self._port is not None, f"the worker is not ready: {self.log.read_text()}"
        return self._port

    def scrape(self) -> str:
        """What /metrics says now. A connection that breaks, as of a process that was stopped meanwhile, is made again."""
        deadline = time.monotonic() + WITHIN
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port()}/metrics", timeout=10) as answer:
                    return answer.read().decode()
            except ConnectionResetError:
                assert time.monotonic() < deadline, "the worker does not say how it is"

    def metric(self, sample: str, **labels: str) -> float:
        """The sum of a sample's values over the series that have these labels, 0 if there are none."""
        return sum(
            found.value
            for family in text_string_to_metric_families(self.scrape())
            for found in family.samples
            if found.name == sample and labels.items() <= found.labels.items()
        )

    def wait(self, within: float = WITHIN) -> int:
        """Its exit status, once it ends by itself."""
        return self.process.wait(within)

    def stop(self, within: float = WITHIN) -> int:
        """Its exit status after SIGTERM."""
        if self.alive:
            self.process.terminate()
        status = self.process.wait(within)
        self._reader.join(within)
        return status

    def kill(self) -> None:
        """Ends it as a crash would (SIGKILL)."""
        self.process.kill()
        self.process.wait()
        self._reader.join(WITHIN)


class Pipeline:
    """Topics, workers and commands under the bootstrap servers and topic prefix of `settings`."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.settings, self.folder = settings, folder
        self.codec = Codec()
        self.workers: list[Worker] = []
        self._producer = Producer(
            {
                "bootstrap.servers": settings.servers,
                "partitioner": "murmur2_random",
                "enable.idempotence": True,
                "log_level": 0,
            }
        )
        apply(settings, partitions=settings.partitions)

    @property
    def environment(self) -> dict[str, str]:
        """Variables of the processes: nothing of whoever runs the tests but where programs and homes are."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("LAUREL_")}
        return kept | {
            "LAUREL_BOOTSTRAP": self.settings.servers,
            "LAUREL_TOPIC_PREFIX": self.settings.topic_prefix,
            "LAUREL_CHECKPOINT_SECONDS": "0.1",
        }

    def start(self, number: int = 0, *options: str, **variables: str) -> Worker:
        """A worker process that keeps its state in a folder of that number, ready; `variables` go to its environment."""
        command = [sys.executable, "-m", "laurel", "worker", "--state", str(self.state(number)), *options]
        log = self.folder / f"worker-{len(self.workers)}.log"
        worker = Worker(command, self.environment | variables, self.folder, log)
        self.workers.append(worker)
        worker.port()
        return worker

    def state(self, number: int = 0) -> Path:
        """State folder of the workers started with that number."""
        return self.folder / f"state-{number}"

    def laurel(self, *arguments: str, within: float = WITHIN, **variables: str) -> subprocess.CompletedProcess[str]:
        """A `laurel` command, run to its end."""
        return subprocess.run(
            [sys.executable, "-m", "laurel", *arguments],
            env=self.environment | variables,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=within,
            check=False,
        )

    def close_day(self, day: str, within: float = WITHIN) -> dict[str, Any]:
        """`laurel close-day`, waited for; what was decided."""
        told = self.laurel("close-day", day, "--wait", "--json", within=within)
        assert told.returncode == 0, told.stderr + "".join(worker.log.read_text() for worker in self.workers)
        decided: dict[str, Any] = json.loads(told.stdout)
        return decided

    def produce(
        self,
        topic: str,
        records: Iterable[tuple[bytes | None, bytes | None] | tuple[bytes | None, bytes | None, Headers]],
        partition: int | None = None,
    ) -> None:
        """Publishes keys, values and headers as they are, in order, and waits until Kafka has them."""
        failed: list[str] = []
        place: dict[str, Any] = {} if partition is None else {"partition": partition}
        for key, value, *headers in records:
            while True:
                try:
                    self._producer.produce(
                        self.settings.topic(topic),
                        value,
                        key,
                        headers=list(headers[0]) if headers else None,
                        on_delivery=lambda error, _message: failed.append(error.str()) if error else None,
                        **place,
                    )
                    break
                except BufferError:
                    self._producer.poll(0.1)
            self._producer.poll(0)
        assert self._producer.flush(WITHIN) == 0
        assert not failed, failed[:3]

    def read(self, topic: str) -> list[Record]:
        """All records there are now in a topic, each partition's in order."""
        name = self.settings.topic(topic)
        consumer = Consumer(
            {"bootstrap.servers": self.settings.servers, "group.id": "tests", "enable.auto.commit": False}
        )
        try:
            partitions = consumer.list_topics(name, timeout=WITHIN).topics[name].partitions
            ends = {at: consumer.get_watermark_offsets(TopicPartition(name, at), timeout=WITHIN) for at in partitions}
            places = {at: TopicPartition(name, at, low) for at, (low, high) in ends.items() if low < high}
            consumer.assign(list(places.values()))
            found: dict[int, list[Record]] = {at: [] for at in partitions}
            deadline = time.monotonic() + WITHIN
            while any(place.offset < ends[place.partition][1] for place in consumer.position(list(places.values()))):
                assert time.monotonic() < deadline, f"{name} can't be read to its end"
                for message in map(_record, consumer.consume(10_000, 0.05)):
                    if message.offset < ends[message.partition][1]:
                        found[message.partition].append(message)
            return [record for at in sorted(found) for record in found[at]]
        finally:
            consumer.close()

    def records(self, topic: str, kind: str) -> list[dict[str, Any]]:
        """All records of one kind there are now in a topic, decoded."""
        rows = self.codec.decode([record.value for record in self.read(topic)]).batches.get(kind)
        return rows.table.to_pylist() if rows is not None else []

    def stop(self) -> None:
        """Ends every worker that still runs."""
        for worker in self.workers:
            if worker.alive:
                worker.process.terminate()
        for worker in self.workers:
            try:
                worker.stop()
            except subprocess.TimeoutExpired:
                worker.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _record(message: Any) -> Record:
    assert message.error() is None, message.error()
    return Record(
        message.topic(),
        message.partition(),
        message.offset(),
        message.key(),
        message.value(),
        list(message.headers() or ()),
        message.timestamp()[1],
    )
