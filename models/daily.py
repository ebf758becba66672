"""A day's influence on a network: the more of it there is already, the less is added by more.

So what comes day after day counts for more than the same all at once, and a burst, bought or lucky, is worth less than an
audience that stays.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from laurel.models.fade import fade_table
from laurel.models.kernels.days import count_days
from laurel.models.kernels.formulas import day_counts
from laurel.models.networks import Networks
from laurel.models.parameters import ScoreModel
from laurel.models.ragged import Int, Ragged, Rows, Runs

POINT = 1_000_000  # micro-points in a point

Flags = npt.NDArray[np.bool_]

# code: index into the network table. part: its share of what its days count, faded, micro-points / 65536. count: faded
# count / 65536.
PART = np.dtype([("code", "<i8"), ("part", "<i8"), ("count", "<i8")])
# One account on one network. part: what its days count, faded, micro-points / 65536. reactions, posts: faded counts / 65536.
PRESENCE = np.dtype([("network", "<i8"), ("part", "<i8"), ("reactions", "<i8"), ("posts", "<i8")])


@dataclass(frozen=True)
class Days:
    """What n accounts' days count at a close, and what they did at the one before it.

    Now: `present` bool[n] where anything counts; `parts` (PART) by action, and of which place each is (`place` int64[k]);
    `presences` (PRESENCE) by network, a row for each of m places. At the close before: `had_previous` bool[n]; `was` (PRESENCE, m) of what
    counted then as old as it was, `aged` of the same as old as it is now.
    """

    present: Flags
    parts: Ragged
    place: Int
    presences: Ragged
    had_previous: Flags
    was: Rows
    aged: Rows


class Grouped:
    """What two closes count of the same accounts' BUCKET rows (see `by_day`), by several models. Rows are gone over once for all models
    that differ in nothing that is asked of them here."""

    def __init__(self, buckets: Runs, day: int, before: int, networks: Networks) -> None:
        self._rows = buckets, day, before, networks
        self._found: dict[tuple[int, float, float, float], Days] = {}

    def by(self, model: ScoreModel) -> Days:
        """By a model."""
        key = model.window_days, model.day_knee, model.half_life, model.taper_power
        if key not in self._found:
            self._found[key] = by_day(*self._rows, model)
        return self._found[key]


def counted(weight: Int, model: ScoreModel) -> Int:
    """What a day's weights on one network, added up (int64[n] micro-points, at least 0), count, int64[n] micro-points.

    2 w / (1 + sqrt(1 + w / knee)) = 2 knee (sqrt(1 + w / knee) - 1), rounded: all of it far below `day_knee`, and twice the geometric
    mean of both far above it. Never falls as weight is added.
    """
    return np.asarray(day_counts(weight, _knee(model)), np.int64)


def by_day(buckets: Runs, day: int, before: int, networks: Networks, model: ScoreModel) -> Days:
    """What the closes of `day` and of a day `before` it (or the same, if there is no other) count of BUCKET rows, all that is in the
    window of either."""
    parts, ends, place, places, place_ends, was, aged, (present, had_previous) = count_days(
        buckets.rows,
        buckets.begins,
        buckets.lengths,
        networks.columns,
        len(networks.network_names),
        fade_table(model),
        _knee(model),
        day,
        before,
    )
    return Days(
        present,
        Ragged(ends, parts.view(PART)[:, 0]),
        place,
        Ragged(place_ends, places.view(PRESENCE)[:, 0]),
        had_previous,
        was.view(PRESENCE)[:, 0],
        aged.view(PRESENCE)[:, 0],
    )


def _knee(model: ScoreModel) -> float:
    return float(POINT * model.day_knee)
