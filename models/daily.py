"""A day's influence on a network: the more of it there is already, the less is added by more.

So what comes day after day counts for more than the same all at once, and a burst, bought or lucky, is worth less than an
audience that stays.
"""

from dataclasses import dataclass

import numpy as np

from laurel.models import ragged
from laurel.models.networks import KINDS, Networks
from laurel.models.parameters import ScoreModel
from laurel.models.ragged import Int, Ragged

POINT = 1_000_000  # micro-points in a point


@dataclass(frozen=True)
class Days:
    """What n `accounts` were given on single days: a row for each account, day and action, in the order of account, day, network and code.

    All int64[k]: `owner` (index of the account), `day`, `network` and `code` (places in the network table); `count` is how many. `share`
    is the action's of what the day counts on the network, micro-points; `whole` is all of that, at the first row of the account's day
    on the network, else 0. `count_before` and `whole_before` are the same without what an earlier close could not count yet.
    `place` int64[m] are the distinct ones of owner * networks + network, ascending, `slot` which of them each row's is, and `tally` three times that
    and the kind of the action.
    """

    accounts: int
    owner: Int
    day: Int
    network: Int
    code: Int
    count: Int
    share: Int
    whole: Int
    count_before: Int
    whole_before: Int
    place: Int
    slot: Int
    tally: Int


class Grouped:
    """What two closes count of the same accounts' BUCKET rows (see `by_day`), by several models: all those of one deployment, which agree
    in the window, and differ here by `day_knee` alone. Rows are grouped once for each that is asked for."""

    def __init__(self, buckets: Ragged, day: int, before: int, networks: Networks) -> None:
        self._rows = buckets, day, before, networks
        self._found: dict[tuple[int, float], Days] = {}

    def by(self, model: ScoreModel) -> Days:
        """By a model."""
        key = model.window_days, model.day_knee
        if key not in self._found:
            self._found[key] = by_day(*self._rows, model)
        return self._found[key]


def counted(weight: Int, model: ScoreModel) -> Int:
    """What a day's weights on one network, added up (int64[n] micro-points, at least 0), count, int64[n] micro-points.

    2 w / (1 + sqrt(1 + w / knee)) = 2 knee (sqrt(1 + w / knee) - 1), rounded: all of it far below `day_knee`, and twice the geometric
    mean of both far above it. Never falls as weight is added.
    """
    return np.rint(2.0 * weight / (1.0 + np.sqrt(1.0 + weight / (POINT * model.day_knee)))).astype(np.int64)


def by_day(buckets: Ragged, day: int, before: int, networks: Networks, model: ScoreModel) -> Days:
    """What the closes of `day` and of a day `before` it (or the same, if there is no other) count of BUCKET rows, all that is in the
    window of either."""
    rows, owners = buckets.rows, buckets.owners
    code, moment, admit = networks.positions(rows["action"]), rows["day"].astype(np.int64), rows["admit"]
    oldest = before - model.window_days + 1
    # An operator may have removed an action.
    counts = (admit <= day) & (moment <= day) & (moment >= oldest) & (code >= 0)
    if not counts.all():
        rows, owners, code, moment, admit = rows[counts], owners[counts], code[counts], moment[counts], admit[counts]
    accounts, lanes = len(buckets.offsets) - 1, len(networks.network_names)
    if not len(rows):
        return Days(accounts, *[np.empty(0, np.int64)] * 12)
    network = networks.network_code[code].astype(np.int64)
    day_key = (owners * (day - oldest + 1) + (moment - oldest)) * lanes + network
    key = day_key * len(networks.ids) + code
    order = ragged.order(key)
    heads = np.flatnonzero(ragged.starts(key[order]))
    first = order[heads]
    days = np.flatnonzero(ragged.starts(day_key[first]))
    weight, count = rows["weight"][order], rows["count"][order]
    weights, numbers = ragged.totals(weight, heads), ragged.totals(count, heads)
    # Below 0 only where less is left than was taken back of what is older than anything counted.
    some = np.maximum(weights, 0)
    total = ragged.totals(some, days)
    whole = np.zeros_like(some)
    whole[days] = counted(total, model)
    per_point = np.repeat(whole[days] / np.maximum(total, 1), np.diff(np.append(days, len(some))))
    share = np.rint(some * per_point).astype(np.int64)

    # The same without what is new; few days have anything that is.
    numbers_before, whole_before = numbers, whole
    new = np.flatnonzero(admit[order] > before)
    if len(new):
        at = np.searchsorted(heads, new, "right") - 1
        numbers_before, rest, whole_before, total = numbers.copy(), weights.copy(), whole.copy(), total.copy()
        np.subtract.at(numbers_before, at, count[new])
        np.subtract.at(rest, at, weight[new])
        changed = np.unique(at)
        of_day = np.searchsorted(days, changed, "right") - 1
        np.subtract.at(total, of_day, some[changed] - np.maximum(rest[changed], 0))
        whole_before[days[of_day]] = counted(total[of_day], model)
    owner, network = owners[first], network[first]
    place, slot = ragged.slots(owner * lanes + network, accounts * lanes)
    return Days(
        accounts,
        owner,
        moment[first],
        network,
        code[first],
        numbers,
        share,
        whole,
        numbers_before,
        whole_before,
        place,
        slot,
        slot * len(KINDS) + networks.kind[code[first]],
    )
