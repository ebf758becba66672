"""What was taken back counts as if it had never been: once, whether it came before its retraction, long before, or after."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from laurel.models.counted_once import MOVE
from laurel.models.parameters import V1, ScoreModel
from tests.property.plain_actor import (
    COUNTED,
    DUPLICATE,
    PLUS_K_QUOTA,
    RETRACTION,
    UNMATCHED,
    WAITING,
    WITHDRAWN,
    Event,
)
from tests.property.test_weighing import in_batches

# Every ordinal within `selective_after` counts in full, so that acts in between lose nothing to the one taken back.
MODEL = replace(V1, name="open", selective_after=1_000, plus_k_daily=1_000)
TIGHT = replace(V1, name="tight", selective_after=2, plus_k_daily=1)
TAKEN = 1_000  # the id of what is taken back
FIRST = MOVE.names.index("first")

kinds = st.sampled_from([0, 0, 0, 1, 2])
acts = st.builds(
    Event,
    event=st.integers(1, 100),
    target=st.integers(1, 4),
    topic=st.integers(1, 2),
    day=st.integers(100, 130),
    kind=kinds,
    action_weight=st.integers(1, 1_000_000),
    anonymous=st.just(False),
    retracts=st.just(0),
)
runs = st.lists(acts, max_size=25)
cuts = st.lists(st.integers(0, 80), max_size=5)


def in_time(*parts: list[Event]) -> list[list[Event]]:
    """The parts with their events' days put in order over all of them."""
    days = iter(sorted(event.day for part in parts for event in part))
    return [[replace(event, day=next(days)) for event in part] for part in parts]


def weighed(
    events: list[Event], model: ScoreModel, at: list[int], sent_again: int | None = None
) -> list[tuple[int, ...]]:
    """What became of the events, but for the day on which their actor was first seen: as its clock, that is not turned back."""
    log = [(0, event) for event in events]
    found = in_batches(log, at, [30], model, most=4, kept=1, sent_again=sent_again)[0]
    return [(*one, move[:FIRST] + move[FIRST + 1 :], told) for *one, move, told in found]


def back(event: Event, number: int = 0) -> Event:
    """A retraction of it, on its day."""
    return replace(event, event=TAKEN + 1 + number, retracts=event.event)


@given(before=runs, taken=acts, between=runs, after=runs, at=cuts)
@settings(max_examples=150, deadline=None)
def test_what_follows_a_retraction_weighs_as_if_the_act_had_never_been(before, taken, between, after, at):
    between = [
        event for event in between if event.kind != 2
    ]  # a +K that was refused for the one taken back stays refused
    before, [taken], between, after = in_time(before, [replace(taken, event=TAKEN)], between, after)
    whole = weighed([*before, taken, *between, back(taken), *after], MODEL, at)
    without = weighed([*before, *between, *after], MODEL, at)
    assert whole[len(whole) - len(after) :] == without[len(without) - len(after) :]


@given(before=runs, taken=acts, after=runs, at=cuts)
@settings(max_examples=150, deadline=None)
def test_what_is_taken_back_at_once_uses_up_nothing_of_the_day(before, taken, after, at):
    before, [taken], after = in_time(before, [replace(taken, event=TAKEN)], after)
    whole = weighed([*before, taken, back(taken), *after], TIGHT, at)
    without = weighed([*before, *after], TIGHT, at)
    assert whole[: len(before)] + whole[len(before) + 2 :] == without


@given(before=runs, taken=acts, between=runs, times=st.integers(1, 3), again=st.integers(0, 2), at=cuts)
@settings(max_examples=150, deadline=None)
def test_what_is_taken_back_however_often_adds_up_to_nothing(before, taken, between, times, again, at):
    before, [taken], between = in_time(before, [replace(taken, event=TAKEN)], between)
    rest = [*(back(taken, number % 2) for number in range(times)), *[taken] * again]
    log = [*before, taken, *between, *rest]
    ours = [
        found
        for event, found in zip(log, weighed(log, TIGHT, at), strict=True)
        if TAKEN in (event.event, event.retracts)
    ]
    assert [sum(column) for column in zip(*(found[1:4] for found in ours), strict=True)] == [0, 0, 0]
    counted = ours[0][0] == COUNTED
    assert [found[0] for found in ours[1:]] == [
        RETRACTION if counted else UNMATCHED,
        *[UNMATCHED] * (times - 1),
        *[DUPLICATE] * again,
    ]
    assert all(found[4] == taken.day for found in ours)


@given(before=runs, taken=acts, between=runs, after=runs, times=st.integers(1, 3), again=st.integers(1, 3), at=cuts)
@settings(max_examples=150, deadline=None)
def test_an_act_that_comes_after_its_retraction_leaves_no_trace(before, taken, between, after, times, again, at):
    before, between, [taken], after = in_time(before, between, [replace(taken, event=TAKEN)], after)
    early = [back(taken, number) for number in range(times)]
    found = weighed([*before, *early, *between, *[taken] * again, *after], TIGHT, at)
    ours = found[len(before) : len(before) + times] + found[-len(after) - again : len(found) - len(after)]
    assert [one[0] for one in ours] == [WAITING, *[UNMATCHED] * (times - 1), WITHDRAWN, *[DUPLICATE] * (again - 1)]
    assert all(one[1:4] == (0, 0, 0) for one in ours)
    rest = found[: len(before)] + found[len(before) + times : -len(after) - again] + found[len(found) - len(after) :]
    assert rest == weighed([*before, *between, *after], TIGHT, at)


@given(between=runs, taken_back=st.booleans())
@settings(max_examples=50, deadline=None)
def test_what_was_refused_is_judged_anew_when_it_is_sent_again_unless_it_was_taken_back(between, taken_back):
    first = Event(TAKEN, 11, 1, 131, 2, 0, False, 0)
    refused = replace(first, event=TAKEN + 1, target=12)
    posts = [replace(event, kind=1) for event in between]
    meanwhile = [
        *posts,
        *([replace(refused, event=1, retracts=TAKEN + 1)] if taken_back else []),
        replace(first, event=2, day=132, kind=1),
    ]
    log = [first, refused, *meanwhile, refused]
    found = weighed(log, TIGHT, [len(log) - 1], sent_again=len(log) - 1)
    assert [found[at][0] for at in (0, 1, -1)] == [COUNTED, PLUS_K_QUOTA, DUPLICATE if taken_back else COUNTED]
