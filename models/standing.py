"""Where accounts stand at the close of a day: their influence, computed from their state and nothing else."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from laurel.models import ragged
from laurel.models.amplification import amplification
from laurel.models.daily import POINT, Days, by_day
from laurel.models.fade import FADE_UNIT, fades
from laurel.models.influence import Influences
from laurel.models.networks import KINDS, PLUS_K, POST, REACTION, Networks
from laurel.models.parameters import ScoreModel
from laurel.models.ragged import Int, Ragged

Float = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

# Faded sums are added up in two halves, so that no account is too influential for 64 bits.
HALF = 20  # bits in the low one
MOST = 1 << 62  # what a sum is held at, 70 million points

# code: index into the network table. part: its share of what its days count, faded, micro-points / 65536. count: faded
# count / 65536.
PART = np.dtype([("code", "<i8"), ("part", "<i8"), ("count", "<i8")])
# One account on one network. part: what its days count, faded, micro-points / 65536. reactions, posts: faded counts / 65536.
PRESENCE = np.dtype([("network", "<i8"), ("part", "<i8"), ("reactions", "<i8"), ("posts", "<i8")])
# topic: hash. strength: faded weight, micro-points / 65536. plus_k: micro-+Ks of the window, not faded.
TOPIC_PART = np.dtype([("topic", "<u8"), ("strength", "<i8"), ("plus_k", "<i8")])


@dataclass(frozen=True)
class Standing:
    """n accounts at a close: `present` bool[n] where anything counts; `parts` (PART) by network and
    action; `presences` (PRESENCE) by network; `factors` float64, the amplification of each presence; `raw` float64[n] points;
    `sums` what the presences come to, in columns."""

    present: Flags
    parts: Ragged
    presences: Ragged
    factors: Float
    raw: Float
    sums: "Sums"


def standing(influences: Influences, day: int, means: Float, networks: Networks, model: ScoreModel) -> Standing:
    """The accounts' standing at the close of `day`; `means` float64[networks] are reactions per post (see amplification)."""
    return stand(by_day(influences.buckets, day, day, networks, model), day, means, networks, model)


def stand(days: Days, day: int, means: Float, networks: Networks, model: ScoreModel) -> Standing:
    """The standing at the close of `day` of accounts with those days, which the model gave."""
    accounts, actions, lanes = days.accounts, len(networks.ids), len(networks.network_names)
    fade = fades(days.day, day, model)
    count = days.count * fade
    owner, code, share, counts = days.owner, days.code, days.share, fade
    if not fade.all():  # some rows are of the close before only
        inside = np.flatnonzero(fade)
        owner, code, share, counts = owner[inside], code[inside], share[inside], fade[inside]
    key, slot = ragged.slots(owner * actions + code, accounts * actions)
    parts = np.empty(len(key), PART)
    parts["code"] = key % actions
    parts["part"] = _faded(slot, share, counts, len(key))
    parts["count"] = added(slot, count[fade > 0] if len(slot) < len(count) else count, len(key))

    sums = sums_of(days, days.whole, count, fade)
    rows, owner = np.empty(len(days.place), PRESENCE), days.place // lanes
    rows["network"] = days.place % lanes
    rows["part"], rows["reactions"], rows["posts"] = sums.part, sums.reactions, sums.posts
    factors = sums.factors(means[rows["network"]], model)
    # An account's networks are added in the order of the table, so that the sum is the same to the last bit.
    raw = np.bincount(owner, factors * sums.part / (FADE_UNIT * POINT), accounts).astype(np.float64)
    return Standing(
        sums.present(owner, accounts),
        ragged.from_owners(key // actions, parts, accounts),
        ragged.from_owners(owner, rows, accounts),
        factors,
        raw,
        sums,
    )


@dataclass(frozen=True)
class Sums:
    """What counts at a close of m accounts on a network each, int64[m]: `part` in micro-points / 65536; of `reactions`, `posts` and
    `plus_ks`, how many / 65536."""

    part: Int
    reactions: Int
    posts: Int
    plus_ks: Int

    def factors(self, means: Float, model: ScoreModel) -> Float:
        """The amplification of each, float64[m]; `means` float64[m] are reactions per post on its network."""
        return amplification(self.reactions / FADE_UNIT, self.posts / FADE_UNIT, means, model)

    def present(self, owner: Int, accounts: int) -> Flags:
        """Which accounts anything is left of, bool[accounts]; `owner` int64[m] are theirs.

        What was wholly taken back leaves nothing behind, whether or not its rows have met in one bucket yet.
        """
        return added(owner, self.reactions + self.posts + self.plus_ks, accounts) > 0


def sums_of(days: Days, whole: Int, count: Int, fade: Int) -> Sums:
    """What days count at each of their places: `whole` int64[k] as theirs, `count` int64[k] faded, `fade` int64[k]."""
    places = len(days.place)
    numbers = added(days.tally, count, places * len(KINDS)).reshape(places, len(KINDS))
    return Sums(_faded(days.slot, whole, fade, places), *(numbers[:, kind] for kind in (REACTION, POST, PLUS_K)))


def added(slot: Int, values: Int, size: int) -> Int:
    """The sum of values (int64[k]) in each slot (int64[k], 0..size - 1), int64[size]."""
    sums = np.zeros(size, np.int64)
    np.add.at(sums, slot, values)
    return sums


def _faded(slot: Int, weight: Int, fade: Int, size: int) -> Int:
    """As `added` of weight * fade, `weight` int64[k] at least 0, held at MOST."""
    if int(weight.max(initial=0)) * len(weight) < MOST // FADE_UNIT:
        return added(slot, weight * fade, size)
    high, low = added(slot, (weight >> HALF) * fade, size), added(slot, (weight & ((1 << HALF) - 1)) * fade, size)
    fits = high < (MOST >> HALF) - (1 << HALF)
    return np.where(fits, (np.where(fits, high, 0) << HALF) + low, MOST)


def posters(presences: Ragged, networks: int) -> Int:
    """Faded reactions and posts / 65536 by network, int64[2, networks], of the presences (PRESENCE) that have posts."""
    rows = presences.rows[presences.rows["posts"] > 0]
    return np.stack([added(rows["network"], rows[name], networks) for name in ("reactions", "posts")])


def topic_parts(influences: Influences, day: int, model: ScoreModel) -> Ragged:
    """Each account's topics (TOPIC_PART) at the close of `day`."""
    rows, owners = influences.topics.rows, influences.topics.owners
    moment = rows["day"].astype(np.int64)
    fade = fades(moment, day, model)
    counts = (rows["admit"] <= day) & (fade > 0)
    if not counts.all():
        rows, owners, fade = rows[counts], owners[counts], fade[counts]
    order = np.lexsort((rows["topic"], owners))
    topic = rows["topic"][order]
    heads = np.flatnonzero(ragged.starts(owners[order], topic))
    slot = np.empty(len(order), np.int64)
    slot[order] = np.repeat(np.arange(len(heads)), np.diff(np.append(heads, len(order))))
    found = np.empty(len(heads), TOPIC_PART)
    found["topic"] = topic[heads]
    found["strength"] = _faded(slot, rows["weight"], fade, len(heads))
    found["plus_k"] = added(slot, rows["plus_k"], len(heads))
    return ragged.from_owners(owners[order[heads]], found, len(influences))
