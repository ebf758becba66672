"""A worker that has lost its disk: how fast a partition's state comes back from its changelog.

A worker is started on an empty folder, with one engagement to work on, which it can't before its state is back. What it takes
longer than with an empty changelog is the restore.
"""

import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import monotonic

from bench.cluster import Cluster
from bench.decay import HALF_LIFE
from bench.measure import Run, states
from bench.process import BenchError, Measured, memory_bytes
from bench.systems import LAUREL, ROOT, System
from bench.workload import Workload
from laurel.streams.broker import EmbeddedBroker
from laurel.streams.log import KafkaLog
from laurel.streams.outbox import Outbox, Output
from laurel.streams.topic_table import COMPACTED
from laurel.streams.writer import Transaction

VALUE_BYTES = 200  # of a record, about: what an account's state comes to
CHECKPOINT = 50_000  # records in one transaction
RESTORED_WITHIN = 600.0  # seconds
ONE = Workload("one engagement", 2, 0, 1)


class Restores:
    """Measures restores of one partition on a broker; logs go to a folder."""

    def __init__(self, broker: EmbeddedBroker, logs: Path) -> None:
        self._broker, self._logs = broker, logs
        self._cluster = Cluster(broker.bootstrap, 1)
        self._number = 0

    def run(self, system: System, records: int) -> Run:
        """Records a second, beyond what starting takes. BenchError if a worker does not start."""
        nothing, peak, broker = self._started(system, 0)
        everything, peak, broker = self._started(system, records)
        if everything <= nothing:
            raise BenchError(f"{system.name} started no slower with {records:,} records to restore: too few to measure")
        return Run(records / (everything - nothing), peak, broker)

    def _started(self, system: System, records: int) -> tuple[float, int, int]:
        """Seconds from the start of a worker to its first engagement; most bytes of it, and of the broker."""
        self._number += 1
        cluster, group = self._cluster, f"restore-{self._number:03}"
        topic = f"{group}-engagements"
        changelog = system.changelog(group, topic)
        cluster.create(topic)
        cluster.create(changelog, **COMPACTED)
        for _ in cluster.load(topic, ONE.batches()):
            pass
        _fill(cluster.bootstrap, changelog, records, transactions=system is LAUREL)
        with states() as state:
            variables = {
                "BENCH_BOOTSTRAP": cluster.bootstrap,
                "BENCH_GROUP": group,
                "BENCH_TOPIC": topic,
                "BENCH_PARTITIONS": "1",
                "BENCH_EVENTS": "1",
                "BENCH_CHANGELOG": changelog,
                "BENCH_HALF_LIFE": str(HALF_LIFE),
                "BENCH_SCHEMA": str(ROOT / "avro" / "Engagement.avsc"),
                "BENCH_STATE": str(state),
            }
            began = monotonic()
            with Measured(system.command, variables, self._logs / f"{group}.log") as worker:
                first = float(worker.line("first", RESTORED_WITHIN).split()[1])
                worker.until(lambda: True, RESTORED_WITHIN)
                sizes = worker.peak_bytes, memory_bytes(self._broker.pid or 0)
        cluster.delete(group)
        return first - began, *sizes


def _fill(servers: str, changelog: str, records: int, *, transactions: bool) -> None:
    """As many records over half as many keys; JSON, which Faust's tables are.

    In transactions, as checkpoints leave them; or without, as Faust writes them and has to: its recovery waits for ever for a
    record where a transaction ends.
    """
    if not transactions:
        outbox = Outbox(servers)
        for keys, values in _records(records):
            outbox.send(Output(changelog, keys, values, 0))
        outbox.flush()
        return
    writer = KafkaLog(servers, "bench").writer(changelog)
    writer.open()
    for keys, values in _records(records):

        def fill(transaction: Transaction, keys: Sequence[bytes] = keys, values: Sequence[bytes] = values) -> None:
            transaction.send(Output(changelog, keys, values, 0))

        writer.transact(fill)


def _records(records: int) -> Iterator[tuple[list[bytes], list[bytes]]]:
    chance = random.Random(1)  # noqa: S311 (nothing secret)
    for begin in range(0, records, CHECKPOINT):
        numbers = [chance.randrange(max(records // 2, 1)) for _ in range(min(CHECKPOINT, records - begin))]
        keys = [json.dumps(f"github:{number}").encode() for number in numbers]
        padding = chance.randbytes(VALUE_BYTES // 2).hex()
        values = [f'[{chance.random()}, {number}, "{padding[: VALUE_BYTES - 40]}"]'.encode() for number in numbers]
        yield keys, values
