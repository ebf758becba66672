"""Where accounts stand at the close of a day: their influence, computed from their state and nothing else."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from laurel.models.daily import POINT, Days, by_day
from laurel.models.fade import FADE_UNIT, fade_table
from laurel.models.influence import Influences
from laurel.models.kernels.adding import add_up
from laurel.models.kernels.topics import count_topics
from laurel.models.networks import Networks
from laurel.models.parameters import ScoreModel
from laurel.models.ragged import Int, Ragged, Rows, Runs

Float = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

# topic: hash. strength: faded weight, micro-points / 65536. plus_k: micro-+Ks of the window, not faded.
TOPIC_PART = np.dtype([("topic", "<u8"), ("strength", "<i8"), ("plus_k", "<i8")])


@dataclass(frozen=True)
class Standing:
    """n accounts at a close: `present` bool[n] where anything counts; `parts` (PART) by network and action, each of the presence `place`
    (int64[k]); `presences` (PRESENCE) by network; `factors` float64, the amplification of each presence; `raw` float64[n] points."""

    present: Flags
    parts: Ragged
    place: Int
    presences: Ragged
    factors: Float
    raw: Float

    @property
    def amounts(self) -> Float:
        """What each part of each account counts for, by the amplification of its presence, float64[k] micro-points / 65536."""
        return np.asarray(self.factors[self.place] * self.parts.rows["part"], np.float64)


def standing(influences: Influences, day: int, means: Float, networks: Networks, model: ScoreModel) -> Standing:
    """The accounts' standing at the close of `day`; `means` float64[networks] are reactions per post (see amplification)."""
    return stand(by_day(influences.buckets.runs, day, day, networks, model), means, model)


def stand(days: Days, means: Float, model: ScoreModel) -> Standing:
    """The standing of accounts with those days, which the model gave."""
    factors, raw = raw_of(days, days.presences.rows, days.presences.rows, means, model)
    return Standing(days.present, days.parts, days.place, days.presences, factors, raw)


def raw_of(days: Days, counted: Rows, posted: Rows, means: Float, model: ScoreModel) -> tuple[Float, Float]:
    """The amplification float64[m] of the presences of n accounts, and their raw influence float64[n] in points, of what was `counted` and
    the posts `posted` at their places (PRESENCE[m] both); `means` float64[networks] are reactions per post."""
    found: tuple[Float, Float] = add_up(
        days.presences.offsets,
        counted,
        posted,
        means,
        float(model.amplification_floor),
        float(model.amplification_prior),
        float(FADE_UNIT),
        float(FADE_UNIT * POINT),
    )
    return found


def posters(presences: Ragged, networks: int) -> Int:
    """Faded reactions and posts / 65536 by network, int64[2, networks], of the presences (PRESENCE) that have posts."""
    rows, sums = presences.rows[presences.rows["posts"] > 0], np.zeros((2, networks), np.int64)
    for total, name in zip(sums, ("reactions", "posts"), strict=True):
        np.add.at(total, rows["network"], rows[name])
    return sums


def topic_parts(topics: Runs, day: int, model: ScoreModel) -> Ragged:
    """Each account's topics (TOPIC_PART), ascending, at the close of `day`, of its TOPIC rows."""
    names, sums, ends = count_topics(topics.rows, topics.begins, topics.lengths, fade_table(model), day)
    found = np.empty(len(names), TOPIC_PART)
    found["topic"], found["strength"], found["plus_k"] = names, sums[:, 0], sums[:, 1]
    return Ragged(ends, found)
