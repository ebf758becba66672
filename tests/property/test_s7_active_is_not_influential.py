"""S7: being active is not being influential."""

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from laurel.models.amplification import amplification
from laurel.models.calibration import network_means
from laurel.models.parameters import V1

counts = st.floats(0, 1e7)
means = st.floats(V1.mean_lowest, V1.mean_highest)


def share(reactions: float, posts: float, mean: float) -> float:
    return float(amplification(np.array([reactions]), np.array([posts]), mean, V1)[0])


@given(st.floats(V1.mean_lowest * 1.001, V1.mean_highest))  # at the limit both are above the mean and keep all
def test_a_hundred_reactions_to_ten_posts_beat_a_hundred_to_a_thousand(mean: float) -> None:
    assert share(100, 10, mean) > share(100, 1_000, mean)


@given(counts, counts, counts, means)
def test_posting_more_without_reactions_never_raises_the_share(
    reactions: float, posts: float, more: float, mean: float
) -> None:
    assert share(reactions, posts + more, mean) <= share(reactions, posts, mean)


@given(counts, counts, counts, means)
def test_a_reaction_never_lowers_the_share(reactions: float, more: float, posts: float, mean: float) -> None:
    assert share(reactions + more, posts, mean) >= share(reactions, posts, mean)


@given(counts, counts, means)
def test_the_share_is_the_floor_at_least_and_everything_at_most(reactions: float, posts: float, mean: float) -> None:
    assert V1.amplification_floor <= share(reactions, posts, mean) <= 1.0


@given(counts, means, st.floats(1, 1e3))
def test_more_reactions_per_post_than_the_network_keeps_everything(posts: float, mean: float, times: float) -> None:
    assert share(posts * mean * times * (1 + 1e-9), posts, mean) > 1.0 - 1e-9


@given(st.floats(1, 1e6), means)
def test_many_posts_without_any_reaction_keep_little_more_than_the_floor(posts: float, mean: float) -> None:
    expected = V1.amplification_floor + (1 - V1.amplification_floor) * V1.amplification_prior / (
        posts + V1.amplification_prior
    )
    assert abs(share(0, posts, mean) - expected) < 1e-9


@given(st.integers(0, 2**50), st.integers(1, 2**40), means)
def test_a_networks_mean_is_its_reactions_by_its_posts_within_limits(
    reactions: int, posts: int, previous: float
) -> None:
    (mean,) = network_means(np.array([reactions]), np.array([posts]), np.array([previous]), np.zeros(1, np.int64), V1)
    assert V1.mean_lowest <= mean <= V1.mean_highest
    assume(V1.mean_lowest <= reactions / posts <= V1.mean_highest)
    assert mean == reactions / posts


@given(means)
def test_a_network_where_nobody_posted_keeps_its_mean(previous: float) -> None:
    assert network_means(np.array([7]), np.array([0]), np.array([previous]), np.zeros(1, np.int64), V1)[0] == previous
