"""Acts that lie beside a voice, in a real store: read when they are asked for and not else, and taken back long after."""

from pathlib import Path

import numpy as np
import pytest

from laurel.agents.layouts import VOICE
from laurel.agents.older_acts import OlderActs
from laurel.models import ragged
from laurel.models.archive import RECENT_MOST
from laurel.models.parameters import V1
from laurel.models.voice import ACT, COUNTED, DUPLICATE, RETRACTION, Acts, Voices
from laurel.models.weigh import weigh
from laurel.streams.packing import States, pack, unpack
from laurel.streams.store import BLOCK, STATE, Store
from laurel.streams.store_errors import DamagedError

ACCOUNTS = [b"twitter:1", b"twitter:11"]
PER_DAY, DAYS = 60, 20
FIRST = 20_000  # day


class Stage:
    """Takes acts as the actors stage does, and counts how often that read older ones. `take` tells status and weight of each."""

    def __init__(self, path: Path) -> None:
        self.store, self.read = Store(path), 0

    def take(self, acts: Acts) -> list[tuple[int, int]]:
        states = unpack(VOICE, self.store.states(ACCOUNTS))
        voices = Voices(states.header, **states.sections, past=ragged.empty(len(ACCOUNTS), ACT))
        older = OlderActs(self.store, ACCOUNTS)
        voices = older.fetch(voices, acts)
        self.read += len(voices.past.rows) > 0
        weighed, voices = weigh(voices, acts, V1)
        voices = older.keep(voices, V1)
        after = States(voices.header, {name: getattr(voices, name) for name in VOICE.sections})
        keys = [*older.keys, *(STATE + account for account in ACCOUNTS)]
        self.store.write(keys, [*older.values, *pack(VOICE, after)], self.store.mark)
        return list(zip(weighed.status.tolist(), weighed.weight.tolist(), strict=True))


def acts(event: np.ndarray, day: np.ndarray, retracts: np.ndarray | int = 0) -> Acts:
    """Reactions: those with odd numbers of the second account, always on one target, the others of the first, on ever new ones."""
    n = len(event)
    return Acts(
        owner=(event % 2).astype(np.int64),
        event=event.astype(np.uint64),
        target=np.where(event % 2, 7, event).astype(np.uint64),
        topic=np.zeros(n, np.uint64),
        day=np.asarray(day, np.int64),
        kind=np.zeros(n, np.int64),
        action_weight=np.full(n, 1_000_000),
        anonymous=np.zeros(n, np.bool_),
        retracts=np.broadcast_to(np.asarray(retracts, np.uint64), n).copy(),
    )


def day_of(number: int) -> Acts:
    """A day's reactions, half of them each account's."""
    event = 1 + number * 2 * PER_DAY + np.arange(2 * PER_DAY)
    return acts(event, np.full(2 * PER_DAY, FIRST + number))


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    stage = Stage(tmp_path / "store")
    for number in range(DAYS):
        assert {status for status, _ in stage.take(day_of(number))} == {COUNTED}
    assert DAYS * PER_DAY > 2 * RECENT_MOST
    return stage


def test_days_that_come_in_order_read_no_older_acts(stage: Stage) -> None:
    assert sum(len(keys) for keys, _ in stage.store.scan(BLOCK)) > 4
    assert stage.read == 0


@pytest.mark.parametrize("number", [1, 2, 333, 2 * PER_DAY * DAYS - 700])
def test_an_act_is_taken_back_once_however_many_lie_between_also_by_another_process(stage: Stage, number: int) -> None:
    event, day = np.array([number]), np.array([FIRST + (number - 1) // (2 * PER_DAY)])
    [(_, weight)] = Stage(stage.store.path.parent / "other").take(acts(event, day))  # as if it were the first one
    assert stage.take(acts(event, day)) == [(DUPLICATE, 0)]
    back = acts(np.array([100_000 + number % 2]), np.array([FIRST + DAYS]), number)
    back = Acts(**{**vars(back), "target": acts(event, day).target})
    [(status, taken)] = stage.take(back)
    assert status == RETRACTION
    assert -weight <= taken < 0
    stage.store.close()
    again = Stage(stage.store.path)
    assert [status for status, _ in again.take(back)] != [RETRACTION]
    assert again.take(acts(event, day)) == [(DUPLICATE, 0)]


def test_a_store_that_lacks_older_acts_is_found_damaged(stage: Stage) -> None:
    [(keys, _)] = list(stage.store.scan(BLOCK))
    stage.store.write([BLOCK + keys[0]], [None], stage.store.mark)
    with pytest.raises(DamagedError, match="lacks older acts"):
        stage.take(acts(np.array([1, 2]), np.array([FIRST, FIRST])))
