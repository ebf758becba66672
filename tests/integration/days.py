"""The days that the pipeline is held against the oracle on: real ones where there are any, synthetic ones everywhere."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from laurel.ingest.generate import Plan, batches, write
from laurel.streams.settings import load
from tests.oracle import datasets
from tests.oracle.oracle import Oracle, OracleResult, read_networks

ROOT = Path(__file__).parents[2]
WORKER = {"LAUREL_CHECKPOINT_SECONDS": "0.5", "LAUREL_SESSION_SECONDS": "6"}  # a crash is noticed soon
SYNTHETIC = Plan(events=60_000, users=3_000, skew=1.1, days=5, seed=7)


@dataclass(frozen=True)
class DataSet:
    """A file to replay, how many rows it has, and the same as the oracle's table of events."""

    file: Path
    rows: int
    events: Callable[[], pa.Table]


def _real(place: str, rows: int, events: Callable[[Path], pa.Table]) -> DataSet:
    file = (load().data_dir or Path()) / place
    return DataSet(file, rows, lambda: events(file))


def synthetic_events(plan: Plan = SYNTHETIC) -> pa.Table:
    events = pa.Table.from_batches(batches(plan))
    n, day = len(events), pc.divide(events["occurred_at"], 86_400_000).cast(pa.int32())
    columns = {"seq": pa.array(range(n)), "epoch": day, "record_ts": events["occurred_at"]}
    return pa.table({**{name: events[name] for name in events.schema.names}, **columns})


# Real days where LAUREL_DATA_DIR has them, and synthetic ones of several networks, with posts and +Ks, everywhere.
DATA = {
    name: found
    for name, found in {
        "stackexchange": _real("stackexchange-quantum/events.csv.gz", 16_597, datasets.stackexchange),
        "higgs": _real("higgs/higgs-activity_time.txt.gz", 563_069, datasets.higgs),
    }.items()
    if found.file.is_file()
}
DATA["synthetic"] = DataSet(Path("synthetic.ndjson.gz"), SYNTHETIC.events, synthetic_events)
LARGEST = "higgs" if "higgs" in DATA else "synthetic"


@cache
def oracle(name: str) -> OracleResult:
    events = DATA[name].events()
    return Oracle(read_networks(ROOT / "models/networks.toml")).run(events, datasets.days(events))


def file_of(name: str, folder: Path) -> Path:
    if name != "synthetic":
        return DATA[name].file
    file = folder / DATA[name].file
    for _ in write(SYNTHETIC, file):
        pass
    return file
