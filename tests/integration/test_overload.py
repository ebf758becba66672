"""Far more input than a worker can take: it falls behind, stays within its memory and its group, and gets everything right."""

import re
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from laurel.ingest.generate import Plan, batches
from laurel.ingest.producer import Producer
from laurel.streams.calendar import iso
from laurel.streams.settings import load
from tests.integration.comparison import assert_same
from tests.integration.days import ROOT
from tests.integration.pipeline import Pipeline, Worker, eventually
from tests.oracle.oracle import Oracle, read_networks

FLOOD = Plan(events=900_000, users=5_000, skew=1.1, days=1, seed=11)
# What a record that was fetched takes before it is columns: an object with a key, a value and a place.
RECORD_BYTES = 600
MOST = 650 << 20  # bytes that a worker may take, whatever waits; so much would not be enough for what waits here
SMALL = {"LAUREL_SESSION_SECONDS": "6", "LAUREL_BACKLOG_BYTES": f"{16 << 20}"}


def memory(worker: Worker, line: str) -> int:
    """Resident memory in bytes: VmRSS is that of now, VmHWM the most there ever was."""
    found = re.search(rf"^{line}:\s+(\d+) kB$", Path(f"/proc/{worker.process.pid}/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) << 10


def expected() -> pa.Table:
    events = pa.Table.from_batches(batches(FLOOD))
    n, day = len(events), pc.divide(events["occurred_at"], 86_400_000).cast(pa.int32())
    columns = {"seq": pa.array(range(n)), "epoch": day, "record_ts": events["occurred_at"]}
    return pa.table({**{name: events[name] for name in events.schema.names}, **columns})


@pytest.mark.slow
def test_a_flood_is_worked_off_within_bounds_and_comes_out_right(kafka, prefix, tmp_path):
    settings = load(bootstrap=kafka, topic_prefix=prefix, partitions=2)
    with Pipeline(settings, tmp_path) as pipeline:
        with Producer(kafka, topic_prefix=prefix) as producer:
            for rows in batches(FLOOD):
                producer.send_batch(rows)
        worker = pipeline.start(0, **SMALL)
        topic = settings.topic("engagements")
        behind = eventually(lambda: worker.metric("laurel_consumer_lag_records", topic=topic), what="it is behind")
        assert memory(worker, "VmRSS") + behind * RECORD_BYTES > MOST, "it was overloaded"
        eventually(lambda: worker.metric("laurel_consumer_lag_records") == 0, within=450, what="it has caught up")
        print(f"{memory(worker, 'VmHWM') >> 20} MiB at most, {behind:,.0f} records were waiting")
        assert memory(worker, "VmHWM") < MOST
        assert worker.metric("laurel_assignments_total") == 1, "its heartbeats were in time"
        events = expected()
        [day] = pc.unique(events["epoch"]).to_pylist()
        pipeline.close_day(iso(day), within=300)
        assert_same(pipeline, Oracle(read_networks(ROOT / "models/networks.toml")).run(events, [day]))
