"""The vectorised weighing is the plain one, however the log is cut into batches and actors are interleaved."""

from collections.abc import Sequence
from dataclasses import fields, replace
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from laurel.models import ragged
from laurel.models.archive import changed, fetched, needed, spill
from laurel.models.parameters import V1, ScoreModel
from laurel.models.repeats import refused_before
from laurel.models.voice import ACT, Acts, Voices, Weighed, blank
from laurel.models.weigh import weigh
from tests.property.plain_actor import Event, PlainActor

ACTORS = 3
# Small limits, so that a short sequence meets them all.
MODEL = replace(V1, name="small", pairs_kept=3, daily_limit=6, selective_after=2, plus_k_daily=2)
DAYS = [100, 100, 101, 102, 105, 109, 130, 195, 250]

Log = Sequence[tuple[int, Event]]

events = st.builds(
    Event,
    event=st.integers(1, 12),
    target=st.integers(1, 6),
    topic=st.integers(1, 2),
    day=st.sampled_from(DAYS),
    kind=st.sampled_from([0, 0, 0, 0, 1, 2]),
    action_weight=st.integers(1, 1_000_000),
    anonymous=st.sampled_from([False, False, False, True]),
    retracts=st.sampled_from([0, 0, 0, 1, 2, 3]),
).filter(lambda event: not (event.anonymous and event.kind == 2))  # the door refuses those
logs = st.lists(st.tuples(st.integers(0, ACTORS - 1), events), max_size=60)


def columns(log: Log) -> Acts:
    kinds = {"event": np.uint64, "target": np.uint64, "topic": np.uint64, "retracts": np.uint64, "anonymous": np.bool_}
    return Acts(
        owner=np.array([actor for actor, _ in log], np.int64),
        **{
            field.name: np.array([getattr(event, field.name) for _, event in log], kinds.get(field.name, np.int64))
            for field in fields(Event)
        },
    )


def in_batches(
    log: Log,
    cuts: Sequence[int],
    scores: Sequence[int],
    model: ScoreModel = MODEL,
    most: int = 1_000,
    kept: int = 0,
    sent_again: int | None = None,
    voices: Voices | None = None,
) -> tuple[list[tuple[int, ...]], Voices]:
    """Outcomes and voices after them, of `voices` if there were any; from act `sent_again` on, what was refused before is
    judged anew."""
    voices, outcomes = blank(len(scores)) if voices is None else voices, []
    voices.header["score"] = scores
    archive: dict[tuple[int, int], np.ndarray] = {}
    bounds = [0, *sorted(min(cut, len(log)) for cut in cuts), len(log)]
    for begin, end in pairwise(bounds):
        acts = columns(log[begin:end])
        blocks = needed(voices, acts)
        held = [archive[key] for key in zip(blocks.owner.tolist(), blocks.number.tolist(), strict=True)]
        rows = ragged.Ragged(np.cumsum([0, *map(len, held)]), np.concatenate([np.empty(0, ACT), *held]))
        voices = fetched(voices, blocks, rows)
        again = refused_before(voices, acts) if sent_again is not None and begin >= sent_again else None
        weighed, voices = weigh(voices, acts, model, again)
        outcomes += list(zip(*(getattr(weighed, field.name).tolist() for field in fields(Weighed)), strict=True))
        spilled = spill(voices, model, most, kept)
        for some, of in (changed(blocks, rows, voices), (spilled.blocks, spilled.acts)):
            for at, key in enumerate(zip(some.owner.tolist(), some.number.tolist(), strict=True)):
                archive[key] = of.rows[of.offsets[at] : of.offsets[at + 1]]
        for key in zip(spilled.dropped.owner.tolist(), spilled.dropped.number.tolist(), strict=True):
            del archive[key]
        voices = spilled.voices
    return outcomes, voices


def plain(log: Log, scores: Sequence[int], model: ScoreModel = MODEL) -> list[tuple[int, ...]]:
    actors = [PlainActor(model, score=score) for score in scores]
    found = [actors[actor].take(event) for actor, event in log]
    return [(o.status, o.weight, o.count, o.plus_k, o.day) for o in found]


@given(
    log=logs,
    cuts=st.lists(st.integers(0, 60), max_size=6),
    scores=st.lists(st.integers(0, 100), min_size=3, max_size=3),
    most=st.integers(0, 12),
    kept=st.integers(0, 4),
)
@settings(max_examples=300, deadline=None)
def test_batches_weigh_as_one_event_after_another_would(log, cuts, scores, most, kept):
    outcomes, _ = in_batches(log, cuts, scores, most=most, kept=kept)
    for at, (found, expected) in enumerate(zip(outcomes, plain(log, scores), strict=True)):
        assert found[:5] == expected, (at, log[at])


@given(log=logs, cuts=st.lists(st.integers(0, 60), max_size=6))
@settings(max_examples=200, deadline=None)
def test_the_voice_left_behind_does_not_depend_on_the_batches(log, cuts):
    scores = [0] * ACTORS
    _, whole = in_batches(log, [], scores)
    _, cut = in_batches(log, cuts, scores)
    assert (whole.header == cut.header).all()
    for name in ("pairs", "recent", "given", "awaited"):
        one, other = getattr(whole, name), getattr(cut, name)
        assert (one.offsets == other.offsets).all(), name
        assert (one.rows == other.rows).all(), name


@given(log=logs, order=st.randoms(use_true_random=False))
@settings(max_examples=200, deadline=None)
def test_other_actors_events_in_between_change_nothing(log, order):
    queues = [[entry for entry in log if entry[0] == actor] for actor in range(ACTORS)]
    lanes = [actor for actor, _ in log]
    order.shuffle(lanes)
    cursors = [iter(queue) for queue in queues]
    shuffled = [next(cursors[actor]) for actor in lanes]
    outcomes, _ = in_batches(log, [], [0] * ACTORS)
    others, _ = in_batches(shuffled, [], [0] * ACTORS)
    for actor in range(ACTORS):
        before = [found for (who, _), found in zip(log, outcomes, strict=True) if who == actor]
        after = [found for (who, _), found in zip(shuffled, others, strict=True) if who == actor]
        assert before == after
