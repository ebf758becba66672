"""Amplification: being active is not being influential, so reactions are held against the posts they took."""

import numpy as np
import numpy.typing as npt

from laurel.models.kernels.formulas import share_kept
from laurel.models.parameters import ScoreModel

Float = npt.NDArray[np.float64]


def amplification(reactions: Float, posts: Float, mean: Float | float, model: ScoreModel) -> Float:
    """Share of its raw influence that an account keeps on a network, float64[n] in floor..1.

    floor + (1 - floor) * min(1, (reactions + prior * m) / ((posts + prior) * m)), elementwise.

    `reactions` and `posts` are the account's faded counts (at least 0), `mean` is m, the network's reactions per post
    (above 0). The ratio is reactions per post over the network's, shrunk towards 1 by `prior` average posts, so that
    one lucky or luckless post says little. It never falls as reactions are added and never rises as posts are.
    """
    found: Float = share_kept(reactions, posts, mean, model.amplification_floor, model.amplification_prior)
    return found
