"""A model runs in shadow on the real broker, its differences are reported, and the switch goes on from its scale."""

import json
from pathlib import Path
from typing import Any

import pytest

from laurel.models.catalogue import load as load_models
from laurel.models.networks import Networks
from laurel.models.population import Close, Population
from laurel.streams.calendar import iso
from laurel.streams.codec import Codec
from laurel.streams.settings import load
from tests.engagements import engagement
from tests.integration.pipeline import Pipeline
from tests.integration.test_linked_accounts import FIRST

CODEC = Codec()
BRISK = 'based_on = "v1"\n[adding]\nhalf_life = 22\n[scale]\nprior = 30\n[calibration]\nfree_days = 0\n'
DAYS = 3


def encoded(day: int) -> list[tuple[bytes, bytes]]:
    """A day's engagements: nobody engages who has influence, and what there is grows."""
    several = 23 + 9 * (day - FIRST)
    events = [
        engagement(n, day, "retweet", f"twitter:{n}", f"twitter:o{n % (5 + day - FIRST)}") for n in range(several)
    ]
    events += [engagement(several + n, day, "post", f"twitter:o{n}", f"twitter:o{n}") for n in range(3)]
    return [(each["actor"].encode(), CODEC.encode_one("Engagement", each)) for each in events]


def computed(models: Path, name: str) -> list[tuple[Close, dict[str, float]]]:
    """Each day's close and scores by a model, computed by the pure functions."""
    population, found = Population(load_models(models)[name], Networks.load(), FIRST), []
    for day in range(FIRST, FIRST + DAYS):
        population.take(CODEC.decode([value for _, value in encoded(day)]).batches["Engagement"].table)
        population.mark()
        close, names = population.close(), population.accounts.names.to_pylist()
        there = [at for at in range(len(close.scores)) if close.present[at]]
        found.append((close, {names[at]: float(close.scores[at]) for at in there}))
    return found


def told(pipeline: Pipeline, *arguments: str, models: Path) -> dict[str, Any]:
    done = pipeline.laurel(*arguments, "--json", LAUREL_MODELS=str(models))
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.slow
def test_a_shadow_is_computed_and_reported_and_the_switch_goes_on_from_its_scale(
    kafka: str, prefix: str, tmp_path: Path
) -> None:
    models = tmp_path / "models"
    models.mkdir()
    (models / "brisk.toml").write_text(BRISK)
    (models / "calm.toml").write_text('based_on = "v1"\n[adding]\nhalf_life = 40\n')
    first, second = computed(models, "v1"), computed(models, "brisk")
    with Pipeline(load(bootstrap=kafka, topic_prefix=prefix, partitions=2), tmp_path) as pipeline:
        pipeline.start(LAUREL_MODELS=str(models))
        none = pipeline.laurel("models", "shadow-report")
        assert none.returncode == 1
        assert (
            "no closed day was computed by a model in shadow: close one with `laurel close-day DAY --shadow"
            in none.stderr
        )
        unknown = pipeline.laurel("close-day", iso(FIRST), "--shadow", "brisk")
        assert unknown.returncode == 1
        assert "there is no model 'brisk'" in unknown.stderr
        for at in range(DAYS - 1):
            day = FIRST + at
            pipeline.produce("engagements", encoded(day))
            decided = told(pipeline, "close-day", iso(day), "--shadow", "brisk", models=models)
            assert decided["model"] == "v1"
            [shadow] = decided["shadows"]
            assert (shadow["model"], shadow["people"]) == ("brisk", decided["people"])
            assert shadow["r0"] == pytest.approx(second[at][0].r0, rel=1e-12)
            updates = [row for row in pipeline.records("score-updates", "ScoreUpdate") if row["day"] == day]
            assert {row["person"]: row["score"] for row in updates} == pytest.approx(first[at][1], abs=1e-9)
            rows = [row for row in pipeline.records("shadow-scores", "ShadowScore") if row["day"] == day]
            for name, scores in (("v1", first[at][1]), ("brisk", second[at][1])):
                mine = {r["person"]: s["score"] for r in rows for s in r["scores"] if s["model"] == name}
                assert mine == pytest.approx(scores, abs=1e-9)
                for row in rows:
                    parts = sum(part["points"] for part in row["contributions"] if part["model"] == name)
                    assert parts == pytest.approx(mine[row["person"]], abs=1e-9)

        report = told(pipeline, "models", "shadow-report", models=models)
        old, new = first[DAYS - 2][1], second[DAYS - 2][1]
        moves = {person: new[person] - old[person] for person in old}
        assert (report["day"], report["people"], report["scored"]) == (iso(FIRST + DAYS - 2), len(moves), len(moves))
        assert report["mean_move"] == pytest.approx(sum(moves.values()) / len(moves), abs=1e-9)
        assert report["differing"] == {"half_life": [30.0, 22.0], "prior": [17.0, 30.0], "free_days": [45, 0]}
        up = sorted((person for person in moves if moves[person] > 0), key=lambda person: (-moves[person], person))
        assert [mover["person"] for mover in report["up"]] == up[:10]
        shown = pipeline.laurel("models", "shadow-report", "--top", "2", LAUREL_MODELS=str(models))
        assert shown.returncode == 0, shown.stderr
        assert "brisk in the shadow of v1" in shown.stdout
        assert max(map(len, shown.stdout.splitlines())) <= 80

        pipeline.produce("engagements", encoded(FIRST + DAYS - 1))
        switched = told(
            pipeline, "close-day", iso(FIRST + DAYS - 1), "--model", "brisk", "--shadow", "v1", models=models
        )
        assert switched["r0"] == pytest.approx(second[-1][0].r0, rel=1e-12)
        assert abs(switched["r0"] / second[-2][0].r0 - 1) == pytest.approx(
            0.02, abs=1e-3
        )  # a step, not a free solution
        updates = [row for row in pipeline.records("score-updates", "ScoreUpdate") if row["day"] == FIRST + DAYS - 1]
        assert {row["person"]: row["score"] for row in updates} == pytest.approx(second[-1][1], abs=1e-9)
        late = pipeline.laurel("close-day", iso(FIRST), "--shadow", "calm", LAUREL_MODELS=str(models))
        assert late.returncode == 1
        assert "is closed, without calm in shadow: a day keeps the models" in late.stderr
