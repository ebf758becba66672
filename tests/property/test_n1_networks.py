"""N1, N2: whom an account is tied to the most is a function of the acts, however they arrive; bounded, ranked, decayed."""

from random import Random

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laurel.models import ragged, ties
from laurel.models.hashing import hash64
from laurel.models.memory import faded, potential
from laurel.models.parameters import V1
from laurel.models.refusals import NO_DAY
from laurel.models.ties import BYTE, SETTLED, TIE, Ties, differ, strongest, tie, ties_of

DAYS = 4
FIRST = 20_000

# What an actor tells of its pairs, act by act: how many days later than the act before, on which target, how many days ago by its clock the
# last one that stands was, and what it remembers of it.
acts = st.tuples(
    st.integers(0, 2), st.integers(0, 1), st.sampled_from([0, 0, 0, 1, 30, 89, 95]), st.integers(0, 3_000_000)
)
logs = st.lists(st.lists(acts, max_size=6), min_size=1, max_size=7)


def none(accounts: int = 2) -> Ties:
    return Ties.of(ragged.empty(accounts, TIE), ragged.empty(accounts, BYTE))


def rows_of(log):
    """Per actor, (target, admit, day, memory) in order; nothing is admitted before what came earlier."""
    told = []
    for actor in log:
        admit, rows = FIRST, []
        for later, target, ago, memory in actor:
            admit = min(admit + later, FIRST + DAYS - 1)
            rows.append((target, admit, admit - ago, memory))
        told.append(rows)
    return told


def put(held: Ties, rows, closed: int) -> Ties:
    names = pa.array([f"twitter:{actor}" for actor, _ in rows], pa.string())
    target, admit, day, memory = np.array([row for _, row in rows], np.int64).reshape(-1, 4).T
    held = tie(held, target, ties_of(hash64(names), admit, day, memory, names), names, closed)
    return Ties.of(held.rows, held.text())  # as it is stored


def listed(held: Ties, day: int):
    found, strength = strongest(held, day, V1, held.rows.rows["length"] == 0)
    names = held.names.take(pa.array(found)).to_pylist()
    return sorted(zip(held.rows.owners[found].tolist(), range(len(names)), names, strength.tolist(), strict=True))


def in_some_order(told, chance: Random):
    """All lists published, and the ties in the end, where actors' acts come in one of the possible orders and in some batches."""
    left = [list(rows) for rows in told]
    held, published, closed = none(), [], FIRST - 1
    while closed < FIRST + DAYS - 1:
        due = any(rows and rows[0][1] <= closed + 1 for rows in left)
        may = [actor for actor, rows in enumerate(left) if rows and rows[0][1] <= closed + 2]
        if not due and (not may or chance.random() < 0.5):
            closed += 1
            published.append([(owner, name, points) for owner, _, name, points in listed(held, closed)])
            continue
        batch = []
        for _ in range(chance.randint(1, 8)):
            may = [actor for actor, rows in enumerate(left) if rows and rows[0][1] <= closed + 2]
            if may:
                actor = chance.choice(may)
                batch.append((actor, left[actor].pop(0)))
        # The calendar may be known later than it was written.
        held = put(held, batch, closed - chance.randint(0, 1))
    held = put(held, [], closed)
    return published, held


def plainly(told, day: int, kept: int, shown: int):
    """The lists at the close of a day from all acts admitted to it."""
    found = []
    for target in range(2):
        pairs = []
        for actor, rows in enumerate(told):
            mine = [row for row in rows if row[0] == target and row[1] <= day]
            if mine:
                name = pa.array([f"twitter:{actor}"])
                built = [ties_of(hash64(name), *(np.array([v]) for v in row[1:]), name)["height"][0] for row in mine]
                _, _, last, memory = mine[-1]
                strength = int(potential(faded(np.array([memory]), np.array([max(day - last, 0)]), V1))[0])
                pairs.append((max(built), -int(hash64(name)[0]), name[0].as_py(), strength))
        best = sorted(pairs, reverse=True)[:kept]
        best = sorted((pair for pair in best if pair[3]), key=lambda pair: (-pair[3], -pair[1]))[:shown]
        found += [(target, name, strength) for _, _, name, strength in best]
    return found


@pytest.fixture(autouse=True, scope="module")
def few():
    """Lists short enough to be full."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ties, "KEPT", 3)
        patch.setattr(ties, "SHOWN", 2)
        yield


@given(logs, st.integers(0, 1 << 30))
def test_lists_are_those_of_all_acts_in_whatever_order_and_batches_actors_acts_come(log, seed):
    told = rows_of(log)
    published, held = in_some_order(told, Random(seed))
    assert published == [plainly(told, FIRST + day, 3, 2) for day in range(DAYS)]
    again, other = in_some_order(told, Random(seed + 1))
    assert again == published
    assert other.rows.rows.tobytes() == held.rows.rows.tobytes()
    assert other.names == held.names


@given(logs, st.integers(0, 1 << 30))
def test_what_is_kept_is_bounded_and_settled_once_its_days_are_closed(log, seed):
    _, held = in_some_order(rows_of(log), Random(seed))
    assert held.rows.lengths.max() <= 3
    assert (held.rows.rows["admit"] == SETTLED).all()


@given(logs, st.integers(0, 1 << 30))
def test_lists_differ_from_those_of_the_day_before_only_where_somebody_acted_or_ranks_moved(log, seed):
    _, held = in_some_order(rows_of(log), Random(seed))
    seen = np.zeros(len(held.rows.rows), np.bool_)
    one, other = (strongest(held, FIRST + DAYS - 1 + more, V1, seen)[0] for more in (0, 1))
    changed = differ(held, one, other)
    owners = held.rows.owners
    for account in range(2):
        assert changed[account] == (one[owners[one] == account].tolist() != other[owners[other] == account].tolist())


def test_somebody_who_acts_more_ranks_higher_and_falls_behind_who_acts_now():
    acts = [(0, (0, FIRST, FIRST, 900_000)), (1, (0, FIRST, FIRST, 500_000)), (1, (0, FIRST + 1, FIRST + 1, 1_200_000))]
    held = put(none(), acts, FIRST - 1)
    assert [name for _, _, name, _ in listed(held, FIRST)] == ["twitter:0", "twitter:1"]
    assert [name for _, _, name, _ in listed(held, FIRST + 1)] == ["twitter:1", "twitter:0"]
    assert listed(held, FIRST + 200) == []


def test_a_pair_that_was_taken_back_is_not_listed():
    held = put(none(), [(0, (0, FIRST, FIRST, 900_000)), (0, (0, FIRST + 1, FIRST, 0))], FIRST - 1)
    assert [name for _, _, name, _ in listed(held, FIRST)] == ["twitter:0"]
    assert listed(held, FIRST + 1) == []


@pytest.mark.parametrize("closed", [NO_DAY, NO_DAY - 1])  # as targets know of no close, and as actors do
def test_a_long_history_that_comes_in_before_the_first_close_stays_small_and_its_newest_days_are_listed(closed) -> None:
    held, days, fans = none(1), 200, 20
    for day in range(FIRST, FIRST + days):
        rows = [(fan * 1_000 + day % 7, (0, day, day, 1_000 * (fan + 1))) for fan in range(fans)]
        held = put(held, rows, closed)
    assert len(held.rows.rows) <= ties.KEPT * (ties.OPEN + 2)
    last = FIRST + days - 1
    whole = put(
        none(1), [(fan * 1_000 + last % 7, (0, last, last, 1_000 * (fan + 1))) for fan in range(fans)], last - 1
    )
    assert listed(held, last)[0] == listed(whole, last)[0]
