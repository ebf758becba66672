"""Which engagements are new, which came before, and which were taken back before they came.

An engagement is known by what it does and by its day: the same id on another day is another engagement. What is older
than acts are remembered for is not known, wherever it may still lie.
"""

import numpy as np

from laurel.models import ragged
from laurel.models.hashing import combine
from laurel.models.parameters import ScoreModel
from laurel.models.ragged import Ragged
from laurel.models.voice import DAILY_LIMIT, PLUS_K_QUOTA, PLUS_K_REPEAT, Acts, Flags, Hash, Int, Voices

REFUSED = np.zeros(256, np.bool_)  # by status
REFUSED[[DAILY_LIMIT, PLUS_K_REPEAT, PLUS_K_QUOTA]] = True


def name_of(event: Hash, day: Int) -> Hash:
    """What engagements are told apart by, uint64[n]: the hash of what each does (`Acts.event`) with its day."""
    return combine(event, day.astype(np.uint64))


def first_of_their_kind(voices: Voices, acts: Acts, model: ScoreModel) -> Flags:
    """True for engagements that neither the voices nor an earlier one of these know, bool[m], False for retractions."""
    engages = acts.retracts == 0
    name, rows = name_of(acts.event, acts.day), np.flatnonzero(engages)
    order = rows[np.lexsort((name[rows], acts.owner[rows]))]
    first = np.zeros(len(acts), np.bool_)
    first[order] = ragged.starts(acts.owner[order], name[order])
    for known in (voices.past, voices.recent):
        first &= ~is_known(known, np.arange(len(known.rows)), acts)
    newest = newest_so_far(voices.header["newest"].astype(np.int64), acts, engages)
    forgotten: Flags = engages & (acts.day <= newest - model.remembered_days)
    return first | forgotten


def newest_so_far(began: Int, acts: Acts, moves: Flags) -> Int:
    """The newest day at each act, int64[m], of what its actor began with (int64[n]) and of its acts so far that move it."""
    order = np.argsort(acts.owner, kind="stable")
    owner = acts.owner[order]
    lane = owner << 32  # keeps one actor's maximum from reaching into the next one's
    newest = np.maximum(np.where(moves, acts.day, 0)[order], began[owner])
    now = np.empty(len(acts), np.int64)
    now[order] = np.maximum.accumulate(newest + lane) - lane
    return now


def is_known(known: Ragged, rows: Int, acts: Acts) -> Flags:
    """Which acts are the same engagement as one of some `rows` (int64[k]) of what is known (ACT), bool[m]."""
    if not len(rows) or not len(acts):
        return np.zeros(len(acts), np.bool_)
    rows = rows[ragged.among(known.rows["event"][rows], acts.event)]  # few: the rest need no name
    some = known.rows[rows]
    names = name_of(some["event"], some["day"])
    return ragged.latest(known.owners[rows], names, acts.owner, name_of(acts.event, acts.day)) >= 0


def refused_before(voices: Voices, acts: Acts) -> Int:
    """Which acts are known as refused, int64[k] ascending: they count as repeats, unless they are sent again to be judged anew."""
    found = np.zeros(len(acts), np.bool_)
    for known in (voices.past, voices.recent):
        found |= is_known(known, np.flatnonzero(REFUSED[known.rows["status"]]), acts)
    return np.flatnonzero(found & (acts.retracts == 0))


def awaited(voices: Voices, acts: Acts, fresh: Flags) -> tuple[Flags, Ragged]:
    """Which fresh acts a retraction waited for, bool[m], and what is still waited for after them (AWAITED)."""
    waiting = voices.awaited
    withdrawn = np.zeros(len(acts), np.bool_)
    if not len(waiting.rows):
        return withdrawn, waiting
    rows: Int = np.flatnonzero(fresh)[::-1]  # so that the last one found is the first to come
    found = ragged.latest(acts.owner[rows], acts.event[rows], waiting.owners, waiting.rows["event"])
    withdrawn[rows[found[found >= 0]]] = True
    return withdrawn, waiting.keep(found < 0)
