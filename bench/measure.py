"""One measurement: a system's worker works through a topic that is already there.

The clock runs from the first record in the worker's hands (by its own clock, which is the machine's) until the harness
sees the group's committed offsets at the topic's end: what was computed is then in the changelog and in RocksDB. Every
system is told to commit at once after the last record, so that no one is charged for a timer.
"""

import json
import math
import re
import sys
import tempfile
import urllib.request
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from bench.cluster import Cluster, Committed
from bench.decay import HALF_LIFE
from bench.process import BenchError, Measured, memory_bytes
from bench.systems import ROOT, System
from bench.workload import Workload
from laurel.ingest import generate
from laurel.streams import topics
from laurel.streams.broker import EmbeddedBroker
from laurel.streams.settings import Settings
from laurel.streams.topic_table import COMPACTED

START_WITHIN = 60.0  # seconds for a worker to get its first record
DONE_WITHIN = 600.0  # seconds for all records
REFUSED_MOST = 0.01  # share of generated engagements: some +Ks are over their givers' quotas
TOLERANCE = 1e-9  # by which a sum may differ, as a share


@dataclass(frozen=True)
class Run:
    """`rate` is in events a second, memory in bytes, peaks: of a worker process, and of the broker so far."""

    rate: float
    worker_bytes: int
    broker_bytes: int


class Bench:
    """The broker, a folder for states, and one for logs."""

    def __init__(self, broker: EmbeddedBroker, cluster: Cluster, logs: Path) -> None:
        self._broker, self.cluster, self._logs = broker, cluster, logs
        self._number = 0

    def sums(self, system: System, topic: str, workload: Workload) -> Run:
        """A system's decaying sums over a topic that holds the workload; BenchError if they are wrong."""
        cluster, group = self.cluster, self._group()
        changelog = system.changelog(group, topic)
        if not system.makes_changelog:
            cluster.create(changelog, **COMPACTED)
        with states() as state, closing(Committed(cluster, group)) as committed:
            variables = {
                "BENCH_BOOTSTRAP": cluster.bootstrap,
                "BENCH_GROUP": group,
                "BENCH_TOPIC": topic,
                "BENCH_PARTITIONS": str(cluster.partitions),
                "BENCH_EVENTS": str(workload.events),
                "BENCH_CHANGELOG": changelog,
                "BENCH_HALF_LIFE": str(HALF_LIFE),
                "BENCH_SCHEMA": str(ROOT / "avro" / "Engagement.avsc"),
                "BENCH_STATE": str(state),
            }
            with Measured(system.command, variables, self._logs / f"{group}.log") as worker:
                began = float(worker.line("first", START_WITHIN).split()[1])
                done = worker.until(lambda: committed.records(topic) == workload.events, DONE_WITHIN)
                broker_bytes = memory_bytes(self._broker.pid or 0)
        _check(system, system.sums(cluster.read(changelog)), workload.expected())
        cluster.delete(group)
        return Run(workload.events / (done - began), worker.peak_bytes, broker_bytes)

    def two_stages(self, processes: int, plan: generate.Plan) -> Run:
        """The product's own workers over generated engagements, until both stages are checkpointed."""
        cluster, prefix = self.cluster, f"{self._group()}-"
        settings = Settings(bootstrap=cluster.bootstrap, topic_prefix=prefix, partitions=cluster.partitions)
        topics.apply(settings)
        engagements, influence = settings.topic("engagements"), settings.topic("influence")
        for _ in cluster.load(engagements, generate.batches(plan)):
            pass
        command = [sys.executable, "-m", "laurel", "worker", "--processes", str(processes)]
        with states() as state, closing(Committed(cluster, f"{prefix}{settings.group}")) as committed:
            variables = {
                "LAUREL_BOOTSTRAP": cluster.bootstrap,
                "LAUREL_TOPIC_PREFIX": prefix,
                "LAUREL_STATE": str(state),
            }
            with Measured(command, variables, self._logs / f"{prefix}worker.log") as worker:
                ports = [json.loads(worker.line("{", START_WITHIN))["metrics_port"] for _ in range(processes)]
                began = worker.until(lambda: all(_taken(port, engagements) for port in ports), START_WITHIN)
                before = committed.records(engagements)
                worker.until(lambda: committed.records(engagements) == plan.events, DONE_WITHIN)
                end = cluster.records(influence)
                done = worker.until(lambda: committed.records(influence) == end, DONE_WITHIN)
                broker_bytes = memory_bytes(self._broker.pid or 0)
        refused = cluster.records(settings.topic("dead-letters"))
        if refused > plan.events * REFUSED_MOST:
            raise BenchError(f"{refused} of {plan.events} generated engagements were refused: no fair measurement")
        cluster.delete(prefix)
        return Run((plan.events - before) / (done - began), worker.peak_bytes, broker_bytes)

    def _group(self) -> str:
        self._number += 1
        return f"bench-{self._number:03}"


def states() -> "tempfile.TemporaryDirectory[str]":
    """A folder for a worker's state, gone afterwards."""
    return tempfile.TemporaryDirectory(prefix="laurel-bench-", ignore_cleanup_errors=True)


def _check(system: System, found: dict[str, float], expected: dict[str, float]) -> None:
    """A fast wrong answer is no result."""
    wrong = [
        account
        for account, total in expected.items()
        if not math.isclose(found.get(account, -1.0), total, rel_tol=TOLERANCE)
    ]
    if wrong or len(found) != len(expected):
        raise BenchError(
            f"{system.name} came to other sums for {len(wrong)} of {len(expected)} accounts, {len(found)} found: "
            f"{[(account, found.get(account), expected[account]) for account in wrong[:3]]}"
        )


def _taken(port: int, topic: str) -> bool:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    return re.search(rf'^laurel_records_in_total{{topic="{re.escape(topic)}"}} [1-9]', text, re.MULTILINE) is not None
