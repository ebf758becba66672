"""Which +Ks are accepted: not the same one again too soon, and not too many a day."""

import numpy as np
import numpy.typing as npt

from laurel.models import ragged
from laurel.models.parameters import ScoreModel
from laurel.models.voice import COUNTED, GIVEN, PLUS_K_QUOTA, PLUS_K_REPEAT, Acts, Int, Voices

ODD = np.uint64(0x9E3779B97F4A7C15)


def give(voices: Voices, acts: Acts, rows: Int, records: npt.NDArray[np.void], model: ScoreModel) -> None:
    """Accepts or refuses one day's +Ks (`rows`, by actor and in order), into `records` (ACT[m])."""
    if not len(rows):
        return
    owner = acts.owner[rows]
    pair = acts.target[rows] * ODD ^ acts.topic[rows]
    records["other"][rows] = pair
    given, old = voices.given, len(voices.given.rows)
    owners = np.concatenate((given.owners, owner))
    pairs = np.concatenate((given.rows["pair"], pair))
    order = np.lexsort((pairs, owners))
    first = ragged.starts(owners[order], pairs[order])
    original = np.empty(len(order), np.int64)
    original[order] = np.repeat(order[first], np.diff(np.append(np.flatnonzero(first), len(order))))
    original = original[old:] - old  # the act of this turn that first names the pair; negative: given before
    new = original == np.arange(len(rows))
    rank = ragged.running(new.astype(np.int64), ragged.starts(owner))
    accepted = new & (voices.header["plus_ks"][owner] + rank < model.plus_k_daily)
    given_before = (original < 0) | (~new & accepted[np.maximum(original, 0)])
    records["status"][rows] = np.where(accepted, COUNTED, np.where(given_before, PLUS_K_REPEAT, PLUS_K_QUOTA))
    voices.header["plus_ks"] += np.bincount(owner[accepted], minlength=len(voices.header)).astype(np.uint32)
    added = np.zeros(int(accepted.sum()), GIVEN)
    added["pair"] = pair[accepted]
    added["day"] = voices.header["day"][owner[accepted]]
    voices.given = ragged.append(given, owner[accepted], added)
