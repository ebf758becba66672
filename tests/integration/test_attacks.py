"""What attacks on the score gain, in the synthetic population and among real people."""

import json
import sys
from pathlib import Path

import pytest

from laurel.cli.main import run
from laurel.ingest import attacks
from laurel.ingest.attacks import Outcome
from laurel.ingest.scenarios import SCENARIOS
from laurel.models.networks import Networks
from laurel.models.parameters import V1
from laurel.models.signals import SUSPICIOUS

DAYS = 30  # as the page tells
NETWORKS = Networks.load()
DOCS = Path(__file__).parents[2] / "docs"

# Many accounts and much patience gain more, and docs/gaming.md says so. Whoever bounds one takes it from both.
BROKEN = {"fresh-1000-slowly", "ring-50", "ring-linked"}


@pytest.fixture(scope="module")
def outcomes() -> dict[str, Outcome]:
    return dict(attacks.play(attacks.synthetic(DAYS, 0), V1, NETWORKS))


@pytest.mark.parametrize("name", [name for name, each in SCENARIOS.items() if each.bound is not None])
def test_an_attack_keeps_its_bound_unless_it_is_known_not_to(outcomes: dict[str, Outcome], name: str) -> None:
    assert outcomes[name].kept == (name not in BROKEN), outcomes[name]


@pytest.mark.parametrize("name", ["posts", "plus-k-ring"])
def test_what_is_no_reaction_gains_nothing_at_all(outcomes: dict[str, Outcome], name: str) -> None:
    assert outcomes[name].gained <= 1e-9


def test_what_linked_accounts_gain_is_told_of_the_person_and_is_more_than_on_one_network(
    outcomes: dict[str, Outcome],
) -> None:
    assert outcomes["ring-linked"].gained > outcomes["ring"].gained + 5


@pytest.mark.parametrize("name", ["fresh-50", "fan-often", "two-bots"])
def test_genuine_growth_pays_more_than_a_cheap_attack_of_its_size(outcomes: dict[str, Outcome], name: str) -> None:
    assert outcomes["growth"].gained > outcomes[name].gained + 2


def test_an_audience_that_comes_back_pays_more_than_visits_and_a_crowd_at_once(outcomes: dict[str, Outcome]) -> None:
    assert outcomes["audience"].gained > outcomes["growth"].gained + 2
    assert outcomes["audience"].gained > outcomes["fresh-1000"].gained + 2


def test_signals_tell_attacks_from_genuine_growth(outcomes: dict[str, Outcome]) -> None:
    assert outcomes["growth"].flagged == outcomes["audience"].flagged == []
    assert {"reciprocity", "concentration"} <= set(outcomes["two-bots"].flagged)
    assert "reciprocity" in outcomes["ring"].flagged
    assert "reciprocity" in outcomes["ring-50"].flagged
    assert "reciprocity" in outcomes["ring-linked"].flagged
    assert outcomes["fresh-50"].flagged == outcomes["fresh-1000-slowly"].flagged == ["youth"]
    assert outcomes["fresh-1000"].flagged == outcomes["bought"].flagged == ["burst", "youth"]
    assert outcomes["fan-often"].flagged == ["burst", "concentration"]


def test_an_attack_is_played_the_same_whatever_was_played_before_it(outcomes: dict[str, Outcome]) -> None:
    alone = {name: SCENARIOS[name] for name in ("bought", "fan-once")}
    again = dict(attacks.play(attacks.synthetic(DAYS, 0), V1, NETWORKS, scenarios=alone))
    assert again == {name: outcomes[name] for name in alone}


def test_the_page_on_gaming_tells_every_scenario_with_its_bound_and_whether_that_holds(
    outcomes: dict[str, Outcome],
) -> None:
    page = (DOCS / "gaming.md").read_text(encoding="utf-8").split("\nElsewhere")[0]
    lines = [line.strip("|").split("|") for line in page.splitlines() if line.startswith("|")]
    rows = {cells[0].strip(): [cell.strip() for cell in cells[1:]] for cells in lines}
    for outcome in outcomes.values():
        bound = outcome.scenario.bound
        days, accounts, people, actions, gained, told, kept, *shares = rows[outcome.scenario.title]
        counted = [f"{count:,}" for count in (outcome.days, outcome.accounts, outcome.borrowed, outcome.actions)]
        assert [days, accounts, people, actions] == counted
        assert float(gained) == pytest.approx(outcome.gained, abs=0.06)
        assert told == ("" if bound is None else f"{bound:g}")
        assert kept == {None: "", True: "kept", False: "**broken**"}[outcome.kept]
        assert [share.endswith("!") for share in shares] == [name in outcome.flagged for name in SUSPICIOUS]


def test_the_command_plays_among_the_people_of_a_file_and_fails_where_a_bound_is_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "few.ndjson"
    path.write_text(
        "".join(
            json.dumps(
                {
                    "event_id": f"{day}/{n}",
                    "network": "twitter",
                    "action": "retweet",
                    "actor": f"twitter:{n}",
                    "target": f"twitter:{n * 7 % 60 + 60}",
                    "occurred_at": (20_000 + day) * 86_400_000 + n,
                }
            )
            + "\n"
            for day in range(6)
            for n in range(60)
        )
    )
    monkeypatch.setattr(sys, "argv", ["laurel", "attack", str(path), "--days", "2", "--json"])
    with pytest.raises(SystemExit) as left:
        run()
    found = json.loads(capsys.readouterr().out)
    assert left.value.code == (1 if found["broken"] else 0)
    assert found["synthetic"] is False
    assert [row["scenario"] for row in found["scenarios"]] == list(SCENARIOS)
    assert all(row["days"] <= 2 for row in found["scenarios"])
    assert found["broken"] == [row["scenario"] for row in found["scenarios"] if row["kept"] is False]

    monkeypatch.setattr(sys, "argv", ["laurel", "attack", str(path), "--days", "2"])
    monkeypatch.setenv("COLUMNS", "120")
    with pytest.raises(SystemExit):
        run()
    shown = capsys.readouterr().out.splitlines()
    for row in found["scenarios"]:
        [gains, shares] = [line for line in shown if line.startswith(row["title"] + " ")]
        assert ("broken" in gains, "kept" in gains) == (row["kept"] is False, row["kept"] is True)
        assert shares.count("!") == len(row["flagged"])
    bounded = [row["kept"] for row in found["scenarios"] if row["bound"] is not None]
    assert shown[-1] == f"{sum(bounded)} of {len(bounded)} attacks stay within their bound"


@pytest.mark.parametrize(
    ("moments", "said"),
    [
        ([], "few.ndjson: no engagement to play attacks among"),
        ([0, 86_400_000], "few.ndjson: 2 days of engagements are too few to play attacks among; it takes 4"),
    ],
)
def test_a_file_of_too_few_days_is_refused_in_a_sentence(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    moments: list[int],
    said: str,
) -> None:
    path = tmp_path / "few.ndjson"
    event = {"network": "twitter", "action": "like", "actor": "twitter:1", "target": "twitter:2"}
    path.write_text("".join(json.dumps(event | {"event_id": str(at), "occurred_at": at}) + "\n" for at in moments))
    monkeypatch.setattr(sys, "argv", ["laurel", "attack", str(path)])
    with pytest.raises(SystemExit) as left:
        run()
    assert left.value.code == 1
    assert said in capsys.readouterr().err
