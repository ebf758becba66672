"""The oracle's weights and refusals: cases worked out by hand, and the rules followed one event at a time."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracle.cases import (
    DAY,
    MONDAY,
    NETWORKS,
    added,
    earned,
    event,
    plus_k,
    points_for,
    potential,
    reasons,
    run,
    weights,
)

# Weights


def test_a_first_reaction_weighs_what_its_action_adds_up_to_and_an_unscored_engager() -> None:
    # 2 * 1 / 2, 2 * 0.3 / 1.3
    assert weights([event("twitter:a"), event("twitter:b", action="like")]) == [1_000_000, 461_538]


def test_a_repeat_of_a_pair_counts_less_than_the_first() -> None:
    # 2 * 2 / 3 - 1
    assert weights([event("twitter:a"), event("twitter:a")]) == [1_000_000, 333_333]


def test_what_a_pair_brought_is_forgotten_by_half_in_twenty_days_by_the_taper_more_and_wholly_in_ninety() -> None:
    kept = 28_149  # 65536 / 2 * (1 - (20 / 90) ** 2) ** 3
    left = points_for((potential(1_000_000) * kept) >> 16)  # 0.42952 / (2 - 0.42952)
    assert left == 273_495
    assert weights([event("twitter:a"), event("twitter:a", day=MONDAY + 20)])[1] == added(left, 1_000_000)
    assert weights([event("twitter:a"), event("twitter:a", day=MONDAY + 90)]) == [1_000_000, 1_000_000]


def test_a_late_event_neither_rewinds_nor_fades_the_memory_of_its_pair() -> None:
    late = event("twitter:a", day=MONDAY - 5, epoch=MONDAY)
    assert weights([event("twitter:a"), late]) == weights([event("twitter:a"), event("twitter:a")])


def test_an_actor_s_eleventh_reaction_of_a_day_counts_ten_elevenths() -> None:
    events = [event("twitter:a", f"twitter:t{number}") for number in range(12)]
    eleventh, twelfth = 10_000_000 // 11, 10_000_000 // 12
    assert weights(events)[9:] == [1_000_000, added(0, eleventh), added(0, twelfth)]


def test_posts_plus_ks_and_anonymous_reactions_use_up_nothing_of_a_day() -> None:
    others = [event("twitter:a", "twitter:a", "post"), plus_k("twitter:a", "twitter:t", "jazz"), event(None)] * 5
    assert weights([*others, event("twitter:a")])[-1] == 1_000_000


def test_an_actor_s_day_begins_again_only_when_its_own_clock_moves_on() -> None:
    tuesday = [event("twitter:a", f"twitter:t{number}", day=MONDAY + 1) for number in range(10)]
    late = event("twitter:a", day=MONDAY, epoch=MONDAY + 1)
    following = event("twitter:a", "twitter:u", day=MONDAY + 2)
    assert weights([*tuesday, late, following])[10:] == [added(0, 10_000_000 // 11), 1_000_000]


def test_an_anonymous_reaction_weighs_half_and_is_never_a_repeat() -> None:
    # 2 * 0.5 / 1.5
    assert weights([event(None), event(None)]) == [666_666] * 2


def test_posts_and_plus_ks_weigh_nothing() -> None:
    assert weights([event("twitter:a", "twitter:a", "post"), plus_k("twitter:a", "twitter:t", "jazz")]) == [0, 0]


def test_an_engager_counts_by_the_score_published_at_least_two_days_before_the_open_day() -> None:
    fans = [event(f"twitter:f{number}", "twitter:star") for number in range(90)]
    acts = [event("twitter:star", "twitter:t", day=MONDAY + after) for after in (1, 2)]
    result = run([*fans, event("twitter:x", "twitter:y"), *acts], [MONDAY, MONDAY + 1, MONDAY + 2])
    whole = earned(result, MONDAY, "twitter:star")
    assert whole > 1
    star = result.weights["weight"].to_pylist()[91:]
    kept = 63_280  # 65536 * 2 ** (-1 / 20) * (1 - (1 / 90) ** 2) ** 3
    memory = points_for((potential(1_000_000) * kept) >> 16)
    assert star == [added(0, 1_000_000), added(memory, 1_000_000, factor(whole))]


def test_a_late_event_is_weighed_by_the_day_open_at_its_arrival() -> None:
    fans = [event(f"twitter:f{number}", "twitter:star") for number in range(90)]
    late = event("twitter:star", "twitter:t", day=MONDAY + 1, epoch=MONDAY + 2)
    result = run([*fans, event("twitter:x", "twitter:y"), late], [MONDAY, MONDAY + 1, MONDAY + 2])
    whole = earned(result, MONDAY, "twitter:star")
    assert result.weights.to_pylist()[-1]["weight"] == factor(whole)


def factor(whole: int) -> int:
    """Millionths by which an engager of so many earned points multiplies a weight."""
    return round(1e6 + 2.5e6 * math.sqrt(whole))


# Refusals


@pytest.mark.parametrize(
    ("refused", "reason"),
    [
        (event(None, ""), "missing_actor_and_target"),
        (event("twitter:a", ""), "missing_target"),
        (event("twitter:a", "t"), "malformed_account"),
        (event("twitter:a", "twitter:"), "malformed_account"),
        (event(":a"), "malformed_account"),
        (event("twitter:a", network="myspace"), "unknown_network"),
        (event("twitter:a", action="poke"), "unknown_action"),
        (event("twitter:a", private=True), "private"),
        (event("twitter:a", occurred_at=-1), "malformed_timestamp"),
        (event("twitter:a", record_ts=MONDAY * DAY - DAY - 1), "future"),
        (event("twitter:a", epoch=MONDAY - 31), "future"),
        (event("twitter:a", epoch=MONDAY + 90), "expired"),
        (event("twitter:t"), "self_engagement"),
        (event("twitter:a", topics=[f"t{number}" for number in range(21)]), "too_many_topics"),
        (event("twitter:a", network="laurel", action="plus_k"), "plus_k_topic"),
        (event("twitter:a", network="laurel", action="plus_k", topics=["jazz", "tea"]), "plus_k_topic"),
        (event(None, network="laurel", action="plus_k", topics=["jazz"]), "plus_k_topic"),
    ],
)
def test_what_is_refused_says_why_and_changes_nothing(refused: dict[str, Any], reason: str) -> None:
    result = run([refused, event("twitter:a")])
    assert [row["reason"] for row in result.dead_letters.to_pylist()] == [reason]
    assert result.weights.to_pylist() == [{"seq": 1, "event_id": "e1", "weight": 1_000_000}]


@pytest.mark.parametrize(
    "accepted",
    [
        event("twitter:a", record_ts=MONDAY * DAY - DAY),
        event("twitter:a", epoch=MONDAY - 30),
        event("twitter:a", epoch=MONDAY + 89),
        event("twitter:a", topics=[f"t{number}" for number in range(20)]),
        event("twitter:t", action="post"),
        event("", topics=["jazz"]),
    ],
)
def test_what_is_just_within_the_limits_is_accepted(accepted: dict[str, Any]) -> None:
    assert reasons([accepted]) == {}


def test_the_first_of_several_reasons_is_given() -> None:
    assert reasons([event("twitter:t", network="myspace", private=True)]) == {"e0": "unknown_network"}


def test_a_giver_s_sixth_plus_k_of_a_day_is_refused_and_the_next_day_s_first_is_not() -> None:
    gifts = [plus_k("twitter:a", f"twitter:t{number}", "jazz") for number in range(6)]
    assert reasons([*gifts, plus_k("twitter:a", "twitter:t5", "jazz", MONDAY + 1)]) == {"e5": "plus_k_quota"}


def test_the_same_plus_k_is_refused_for_seven_days_and_a_refused_one_uses_up_nothing() -> None:
    again = [plus_k("twitter:a", "twitter:t", "jazz", MONDAY + after) for after in (0, 6, 7)]
    assert reasons(again) == {"e1": "plus_k_repeat"}
    other = [plus_k("twitter:a", "twitter:t", "jazz"), plus_k("twitter:a", "twitter:t", "tea")]
    assert reasons(other) == {}


def test_beyond_five_thousand_reactions_a_day_an_actor_is_refused() -> None:
    events = [event("twitter:a", f"twitter:t{number % 4000}") for number in range(5001)]
    assert reasons(events) == {"e5000": "daily_limit"}


def test_a_repeated_event_id_of_one_actor_is_dropped_and_another_actor_s_is_not() -> None:
    result = run([event("twitter:a", event_id="x"), event("twitter:a", event_id="x"), event("twitter:b", event_id="x")])
    assert [row["seq"] for row in result.weights.to_pylist()] == [0, 2]
    assert result.dropped.to_pylist() == [{"seq": 1, "event_id": "x", "why": "repeat"}]


def test_an_event_is_known_again_however_many_lie_between_and_the_same_id_on_another_day_is_another_event() -> None:
    between = [event("twitter:a", f"twitter:t{number}") for number in range(300)]
    events = [event("twitter:a", event_id="x"), *between, event("twitter:a", event_id="x")]
    assert [row["seq"] for row in run(events).dropped.to_pylist()] == [301]
    assert run([events[0], event("twitter:a", event_id="x", day=MONDAY + 1)]).dropped.num_rows == 0


# The whole of it, one event at a time


def one_by_one(events: Sequence[dict[str, Any]]) -> Iterator[int]:
    """Weights of named reactions of unscored engagers, by the rules as written, in plain integers."""
    clock: dict[str, int] = {}
    acts: dict[tuple[str, int], int] = {}
    memory: dict[tuple[str, str], tuple[int, int]] = {}
    for row in events:
        actor, pair = row["actor"], (row["actor"], row["target"])
        now = clock[actor] = max(clock.get(actor, 0), row["occurred_at"] // DAY)
        ordinal = acts[actor, now] = acts.get((actor, now), 0) + 1
        weight = round(NETWORKS["twitter", row["action"]][0] * 1e6)
        used = weight * (1_000_000 if ordinal <= 10 else 10_000_000 // ordinal) // 1_000_000
        held, day = memory.get(pair, (0, now))
        if now > day:
            kept = (
                round(65_536 * 2 ** (-(now - day) / 20) * (1 - ((now - day) / 90) ** 2) ** 3) if now - day < 90 else 0
            )
            held = points_for((potential(held) * kept) >> 16)
        memory[pair] = (held + used, now)
        yield added(held, used)


ACTS = st.tuples(st.sampled_from("ab"), st.sampled_from("tu"), st.sampled_from(("retweet", "like")), st.integers(0, 80))


@settings(max_examples=40, deadline=None)
@given(st.lists(ACTS, max_size=60))
def test_weights_in_sql_are_those_of_the_rules_followed_one_event_at_a_time(
    acts: list[tuple[str, str, str, int]],
) -> None:
    events = [
        event(f"twitter:{actor}", f"twitter:{target}", action, MONDAY + day, epoch=MONDAY + 80)
        for actor, target, action, day in acts
    ]
    assert weights(events) == list(one_by_one(events))
