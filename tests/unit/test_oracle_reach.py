"""Whom an account reaches, in cases worked out by hand."""

from typing import Any

import pytest

from tests.oracle.cases import MONDAY, earned, event, run

Row = dict[str, Any]


def reach(events: list[Row], day: int) -> tuple[int, float | None]:
    """True reach and network influence of twitter:t at the close of a day."""
    result = run(events, range(MONDAY, day + 1))
    (row,) = [row for row in result.reach.to_pylist() if row["day"] == day and row["account"] == "twitter:t"]
    return row["true_reach"], row["network_influence"]


def test_whoever_acts_again_counts_once_and_nobody_named_not_at_all() -> None:
    again = [event("twitter:a"), event("twitter:a", day=MONDAY + 1), event("twitter:b"), event(None)]
    assert reach(again, MONDAY + 1) == (2, 0.0)


def test_somebody_counts_for_ninety_days_from_the_last_act() -> None:
    acts = [event("twitter:a"), event("twitter:b", day=MONDAY + 1), event("twitter:a", day=MONDAY + 5)]
    rows = run(acts, range(MONDAY, MONDAY + 95)).reach.to_pylist()
    found = {row["day"] - MONDAY: row["true_reach"] for row in rows if row["account"] == "twitter:t"}
    assert (found[90], found[91], found[94]) == (2, 1, 1)


def test_what_was_taken_back_leaves_the_act_before_it_and_without_one_nobody() -> None:
    acts = [event("twitter:a"), event("twitter:b"), event("twitter:b", day=MONDAY + 1)]
    back = [event("twitter:b", day=MONDAY + 1, event_id="r", retracts="e2")]
    assert reach([*acts, *back], MONDAY + 2)[0] == 2
    both = [*acts, *back, event("twitter:b", event_id="s", retracts="e1", epoch=MONDAY + 1)]
    assert reach(both, MONDAY + 2)[0] == 1


def test_network_influence_is_what_the_people_had_earned_when_they_last_acted() -> None:
    fans = [event(f"twitter:{fan}", "twitter:star", day=MONDAY) for fan in range(40)]
    acts = [event("twitter:star", day=MONDAY + 2), event("twitter:nobody", day=MONDAY + 2)]
    result = run([*fans, *acts], range(MONDAY, MONDAY + 3))
    points = earned(result, MONDAY, "twitter:star")
    assert points > 0
    assert reach([*fans, *acts], MONDAY + 2) == (2, points / 2)


@pytest.mark.parametrize(("posts", "expected"), [(0, None), (2, 1.5)])
def test_amplification_is_reactions_per_post_and_nothing_without_posts(posts: int, expected: float | None) -> None:
    own = [event("twitter:t", action="post", event_id=f"p{at}") for at in range(posts)]
    result = run([*own, *(event(f"twitter:{fan}") for fan in range(3))], [MONDAY])
    (row,) = [row for row in result.reach.to_pylist() if row["account"] == "twitter:t"]
    assert row["amplification"] == expected
