"""Signals as accounts' states tell them at a close: those of the reactions that count there, whatever way these came."""

from collections import defaultdict
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from laurel.agents.persons import _People
from laurel.agents.tallied import Tallied
from laurel.models.parameters import V1
from laurel.models.ragged import Int
from laurel.models.reach import reach
from laurel.models.signals import LEAST, YOUNG_DAYS, Signals, Tally, told
from laurel.models.tally import TOLD
from laurel.streams.codec import Codec
from tests.property.pure import NETWORKS, NOBODY, START, Population, acts

ACCOUNTS, DAYS, WINDOW = 5, 14, 6
ALL = np.arange(ACCOUNTS)
# So short a window that people leave it, pairs are forgotten, and who comes back begins anew.
MODEL = replace(V1, name="short", window_days=WINDOW, half_life=3.0, memory_half_life=2.0)


@dataclass(frozen=True)
class Act:
    """A reaction on `day` that comes on the day `comes`, and is taken back on the day `back`, DAYS if never."""

    actor: int
    target: int
    day: int
    comes: int
    back: int


rows = st.tuples(
    st.integers(NOBODY, ACCOUNTS - 1),
    st.integers(0, 1),
    st.integers(0, DAYS - 1),
    st.integers(1, 25),  # how many
    st.integers(0, 3),  # how late
    st.sampled_from([0, 0, 0, 1, 20]),  # how many of them are taken back
    st.integers(0, 7),  # and how long after
).filter(lambda row: row[0] != row[1])
logs = st.lists(rows, max_size=25).map(lambda found: [act for row in found for act in acts_of(*row)])


def acts_of(actor: int, target: int, day: int, times: int, late: int, back: int, after: int) -> list[Act]:
    comes = day + late
    gone = min(comes + after, day + WINDOW - 1)  # later ones are refused: it counts no more
    return [Act(actor, target, day, comes, gone if at < back else DAYS) for at in range(times)]


def taken(log: list[Act], until: int) -> Population:
    """Everybody, after the days up to one were taken in and closed, but for the last, whose close is to come."""
    people, numbers = Population(ACCOUNTS, model=MODEL), {}
    for day in range(until + 1):
        come = [at for at, act in enumerate(log) if act.comes == day]
        for at in come:
            numbers[at] = len(numbers) + sum(act.back < day for act in log) + 1
        go = [at for at, act in enumerate(log) if act.back == day]
        some = [log[at] for at in come + go]
        if some:
            columns = ([getattr(act, name) for act in some] for name in ("actor", "target"))
            people.take(
                acts(*columns, day=[act.day for act in some]), back=[0] * len(come) + [numbers[at] for at in go]
            )
        people.mark()
        if day < until:
            people.close()
    return people


def of_state(people: Population, day: int, before: int | None) -> Tallied:
    influences, reached = people.state()
    return Tallied(MODEL, NETWORKS, day, before, influences.buckets.runs, reached.runs)


def reference(log: list[Act], until: int) -> Signals:
    """One act after the other: what had come by the close of a day."""
    clock: dict[int, int] = {}
    first: dict[int, int] = {}
    daily = np.zeros((ACCOUNTS, DAYS), np.int64)
    # The acts of a pair that stand, as the day of the actor's clock and when the pair began, by their place in the log.
    pairs: defaultdict[tuple[int, int], dict[int, tuple[int, int]]] = defaultdict(dict)
    for day in range(until + 1):
        for at, act in enumerate(log):
            if act.comes == day:
                daily[act.target, act.day] += 1
                now = clock[act.actor] = max(clock.get(act.actor, 0), act.day)
                first.setdefault(act.actor, now)
                pair = pairs[act.actor, act.target]
                last, began = next(reversed(pair.values()), (-WINDOW, 0))
                pair[at] = now, began if now - last < WINDOW else at + 1
        for at, act in enumerate(log):
            if act.back == day:
                daily[act.target, act.day] -= 1
                del pairs[act.actor, act.target][at]
    people, young, named, squares = np.zeros((4, ACCOUNTS), np.int64)
    for (actor, target), pair in pairs.items():
        last, began = next(reversed(pair.values()), (-WINDOW, 0))
        if actor != NOBODY and until - last < WINDOW:
            count = sum(of == began for _, of in pair.values())
            people[target] += 1
            young[target] += last - first[actor] < YOUNG_DAYS
            named[target] += count
            squares[target] += count**2
    daily = daily[:, max(until - WINDOW + 1, 0) : until + 1]
    nothing = np.zeros(ACCOUNTS, np.int64)
    return told(Tally(daily.sum(1), daily.max(1, initial=0), people, young, named, squares, nothing))


@given(log=logs, until=st.integers(0, DAYS - 1))
@settings(max_examples=100, deadline=None)
def test_signals_of_the_state_are_those_of_all_reactions_there_were(log: list[Act], until: int) -> None:
    """However late they came, whatever was taken back, and whoever had left the window."""
    day, last = START + until, START + until - 1
    wanted, before = reference(log, until), reference(log, until - 1)
    rows, found, was = of_state(taken(log, until), day, last if until else None).signals()
    assert set(np.flatnonzero(wanted.reactions >= LEAST).tolist()) <= set(rows.tolist())
    for name in ("reactions", "named", "people", *TOLD):
        assert (getattr(found, name) == getattr(wanted, name)[rows]).all(), name
    flagged = np.any([before.flagged(name) for name in TOLD], axis=0)
    assert (was == (flagged[rows] if until else False)).all()


def of_members(tallied: Tallied, day: int, some: Int) -> Signals:
    """The signals of members with one account each, as these bring them."""
    names, codec = pa.array([f"m:{at}" for at in some.tolist()]), Codec()
    columns = {
        "person": names,
        "day": pa.array(np.full(len(some), day, np.int32)),
        "upstream": pa.array(np.zeros(len(some), np.int32)),
        "account": names,
        "present": pa.array(np.ones(len(some), np.bool_)),
        "raw": pa.array(np.ones(len(some))),
        "amounts": pa.array([[]] * len(some), codec.arrow("PersonPart").field("amounts").type),
        "people": pa.array(reach(tallied.people.take(some), day, MODEL).people),
        **tallied.parts(some),
    }
    parts = codec.decode(codec.encode("PersonPart", pa.RecordBatch.from_pydict(columns)))
    return _People(pa.Table.from_batches([parts.batches["PersonPart"].table])).signals(WINDOW)


@given(log=logs, until=st.integers(0, DAYS - 1))
@settings(max_examples=50, deadline=None)
def test_an_account_that_is_linked_to_a_member_has_the_signals_it_had_alone(log: list[Act], until: int) -> None:
    tallied = of_state(taken(log, until), START + until, None)
    rows, alone, _ = tallied.signals()
    linked = of_members(tallied, START + until, ALL)
    for name in ("reactions", "named", "people", *TOLD):
        assert (getattr(alone, name) == getattr(linked, name)[rows]).all(), name
    assert (linked.reactions[np.setdiff1d(ALL, rows)] < LEAST).all()
