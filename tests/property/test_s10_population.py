"""S10 for whole populations: somebody on one network more never scores lower for it."""

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from laurel.models.combine import combine
from laurel.models.parameters import V1
from laurel.models.scale import score
from tests.property.logs import logs
from tests.property.pure import BIN, Hold, Log, posts, run

PEOPLE, DAYS = 5, 4
TWITTER = ("twitter/retweet", "twitter/like", "twitter/post")
ELSEWHERE = ("facebook/comment", "flickr/favorite", "youtube/view")

account = st.integers(0, PEOPLE - 1)
means = st.floats(V1.mean_lowest, V1.mean_highest)


def by_others(log: Log, offset: int = PEOPLE) -> Log:
    """The same acts by accounts of their own, as an actor has one on each network; posts stay their authors'."""
    return Log(np.where(log.actor == log.target, log.actor, log.actor + offset), log.target, log.code, log.day)


@given(logs(PEOPLE, DAYS, kinds=TWITTER), logs(PEOPLE, DAYS, kinds=ELSEWHERE), account, st.integers(0, 50), means)
@settings(max_examples=60, deadline=None)
def test_one_network_more_never_lowers_anybody_whatever_is_posted_there(
    log: Log, elsewhere: Log, person: int, count: int, mean: float
) -> None:
    more = by_others(elsewhere.take(elsewhere.target == person)) + posts(person, count, "facebook")
    before = run(log, 2 * PEOPLE, DAYS + 2, Hold(0.1, mean))
    after = run(log + more, 2 * PEOPLE, DAYS + 2, Hold(0.1, mean))
    for with_it, without in zip(after, before, strict=True):
        assert (with_it.raw >= without.raw).all()
        assert (with_it.scores >= without.scores).all()
    assert after[-1].raw[person] > before[-1].raw[person] or not (elsewhere.target == person).any()


@given(logs(PEOPLE, 1, kinds=TWITTER), logs(PEOPLE, 1, kinds=ELSEWHERE), account)
@settings(max_examples=60, deadline=None)
def test_one_network_more_does_not_lower_ones_score_by_way_of_the_days_calibration_either(
    log: Log, elsewhere: Log, person: int
) -> None:
    assume((log.target == person).any())
    more = by_others(elsewhere.take(elsewhere.target == person))
    (before,), (after,) = run(log, 2 * PEOPLE, 0), run(log + more, 2 * PEOPLE, 0)
    assert after.scores[person] >= before.scores[person] - BIN


@given(logs(PEOPLE, DAYS, kinds=TWITTER), logs(PEOPLE, DAYS, kinds=("facebook/comment", "facebook/post")), means)
@settings(max_examples=40, deadline=None)
def test_two_accounts_of_a_person_combined_are_what_one_account_with_both_networks_is(
    log: Log, elsewhere: Log, mean: float
) -> None:
    # Actors have no influence of their own here, so that no weight differs but by the network it is on.
    here, there = by_others(log), by_others(elsewhere, 2 * PEOPLE)
    one, two, both = (
        run(some, 3 * PEOPLE, DAYS - 1, Hold(1.0, mean))[-1].raw[:PEOPLE] for some in (here, there, here + there)
    )
    alone = combine(np.tile(np.arange(PEOPLE), 2), np.concatenate((one, two)), PEOPLE)
    assert alone.tolist() == both.tolist()
    assert (score(alone, 1.0, V1) >= score(one, 1.0, V1)).all()
