"""Signals of gaming: shares, whatever the reactions and their order, and what each of them sees."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from laurel.models.signals import LEAST, SUSPICIOUS, YOUNG_DAYS, Tally, signals
from laurel.models.signals import told as of_tally

ACCOUNTS = 6
REACTION = st.tuples(st.integers(-1, ACCOUNTS - 1), st.integers(0, ACCOUNTS - 1), st.integers(100, 130)).filter(
    lambda row: row[0] != row[1]
)
REACTIONS = st.lists(REACTION, max_size=60)
FIRST_ACTS = st.lists(st.integers(60, 100), min_size=ACCOUNTS, max_size=ACCOUNTS)


def told(rows: list[tuple[int, int, int]], first_acts: list[int] | None = None):
    columns = np.array(rows, np.int64).reshape(-1, 3).T
    return signals(*columns, np.array(first_acts or [0] * ACCOUNTS, np.int64))


@given(REACTIONS, FIRST_ACTS)
def test_every_signal_is_a_share_and_nothing_without_reactions(rows: list, first_acts: list[int]) -> None:
    found = told(rows, first_acts)
    assert found.reactions.sum() == len(rows)
    for name in SUSPICIOUS:
        share = getattr(found, name)
        assert ((share >= 0) & (share <= 1)).all()
        assert (share[found.reactions == 0] == 0).all()
        assert not found.flagged(name)[found.reactions < LEAST].any()


@given(st.lists(st.sampled_from([-(1 << 62), -1, 0, 1, 20, 1 << 62]), min_size=7, max_size=7))
def test_signals_of_any_tally_are_shares(numbers: list[int]) -> None:
    found = of_tally(Tally(*(np.array([number]) for number in numbers)))
    assert all(0 <= getattr(found, name)[0] <= 1 for name in SUSPICIOUS)


@given(REACTIONS, FIRST_ACTS, st.randoms(use_true_random=False))
def test_signals_are_the_same_in_any_order(rows: list, first_acts: list[int], random) -> None:
    mixed = list(rows)
    random.shuffle(mixed)
    for name in SUSPICIOUS:
        assert np.array_equal(getattr(told(rows, first_acts), name), getattr(told(mixed, first_acts), name))


@given(REACTIONS)
def test_reciprocity_is_the_share_of_reactions_by_whom_one_reacted_to(rows: list) -> None:
    found, pairs = told(rows), {(actor, target) for actor, target, _ in rows}
    for account in range(ACCOUNTS):
        named = [actor for actor, target, _ in rows if target == account and actor >= 0]
        returned = sum((account, actor) in pairs for actor in named)
        assert found.reciprocity[account] == (returned / len(named) if named else 0)


@given(st.integers(1, 5), st.integers(1, 9))
def test_concentration_tells_by_how_many_alike_one_is_reacted_to(engagers: int, times: int) -> None:
    found = told([(engager, 0, 100) for engager in range(1, engagers + 1)] * times)
    assert np.isclose(found.concentration[0], 1 / engagers)


def tally(people: int, acts: int, squares: int, reactions: int) -> Tally:
    numbers = {"busiest": 1, "young": 0, "returned": 0, "people": people, "acts": acts, "squares": squares}
    return Tally(**{name: np.array([n]) for name, n in (numbers | {"reactions": reactions}).items()})


def test_what_engagers_did_before_the_window_concentrates_nothing_in_it() -> None:
    """A fan of 300 days, 90 of them in the window, and a hundred people who acted once: 0.23 there."""
    found = of_tally(tally(101, 400, 300**2 + 100, 190))
    assert found.concentration[0] > SUSPICIOUS["concentration"]
    assert not found.flagged("concentration")[0]
    assert of_tally(tally(101, 400, 300**2 + 100, 400)).flagged("concentration")[0]


@given(st.integers(1, 2), st.integers(1, 300))
def test_one_or_two_are_concentrated_however_long_they_have_been_there(people: int, days: int) -> None:
    found = of_tally(tally(people, people * (LEAST + days), people * (LEAST + days) ** 2, LEAST))
    assert found.flagged("concentration")[0]


def test_people_of_whom_no_acts_were_told_are_not_taken_for_none() -> None:
    """After an upgrade all reactions and people are there, and the acts of the one who came since."""
    assert not of_tally(tally(50, 30, 30**2, 200)).flagged("concentration")[0]
    assert of_tally(tally(30, 50, 40**2, 200)).flagged("concentration")[0]


@given(st.lists(st.integers(100, 130), min_size=1, max_size=50))
def test_burst_is_the_share_of_the_busiest_day(days: list[int]) -> None:
    found = told([(-1, 0, day) for day in days])
    assert found.burst[0] == max(map(days.count, days)) / len(days)
    assert found.concentration[0] == found.youth[0] == found.reciprocity[0] == 0


@given(st.integers(0, 20))
def test_an_engager_is_young_in_its_first_days(age: int) -> None:
    found = told([(1, 0, 100)] * LEAST, [0, 100 - age] + [0] * (ACCOUNTS - 2))
    assert found.youth[0] == (age < YOUNG_DAYS)
    assert found.flagged("youth")[0] == (age < YOUNG_DAYS)


def test_who_came_back_after_its_first_days_is_not_young() -> None:
    found = told([(1, 0, 100), (1, 0, 100 + YOUNG_DAYS), (2, 0, 100)], [0, 100, 100] + [0] * (ACCOUNTS - 3))
    assert found.youth[0] == 0.5


def test_anonymous_reactions_burst_and_say_nothing_of_engagers() -> None:
    found = told([(-1, 0, 100)] * LEAST + [(1, 0, 100)], [0, 100] + [0] * (ACCOUNTS - 2))
    assert (found.reactions[0], found.named[0]) == (LEAST + 1, 1)
    assert [name for name in SUSPICIOUS if found.flagged(name)[0]] == ["burst"]
