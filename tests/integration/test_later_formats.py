"""What a later version wrote is refused in one sentence, and kept: by the store, from the changelog, and by a worker."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from laurel.agents.runtime import STAGES
from laurel.streams.homes import open_at_home
from laurel.streams.log import KafkaLog
from laurel.streams.restore import restore
from laurel.streams.settings import load
from laurel.streams.store import MARK, STATE, Mark, Store
from laurel.streams.store_errors import LaterError, StoreError
from laurel.streams.store_folder import FORMAT
from tests.integration.disks import files
from tests.integration.pipeline import Pipeline

LATER = json.dumps({"format": FORMAT + 1, "what": "nobody knows yet"}).encode()
REFUSED = rf"later version of laurel \(format {FORMAT + 1}, this one knows {FORMAT}\): run that version"


class LaterMark(Mark):
    """A mark as a later version would store it."""

    def to_bytes(self) -> bytes:
        return LATER


def test_a_mark_says_its_format_and_without_one_is_of_the_first() -> None:
    mark = Mark(7, 9, {"cluster": "c"}, {"marker": 3})
    assert json.loads(mark.to_bytes())["format"] == FORMAT
    assert Mark.from_bytes(mark.to_bytes()) == Mark.from_bytes(json.dumps(asdict(mark)).encode()) == mark


@pytest.mark.parametrize("value", [b"", b"[]", b"1", b"null", b"{", b'{"format": "x"}', b'{"format": 1, "strange": 1}'])
def test_what_is_no_mark_is_not_taken_for_a_later_one(value: bytes) -> None:
    with pytest.raises(StoreError, match="can't be read") as refused:
        Mark.from_bytes(value)
    assert not isinstance(refused.value, LaterError)


def test_a_store_with_a_later_version_s_mark_is_refused_and_kept(tmp_path: Path) -> None:
    store = Store(tmp_path / "a")
    store.write([STATE + b"x"], [b"y"], LaterMark())
    store.close()
    before = {file.name for file in files(tmp_path / "a") if file.suffix == ".sst"}
    for _ in range(2):  # the first time has condemned nothing
        with pytest.raises(LaterError, match=REFUSED) as refused:
            open_at_home(tmp_path / "a", {"cluster": "c"})
        assert str(tmp_path / "a") in str(refused.value)
    assert {file.name for file in files(tmp_path / "a") if file.suffix == ".sst"} == before != set()


def test_a_later_version_s_changelog_is_refused_by_whoever_restores_and_by_a_worker(
    kafka: str, prefix: str, tmp_path: Path
) -> None:
    settings = load(bootstrap=kafka, topic_prefix=prefix, partitions=1)
    with Pipeline(settings, tmp_path) as pipeline:
        for stage in STAGES:
            pipeline.produce(stage.changelog, [(STATE + b"x", b"y"), (MARK, LATER)], 0)
        changelog = settings.topic(STAGES[0].changelog)
        store = Store(tmp_path / "a")
        with pytest.raises(LaterError, match=rf"{changelog}/0: .*{REFUSED}"):
            restore(store, KafkaLog(kafka, "tests"), changelog, 0, lambda _applied, _left: None)
        store.close()
        told = pipeline.laurel("worker", "--state", str(pipeline.state()), "--until-idle", within=120)
        assert told.returncode == 1, told.stderr
        assert "was written by a later version of laurel" in told.stderr
        assert "Traceback" not in told.stderr
