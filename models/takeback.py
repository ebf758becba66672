"""What a retraction takes back: an act's influence, and what it used up of its actor's day and of its pair's memory.

The actor goes on as if the act had never been. Acts since then keep what they weighed when they were published, and so
what they added to their pairs; the actor's clock is not turned back.
"""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from laurel.models import ragged
from laurel.models.counted_once import MOST_ACTS, Moves, Place, moves
from laurel.models.memory import NOTHING, TOLD, faded
from laurel.models.networks import PLUS_K, REACTION
from laurel.models.parameters import ScoreModel
from laurel.models.ragged import Ragged
from laurel.models.voice import (
    AWAITED,
    COUNTED,
    NEW,
    RETRACTED,
    RETRACTION,
    UNMATCHED,
    WAITING,
    Acts,
    Flags,
    Int,
    Voices,
    Weighed,
    unweighed,
)

AWAITED_KEPT = 256  # retractions of an actor that wait for what they take back; beyond it the oldest is forgotten


def take_back(voices: Voices, acts: Acts, model: ScoreModel) -> tuple[Weighed, Voices]:
    """What retractions add to their targets, and the voices after them. No other acts may lie between one actor's.

    Each takes back the newest act that its name is known by. One whose act is not known waits for it.
    """
    split = len(voices.past.rows)
    known = np.concatenate((voices.past.rows, voices.recent.rows))  # of one actor, in log order
    owner = np.concatenate((voices.past.owners, voices.recent.owners))
    found = ragged.latest(owner, known["event"], acts.owner, acts.retracts)
    horizon = voices.header["newest"][acts.owner].astype(np.int64) - model.remembered_days
    if len(known):
        found = np.where(known["day"][found] > horizon, found, -1)
    standing = np.flatnonzero(found >= 0)
    standing = standing[known["status"][found[standing]] == COUNTED]
    act, at = np.unique(found[standing], return_index=True)  # the first retraction of each

    weighed = unweighed(acts, np.full(len(acts), UNMATCHED, np.uint8))
    rows = standing[at]
    weighed.status[rows] = RETRACTION
    weighed.weight[rows] = -known["weight"][act].astype(np.int64)
    weighed.count[rows] = -1
    weighed.plus_k[rows] = np.where(known["kind"][act] == PLUS_K, -1_000_000, 0)
    weighed.day[rows] = known["day"][act]

    voices = replace(voices, header=voices.header.copy())
    _wait(voices, acts, np.flatnonzero(found < 0), weighed.status)
    known["status"][found[found >= 0]] = RETRACTED  # what was refused too: it may be sent again
    _restore_counts(voices, owner[act], known[act])
    reactions = np.flatnonzero(known["kind"][act] == REACTION)
    pairs = voices.pairs
    moving, moved = _restore_pairs(voices, owner, known, act[reactions], model)
    weighed.move[rows[reactions[moving]]] = moved
    taken = act[reactions]
    weighed.pair[rows[reactions]] = _left(pairs, voices, owner[taken], known["other"][taken])
    voices.past = Ragged(voices.past.offsets, known[:split])
    voices.recent = Ragged(voices.recent.offsets, known[split:])
    return weighed, voices


def _wait(voices: Voices, acts: Acts, rows: Int, status: npt.NDArray[np.uint8]) -> None:
    """Remembers names (of `rows`) that nothing is known by, each once."""
    owners, names = acts.owner[rows], acts.retracts[rows]
    new = ragged.latest(voices.awaited.owners, voices.awaited.rows["event"], owners, names) < 0
    rows, owners, names = rows[new], owners[new], names[new]
    order = np.lexsort((names, owners))
    once = np.sort(order[ragged.starts(owners[order], names[order])])
    status[rows[once]] = WAITING
    added = np.empty(len(once), AWAITED)
    added["event"] = names[once]
    waiting = ragged.append(voices.awaited, owners[once], added)
    age = np.repeat(waiting.offsets[1:], waiting.lengths) - np.arange(len(waiting.rows))
    voices.awaited = waiting.keep(age <= AWAITED_KEPT)


def _restore_counts(voices: Voices, owner: Int, taken: npt.NDArray[np.void]) -> None:
    """Gives back what acts (ACT) used up of their actor's day, and the +Ks among them."""
    header = voices.header
    today = taken["now"] == header["day"][owner]
    reactions = owner[today & (taken["kind"] == REACTION)]
    np.subtract.at(header["acts"], reactions, 1)
    np.add.at(header["withdrawn"], reactions, 1)
    gifts = taken["kind"] == PLUS_K
    np.subtract.at(header["plus_ks"], owner[today & gifts], 1)
    given = voices.given
    found = ragged.latest(given.owners, given.rows["pair"], owner[gifts], taken["other"][gifts])
    if len(given.rows):
        found = found[(found >= 0) & (given.rows["day"][found] == taken["now"][gifts])]
        kept = np.ones(len(given.rows), np.bool_)
        kept[found] = False
        voices.given = given.keep(kept)


def _restore_pairs(
    voices: Voices, owner: Int, known: npt.NDArray[np.void], taken: Int, model: ScoreModel
) -> tuple[Int, Moves]:
    """Goes through the later acts of each pair again without the acts taken back (`taken`, ascending, into `known` ACT).

    Every act knows what its pair was before it, so the way from the first one taken back to now is enough. It ends where the
    pair was forgotten and began anew. Returns places in `taken`, and how the actors move there among the people reached.
    """
    gone = np.zeros(len(known), np.bool_)
    gone[taken] = True
    rows = _later(owner, known, taken, gone)
    fresh = ragged.starts(owner[rows], known["other"][rows])
    stretch = np.cumsum(fresh | (known["since"][rows] == NEW))
    newest = np.append(fresh[1:], True)  # the last act of its pair
    last = np.isin(stretch, stretch[newest]) if len(rows) else newest
    back = gone[rows].astype(np.int64)
    counts = ragged.running(back, ragged.starts(stretch)) + back > 0
    rows, stretch, last = rows[counts], stretch[counts], last[counts]

    heads = ragged.starts(stretch)
    of_stretch, step = np.cumsum(heads) - 1, ragged.ordinals(heads)
    head, ends = known[rows[heads]], rows[np.append(heads[1:], True)[: len(rows)]]
    memory, since = head["memory"].astype(np.int64), head["since"].astype(np.int64)
    points, acts, was = head["points_before"].copy(), head["acts_before"].astype(np.int64), known[ends]
    by_step = np.argsort(step, kind="stable")
    for steps in np.split(by_step, np.cumsum(np.bincount(step))[:-1])[1:]:
        standing = steps[~gone[rows[steps]]]
        of, at = of_stretch[standing], rows[standing]
        known["memory"][at], known["since"][at] = memory[of], since[of]
        known["points_before"][at], known["acts_before"][at] = points[of], acts[of]
        now = known["now"][at].astype(np.int64)
        left = faded(memory[of], now - since[of], model)
        memory[of], since[of], points[of] = left + known["used"][at], now, known["points"][at]
        acts[of] = np.minimum(acts[of] + 1, MOST_ACTS)

    pairs, whose = voices.pairs, owner[rows[heads]]
    kept = ragged.latest(pairs.owners, pairs.rows["target"], whose, head["other"])
    changed = np.flatnonzero(last[heads] & (kept >= 0))
    after = pairs.rows.copy()
    for name, values in (("memory", memory), ("day", since), ("points", points), ("acts", acts)):
        after[name][kept[changed]] = values[changed]
    left_over = np.ones(len(after), np.bool_)
    left_over[kept[changed[since[changed] == NEW]]] = False
    voices.pairs = Ragged(pairs.offsets, after).keep(left_over)

    # What the target was told last is the pair's own count: one of before acts were told counts fewer than its acts say.
    told = np.minimum(was["acts_before"].astype(np.int64) + 1, MOST_ACTS)
    told[changed] = pairs.rows["acts"][kept[changed]]
    clock, first = (voices.header[name][whose].astype(np.int64) for name in ("day", "first"))
    before = Place(was["now"], was["points"], told)
    moving, moved = moves(before, Place(since, points, acts), clock, first)
    return np.searchsorted(taken, rows[heads][moving]), moved


def _left(before: Ragged, voices: Voices, owner: Int, target: npt.NDArray[np.uint64]) -> npt.NDArray[np.void]:
    """What is left of pairs, TOLD[k]: of what actors remembered `before`, maybe nothing; of one that was forgotten there is nothing to tell."""
    pairs, told = voices.pairs, np.empty(len(owner), TOLD)
    known = ragged.latest(before.owners, before.rows["target"], owner, target) >= 0
    found = ragged.latest(pairs.owners, pairs.rows["target"], owner, target)
    there = found >= 0
    told["clock"] = told["day"] = voices.header["day"][owner]
    told["memory"] = np.where(known, 0, NOTHING)
    told["memory"][there] = pairs.rows["memory"][found[there]]
    told["day"][there] = pairs.rows["day"][found[there]]
    return told


def _later(owner: Int, known: npt.NDArray[np.void], taken: Int, gone: Flags) -> Int:
    """The acts of each pair, by pair and in log order, from its first one taken back on: those that stand or are `gone` now."""
    if not len(taken):
        return taken
    first = taken[::-1]  # so that the last one found is the first of its pair
    rows = np.flatnonzero((known["kind"] == REACTION) & ragged.among(known["other"], known["other"][first]))
    rows = rows[(known["status"][rows] == COUNTED) | gone[rows]]
    found = ragged.latest(owner[first], known["other"][first], owner[rows], known["other"][rows])
    rows = rows[(found >= 0) & (rows >= first[found])]
    by_pair: Int = np.lexsort((rows, known["other"][rows], owner[rows]))
    return np.take(rows, by_pair)
