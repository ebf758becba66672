"""S7 for whole populations: being active is not being influential."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from laurel.models.parameters import V1
from laurel.models.scale import base_score
from tests.property.logs import logs
from tests.property.pure import BIN, Hold, Log, acts, posts, run

PEOPLE, DAYS = 6, 5

account = st.integers(0, PEOPLE - 1)


def thrifty_and_busy() -> Log:
    """A hundred retweets each, by a hundred people: 0 needs 10 posts for them, 1 needs 1,000."""
    return posts(0, 10) + posts(1, 1_000) + acts(range(2, 102), 0) + acts(range(2, 102), 1)


@given(st.floats(V1.mean_lowest, V1.mean_highest))
@settings(max_examples=20, deadline=None)
def test_a_hundred_retweets_of_ten_posts_beat_a_hundred_of_a_thousand_on_any_network(mean: float) -> None:
    for close in run(thrifty_and_busy(), 102, 3, Hold(mean=mean)):
        assert close.scores[0] > close.scores[1]


def test_a_hundred_retweets_of_ten_posts_beat_a_hundred_of_a_thousand_whatever_others_do() -> None:
    others = acts(range(2, 102), range(52, 152)) + posts(range(52, 152), 2)
    for close in run(thrifty_and_busy() + others, 152, 10):
        assert close.scores[0] > close.scores[1] + 0.5


@given(logs(PEOPLE, DAYS), account, st.integers(1, 300), st.integers(0, DAYS - 1), st.floats(0.2, 100))
@settings(max_examples=40, deadline=None)
def test_more_posts_without_reactions_never_raise_ones_influence_at_any_close(
    log: Log, author: int, more: int, day: int, mean: float
) -> None:
    before = run(log, PEOPLE, DAYS + 2, Hold(0.1, mean))
    after = run(log + posts(author, more, day=day), PEOPLE, DAYS + 2, Hold(0.1, mean))
    for with_them, without in zip(after, before, strict=True):
        assert with_them.raw[author] <= without.raw[author]
        if without.present[author]:
            assert with_them.scores[author] <= without.scores[author]
        elif with_them.present[author]:
            assert with_them.scores[author] == base_score(with_them.r0, V1)


@given(logs(PEOPLE, DAYS, most=60), account, st.integers(1, 300), st.integers(0, DAYS - 1))
@settings(max_examples=40, deadline=None)
def test_more_posts_without_reactions_raise_ones_score_not_even_by_way_of_the_networks_mean(
    log: Log, author: int, more: int, day: int
) -> None:
    log = posts(range(PEOPLE), 1) + log
    before = run(log, PEOPLE, DAYS + 2)
    after = run(log + posts(author, more, day=day), PEOPLE, DAYS + 2)
    for with_them, without in zip(after, before, strict=True):
        assert with_them.scores[author] <= without.scores[author] + BIN


@given(st.integers(0, 200), st.integers(1, 200))
@settings(max_examples=40, deadline=None)
def test_the_more_posts_the_same_reactions_took_the_lower_the_score(few: int, more: int) -> None:
    log = posts(0, few) + posts(1, few + more) + acts(range(2, 42), 0) + acts(range(2, 42), 1)
    (close,) = run(log, 42, hold=Hold(mean=10.0))
    assert close.scores[1] <= close.scores[0]
    if few + more > 4:  # 40 reactions are what four posts bring on average
        assert close.scores[1] < close.scores[0]


@given(st.integers(1, 500))
@settings(max_examples=20, deadline=None)
def test_a_quarter_of_the_influence_stays_however_many_posts_it_took(count: int) -> None:
    log = posts(0, count) + acts(range(2, 12), 0) + acts(range(2, 12), 1)
    (close,) = run(log, 12, hold=Hold(mean=100.0))
    assert np.isclose(close.raw[1], close.raw[:2].max())
    assert V1.amplification_floor < close.raw[0] / close.raw[1] <= 1.0
