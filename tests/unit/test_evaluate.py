"""`laurel evaluate` on files, without Kafka."""

import json
import os
import re
import sys
from pathlib import Path

import pytest

from laurel.cli.main import run
from laurel.ingest.evaluate import Every, evaluate
from laurel.models.networks import Networks
from laurel.models.parameters import V1

PAGE = Path(__file__).parents[2] / "docs" / "evaluation.md"
MODELS = {"laurel v1": (V1, Networks.load())}


def line(number: int, actor: str | None, target: str, when: str, action: str = "retweet", **more: str) -> str:
    event = {"event_id": str(number), "network": "twitter", "action": action, "actor": actor, "target": target}
    return json.dumps(event | {"occurred_at": when} | more)


@pytest.fixture
def log(tmp_path) -> Path:
    """Two accounts that are reacted to on three days, the first more than the second, and themselves by themselves."""
    rows = []
    for day in (2, 3, 4):
        rows += [(f"twitter:f{person}", "twitter:a", f"2012-07-0{day}T0{person}:00:00Z") for person in range(4)]
        rows += [("twitter:f1", "twitter:b", f"2012-07-0{day}T10:00:00Z")]
        rows += [("twitter:c", "twitter:c", f"2012-07-0{day}T11:00:00Z")] * 9
    path = tmp_path / "log.ndjson"
    path.write_text("\n".join(line(at, *row) for at, row in enumerate(rows)) + "\n")
    return path


@pytest.fixture
def laurel(monkeypatch, capsys):
    def laurel(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["laurel", "evaluate", *arguments])
        with pytest.raises(SystemExit) as ended:
            run()
        return int(ended.value.code or 0), *capsys.readouterr()

    return laurel


def test_it_prints_every_rankings_figures_for_each_day_that_a_day_follows(laurel, log) -> None:
    status, out, _ = laurel(str(log), "--k", "2", "--json")
    found = json.loads(out)
    assert status == 0
    assert [(period["begins"], period["next_reactions"]) for period in found["periods"]] == [
        ("2012-07-02T00:00Z", 5),
        ("2012-07-03T00:00Z", 5),
    ]
    assert found["reactions"] == 15  # nobody's own
    for figures in found["mean"].values():
        assert figures["ndcg"] == pytest.approx(1.0)
        assert figures["precision"] == pytest.approx(1.0)
    assert found["not_applicable"] == ["h-index of posts"]


def test_by_default_it_prints_a_table_and_the_h_index_where_posts_are_named(laurel, tmp_path) -> None:
    path = tmp_path / "posts.ndjson"
    path.write_text(
        "".join(
            line(day, "twitter:f", "twitter:a", f"2012-07-0{day}T00:00:00Z", content_id="p") + "\n" for day in (2, 3)
        )
    )
    status, out, _ = laurel(str(path))
    assert status == 0
    assert "laurel v1" in out
    assert "h-index of posts" in out
    assert "not applicable" not in out


@pytest.mark.parametrize(("every", "periods"), [("hour", 21), ("week", 0)])
def test_hours_and_weeks_are_judged_likewise(laurel, log, every: str, periods: int) -> None:
    status, out, err = laurel(str(log), "--every", every, "--json")
    if periods:
        found = json.loads(out)
        assert len(found["periods"]) == len([p for p in found["periods"] if p["next_reactions"] > 0]) <= periods
        assert found["every"] == every
    else:
        assert (status, out) == (1, "")
        assert "no week to judge" in err


def test_what_an_hour_brings_is_in_the_ranking_at_its_end_and_what_comes_later_is_not(tmp_path) -> None:
    path = tmp_path / "hours.ndjson"
    rows = [("twitter:f", "twitter:a", "10"), ("twitter:f", "twitter:b", "11"), ("twitter:g", "twitter:b", "12")]
    path.write_text("".join(line(at, a, t, f"2012-07-02T{hour}:30:00Z") + "\n" for at, (a, t, hour) in enumerate(rows)))
    first, second = evaluate([path], MODELS, Every.HOUR, k=1).periods
    assert first.figures["laurel v1"]["precision"] == 0.0  # only a was known, and b got the next one
    assert second.figures["laurel v1"]["precision"] == pytest.approx(0.5)  # both had one


def test_days_asked_for_are_judged_with_all_that_came_before(laurel, log) -> None:
    status, out, _ = laurel(str(log), "--from", "2012-07-03", "--to", "2012-07-03", "--json")
    assert status == 0
    assert [period["begins"] for period in json.loads(out)["periods"]] == ["2012-07-03T00:00Z"]


def test_days_that_the_file_does_not_have_are_said_to_be_none_of_its(laurel, log) -> None:
    status, out, err = laurel(str(log), "--from", "2015-07-03")
    assert (status, out) == (1, "")
    assert "engagements are of 2012-07-0" in err
    assert "no day to judge is among them" in err


def test_days_the_wrong_way_round_are_a_usage_error(laurel, log) -> None:
    status, out, err = laurel(str(log), "--from", "2012-07-03", "--to", "2012-07-02")
    assert (status, out) == (2, "")
    assert "2012-07-02 is before 2012-07-03" in err


def test_the_model_without_each_of_its_terms_is_judged_beside_it(laurel, log) -> None:
    found = json.loads(laurel(str(log), "--ablate", "--json")[1])
    assert found["models"][0] == "laurel v1"
    terms = {
        "every action alike",
        "every engager alike",
        "no selectivity",
        "repeats forgotten overnight",
        "a loud day in full",
        "no amplification",
    }
    assert set(found["models"][1:]) == terms
    assert set(found["models"]) < set(found["mean"])


@pytest.mark.parametrize("suffix", ["svg", "png"])
def test_it_draws_into_a_file(laurel, log, tmp_path, suffix: str) -> None:
    pytest.importorskip("matplotlib")
    path = tmp_path / f"plot.{suffix}"
    assert laurel(str(log), "--plot", str(path))[0] == 0
    assert path.stat().st_size > 1_000


def test_what_it_cannot_do_it_says_in_a_sentence(laurel, log, tmp_path) -> None:
    status, _, err = laurel(str(tmp_path / "nothing.ndjson"))
    assert (status, err.strip()) == (1, f"error: there is no file {tmp_path / 'nothing.ndjson'}")
    empty = tmp_path / "empty.ndjson"
    empty.write_text("")
    status, _, err = laurel(str(empty))
    assert status == 1
    assert "no engagement to evaluate on" in err
    assert laurel(str(log), "--plot", "plot.pdf")[0] == 2
    status, _, err = laurel(str(log), "--model", "mine")
    assert status == 1
    assert "there is no model 'mine'" in err
    status, _, err = laurel(str(log), "--plot", str(tmp_path / "nowhere" / "plot.svg"))
    assert status == 1
    assert "can't be written" in err


@pytest.mark.slow
@pytest.mark.skipif("LAUREL_DATA_DIR" not in os.environ, reason="needs the Higgs data, see docs/data.md")
def test_on_real_days_every_ranking_reaches_what_the_page_says() -> None:
    page = PAGE.read_text(encoding="utf-8").split("\n## Higgs", 1)[1].split("\n## ", 1)[0]
    told = dict(re.findall(r"^\| ([^|]+?) \| (0\.\d+) \|.*\|$", page, re.MULTILINE))
    path = Path(os.environ["LAUREL_DATA_DIR"]) / "higgs/higgs-activity_time.txt.gz"
    means = evaluate([path], MODELS, first=15_524, last=15_527).means()  # 3 to 6 July 2012
    assert set(means) <= set(told)
    for name, figures in means.items():
        assert figures["ndcg_log"] >= float(told[name]) - 0.0005, name  # as far as it is rounded
