"""Days close by the clock where a deployment says so."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from laurel.agents.clock import due
from laurel.models.catalogue import load as load_models
from laurel.streams.calendar import iso
from laurel.streams.closing import write_markers
from laurel.streams.settings import load
from tests.integration.bad_records import DAY, NOW, engagement, sent
from tests.integration.pipeline import Pipeline, eventually


@pytest.mark.parametrize(
    ("moment", "minutes", "day"),
    [
        ("2024-05-02T00:00", 0, "2024-05-01"),
        ("2024-05-01T23:59", 0, "2024-04-30"),
        ("2024-05-02T00:29", 30, "2024-04-30"),
        ("2024-05-02T00:30", 30, "2024-05-01"),
        ("2024-05-02T23:59", 1_440, "2024-04-30"),
    ],
)
def test_a_day_is_due_that_long_after_its_midnight(moment: str, minutes: int, day: str) -> None:
    now = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    assert iso(due(now, timedelta(minutes=minutes))) == day


def closed(pipeline: Pipeline) -> list[str]:
    return [iso(record["day"]) for record in pipeline.records("calendar", "Calendar") if record["status"] == "closed"]


def test_a_worker_closes_yesterday_and_the_days_it_missed(kafka: str, prefix: str, tmp_path: Path) -> None:
    today = NOW // DAY
    with Pipeline(load(bootstrap=kafka, topic_prefix=prefix, partitions=2), tmp_path) as pipeline:
        worker = pipeline.start()
        pipeline.close_day(iso(today - 4))
        worker.stop()
        events = [
            engagement(event_id=str(ago), actor="twitter:1", occurred_at=NOW - ago * DAY, target=f"twitter:of-{ago}")
            for ago in (1, 2, 3)
        ]
        pipeline.produce("engagements", sent(*events))
        pipeline.start(0, LAUREL_CLOSE_AFTER_MINUTES="0")
        eventually(lambda: iso(today - 1) in closed(pipeline))
        assert closed(pipeline)[:4] == [iso(today - ago) for ago in (4, 3, 2, 1)]
        newest = {row["person"]: row["day"] for row in pipeline.records("score-updates", "ScoreUpdate")}
        assert {f"twitter:of-{ago}" for ago in (1, 2, 3)} <= set(newest)


def test_a_day_closes_by_the_clock_without_a_shadow_that_has_no_file(kafka: str, prefix: str, tmp_path: Path) -> None:
    models, today = tmp_path / "models", NOW // DAY
    models.mkdir()
    (models / "calm.toml").write_text('based_on = "v1"\n')
    settings = load(bootstrap=kafka, topic_prefix=prefix, partitions=2, models=models)
    with Pipeline(settings, tmp_path) as pipeline:
        worker = pipeline.start(LAUREL_MODELS=str(models), LAUREL_SHADOWS="brisk,calm", LAUREL_CLOSE_AFTER_MINUTES="0")
        eventually(lambda: iso(today - 1) in closed(pipeline))
        [record] = [record for record in pipeline.records("calendar", "Calendar") if record["status"] == "closed"]
        assert record["shadow_models"] == ["calm"]
        assert "without one of them: there is no model 'brisk'" in worker.log.read_text()
        # Whoever has loaded the models asks by them, whatever has become of their files since.
        known = load_models(models)
        (models / "calm.toml").unlink()
        assert write_markers(settings, today, "v1", shadows=["calm"], models=known) == [today]
        eventually(lambda: iso(today) in closed(pipeline))
