"""What a reaction weighs: its action, how many there were that day, what the pair had already, and who reacts."""

import numpy as np
import numpy.typing as npt

from laurel.models import ragged
from laurel.models.counted_once import MOST_ACTS, Moves, Place, moves
from laurel.models.memory import added, faded
from laurel.models.parameters import ScoreModel
from laurel.models.ragged import Ragged
from laurel.models.voice import DAILY_LIMIT, NEW, PAIR, Acts, Int, Voices


def selectivity(ordinal: Int, model: ScoreModel) -> Int:
    """Millionths that an actor's ordinal-th (from 1) reaction of a day counts: the first ones wholly, then ever less."""
    free = model.selective_after
    return np.where(ordinal <= free, 1_000_000, free * 1_000_000 // np.maximum(ordinal, 1))


def engager_factor(earned: Int, model: ScoreModel) -> Int:
    """Millionths by which the whole points that an engager has earned multiply a weight: 1 for a stranger, and more with the
    square root of points."""
    return np.rint(1e6 + model.engager_step * np.sqrt(earned)).astype(np.int64)


def react(
    voices: Voices,
    acts: Acts,
    rows: Int,
    records: npt.NDArray[np.void],
    moved: Moves,
    told: npt.NDArray[np.void],
    model: ScoreModel,
) -> None:
    """Weighs one day's reactions (`rows`, by actor and in order), into `records` (ACT[m]), and remembers their pairs.

    How their actors move among the people reached goes into `moved` (MOVE[m]), what they then remember of their pairs into `told` (TOLD[m]).

    What was taken back counts for the daily limit, which bounds what one account can keep laurel busy with, and for nothing
    else.
    """
    owner, header = acts.owner[rows], voices.header
    place = ragged.ordinals(ragged.starts(owner)) + 1
    within = header["acts"][owner].astype(np.int64) + header["withdrawn"][owner] + place <= model.daily_limit
    records["status"][rows[~within]] = DAILY_LIMIT
    rows, owner, place = rows[within], owner[within], place[within]
    if not len(rows):
        return
    ordinal = header["acts"][owner] + place
    header["acts"] += np.bincount(owner, minlength=len(header)).astype(np.uint32)
    points = acts.action_weight[rows] * selectivity(ordinal.astype(np.int64), model) // 1_000_000
    now = header["day"].astype(np.int64)

    order = np.lexsort((acts.target[rows], owner))  # stable: the acts of a pair stay in order
    rows, owner, points = rows[order], owner[order], points[order]
    target = acts.target[rows]
    first = ragged.starts(owner, target)
    heads, pairs = np.flatnonzero(first), voices.pairs
    kept = ragged.latest(pairs.owners, pairs.rows["target"], owner[heads], target[heads])
    old = np.zeros(len(heads), PAIR)
    old[kept >= 0] = pairs.rows[kept[kept >= 0]]
    now = header["day"][owner].astype(np.int64)
    left = np.where(kept >= 0, faded(old["memory"], now[heads] - old["day"], model), 0)
    size = np.diff(np.append(heads, len(rows)))
    before = np.repeat(left, size) + ragged.running(points, first)
    earned = header["score"][owner].astype(np.int64)
    records["weight"][rows] = added(before, points, engager_factor(earned, model))
    records["used"][rows] = points
    told["memory"][rows], told["day"][rows], told["clock"][rows] = before + points, now, now
    records["other"][rows] = target
    # What the pair was just before each act, as it was kept: not faded to the act's day yet.
    records["memory"][rows] = np.where(first, np.repeat(old["memory"], size), before)
    was = np.where(kept >= 0, old["day"], NEW)
    records["since"][rows] = np.where(first, np.repeat(was, size), now)
    records["points"][rows] = earned
    records["points_before"][rows] = np.where(first, np.repeat(old["points"], size), earned)
    acts_before = np.minimum(np.repeat(old["acts"].astype(np.int64), size) + ragged.ordinals(first), MOST_ACTS)
    acts_after = np.minimum(acts_before + 1, MOST_ACTS)
    records["acts_before"][rows] = acts_before
    was_there = Place(records["since"][rows], records["points_before"][rows], acts_before)
    moving, found = moves(was_there, Place(now, earned, acts_after), now, header["first"][owner])
    moved[rows[moving]] = found

    last = np.append(heads[1:], len(rows)) - 1
    after = np.empty(len(heads), PAIR)
    after["target"], after["day"], after["memory"] = target[heads], now[heads], before[last] + points[last]
    after["points"], after["acts"] = earned[heads], acts_after[last]
    held = pairs.rows.copy()
    held[kept[kept >= 0]] = after[kept >= 0]
    new = np.flatnonzero(kept < 0)
    new = new[np.argsort(rows[heads[new]], kind="stable")]  # in the order of their first acts, however acts are cut
    voices.pairs = ragged.append(Ragged(pairs.offsets, held), owner[heads[new]], after[new])
