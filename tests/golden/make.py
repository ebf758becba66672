"""Makes the files of tests/golden: what a deployment of this version leaves behind. `python -m tests.golden.make VERSION`.

The engagements are made up. Files of earlier versions stay as they are: this version has to read them.
"""

import gzip
import json
import shutil
import sys
import tempfile
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from laurel.agents.layouts import ACTS, INFLUENCE, PERSON, TIED, VOICE
from laurel.agents.runtime import STAGES
from laurel.ingest.generate import Plan, write
from laurel.ingest.replay import replay
from laurel.streams.broker import EmbeddedBroker
from laurel.streams.calendar import iso
from laurel.streams.packing import Layout
from laurel.streams.settings import load
from tests.integration.pipeline import Pipeline

HERE = Path(__file__).parent
PLAN = Plan(events=1_500, users=150, skew=1.1, days=3, seed=1)
PARTITIONS = 2
LAYOUTS = (VOICE, ACTS, INFLUENCE, PERSON, TIED)
MADE_BY_ROCKSDB = {"LOG", "LOCK"}  # of no use to another process


def main() -> None:
    """Works days off, and keeps state folder, changelogs and calendar; and what the close of the next day published."""
    place = HERE / sys.argv[1]
    place.mkdir()
    (place / "layouts.json").write_text(json.dumps([described(layout) for layout in LAYOUTS], indent=1))
    with tempfile.TemporaryDirectory() as name, EmbeddedBroker(Path(name) / "kafka") as broker:
        settings = load(bootstrap=broker.bootstrap, topic_prefix="golden.", partitions=PARTITIONS)
        with Pipeline(settings, Path(name)) as pipeline:
            events = place / "events.ndjson.gz"
            for _ in write(PLAN, events):
                pass
            profiles = [
                {"account": account, "member": "ann", "opted_out": False, "consented": False, "updated_at": 0}
                for account in _busiest(events)
            ]
            encode = pipeline.codec.encode_one
            pipeline.produce("profiles", [(row["account"].encode(), encode("Profile", row)) for row in profiles])
            worker = pipeline.start()
            replay([events], settings, close=True)
            assert worker.stop() == 0
            _keep(pipeline, place)
            last = max(row["day"] for row in pipeline.records("calendar", "Calendar"))
            pipeline.start()
            pipeline.close_day(iso(last + 1))
            updates = [row for row in pipeline.records("score-updates", "ScoreUpdate") if row["day"] == last + 1]
            scores = {row["person"]: [row["score"], row["previous"]] for row in updates}
            (place / "next-close.json").write_text(
                json.dumps({"day": last + 1, "scores": scores}, indent=1, sort_keys=True)
            )


def described(layout: Layout) -> dict[str, Any]:
    """A layout's columns, in order, as JSON has them."""
    sections = {name: dtype.descr for name, dtype in layout.sections.items()}
    told = {"name": layout.name, "version": layout.version, "header": layout.header.descr, "sections": sections}
    found: dict[str, Any] = json.loads(json.dumps(told))
    return found


def known() -> Iterator[Layout]:
    """All layouts that this version reads."""
    for newest in LAYOUTS:
        layout = newest
        yield layout
        while layout.earlier is not None:
            layout = layout.earlier.layout
            yield layout


def _busiest(events: Path) -> list[str]:
    """Two accounts that much happens to."""
    with gzip.open(events, "rt") as lines:
        targets = [json.loads(line)["target"] for line in lines]
    return sorted(set(targets), key=targets.count)[-2:]


def _keep(pipeline: Pipeline, place: Path) -> None:
    group = f"{pipeline.settings.topic_prefix}{pipeline.settings.group}"
    for stage in STAGES:
        for number in range(PARTITIONS):
            folder = pipeline.state() / group / f"{stage.name}-{number}"
            kept = place / "state" / folder.name
            shutil.copytree(
                folder, kept, ignore=lambda _folder, names: [n for n in names if n.split(".")[0] in MADE_BY_ROCKSDB]
            )
    with gzip.GzipFile(place / "log.jsonl.gz", "wb", mtime=0) as out:
        for topic in (*(stage.changelog for stage in STAGES), "calendar"):
            for record in pipeline.read(topic):
                row = {"topic": topic, "partition": record.partition, "offset": record.offset}
                for name, value in (("key", record.key), ("value", record.value)):
                    row[name] = None if value is None else b64encode(value).decode()
                out.write(json.dumps(row).encode() + b"\n")


if __name__ == "__main__":
    main()
