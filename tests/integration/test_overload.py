"""Far more input than a worker can take: it falls behind, stays within its memory and its group, and gets everything right."""

import re
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from laurel.ingest.generate import Plan, batches, write
from laurel.ingest.replay import replay
from laurel.streams.calendar import iso
from laurel.streams.settings import load
from tests.integration.comparison import assert_same
from tests.integration.days import ROOT
from tests.integration.pipeline import Pipeline, Worker, eventually
from tests.oracle.oracle import Oracle, read_networks

FLOOD = Plan(events=500_000, users=5_000, skew=1.1, days=1, seed=11)
BACKLOG = 2 << 20  # bytes
# What a record that was fetched takes before it is columns: an object with a key, a value and a place.
RECORD_BYTES = 600
SOON = {"LAUREL_SESSION_SECONDS": "6", "LAUREL_BACKLOG_BYTES": str(BACKLOG), "LAUREL_CHECKPOINT_ROWS": "5000"}


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


def test_a_flood_is_worked_off_within_bounds_and_comes_out_right(kafka, prefix, tmp_path):
    settings = load(bootstrap=kafka, topic_prefix=prefix, partitions=2)
    file = tmp_path / "flood.ndjson.gz"
    for _ in write(FLOOD, file):
        pass
    with Pipeline(settings, tmp_path) as pipeline:
        replay([file], settings, close=False)
        worker = pipeline.start(0, **SOON)
        topic = settings.topic("engagements")
        lag = lambda: worker.metric("laurel_consumer_lag_records", topic=topic)  # noqa: E731 (a name for what is read)
        behind = eventually(lag, what="it falls behind")
        # Once it is at full work, it takes no more for all that still waits.
        eventually(lambda: lag() < behind * 2 / 3, within=300, what="it has done a third")
        waiting, before = lag(), memory(worker, "VmHWM")
        eventually(lambda: worker.metric("laurel_consumer_lag_records") == 0, within=300, what="it has caught up")
        assert memory(worker, "VmHWM") - before < waiting * RECORD_BYTES / 2
        assert behind > FLOOD.events / 2, "it was overloaded"
        assert worker.metric("laurel_assignments_total") == 1, "its heartbeats were in time"
        events = expected()
        [day] = pc.unique(events["epoch"]).to_pylist()
        pipeline.close_day(iso(day), within=300)
        assert_same(pipeline, Oracle(read_networks(ROOT / "models/networks.toml")).run(events, [day]))
