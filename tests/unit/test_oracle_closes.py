"""What the oracle says a close publishes, in cases worked out by hand."""

import math
from typing import Any

import pytest

from tests.oracle.cases import MONDAY, changes, counted, event, plus_k, run, scores
from tests.oracle.oracle import OracleResult, calibrated

ONE = counted(1_000_000)  # a stranger's retweet on a day by itself: 2 / (1 + sqrt(11)) = 0.463325

# Closes


def raw(result: OracleResult, day: int, account: str = "twitter:t") -> float:
    return float(scores(result, day)[account]["raw"])


def test_influence_fades_with_a_half_life_of_thirty_days_and_a_taper_to_nothing() -> None:
    days = [MONDAY, MONDAY + 30, MONDAY + 89, MONDAY + 90]
    result = run([event("twitter:a")], days)
    assert raw(result, MONDAY) == pytest.approx(ONE)
    # 65536 / 2 * (8 / 9) ** 3 = 23014.01...
    assert raw(result, MONDAY + 30) == pytest.approx(ONE * 23_014 / 65_536)
    assert 0 < raw(result, MONDAY + 89) < 1e-4
    assert scores(result, MONDAY + 90) == {}


def test_a_late_event_counts_for_its_own_day_and_from_the_next_close_on() -> None:
    late = event("twitter:b", day=MONDAY, epoch=MONDAY + 1)
    result = run([event("twitter:a"), late], [MONDAY, MONDAY + 1])
    assert raw(result, MONDAY) == pytest.approx(ONE)
    assert raw(result, MONDAY + 1) == pytest.approx(counted(1_000_000, 1_000_000) * fade(1))


def test_an_event_ahead_of_the_open_day_waits_for_its_own_close() -> None:
    result = run([event("twitter:a"), event("twitter:b", day=MONDAY + 1, epoch=MONDAY)], [MONDAY, MONDAY + 1])
    assert raw(result, MONDAY) == pytest.approx(ONE)
    assert raw(result, MONDAY + 1) == pytest.approx(ONE * (1 + fade(1)))


def fade(age: int) -> float:
    return round(65_536 * 2 ** (-age / 30) * (1 - (age / 90) ** 2) ** 3) / 65_536


def test_many_posts_for_few_reactions_lower_amplification() -> None:
    posts = [event("twitter:t", action="post")] * 20
    result = run([event("twitter:a"), *posts], [MONDAY, MONDAY + 1])
    # at first one reaction a post is taken as usual: 0.5 + 0.5 * (1 + 10) / (20 + 10)
    assert raw(result, MONDAY) == pytest.approx(ONE * (0.5 + 0.5 * 11 / 30))
    assert result.means.to_pylist()[0] == {"day": MONDAY, "network": "twitter", "mean": 0.2, "days": 1}
    # then 1 / 20 is, but no less than 0.2
    amplification = 0.5 + 0.5 * (fade(1) + 10 * 0.2) / ((20 * fade(1) + 10) * 0.2)
    assert raw(result, MONDAY + 1) == pytest.approx(ONE * fade(1) * amplification)


def test_networks_add_up_and_contributions_say_how_much_each_gives() -> None:
    events = [
        event("twitter:a"),
        event("twitter:b", action="like"),
        event("flickr:c", action="favorite", network="flickr"),
    ]
    result = run([*events, event("twitter:z", "twitter:u")], [MONDAY])
    weights = {"retweet": 1_000_000, "like": 461_538, "favorite": 666_666}
    per_point = counted(weights["retweet"], weights["like"]) / (weights["retweet"] + weights["like"])
    parts = {action: per_point * weight for action, weight in weights.items()} | {"favorite": counted(666_666)}
    mine = scores(result, MONDAY)["twitter:t"]
    assert mine["raw"] == pytest.approx(sum(parts.values()))
    points = {row["action"]: row["points"] for row in result.contributions.to_pylist() if row["account"] == "twitter:t"}
    base = points.pop("base")
    gained = mine["score"] - base
    expected = {action: gained * part / sum(parts.values()) for action, part in parts.items()}
    assert points == pytest.approx(expected, rel=1e-5)  # each part is rounded to a micro-point
    (r0,) = result.calendar["r0"].to_pylist()
    assert base == pytest.approx(1 + 99 * math.log1p(17 / r0) / math.log1p(10_000))


def test_previous_is_the_last_close_s_score_and_null_for_newcomers() -> None:
    result = run([event("twitter:a"), event("twitter:a", "twitter:u", day=MONDAY + 1)], [MONDAY, MONDAY + 1])
    today, before = scores(result, MONDAY + 1), scores(result, MONDAY)
    assert before["twitter:t"]["previous"] is None
    assert today["twitter:t"]["previous"] == before["twitter:t"]["score"]
    assert today["twitter:u"]["previous"] is None


def test_somebody_who_only_posts_or_only_has_a_plus_k_has_the_base_alone() -> None:
    result = run(
        [event("twitter:p", "twitter:p", "post"), plus_k("twitter:p", "twitter:k", "jazz"), event("twitter:a")],
        [MONDAY],
    )
    base = {row["account"]: row["points"] for row in result.contributions.to_pylist() if row["action"] == "base"}
    found = {account: row["score"] for account, row in scores(result, MONDAY).items()}
    assert (found["twitter:p"], found["twitter:k"]) == (base["twitter:p"], base["twitter:k"])
    assert 1 < found["twitter:p"] < found["twitter:t"]


def test_a_percentile_is_the_share_below_and_half_of_one_s_equals() -> None:
    events = [event("twitter:p", "twitter:p", "post"), event("twitter:q", "twitter:q", "post"), event("twitter:a")]
    result = scores(run([*events, event("twitter:b"), event("twitter:c", "twitter:u")], [MONDAY]), MONDAY)
    assert {account: row["percentile"] for account, row in result.items()} == {
        "twitter:p": 25.0,
        "twitter:q": 25.0,
        "twitter:u": 62.5,
        "twitter:t": 87.5,
    }


def test_r0_makes_the_average_twenty() -> None:
    events = [event(f"twitter:{number}", f"twitter:t{number % 7}") for number in range(60)]
    (row,) = run(events, [MONDAY]).calendar.to_pylist()
    assert row["binned_mean"] == pytest.approx(20)
    assert row["mean"] == pytest.approx(20, abs=0.3)


def test_r0_moves_two_percent_a_close_once_forty_five_days_are_closed() -> None:
    histogram = [(1.0, 50), (4.0, 50)]
    free = calibrated(histogram, 1e3, 44)
    assert calibrated(histogram, None, 0) == free
    assert calibrated(histogram, 1e3, 45) == pytest.approx(1e3 / 1.02)
    assert calibrated(histogram, free / 2, 45) == pytest.approx(free / 2 * 1.02)


def test_where_there_is_nobody_r0_stays_and_where_nobody_has_influence_all_are_average() -> None:
    assert [calibrated([], None, 0), calibrated([], 7.0, 3)] == [1.0, 7.0]
    r0 = calibrated([(0.0, 3)], 7.0, 3)
    assert 1 + 99 * math.log1p(17 / r0) / math.log1p(10_000) == pytest.approx(20)


# Retractions


def test_a_retracted_reaction_counts_until_it_is_taken_back() -> None:
    takes_back = event("twitter:a", day=MONDAY + 1, retracts="e0", topics=["jazz"])
    result = run([event("twitter:a", topics=["jazz"]), event("twitter:b"), takes_back], [MONDAY, MONDAY + 1])
    assert raw(result, MONDAY) == pytest.approx(counted(1_000_000, 1_000_000))
    assert raw(result, MONDAY + 1) == pytest.approx(ONE * fade(1))
    assert {row["day"] for row in result.leaderboards.to_pylist()} == {MONDAY}


def test_an_account_whose_only_reaction_was_taken_back_has_no_score() -> None:
    result = run([event("twitter:a"), event("twitter:a", day=MONDAY + 1, retracts="e0")], [MONDAY, MONDAY + 1])
    assert (len(scores(result, MONDAY)), len(scores(result, MONDAY + 1))) == (1, 0)


@pytest.mark.parametrize(
    "retraction",
    [
        event("twitter:a", retracts="e9"),
        event("twitter:b", retracts="e0"),
        event("twitter:a", "twitter:victim", retracts="e0"),
        event("twitter:a", action="like", retracts="e0"),
    ],
)
def test_a_retraction_of_nothing_or_of_something_else_takes_nothing_back(retraction: dict[str, Any]) -> None:
    result = run([event("twitter:a"), event("twitter:x", "twitter:victim"), retraction], [MONDAY])
    assert [raw(result, MONDAY), raw(result, MONDAY, "twitter:victim")] == pytest.approx([ONE] * 2)
    assert [row["why"] for row in result.dropped.to_pylist()] == ["waiting"]


# Topics, leaders, sashes


def test_leaders_are_ordered_by_strength_or_plus_ks_and_then_by_account() -> None:
    events = [event(f"twitter:{actor}", "twitter:c", topics=["jazz", "jazz"]) for actor in "xy"]
    events += [event("twitter:x", f"twitter:{account}", topics=["jazz"]) for account in "ba"]
    events += [plus_k("twitter:x", "twitter:b", "jazz"), plus_k("twitter:y", "twitter:b", "jazz")]
    events += [plus_k("twitter:x", "twitter:c", "jazz"), plus_k("twitter:x", "twitter:d", "jazz")]
    boards = run(events, [MONDAY]).leaderboards.to_pylist()
    ordered = {
        kind: [row["person"][-1] for row in sorted(boards, key=lambda row: row["rank"]) if row["kind"] == kind]
        for kind in ("influencer", "plus_k")
    }
    assert ordered == {"influencer": ["c", "a", "b"], "plus_k": ["b", "c", "d"]}
    first = next(row for row in boards if row["kind"] == "influencer" and row["rank"] == 1)
    assert first["strength"] == 2 * 1_000_000 * 65_536


def test_plus_ks_do_not_fade_and_end_with_the_window() -> None:
    result = run([plus_k("twitter:x", "twitter:b", "jazz")], [MONDAY, MONDAY + 89, MONDAY + 90])
    assert [(row["day"], row["plus_k"]) for row in result.leaderboards.to_pylist()] == [(MONDAY, 1), (MONDAY + 89, 1)]
    assert changes(result) == [
        (MONDAY, "twitter:b", "blue", "awarded"),
        (MONDAY + 90, "twitter:b", "none", "lost"),
    ]


def test_a_sash_is_upgraded_with_a_second_reason_and_downgraded_without_it() -> None:
    events = [
        plus_k("twitter:x", "twitter:b", "jazz"),
        event("twitter:x", "twitter:b", day=MONDAY + 1, topics=["jazz"]),
    ]
    result = run(events, [MONDAY, MONDAY + 1, MONDAY + 2, MONDAY + 90, MONDAY + 91])
    assert changes(result) == [
        (MONDAY, "twitter:b", "blue", "awarded"),
        (MONDAY + 1, "twitter:b", "blue_and_gold", "upgraded"),
        (MONDAY + 90, "twitter:b", "gold", "downgraded"),
        (MONDAY + 91, "twitter:b", "none", "lost"),
    ]


def test_the_twenty_first_influencer_of_a_topic_loses_gold() -> None:
    events = [event(f"twitter:x{number}", f"twitter:t{number:02}", topics=["jazz"]) for number in range(20)]
    newcomer = [event(f"twitter:y{number}", "twitter:new", day=MONDAY + 1, topics=["jazz"]) for number in range(2)]
    result = run([*events, *newcomer], [MONDAY, MONDAY + 1])
    assert [change for change in changes(result) if change[0] > MONDAY] == [
        (MONDAY + 1, "twitter:new", "gold", "awarded"),
        (MONDAY + 1, "twitter:t19", "none", "lost"),
    ]
    lost = next(row for row in result.sashes.to_pylist() if row["change"] == "lost")
    assert (lost["influencer_rank"], lost["plus_k_rank"]) == (21, None)
