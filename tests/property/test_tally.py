"""Signals as accounts' states tell them at a close: those of the reactions that count there, whatever way these came."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from laurel.agents.tallied import Tallied
from laurel.models.daily import by_day
from laurel.models.parameters import V1
from laurel.models.ragged import Int
from laurel.models.signals import LEAST, Signals, signals
from laurel.models.tally import TOLD
from tests.property.pure import NETWORKS, NOBODY, START, Log, Population, acts

ACCOUNTS, DAYS = 5, 12
ALL = np.arange(ACCOUNTS)

reactions = st.tuples(
    st.integers(NOBODY, ACCOUNTS - 1), st.integers(0, 1), st.integers(0, DAYS - 1), st.integers(1, 25)
).filter(lambda row: row[0] != row[1])
logs = st.lists(reactions, max_size=25).map(lambda rows: log_of(sorted(rows, key=lambda row: row[2])))


def log_of(rows: list[tuple[int, int, int, int]]) -> Log:
    """Actor, target and day of reactions, and how many of each, in order of day."""
    actor, target, day, times = np.array(rows, np.int64).reshape(-1, 4).T
    return acts(np.repeat(actor, times), np.repeat(target, times), day=np.repeat(day, times))


def taken(log: Log, until: int) -> Population:
    """Everybody, after the days up to one were taken in and closed, but for the last, whose close is to come."""
    people = Population(ACCOUNTS)
    for day in range(until + 1):
        people.take(log.take(log.day == day))
        people.mark()
        if day < until:
            people.close()
    return people


def of_state(people: Population, day: int, before: int | None) -> Tallied:
    influences, reached = people.state()
    days = by_day(influences.buckets, day, day if before is None else before, NETWORKS, V1)
    return Tallied(V1, NETWORKS, day, before, days, reached)


def reference(log: Log, first: Int) -> Signals:
    return signals(log.actor, log.target, log.day, first)


@given(log=logs, until=st.integers(0, DAYS - 1))
@settings(max_examples=100, deadline=None)
def test_signals_of_the_state_are_those_of_all_reactions_there_were(log: Log, until: int) -> None:
    first = np.full(ACCOUNTS, DAYS)
    np.minimum.at(first, log.actor[log.actor >= 0], log.day[log.actor >= 0])
    day, last = START + until, START + until - 1
    wanted, before = (reference(log.take(log.day <= each), first) for each in (until, until - 1))
    rows, found, was = of_state(taken(log, until), day, last if until else None).signals()
    assert set(np.flatnonzero(wanted.reactions >= LEAST).tolist()) <= set(rows.tolist())
    for name in ("reactions", "named", *TOLD):
        assert (getattr(found, name) == getattr(wanted, name)[rows]).all(), name
    flagged = np.any([before.flagged(name) for name in TOLD], axis=0)
    assert (was == (flagged[rows] if until else False)).all()
