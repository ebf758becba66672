"""True reach and network influence: everybody who acted within the window counts once, as of its last act, exactly.

However events are cut into batches, in whatever order those of different actors come, and whatever was taken back.
"""

from collections import Counter
from dataclasses import fields, replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from laurel.models import ragged
from laurel.models.counted_once import MOVE, NOWHERE
from laurel.models.parameters import V1
from laurel.models.ragged import Ragged
from laurel.models.reach import PEOPLE, Reach, mean_points, put, reach, rows_of
from laurel.models.signals import YOUNG_DAYS
from tests.property.plain_actor import COUNTED, RETRACTION, Event, PlainActor
from tests.property.test_weighing import DAYS, Log, in_batches
from tests.property.test_weighing import logs as any_logs

WINDOW = V1.window_days
CROWDED = replace(V1, name="crowded", pairs_kept=3, daily_limit=6)
TARGETS = 7  # by number, 0 is none
BEFORE = 99  # no day is of these


def named(event: Event) -> Event:
    """The event known by what it does, too: nothing else can be taken back by naming it."""
    does = 100 * event.target
    return replace(event, event=event.event + does, retracts=event.retracts and event.retracts + does)


logs = any_logs.map(lambda log: [(actor, named(event)) for actor, event in log])
scores = st.lists(st.integers(0, 99), min_size=3, max_size=3)
cuts = st.lists(st.integers(0, 60), max_size=6)


def moved(log: Log, found: list[tuple], *, first: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Targets and moves of what counted of a log."""
    rows = [
        (event.target, one[5])
        for (_, event), one in list(zip(log, found, strict=True))[first:]
        if one[0] in (COUNTED, RETRACTION)
    ]
    return np.array([target for target, _ in rows], np.int64), np.array([move for _, move in rows], MOVE)


def held(log: Log, found: list[tuple], open_day: int = 0) -> Ragged:
    target, moves = moved(log, found)
    of, rows = rows_of(moves, np.full(len(moves), open_day))
    return put(ragged.empty(TARGETS, PEOPLE), target[of], rows, BEFORE, 10_000)


def told(log: Log, points: list[int], model=V1) -> list[tuple[int, int, int, int, int, int]]:
    """Actor, target, day, points and acts of all who are reached, one event after the other, and the actor's first day."""
    actors = [PlainActor(model, score=score) for score in points]
    for who, event in log:
        actors[who].take(event)
    return [(who, *one, actor.first) for who, actor in enumerate(actors) for one in actor.reached()]


def sums(people: list[tuple[int, int, int, int, int, int]], target: int, close: int) -> tuple[int, ...]:
    """What the close of a day finds of a target, as a Reach has it."""
    now = [one for one in people if one[1] == target and one[2] > close - WINDOW]
    young = sum(day - first < YOUNG_DAYS for _, _, day, _, _, first in now)
    acts = [acts for *_, acts, _ in now]
    return len(now), sum(points for _, _, _, points, _, _ in now), young, sum(acts), sum(n**2 for n in acts)


def of(reached: Reach, target: int) -> tuple[int, ...]:
    return tuple(getattr(reached, field.name)[target] for field in fields(Reach))


@given(log=logs, at=cuts, points=scores, open_day=st.integers(100, 255))
@settings(max_examples=200, deadline=None)
def test_at_any_close_whoever_acted_within_the_window_counts_once(log, at, points, open_day):
    found, _ = in_batches(log, at, points, V1, most=4, kept=1)
    people = told(log, points)
    for close in (open_day, open_day + 1, open_day + WINDOW - 1, open_day + WINDOW):
        if close < max((event.day for _, event in log), default=0):
            continue  # some actor's clock is ahead of it
        reached = reach(held(log, found, open_day).runs, close, V1)
        for target in range(1, TARGETS):
            assert of(reached, target) == sums(people, target, close)
            now = {who for who, whom, day, *_ in people if whom == target and day > close - WINDOW}
            assert len(now) == reached.people[target]


@given(log=logs, at=cuts, points=scores, close=st.sampled_from(sorted(set(DAYS))))
@settings(max_examples=200, deadline=None)
def test_a_close_counts_each_actor_as_it_stood_when_its_own_clock_was_there(log, at, points, close):
    found, _ = in_batches(log, at, points, V1)
    begun, clocks = [], [0, 0, 0]  # an actor's first day is told with its first act, so it is known at every close
    for (who, event), one in zip(log, found, strict=True):
        if one[0] == COUNTED and not event.anonymous:
            clocks[who] = max(clocks[who], event.day)
        if clocks[who] <= close:
            begun.append((who, event))
    reached = reach(held(log, found).runs, close, V1)
    people = told(begun, points)
    for target in range(1, TARGETS):
        assert of(reached, target) == sums(people, target, close)


@given(log=logs, at=cuts, points=scores)
@settings(max_examples=200, deadline=None)
def test_who_acts_on_more_accounts_than_are_remembered_counts_again_and_never_less_than_once(log, at, points):
    found, _ = in_batches(log, at, points, CROWDED)
    target, moves = moved(log, found)
    books: Counter[tuple[int, int, int, int]] = Counter()
    for whom, move in zip(target.tolist(), moves, strict=True):
        for side, sign in (("left", -1), ("reached", 1)):
            if move[side] != NOWHERE:
                books[whom, int(move[side]), int(move[f"{side}_points"]), int(move[f"{side}_acts"])] += sign
    assert +books == Counter(one[1:-1] for one in told(log, points, CROWDED))
    assert min(books.values(), default=0) >= 0


row = st.tuples(
    st.integers(0, 2), st.integers(100, 203), st.integers(198, 203), st.sampled_from([1, -1]), st.integers(0, 99)
)


@given(rows=st.lists(row, max_size=40), cut=st.integers(0, 40), order=st.randoms(use_true_random=False))
@settings(deadline=None)
def test_any_order_and_any_batches_keep_the_same_people(rows, cut, order):
    def added(people: Ragged, some: list) -> Ragged:
        of = np.array([owner for owner, *_ in some], np.int64)
        new = np.array(
            [(day, admit, sign, sign * (n % 2), sign * n, sign * n, sign * n**2) for _, day, admit, sign, n in some],
            PEOPLE,
        )
        return put(people, of, new, 200, WINDOW)

    shuffled = list(rows)
    order.shuffle(shuffled)
    nobody = ragged.empty(3, PEOPLE)
    whole, halves = added(nobody, rows), added(added(nobody, shuffled[:cut]), shuffled[cut:])
    assert (whole.offsets == halves.offsets).all()
    assert (whole.rows == halves.rows).all()
    found = reach(whole.runs, 203, V1)
    assert all((getattr(found, field.name) >= 0).all() for field in fields(found))
    assert (mean_points(found.people, found.points) <= 100).all()


def test_a_second_act_of_a_day_is_told_of_the_same_day_and_the_next_day_s_moves_both():
    def act(day: int) -> Event:
        return Event(day, 1, 1, day, 0, 500_000, False, 0)

    log = [(0, act(100)), (0, replace(act(100), event=7)), (0, act(103))]
    found, _ = in_batches(log, [], [12])
    _, moves = moved(log, found)
    assert moves.tolist() == [
        (NOWHERE, 100, 100, 100, 0, 12, 0, 1),
        (100, 100, 100, 100, 12, 12, 1, 2),
        (100, 103, 103, 100, 12, 12, 2, 3),
    ]
