"""S12: why a score moved: parts that sum to the difference, for everyone, on any two days."""

import math
from dataclasses import dataclass, replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from laurel.models import ragged
from laurel.models.amplification import amplification
from laurel.models.change import PARTS, Change, Steps, split, steps
from laurel.models.daily import by_day
from laurel.models.fade import fade_table
from laurel.models.influence import BUCKET, TOPIC, Influences
from laurel.models.networks import POST
from laurel.models.parameters import V1
from laurel.models.scale import score
from laurel.models.standing import stand, standing
from tests.property.pure import CODES, NETWORKS, START, Float

ACCOUNTS = 3
KINDS = ("twitter/retweet", "twitter/like", "twitter/post", "facebook/comment", "facebook/post", "youtube/view")
OTHER = replace(V1, name="other", half_life=25.0, amplification_floor=0.8)

# Account, action, days before the second close that it happened, closes since which it counts (0: this one is the first),
# weight in points, and how many of it were taken back at this close.
Row = tuple[int, str, int, int, float, int]
rows = st.lists(
    st.tuples(
        st.integers(0, ACCOUNTS - 1),
        st.sampled_from(KINDS),
        st.integers(0, 92),
        st.integers(0, 2),
        st.floats(0.01, 50),
        st.integers(0, 1),
    ),
    max_size=14,
)
means = st.lists(st.floats(0.2, 100), min_size=2, max_size=2).map(
    lambda pair: [np.full(len(NETWORKS.network_names), mean) for mean in pair]
)
units = st.tuples(st.floats(1e-3, 1e3), st.floats(1e-3, 1e3))


@dataclass(frozen=True)
class Moved:
    """What n accounts were and are, and how they got there."""

    previous: Float
    scores: Float
    passed: Steps
    change: Change


def held(found: list[Row], accounts: int = ACCOUNTS) -> Influences:
    buckets, owners = [], []
    for account, kind, age, since, points, withdrawn in found:
        weight = 0 if NETWORKS.kind[CODES[kind]] == POST else round(points * 1e6)
        day, action = START - age, int(NETWORKS.ids[CODES[kind]])
        buckets.append((day, max(day, START - since), action, weight, 1))
        owners.append(account)
        if withdrawn:
            buckets.append((day, START, action, -weight, -1))
            owners.append(account)
    order = np.argsort(owners, kind="stable")
    kept = ragged.from_owners(np.array(owners, np.int64)[order], np.array(buckets, BUCKET)[order], accounts)
    return Influences(kept, ragged.empty(accounts, TOPIC))


def moved(
    state: Influences, gap: int, mean: list[Float], unit: tuple[float, float], *, switched: bool = False
) -> Moved:
    """From the close `gap` days before START to that of START."""
    last, new = START - gap, OTHER if switched else V1
    before = standing(state, last, mean[0], NETWORKS, V1)
    days = by_day(state.buckets.runs, START, last, NETWORKS, V1)
    by_old = stand(days, mean[0], V1)
    after = standing(state, START, mean[1], NETWORKS, new)
    previous, scores = score(before.raw, unit[0], V1), score(after.raw, unit[1], new)
    had_previous, passed = steps(days, mean[0], V1)
    assert (had_previous == before.present).all()
    assert (passed.before == before.raw).all()  # to the last bit: it is the score that was published
    alone = standing(state, START, mean[0], NETWORKS, V1)  # without the close before
    assert (alone.raw == by_old.raw).all()
    assert (alone.parts.rows == by_old.parts.rows).all()
    return Moved(previous, scores, passed, split(previous, passed, unit[0], V1, scores, same_model=not switched))


@given(rows, st.integers(1, 3), means, units, st.booleans())
def test_the_parts_sum_to_what_the_score_moved_by(found, gap, mean, unit, switched):
    seen = moved(held(found), gap, mean, unit, switched=switched)
    total = sum(getattr(seen.change, part) for part in PARTS)
    assert np.abs(total - (seen.scores - seen.previous)).max() < 1e-9
    assert (seen.change.networks == 0).all()
    assert (seen.change.calibration if switched else seen.change.model).any() == np.False_


def whole_day(weight: int) -> int:
    """What a day's weight counts, by the formula of docs/score.md."""
    return round(2 * weight / (1 + math.sqrt(1 + weight / 100_000)))


@given(rows, st.integers(1, 3), means)
def test_each_step_is_what_adding_up_action_by_action_gives(found, gap, mean):
    seen, table = moved(held(found), gap, mean, (1.0, 1.0)).passed, fade_table(V1).tolist()

    def fade(age: int) -> int:
        return table[age] if 0 <= age < len(table) else 0

    for account in range(ACCOUNTS):
        sums = dict.fromkeys(("before", "faded", "reacted", "posted"), 0.0)
        for network in ("twitter", "facebook", "youtube"):
            then, aged, now = ({"part": 0, "reactions": 0, "posts": 0} for _ in range(3))
            days_then, days_now = [0] * 200, [0] * 200  # weight by age
            for owner, kind, age, since, points, withdrawn in found:
                if owner != account or not kind.startswith(network):
                    continue
                kept, old = 0 if withdrawn else 1, min(since, age) >= gap
                name = "posts" if kind.endswith("/post") else "reactions"
                then[name] += fade(age - gap) * old
                aged[name] += fade(age) * old
                now[name] += fade(age) * kept
                if name == "reactions":
                    days_then[age] += round(points * 1e6) * old
                    days_now[age] += round(points * 1e6) * kept
            for age, (was, is_now) in enumerate(zip(days_then, days_now, strict=True)):
                then["part"] += whole_day(was) * fade(age - gap)
                aged["part"] += whole_day(was) * fade(age)
                now["part"] += whole_day(is_now) * fade(age)
            m = float(mean[0][0])
            for name, parts, posts in (
                ("before", then, then),
                ("faded", aged, then),
                ("reacted", now, then),
                ("posted", now, now),
            ):
                factor = amplification(np.array(parts["reactions"] / 65536), np.array(posts["posts"] / 65536), m, V1)
                sums[name] += float(factor) * parts["part"] / 65536e6
        for name, value in sums.items():
            assert np.isclose(getattr(seen, name)[account], value, rtol=1e-12, atol=1e-12), name


@given(rows, st.integers(1, 3), means, units)
def test_time_only_takes_and_reactions_only_give_unless_they_are_taken_back(found, gap, mean, unit):
    change = moved(held(found), gap, mean, unit).change
    assert (change.fading <= 1e-12).all()
    taken_back = {row[0] for row in found if row[5]}
    assert all(change.reactions[account] >= -1e-12 for account in range(ACCOUNTS) if account not in taken_back)


@given(rows, means, units)
def test_where_nothing_came_nothing_but_time_and_the_population_moves_a_score(found, mean, unit):
    quiet = [
        (account, kind, max(age, 1), 2, points, 0) for account, kind, age, _, points, _ in found if "post" not in kind
    ]
    change = moved(held(quiet), 1, mean, unit).change
    assert not change.reactions.any()
    assert not change.posts.any()
    settled = moved(held(quiet), 1, [mean[0], mean[0]], (unit[0], unit[0])).change
    assert np.abs(settled.calibration).max() < 1e-12


@given(rows, st.integers(1, 2), means, units)
def test_a_change_does_not_depend_on_the_batch_it_is_in(found, gap, mean, unit):
    whole = moved(held(found), gap, mean, unit).change
    for account in range(ACCOUNTS):
        own = [(0, *row[1:]) for row in found if row[0] == account]
        alone = moved(held(own, 1), gap, mean, unit).change
        assert [getattr(alone, part)[0] for part in PARTS] == [getattr(whole, part)[account] for part in PARTS]
