"""A day's influence on a network: the more of it there is already, the less is added by more.

So what comes day after day counts for more than the same all at once, and a burst, bought or lucky, is worth less than an
audience that stays.
"""

import numpy as np
import numpy.typing as npt

from laurel.models import ragged
from laurel.models.networks import Networks
from laurel.models.parameters import ScoreModel
from laurel.models.ragged import Int

POINT = 1_000_000  # micro-points in a point

# What an account's actions of one kind brought on one day. code: index into the network table. count: how many.
# share: of what the day counts on the network, micro-points. whole: all of that, at the first row of the account's day on the
# network, else 0.
DAY_PART = np.dtype([(name, "<i8") for name in ("owner", "day", "network", "code", "count", "share", "whole")])


def counted(weight: Int, model: ScoreModel) -> Int:
    """What a day's weights on one network, added up (int64[n] micro-points, at least 0), count, int64[n] micro-points.

    2 w / (1 + sqrt(1 + w / knee)) = 2 knee (sqrt(1 + w / knee) - 1), rounded: all of it far below `day_knee`, and twice the geometric
    mean of both far above it. Never falls as weight is added.
    """
    return np.rint(2.0 * weight / (1.0 + np.sqrt(1.0 + weight / (POINT * model.day_knee)))).astype(np.int64)


def by_day(
    owners: Int, code: Int, rows: npt.NDArray[np.void], networks: Networks, model: ScoreModel
) -> npt.NDArray[np.void]:
    """Rows (BUCKET[m]) added up by account, day and action: DAY_PART[k], ordered by account, day, network and code.

    `owners` int64[m] are their accounts, ascending, `code` int64[m] their places in the network table.
    """
    if not len(rows):
        return np.empty(0, DAY_PART)
    network, day = networks.network_code[code].astype(np.int64), rows["day"].astype(np.int64)
    lanes, actions = len(networks.network_names), len(networks.ids)
    day_key = (owners * (int(day.max() - day.min()) + 1) + (day - day.min())) * lanes + network
    key = day_key * actions + code
    order = np.argsort(key)  # of equal ones any may come first: integers are added up
    heads = np.flatnonzero(ragged.starts(key[order]))
    first = order[heads]
    parts = np.empty(len(heads), DAY_PART)
    parts["owner"], parts["day"], parts["network"], parts["code"] = (
        owners[first],
        day[first],
        network[first],
        code[first],
    )
    parts["count"] = np.add.reduceat(rows["count"][order], heads)
    # Below 0 only where less is left than was taken back of what is older than anything counted.
    weight = np.maximum(np.add.reduceat(rows["weight"][order], heads), 0)

    days = np.flatnonzero(ragged.starts(day_key[first]))
    total = np.add.reduceat(weight, days)
    whole = counted(total, model)
    parts["whole"] = 0
    parts["whole"][days] = whole
    per_point = np.repeat(whole / np.maximum(total, 1), np.diff(np.append(days, len(heads))))
    parts["share"] = np.rint(weight * per_point).astype(np.int64)
    return parts
