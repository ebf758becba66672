"""S1: 1 to 100, recomputed every day, and a missed day caught up in order."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.property.logs import logs
from tests.property.pure import Close, Hold, Log, Population, acts, run

PEOPLE, DAYS = 6, 5


def same(one: list[Close], other: list[Close]) -> bool:
    return len(one) == len(other) and all(
        a.r0 == b.r0 and (a.scores == b.scores).all() and (a.present == b.present).all()
        for a, b in zip(one, other, strict=True)
    )


@given(logs(PEOPLE, DAYS))
@settings(max_examples=30, deadline=None)
def test_everybody_with_something_that_counts_has_one_score_from_1_to_100_every_day(log: Log) -> None:
    for close in run(log, PEOPLE, DAYS):
        reached = np.unique(log.target[log.day <= close.day])
        assert np.flatnonzero(close.present).tolist() == reached.tolist()
        assert ((close.scores >= 1) & (close.scores <= 100)).all()


@given(logs(PEOPLE, DAYS).filter(len))
@settings(max_examples=25, deadline=None)
def test_the_score_is_computed_anew_on_a_day_without_events(log: Log) -> None:
    *_, last, quiet = run(log, PEOPLE, DAYS, Hold())
    assert (quiet.raw[last.raw > 0] < last.raw[last.raw > 0]).all()
    assert (quiet.present == last.present).all()


@given(logs(PEOPLE, DAYS))
@settings(max_examples=30, deadline=None)
def test_a_day_closed_while_the_next_one_is_already_coming_in_has_the_same_scores(log: Log) -> None:
    late = Population(PEOPLE)
    for day in range(DAYS):
        late.take(log.take(log.day == day))
        if day:
            late.close()  # of the day before
        late.mark()
    late.close()
    assert same(late.closes, run(log, PEOPLE, DAYS - 1))


@given(logs(PEOPLE, DAYS), st.integers(1, 5))
@settings(max_examples=30, deadline=None)
def test_the_scores_do_not_depend_on_how_many_pieces_a_day_comes_in(log: Log, size: int) -> None:
    pieces = Population(PEOPLE)
    for day in range(DAYS):
        rows = np.flatnonzero(log.day == day)
        for begin in range(0, len(rows), size):
            pieces.take(log.take(rows[begin : begin + size]))
        pieces.mark()
        pieces.close()
    assert same(pieces.closes, run(log, PEOPLE, DAYS - 1))


@given(logs(PEOPLE, 3), st.integers(0, PEOPLE - 1), st.integers(1, PEOPLE - 1), st.integers(0, 2))
@settings(max_examples=30, deadline=None)
def test_what_comes_late_leaves_published_days_as_they_are_and_counts_from_the_next_close_on(
    log: Log, actor: int, step: int, day: int
) -> None:
    target = (actor + step) % PEOPLE
    population = Population(PEOPLE)
    for today in range(4):
        population.take(log.take(log.day == today))
        if today == 3:
            population.take(acts(actor, target, day=day))
        population.mark()
        population.close()
    before = run(log, PEOPLE, 3)
    assert same(population.closes[:3], before[:3])
    assert population.closes[3].raw[target] > before[3].raw[target]
