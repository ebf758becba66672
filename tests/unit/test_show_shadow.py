"""What a shadow report looks like."""

import json
import re

import numpy as np

from laurel.cli.show_shadow import as_data, screen
from laurel.models.moves import moves
from laurel.streams.shadow_results import Mover, ShadowReport
from tests.unit.test_show import drawn

BEFORE = np.array([20.0, 30.0, 40.0, 50.0, 60.0, 12.0])
AFTER = np.array([20.1, 30.6, 43.0, 38.5, 60.0, 12.2])
REPORT = ShadowReport(
    15_530,
    "v1",
    "v2",
    6,
    moves(BEFORE, AFTER),
    [
        Mover("twitter:40", 40.0, 43.0, "twitter", "retweet", 2.5),
        Mover("twitter:30", 30.0, 30.6, "laurel", "base", 0.4),
    ],
    [Mover("twitter:" + "50" * 30, 50.0, 38.5, "stackexchange", "upvote", -9.25)],
)


def test_a_report_says_who_moves_by_how_much_and_why_within_eighty_columns() -> None:
    text = drawn(screen(REPORT, {"half_life": (30.0, 20.0)}))
    assert max(map(len, text.splitlines())) <= 80
    for said in (
        "v2 in the shadow of v1, 2012-07-09  6 people",
        "mean score +35.33 by v1, 34.07 by v2",
        r"mean move +-1.27, 2.57 without its sign",
        "rank correlation +0.9429",
        "first 6 +6 are so by both",
        r"less than 0.5 either way +3 +50.0% +█{34}",
        r"\+2 to \+5 +1 +16.7% +█+",
        r"\-10 and more +1 +16.7% +█+",
        r"twitter:40 +40.00 +43.00 +\+3.00 +twitter retweet \+2.50",
        r"twitter:30 +30.00 +30.60 +\+0.60 +what everybody has \+0.40",
        r"50.00 +38.50 +-11.50 +stackexchange upvote -9.25",
        r"half_life +30 +20",
    ):
        assert re.search(said, text), f"{said}\n{text}"
    assert "of 6 scored" not in text


def test_a_report_says_what_it_does_not_know() -> None:
    partly = ShadowReport(15_530, "v1", "v2", 9, moves(BEFORE, BEFORE), [], [])
    text = drawn(screen(partly, None))
    assert "of 9 scored that day" in text
    assert "most up  nobody" in text
    assert "the file of v1 or v2 is not known here" in text
    assert "nothing: the two have the same parameters" in drawn(screen(partly, {}))


def test_a_report_as_data_is_json_with_all_of_its_figures() -> None:
    told = json.loads(json.dumps(as_data(REPORT)))
    assert (told["day"], told["published"], told["model"], told["people"]) == ("2012-07-09", "v1", "v2", 6)
    assert len(told["counts"]) == len(told["edges"]) + 1
    assert sum(told["counts"]) == 6
    assert told["up"][0] == {
        "person": "twitter:40", "before": 40.0, "after": 43.0, "network": "twitter", "action": "retweet", "points": 2.5,
    }  # fmt: skip
