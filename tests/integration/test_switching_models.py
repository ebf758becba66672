"""A day is closed by the model that it is asked to be closed by, and the next by another, or by the first again."""

import json
from pathlib import Path

import pytest

from laurel.models.catalogue import load as load_models
from laurel.models.networks import Networks
from laurel.models.population import Population
from laurel.streams.calendar import iso
from laurel.streams.codec import Codec
from laurel.streams.settings import load
from tests.engagements import engagement
from tests.integration.pipeline import Pipeline
from tests.integration.test_linked_accounts import FIRST

CODEC = Codec()
MODELS = ("v1", "brisk", "v1")  # of each day
BRISK = 'based_on = "v1"\n[adding]\nhalf_life = 24\n[scale]\nprior = 3\n'


def encoded(day: int) -> list[tuple[bytes, bytes]]:
    """A day's engagements: whom they engage with differs from day to day, and nobody engages who has influence."""
    events = [engagement(n, day, "retweet", f"twitter:{n}", f"twitter:o{n % (5 + day - FIRST)}") for n in range(23)]
    return [(each["actor"].encode(), CODEC.encode_one("Engagement", each)) for each in events]


def expected(models: Path) -> list[dict[str, float]]:
    """The scores of each day by its model, computed by the pure functions."""
    known, found = load_models(models), {}
    for name in set(MODELS):
        population = Population(known[name], Networks.load(), FIRST)
        for day in range(FIRST, FIRST + len(MODELS)):
            rows = CODEC.decode([value for _, value in encoded(day)]).batches["Engagement"].table
            population.take(rows)
            population.mark()
            close = population.close()
            names = population.accounts.names.to_pylist()
            found[name, day] = {
                names[at]: float(close.scores[at]) for at in range(len(close.scores)) if close.present[at]
            }
    return [found[name, FIRST + at] for at, name in enumerate(MODELS)]


@pytest.fixture
def models(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "brisk.toml").write_text(BRISK)
    return folder


def test_days_are_closed_by_the_models_they_name_and_a_switch_can_be_reverted(
    kafka: str, prefix: str, tmp_path: Path, models: Path
) -> None:
    with Pipeline(load(bootstrap=kafka, topic_prefix=prefix, partitions=2), tmp_path) as pipeline:
        pipeline.start(LAUREL_MODELS=str(models))
        before: dict[str, float] = {}
        for at, (name, scores) in enumerate(zip(MODELS, expected(models), strict=True)):
            day = FIRST + at
            pipeline.produce("engagements", encoded(day))
            told = pipeline.laurel("close-day", iso(day), "--model", name, "--json", LAUREL_MODELS=str(models))
            assert told.returncode == 0, told.stderr
            assert json.loads(told.stdout)["model"] == name
            updates = [row for row in pipeline.records("score-updates", "ScoreUpdate") if row["day"] == day]
            assert {row["person"]: row["score"] for row in updates} == pytest.approx(scores, abs=1e-9)
            assert {row["model"] for row in updates} == {name}
            old = {row["person"]: row["previous"] for row in updates if row["previous"] is not None}
            assert old == pytest.approx(before, abs=1e-9)
            for row in updates:
                if row["previous"] is not None:
                    assert sum(row["change"].values()) == pytest.approx(row["score"] - row["previous"], abs=1e-9)
                    assert row["change"]["calibration"] == 0
                    assert row["change"]["model"] != 0
            before = scores


@pytest.mark.slow
def test_a_worker_that_does_not_know_a_days_model_says_so_and_one_that_does_goes_on(
    kafka: str, prefix: str, tmp_path: Path, models: Path
) -> None:
    with Pipeline(load(bootstrap=kafka, topic_prefix=prefix, partitions=1), tmp_path) as pipeline:
        unknown = pipeline.laurel("close-day", iso(FIRST), "--model", "brisk")
        assert unknown.returncode == 1
        assert "there is no model 'brisk'" in unknown.stderr
        worker = pipeline.start()
        pipeline.produce("engagements", encoded(FIRST))
        asked = pipeline.laurel("close-day", iso(FIRST), "--model", "brisk", "--no-wait", LAUREL_MODELS=str(models))
        assert asked.returncode == 0, asked.stderr
        assert worker.wait() == 1
        assert "is scored by the model 'brisk', and this worker knows only v1" in worker.log.read_text()
        assert "Traceback" not in worker.log.read_text()
        pipeline.start(LAUREL_MODELS=str(models))
        assert pipeline.close_day(iso(FIRST))["model"] == "brisk"
        assert pipeline.records("score-updates", "ScoreUpdate")
        (models / "heavy.toml").write_text('based_on = "v1"\n[weighing]\nselective_after = 20\n')
        refused = pipeline.laurel("close-day", iso(FIRST + 1), "--model", "heavy", LAUREL_MODELS=str(models))
        assert refused.returncode == 1
        assert "can't follow brisk: models of one deployment must agree in selective_after" in refused.stderr
        (models / "heavy.toml").unlink()
        (models / "brisk.toml").write_text(BRISK.replace("half_life = 24", "half_life = 25"))
        edited = pipeline.laurel("close-day", iso(FIRST + 1), "--model", "brisk", LAUREL_MODELS=str(models))
        assert edited.returncode == 1
        said = f"the model brisk is not the one that closed {iso(FIRST)}: half_life was 24 and is 25"
        assert said in edited.stderr
        started = pipeline.laurel("worker", "--state", str(pipeline.state(1)), LAUREL_MODELS=str(models))
        assert started.returncode == 1
        assert "the model brisk is not the one that decided" in started.stderr
        assert "Traceback" not in started.stderr
