"""What screens are drawn with, and what results look like on them."""

import io
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from laurel.cli import show
from laurel.cli.show_change import change_lines
from laurel.cli.show_results import contributions, explanation, leaders, score_line
from laurel.cli.watch import in_words
from laurel.models.change import PARTS
from laurel.streams.results import alike

parts = st.lists(st.floats(0, 99), min_size=1, max_size=12)


def update(
    day: int, parts: dict[str, float], previous: float | None, change: dict[str, float] | None = None
) -> dict[str, Any]:
    contributed = [{"network": "laurel", "action": "base", "points": 1.0}]
    contributed += [{"network": "twitter", "action": name, "points": value} for name, value in parts.items()]
    score = sum(part["points"] for part in contributed)
    return {
        "person": "twitter:1", "day": day, "score": score, "previous": previous, "percentile": 99.99994, "model": "v1",
        "contributions": contributed, "change": None if change is None else dict.fromkeys(PARTS, 0.0) | change,
        "true_reach": None, "amplification": None, "network_influence": None,
    }  # fmt: skip


def drawn(renderable: Any, width: int = 80) -> str:
    stream = io.StringIO()
    Console(file=stream, width=width, highlight=False).print(renderable)
    return stream.getvalue()


@given(parts)
def test_rounded_lines_sum_to_the_rounded_total_and_none_is_off_by_a_unit(values):
    total = sum(values)
    rounded = show.exact(values, total)
    assert sum(round(value * 100) for value in rounded) == round(round(total, 2) * 100)
    assert all(abs(shown - value) < 0.01 + 1e-9 for shown, value in zip(rounded, values, strict=True))


@given(parts, parts)
def test_what_an_explanation_shows_sums_to_the_score_and_to_its_change(now, then):
    before = update(9, {f"action{at}": value for at, value in enumerate(then)}, None)
    newest = update(10, {f"action{at}": value for at, value in enumerate(now)}, before["score"])
    rows = contributions(newest, before)
    assert round(sum(row[2] for row in rows), 2) == round(newest["score"], 2)
    assert round(sum(row[3] for row in rows), 2) == show.moved(newest)
    assert rows[-1][:2] == ("laurel", "base")


def test_an_explanation_shows_each_line_the_sum_and_the_sashes_within_eighty_columns():
    before = update(15_000, {"retweet": 20.004, "reply": 10.004}, None)
    newest = update(15_001, {"retweet": 21.333, "reply": 9.333, "mention": 0.336}, before["score"])
    worn = [{"topic": f"a-rather-long-topic-{at}", "sash": "gold", "day": 15_000} for at in range(9)]
    text = drawn(explanation(newest, [before, newest], worn, 1_000))
    assert "twitter retweet" in text
    assert "32.00" in text.splitlines()[0]
    assert any("score" in line and "32.00" in line and "+0.99" in line for line in text.splitlines())
    assert "and 3 more" in text
    assert max(map(len, text.splitlines())) <= 80


def test_nobody_is_shown_as_above_everybody():
    assert "above 99.9999 %" in drawn(score_line(update(10, {}, None), 10))


def test_a_score_of_an_older_day_says_that_nothing_counts_any_more():
    assert "no longer scored" in drawn(score_line(update(10, {}, None), 11))
    assert "no longer scored" not in drawn(score_line(update(10, {}, None), 10))


def test_whom_somebody_reaches_is_told_in_words_within_eighty_columns():
    newest = update(15_000, {"retweet": 20.0}, None)
    newest |= {"true_reach": 1_234_567, "amplification": 3.44, "network_influence": 12.06}
    text = drawn(explanation(newest, [newest], [], 1_000))
    assert re.search(r"true reach +1,234,567 +people acted on this account within 90 days", text)
    assert re.search(r"amplification +3\.4 +reactions for each post", text)
    assert re.search(r"network influence +12\.1 +points that these people have earned", text)
    assert max(map(len, text.splitlines())) <= 80
    said = "reached 1,234,567 people within 90 days, 3.4 reactions a post, network influence 12.1"
    assert said in drawn(score_line(newest, 15_000), width=200)


def test_who_reaches_nobody_and_posts_nothing_is_told_so():
    newest = update(15_000, {}, None) | {"true_reach": 0}
    text = drawn(explanation(newest, [newest], [], 1_000))
    assert "no posts to hold reactions against" in text
    assert "nobody to be influential" in text
    assert "reached 0 people within 90 days\n" in drawn(score_line(newest, 15_000))


def test_an_update_of_before_reach_was_counted_says_nothing_of_it():
    newest = update(15_000, {"retweet": 20.0}, None)
    assert "reach" not in drawn(explanation(newest, [newest], [], 1_000)) + drawn(score_line(newest, 15_000))


def test_a_first_score_has_no_change():
    assert "for the first time" in drawn(score_line(update(10, {}, None), 10))
    assert "new" in drawn(leaders("title", [update(10, {}, None)]))


@given(st.text())
def test_names_from_outside_cannot_steer_a_terminal(name):
    assert show.plain(name).isprintable()


@given(st.floats(-5, 200), st.floats(0.001, 100), st.integers(1, 60))
def test_a_bar_keeps_to_its_width_and_shows_whatever_is_above_nothing(value, most, width):
    line = show.bar(value, most, width)
    assert len(line) <= width
    assert bool(line) == (value > 0)


@given(st.dictionaries(st.integers(0, 400), st.floats(0, 100)), st.integers(1, 80))
def test_a_sparkline_keeps_to_its_width_and_is_blank_where_there_are_no_days(values, width):
    line = show.sparkline(list(values), list(values.values()), 0, 400, width, 100)
    assert len(line) == width
    assert set(line) <= set(show.STEPS + " ")
    assert bool(line.strip()) == bool(values)


def test_a_sparkline_rises_with_its_values():
    assert show.sparkline([0, 1, 2, 4], [0, 50, 100, 100], 0, 4, 40, 100) == "▁▅█ █"


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=50), st.integers(1, 8))
def test_columns_fill_their_lines_and_show_whatever_is_above_nothing(counts, height):
    lines = show.columns(counts, height)
    assert [len(line) for line in lines] == [len(counts)] * height
    assert [character != " " for character in lines[-1]] == [count > 0 for count in counts]
    assert (max(counts) == 0) or "█" in lines[0]


@pytest.mark.parametrize(
    ("name", "other", "expected"),
    [
        ("twitter:42", "facebook:42", True),
        ("42", "twitter:42", True),
        ("twitter:anna", "twitter:ana", True),
        ("twitter:anna", "twitter:annna", True),
        ("twitter:anna", "twitter:inna", True),
        ("twitter:anna", "twitter:nana", False),
        ("twitter:anna", "twitter:bob", False),
    ],
)
def test_names_are_alike_when_one_character_or_only_the_network_differs(name, other, expected):
    assert alike(name, other) is expected
    assert alike(other, name) is expected


@given(st.text(st.characters(exclude_characters=":"), min_size=1), st.data())
def test_leaving_out_any_character_gives_a_name_alike(name, data):
    at = data.draw(st.integers(0, len(name) - 1))
    assert alike(name, name[:at] + name[at + 1 :])


def test_a_watched_record_is_one_line_without_what_is_empty():
    line = {
        "partition": 1, "offset": 7, "key": "twitter:1", "record": "SashEvent",
        "value": {"person": "twitter:1", "topic": "a\nb", "rank": 0, "plus_k_rank": None, "list": []},
    }  # fmt: skip
    assert in_words(line).plain == "1/7       twitter:1  SashEvent  topic=a\\nb rank=0"


def test_what_was_forgotten_and_what_is_no_record_say_so():
    place = {"partition": 0, "offset": 1, "key": None, "record": None, "value": None}
    assert in_words(place).plain.endswith("(no key)  forgotten")
    refused = {"reason": "malformed_avro", "topic": "engagements", "partition": "2", "offset": "3"}
    text = in_words({**place, "bytes": "AAAA", "refused": refused}).plain
    assert text.endswith("malformed_avro from engagements/2/3  no record: AAAA")


changes = st.fixed_dictionaries({part: st.one_of(st.just(0.0), st.floats(-9, 9)) for part in PARTS})


@given(changes)
def test_the_parts_of_a_change_that_are_shown_sum_to_the_change_that_is_shown(change):
    previous = 50.0
    newest = update(10, {"retweet": previous + sum(change.values()) - 1.0}, previous, change)
    lines = change_lines(newest)
    shown = [float(found) for found in re.findall(r" ([+-]\d+\.\d\d)\b", drawn(lines) if lines else "")]
    assert round(sum(shown), 2) == show.moved(newest)
    assert 0.0 not in shown


def test_an_explanation_tells_in_parts_and_in_words_why_a_score_moved():
    newest = update(15_001, {"retweet": 31.0}, 30.5, {"reactions": 2.0, "fading": -0.5})
    text = drawn(explanation(newest, [newest], [], 10))
    for line in (
        "new reactions        +2.00",
        "earlier ones fading  -0.50",
        "Your score is 32.0, up 1.5 points from the day before.",
        "New reactions bring 2 points.",
        "Earlier reactions are a little older and bring 0.5 points less.",
        "Retweets on Twitter bring the most of it: 31 points.",
    ):
        assert line in text


def test_an_update_of_before_changes_were_told_is_explained_without():
    old = update(15_001, {"retweet": 31.0}, 30.5)
    text = drawn(explanation(old, [old], [], 10))
    assert "why it moved" not in text
    assert "Your score is 32.0, up 1.5 points from the day before." in text


def test_numbers_stay_whole_where_a_terminal_is_narrow():
    newest = update(15_001, {"retweet": 21.333, "wall_post": 9.333}, 30.0)
    assert "21.33" in drawn(explanation(newest, [newest], [], 10), 45)
    assert "31.67" in drawn(leaders("title", [newest | {"person": "mastodon:" + "x" * 60}]), 60)
