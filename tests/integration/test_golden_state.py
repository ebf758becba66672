"""What every earlier version left behind is read by this one: its state folders, and its changelogs, to the next close's scores.

Whoever changes columns of a state sees a test fail here until the layout has a new version that knows the one before
(agents/layouts.py). `python -m tests.golden.make v4` then keeps what the new one leaves behind, beside the old.
"""

import gzip
import json
import shutil
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from laurel.agents.layouts import ACTS, INFLUENCE, PERSON, TIED, VOICE
from laurel.agents.runtime import STAGES
from laurel.ingest.replay import replay
from laurel.streams.calendar import iso
from laurel.streams.codec import Codec
from laurel.streams.packing import unpack
from laurel.streams.settings import load
from laurel.streams.store import BLOCK, LINK, MARK, NAME, OPTED_OUT, STATE, TIES, Mark, Store
from tests.golden.make import described, known
from tests.integration.pipeline import Pipeline

GOLDEN = Path(__file__).parents[1] / "golden"
VERSIONS = sorted(place.name for place in GOLDEN.iterdir() if (place / "log.jsonl.gz").is_file())
LAYOUTS = {"actors": VOICE, "targets": INFLUENCE, "persons": PERSON}
CHANGELOGS = {stage.name: stage.changelog for stage in STAGES}
PARTITIONS = 2

Row = tuple[str, int, bytes, bytes | None]  # topic, partition, key, value


def log_of(version: str) -> Iterator[Row]:
    with gzip.open(GOLDEN / version / "log.jsonl.gz", "rt") as lines:
        for line in lines:
            row = json.loads(line)
            key, value = (None if row[name] is None else b64decode(row[name]) for name in ("key", "value"))
            assert key is not None
            yield row["topic"], row["partition"], key, value


def newest(version: str, topic: str, partition: int) -> dict[bytes, bytes]:
    found = {key: value for name, number, key, value in log_of(version) if (name, number) == (topic, partition)}
    return {key: value for key, value in found.items() if value is not None}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("stage", CHANGELOGS)
@pytest.mark.parametrize("number", range(PARTITIONS))
def test_a_state_folder_of_an_earlier_version_is_opened_and_understood(tmp_path, version, stage, number):
    folder = tmp_path / "store"
    shutil.copytree(GOLDEN / version / "state" / f"{stage}-{number}", folder)
    store = Store(folder)
    found = {
        kind + key: value
        for kind in (STATE, NAME, LINK, BLOCK, TIES, OPTED_OUT)
        for keys, values in store.scan(kind)
        for key, value in zip(keys, values, strict=True)
    }
    expected = newest(version, CHANGELOGS[stage], number)
    mark = Mark.from_bytes(expected.pop(MARK))
    assert found == expected
    assert (store.mark.source, store.mark.notes) == (mark.source, mark.notes)
    states = [value for key, value in found.items() if key.startswith(STATE)]
    if stage in LAYOUTS:
        assert len(unpack(LAYOUTS[stage], states).header) == len(states)
        unpack(ACTS, [value for key, value in found.items() if key.startswith(BLOCK)])
        unpack(TIED, [value for key, value in found.items() if key.startswith(TIES)])
    else:
        assert not Codec().decode(states).errors
    store.close()


@pytest.mark.parametrize("version", VERSIONS)
def test_columns_of_an_earlier_version_s_states_are_still_known_as_they_were(version):
    columns = {(layout.name, layout.version): described(layout) for layout in known()}
    for layout in json.loads((GOLDEN / version / "layouts.json").read_text()):
        assert columns[layout["name"], layout["version"]] == layout


def elsewhere(mark: Mark) -> Mark:
    """The same mark in a cluster whose topics have other offsets: all begins at their beginnings."""
    notes: dict[str, Any] = {
        name: value for name, value in mark.notes.items() if not name.endswith(("_offset", "_offsets", "_end", "_ends"))
    }
    if "reached" in notes:
        notes["reached"] = [-1] * PARTITIONS
    return replace(mark, source=-1, changelog=0, home={}, notes=notes)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_changelog_of_an_earlier_version_leads_to_the_next_day_s_scores(kafka, prefix, tmp_path, version):
    expected = json.loads((GOLDEN / version / "next-close.json").read_text())
    with Pipeline(load(bootstrap=kafka, topic_prefix=prefix, partitions=PARTITIONS), tmp_path) as pipeline:
        for topic in CHANGELOGS.values():
            for number in range(PARTITIONS):
                held = newest(version, topic, number)
                held[MARK] = elsewhere(Mark.from_bytes(held[MARK])).to_bytes()
                pipeline.produce(topic, held.items(), number)
        codec = pipeline.codec
        for key, value in newest(version, "calendar", 0).items():
            name, record = codec.decode_one(value)
            there = codec.encode_one(name, record | {"score_offsets": [0] * len(record["score_offsets"])})
            pipeline.produce("calendar", [(key, there)], 0)
        worker = pipeline.start()
        again = replay([GOLDEN / version / "events.ndjson.gz"], pipeline.settings)  # known, every one of them
        pipeline.close_day(iso(expected["day"]))
        assert worker.metric("laurel_events_weighed_total", outcome="duplicate") == again.published > 1_000
        assert worker.metric("laurel_events_weighed_total") == again.published
        found = {row["person"]: row for row in pipeline.records("score-updates", "ScoreUpdate")}
        assert found.keys() == expected["scores"].keys()
        assert len(found) > 50
        for person, (score, previous) in expected["scores"].items():
            assert found[person]["score"] == pytest.approx(score, rel=1e-12)
            assert found[person]["previous"] == pytest.approx(previous, rel=1e-12)
