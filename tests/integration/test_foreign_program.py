"""Somebody else's program, with Kafka and Avro libraries and the files of `avro/` only, publishes and reads results."""

import json
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from laurel.streams.settings import load
from tests.integration.pipeline import WITHIN, Pipeline

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / "tests" / "integration" / "foreign_program.py"
DAY = date(2024, 5, 1)

# Installed packages can be imported, and nothing else: an editable laurel comes by a .pth file, which -S leaves out.
RUN = "import runpy, sys; sys.path.append(sys.argv.pop(1)); del sys.argv[0]; runpy.run_path(sys.argv[0], run_name='__main__')"


def foreign(arguments: Sequence[str], prefix: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", "-S", "-c", RUN, sysconfig.get_path("purelib"), *arguments],
        env={"LAUREL_TOPIC_PREFIX": prefix},
        cwd="/",
        capture_output=True,
        text=True,
        timeout=WITHIN,
        check=False,
    )


def told(pipeline: Pipeline, command: str, *more: str) -> Any:
    arguments = [str(PROGRAM), command, pipeline.settings.servers, str(ROOT / "avro"), *more]
    done = foreign(arguments, pipeline.settings.topic_prefix)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_foreign_program_could_not_import_laurel(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("import confluent_kafka, fastavro\nimport laurel\n")
    done = foreign([str(program)])
    assert done.returncode == 1
    assert "No module named 'laurel'" in done.stderr


@pytest.mark.slow
def test_it_publishes_and_finds_scores_and_sashes_won_and_lost(kafka: str, prefix: str, tmp_path: Path) -> None:
    with Pipeline(load(bootstrap=kafka, topic_prefix=prefix, partitions=2), tmp_path) as pipeline:
        worker = pipeline.start()
        assert told(pipeline, "publish", DAY.isoformat()) == 2 + 6 + 10 + 14 + 18 + 9
        pipeline.close_day(DAY.isoformat())

        scores = {update["person"]: update for update in told(pipeline, "scores")}
        gardeners = [f"twitter:gardener-{number}" for number in range(5)]
        assert set(gardeners) <= set(scores)
        assert all(update["day"] == DAY.isoformat() and update["previous"] is None for update in scores.values())
        ranked = sorted(gardeners, key=lambda person: scores[person]["score"])
        assert ranked == gardeners

        won = {event["person"]: event for event in told(pipeline, "sashes")}
        assert {person: (event["change"], event["sash"]) for person, event in won.items()} == {
            **dict.fromkeys(gardeners[:4], ("awarded", "gold")),
            "twitter:gardener-4": ("awarded", "blue_and_gold"),
            "twitter:ann": ("awarded", "blue"),
            "twitter:bo": ("awarded", "blue"),
        }
        assert [won[person]["influencer_rank"] for person in gardeners] == [5, 4, 3, 2, 1]
        assert {event["topic"] for event in won.values()} == {"gardening"}

        over = DAY + timedelta(days=91)
        pipeline.close_day(over.isoformat(), within=240)
        events = [event for event in told(pipeline, "sashes") if event["day"] != DAY.isoformat()]
        assert {(event["person"], event["change"], event["sash"]) for event in events} == {
            (person, "lost", "none") for person in won
        }
        lost_on = {event["day"] for event in events}
        assert lost_on == {(DAY + timedelta(days=90)).isoformat()}
        last = {update["person"]: update["day"] for update in told(pipeline, "scores")}
        assert last == dict.fromkeys(scores, (DAY + timedelta(days=89)).isoformat())
        assert worker.stop() == 0
