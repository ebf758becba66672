"""S3: influence is the ability to drive action; followers never count."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from laurel.models.networks import POST
from laurel.models.parameters import V1
from laurel.models.scale import base_score
from tests.property.logs import logs
from tests.property.pure import NETWORKS, Hold, Int, Log, Population, acts, posts, run

PEOPLE = 6


def closed(log: Log, followers: Int | None = None, accounts: int = PEOPLE) -> Population:
    population = Population(accounts, Hold())
    population.take(log, followers)
    population.mark()
    population.close()
    return population


@given(logs(PEOPLE, 1), st.data())
@settings(max_examples=60, deadline=None)
def test_followers_never_count_even_where_an_event_tells_them(log: Log, data: st.DataObject) -> None:
    size = st.lists(st.integers(0, 10**9), min_size=len(log), max_size=len(log))
    followers = np.array(data.draw(size), np.int64)
    without, told = closed(log).closes[0], closed(log, followers).closes[0]
    assert (without.raw == told.raw).all()
    assert (without.scores == told.scores).all()


def test_no_network_has_an_action_for_having_followers_and_posting_weighs_nothing() -> None:
    assert not [name for name in NETWORKS.action if "follow" in name or "friend" in name]
    assert (NETWORKS.weight[NETWORKS.kind == POST] == 0).all()


@given(st.integers(1, 50), st.integers(0, 2_000))
@settings(max_examples=40, deadline=None)
def test_a_small_audience_that_acts_beats_a_large_one_that_does_not(acting: int, posted: int) -> None:
    small, large = 0, 1
    log = posts(small, 1) + posts(large, 1 + posted) + acts(range(2, 2 + acting), small)
    followers = np.where(log.target == large, 1_000_000, acting)
    found = closed(log, followers, 2 + acting).closes[0]
    assert found.scores[small] > found.scores[large] == base_score(found.r0, V1)


@given(st.integers(0, 60), st.integers(1, 60))
@settings(max_examples=40, deadline=None)
def test_the_more_people_act_the_higher_the_score(acting: int, more: int) -> None:
    log = acts(range(2, 2 + acting), 0) + acts(range(2, 2 + acting + more), 1)
    found = closed(log, accounts=2 + acting + more).closes[0]
    assert found.scores[1] > found.scores[0]


@given(st.sampled_from(["comment", "subscribe", "like"]), st.integers(1, 10))
@settings(max_examples=20, deadline=None)
def test_who_only_looks_counts_least_so_that_one_like_outweighs_eleven_views(action: str, times: int) -> None:
    log = acts(range(2, 2 + times), 0, f"youtube/{action}") + acts(range(2, 2 + 11 * times), 1, "youtube/view")
    found = closed(log, accounts=2 + 11 * times).closes[0]
    assert found.raw[0] > found.raw[1]


def test_one_comment_outweighs_twenty_two_views_but_not_twenty_three() -> None:
    log = acts(3, 0, "youtube/comment") + acts(range(3, 25), 1, "youtube/view") + acts(range(3, 26), 2, "youtube/view")
    raw = closed(log, accounts=40).closes[0].raw
    assert raw[1] < raw[0] < raw[2]


def test_somebody_who_only_posts_has_the_lowest_score_every_day() -> None:
    log = posts(0, 50, day=0) + posts(0, 50, day=1) + acts(range(2, 20), 1, day=1)
    for close in run(log, 20, 5):
        assert close.present[0]
        assert close.scores[0] == close.scores[close.present].min() == base_score(close.r0, V1)
