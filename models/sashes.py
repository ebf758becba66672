"""Sashes: what the leaders of a topic wear, and what becomes of them from one day to the next."""

import numpy as np
import numpy.typing as npt

from laurel.models.parameters import ScoreModel

Int = npt.NDArray[np.int64]
Code = npt.NDArray[np.int8]

NONE, GOLD, BLUE, BLUE_AND_GOLD = range(4)
SASHES = ("none", "gold", "blue", "blue_and_gold")  # position = code

KEPT, AWARDED, UPGRADED, DOWNGRADED, LOST = range(5)
CHANGES = ("kept", "awarded", "upgraded", "downgraded", "lost")  # position = code

_WORTH = np.array([0, 2, 1, 3], np.int8)  # of a sash's code: gold is worth more than blue, both more than either


def sashes(influencer_rank: Int, plus_k_rank: Int, model: ScoreModel) -> Code:
    """The sash of each person in a topic, int8[n]: gold for a top influencer, blue for a top +K recipient, or both.

    Ranks (int64[n]) begin at 1; 0 is no rank.
    """
    gold = (influencer_rank >= 1) & (influencer_rank <= model.gold_ranks)
    blue = (plus_k_rank >= 1) & (plus_k_rank <= model.blue_ranks)
    return (GOLD * gold + BLUE * blue).astype(np.int8)


def changes(before: Code, after: Code) -> Code:
    """What became of each person's sash (int8[n] each, by code), int8[n]: a position in CHANGES."""
    was, now = _WORTH[before], _WORTH[after]
    return np.select([was == now, was == 0, now == 0, now > was], [KEPT, AWARDED, LOST, UPGRADED], DOWNGRADED).astype(
        np.int8
    )
