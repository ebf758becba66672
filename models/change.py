"""Why a score differs from the one before: the difference, split exactly.

From the close before to this one, one thing changes after the other, and each time the score is computed anew by the score's own
functions. What a step moves the score by is its part, so that the parts telescope: they sum to the difference, whatever the order.
The order is that of time: what was there grows older, then reactions come, then posts are held against them, then
the population moves. An engagement keeps the weight it was counted with, however its engager's score moves afterwards: nothing is weighed
again, and there is no such part.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from laurel.models.daily import Days
from laurel.models.parameters import ScoreModel
from laurel.models.ragged import Int
from laurel.models.scale import score
from laurel.models.standing import raw_of

Float = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Steps:
    """Raw influence of n accounts, float64[n] points: at the close `before`; the same as old as it is now, `faded`; with the
    reactions that came since, less those taken back, `reacted`; with the posts as they are now, `posted`.

    All by the means and the model of the close before. From `posted` to what counts now it is calibration, or the model.
    """

    before: Float
    faded: Float
    reacted: Float
    posted: Float


@dataclass(frozen=True)
class Change:
    """Points by which n scores moved, float64[n] each, which sum to score - previous within 1e-9.

    reactions: those that count for the first time, late ones too, less those taken back; at least 0 unless some were.
    fading: earlier ones are older; at most 0.  posts: one's own, new ones and the fading of old ones.
    networks: accounts linked or unlinked.  calibration: r0 and the networks' means.  model: another one, with its
    calibration, which is not to be compared with that of the one before; 0 where the model stayed.
    """

    reactions: Float
    fading: Float
    posts: Float
    networks: Float
    calibration: Float
    model: Float

    def take(self, rows: Int) -> "Change":
        """Only some of them (int64[k]), in the order given."""
        return Change(*(getattr(self, part)[rows] for part in PARTS))


STEPS = ("before", "faded", "reacted", "posted")
PARTS = ("reactions", "fading", "posts", "networks", "calibration", "model")  # of equal ones, the first is told first


def steps(days: Days, means: Float, model: ScoreModel) -> tuple[Flags, Steps]:
    """Who counted at the first of two closes, bool[n], and the way of n accounts from it to the second.

    `days` are what both closes count by the `model` of the first; `means` float64[networks] are those of the first. What was there before
    grows older first: a day that more came to counts less than both parts of it would alone.
    """
    was, aged, now = days.was, days.aged, days.presences.rows
    ways = (was, was), (aged, was), (now, was), (now, now)
    return days.had_previous, Steps(*(raw_of(days, counted, posted, means, model)[1] for counted, posted in ways))


def split(previous: Float, passed: Steps, r0: float, model: ScoreModel, scores: Float, *, same_model: bool) -> Change:
    """The change of n scores from `previous` to `scores`, float64[n], with the `r0` and `model` of the close before.

    `passed` are the steps of what counts now. Where `previous` is not the score of its beginning, accounts were linked or unlinked.
    """
    began, faded, reacted, posted = (
        score(raw, r0, model) for raw in (passed.before, passed.faded, passed.reacted, passed.posted)
    )
    rest, none = scores - posted, np.zeros(len(scores))
    return Change(
        reactions=reacted - faded,
        fading=faded - began,
        posts=posted - reacted,
        networks=began - previous,
        calibration=rest if same_model else none,
        model=none if same_model else rest,
    )
