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

from laurel.models.amplification import amplification
from laurel.models.daily import POINT
from laurel.models.fade import FADE_UNIT
from laurel.models.influence import Influences
from laurel.models.networks import Networks
from laurel.models.parameters import ScoreModel
from laurel.models.ragged import Int
from laurel.models.scale import score
from laurel.models.standing import Standing, standing

Float = npt.NDArray[np.float64]


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


def steps(
    influences: Influences,
    before: Standing,
    after: Standing,
    days: tuple[int, int],
    means: Float,
    networks: Networks,
    model: ScoreModel,
) -> Steps:
    """The way from one close to the next, of the accounts whose state is given.

    `before` and `after` are their standings at the closes of the two `days`, both by the `model` of the first; `means`
    float64[networks] are those of the first. Added up here is what was there before, grown older: a day that more came to counts
    less than both parts of it would alone, so that it isn't what is left of `after`.
    """
    lane = len(networks.network_names)
    older = standing(_until(influences, days[0]), days[1], means, networks, model)
    places = [found.presences.owners * lane + found.presences.rows["network"] for found in (before, after, older)]
    # Of each account and network that is anywhere, in the order of both: what is not there is 0. Few have gone since.
    gone = places[0][~_among(places[0], places[1])]
    key = np.sort(np.concatenate((places[1], gone))) if len(gone) else places[1]
    was, now, aged = (_spread(found, place, key) for found, place in zip((before, after, older), places, strict=True))
    owner, mean = key // lane, means[key % lane]

    def raw(part: Int, reactions: Int, posts: Int) -> Float:
        factor = amplification(reactions / FADE_UNIT, posts / FADE_UNIT, mean, model)
        return np.bincount(owner, factor * part / (FADE_UNIT * POINT), len(influences)).astype(np.float64)

    return Steps(
        before.raw,
        raw(aged["part"], aged["reactions"], was["posts"]),
        raw(now["part"], now["reactions"], was["posts"]),
        raw(now["part"], now["reactions"], now["posts"]),
    )


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


def _until(influences: Influences, day: int) -> Influences:
    """What the close of `day` could count already."""
    return Influences(influences.buckets.keep(influences.buckets.rows["admit"] <= day), influences.topics)


def _among(place: Int, key: Int) -> npt.NDArray[np.bool_]:
    """Which places are among the keys, which ascend, bool[m]."""
    at = np.searchsorted(key, place)
    return np.asarray(np.append(key, -1)[at] == place)


def _spread(found: Standing, place: Int, key: Int) -> npt.NDArray[np.void]:
    """The presences (PRESENCE), each of which has a `place` among the keys, by key."""
    rows = found.presences.rows
    spread = np.zeros(len(key), rows.dtype)
    spread[np.searchsorted(key, place)] = rows
    return spread
