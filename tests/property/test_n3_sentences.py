"""N3: what a member reads: the sentences' numbers are those of the parts, the largest first, and they add up."""

import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from laurel.models.change import PARTS, Change
from laurel.models.contributions import BASE, Contributions
from laurel.models.sentences import MOST, WORDS, sentences, shares, tenths
from tests.property.pure import CODES, NETWORKS

parts = st.fixed_dictionaries({part: st.one_of(st.just(0.0), st.floats(-9, 9), st.floats(-0.1, 0.1)) for part in PARTS})
scores = st.floats(1, 100)
NAMES = (NETWORKS.network, NETWORKS.action)


def change_of(found: dict[str, float]) -> Change:
    return Change(**{part: np.array([found.get(part, 0.0)]) for part in PARTS})


def made_of(found: dict[str, float]) -> Contributions:
    code = np.array([BASE, *(CODES[name] for name in found)], np.int64)
    return Contributions(np.array([0, len(code)]), code, np.array([1.0, *found.values()]))


def read(
    score: float, previous: float | None, found: dict[str, float], brings: dict[str, float] | None = None
) -> list[str]:
    had = np.array([previous is not None])
    told = sentences(
        np.array([score]), np.array([previous or 0.0]), had, change_of(found), made_of(brings or {}), *NAMES
    )
    return list(told.to_pylist()[0])


def number(sentence: str) -> int:
    """Tenths of a point that a sentence about a part tells, with the sign of its words."""
    amount = re.search(r"([\d.]+) points?\b", sentence)
    assert amount is not None
    less = any(sentence == words[1].format(amount.group()) for words in WORDS.values())
    return round(float(amount.group(1)) * 10) * (-1 if less else 1)


def part_of(sentence: str) -> str:
    amount = re.search(r"([\d.]+) points?\b", sentence)
    return next(part for part in PARTS if amount and sentence in [w.format(amount.group()) for w in WORDS[part]])


@given(parts, scores)
def test_the_numbers_add_up_to_the_difference_that_is_shown_and_each_is_its_part(found, score):
    previous = score - sum(found.values())
    assume(1 <= previous <= 100)
    total = tenths(np.array([score])) - tenths(np.array([previous]))
    shown = shares(change_of(found), total)[:, 0]
    assert shown.sum() == total[0]
    for part, value in zip(PARTS, shown.tolist(), strict=True):
        assert abs(value / 10 - found[part]) < 0.1 + 1e-6
        assert value * found[part] >= 0
        assert value == 0 or found[part] != 0


@given(parts, scores)
def test_reasons_come_by_size_and_none_is_told_of_a_part_that_rounds_to_nothing(found, score):
    previous = score - sum(found.values())
    assume(1 <= previous <= 100)
    head, *reasons = read(score, previous, found)
    total = tenths(np.array([score])) - tenths(np.array([previous]))
    shown = dict(zip(PARTS, shares(change_of(found), total)[:, 0].tolist(), strict=True))
    assert [number(reason) for reason in reasons] == [shown[part_of(reason)] for reason in reasons]
    sizes = [abs(number(reason)) for reason in reasons]
    assert sizes == sorted((abs(value) for value in shown.values() if value), reverse=True)[: MOST - 1]
    assert 0 not in sizes
    assert head.startswith(f"Your score is {tenths(np.array([score]))[0] / 10:.1f}")


@given(st.lists(st.tuples(parts, scores), max_size=5))
def test_sentences_do_not_depend_on_who_else_is_written_to(people):
    change = Change(**{part: np.array([found[part] for found, _ in people], np.float64) for part in PARTS})
    now = np.array([score for _, score in people], np.float64)
    before = np.clip(now - 1, 1, 100)
    base = Contributions(np.arange(len(people) + 1), np.full(len(people), BASE), np.ones(len(people)))
    together = sentences(now, before, np.ones(len(people), np.bool_), change, base, *NAMES).to_pylist()
    assert together == [read(score, max(1.0, score - 1), found) for found, score in people]


def test_a_score_that_moved_is_told_with_its_reasons_and_what_brings_the_most():
    assert read(34.24, 33.01, {"reactions": 2.1, "fading": -0.71, "calibration": -0.16}, {"twitter/retweet": 9.84}) == [
        "Your score is 34.2, up 1.2 points from the day before.",
        "New reactions bring 2.1 points.",
        "Earlier reactions are a little older and bring 0.7 points less.",
        "The scale moved for everybody: that takes 0.2 points.",
        "Retweets on Twitter bring the most of it: 9.8 points.",
    ]


def test_the_page_for_members_shows_what_they_read():
    page = (Path(__file__).parents[2] / "docs/explanations.md").read_text()
    parts = {"reactions": 2.1, "fading": -0.71, "calibration": -0.16}
    assert "\n".join(read(34.24, 33.01, parts, {"twitter/retweet": 9.84})) in page
    assert all(f"| `{part}` |" in page for part in PARTS)


def test_a_score_that_stayed_says_so():
    assert read(20.02, 20.01, {"reactions": 0.01}) == ["Your score is 20.0, the same as the day before."]


def test_a_first_score_is_told_without_a_change():
    assert read(12.0, None, {}, {"stackexchange/reply": 8.04, "twitter/like": 2.0}) == [
        "Your score is 12.0; there was none the day before.",
        "Replies on Stack Exchange bring the most of it: 8 points.",
    ]


def test_one_point_is_a_point():
    assert read(21.0, 20.0, {"reactions": 1.0})[:2] == [
        "Your score is 21.0, up 1 point from the day before.",
        "New reactions bring 1 point.",
    ]


def test_nobody_is_written_nothing():
    none = np.empty(0)
    nothing = Contributions(np.zeros(1, np.int64), np.empty(0, np.int64), none)
    told = sentences(none, none, np.empty(0, np.bool_), Change(*[none] * len(PARTS)), nothing, *NAMES)
    assert told.to_pylist() == []
    assert told.type == pa.list_(pa.string())


@pytest.mark.parametrize("place", range(len(NETWORKS.action)))
def test_every_action_of_the_table_can_be_spoken_of(place):
    code = np.array([BASE, place], np.int64)
    one = Contributions(np.array([0, 2]), code, np.array([1.0, 19.0]))
    told = sentences(np.array([20.0]), np.zeros(1), np.zeros(1, np.bool_), change_of({}), one, *NAMES)
    [_, sentence] = told.to_pylist()[0]
    assert re.fullmatch(r"[A-Z+][\w+ -]*s( followed)? on [A-Z][\w+ ]* bring the most of it: 19 points\.", sentence) or (
        "Tips put on lists" in sentence
    )
