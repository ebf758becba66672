"""How much each engagement counts: action, engager, selectivity and repeats.

A weight depends on the actor's own sequence of events alone, whatever other actors do and however the sequence is cut
into calls. Sums of integer micro-points (1e-6) are exact in any order.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from laurel.models import chains, ragged
from laurel.models.fade import memory_table
from laurel.models.networks import PLUS_K, REACTION
from laurel.models.parameters import ScoreModel
from laurel.models.ragged import Ragged
from laurel.models.voice import (
    COUNTED,
    DAILY_LIMIT,
    DUPLICATE,
    GIVEN,
    PAIR,
    PLUS_K_QUOTA,
    PLUS_K_REPEAT,
    Acts,
    Flags,
    Int,
    Voices,
    Weighed,
)

Status = npt.NDArray[np.uint8]


def potential(points: Int) -> Int:
    """P(x) = rint(1e6 * log1p(x / 1e6)): what x micro-points of one actor on one target add up to, in micro-points."""
    return np.rint(1e6 * np.log1p(points / 1e6)).astype(np.int64)


def points_for(adding_up: Int) -> Int:
    """rint(1e6 * expm1(x / 1e6)): the micro-points that add up to x micro-points, the inverse of `potential`."""
    return np.rint(1e6 * np.expm1(adding_up / 1e6)).astype(np.int64)


def selectivity(ordinal: Int, model: ScoreModel) -> Int:
    """Millionths that an actor's ordinal-th (from 1) reaction of a day counts: the first ones wholly, then ever less."""
    free = model.selective_after
    return np.where(ordinal <= free, 1_000_000, free * 1_000_000 // np.maximum(ordinal, 1))


def engager_factor(score: Int, model: ScoreModel) -> Int:
    """Millionths by which an engager's whole score multiplies a weight; 0 (nothing published) counts as 1."""
    return 1_000_000 + model.engager_step * np.maximum(score, 1)


def weigh(voices: Voices, acts: Acts, model: ScoreModel) -> tuple[Weighed, Voices]:
    """What the acts add to their targets, and the voices after them (the given ones are left as they are)."""
    linked = chains.link(voices.seen, acts, model)
    status = np.where(linked.fresh, COUNTED, DUPLICATE).astype(np.uint8)
    weight = np.zeros(len(acts), np.int64)
    nobody = np.flatnonzero(linked.fresh & acts.anonymous & (acts.kind == REACTION))
    unnamed = potential(acts.action_weight[nobody] * model.anonymous_share // 1_000_000)
    weight[nobody] = unnamed * engager_factor(np.zeros_like(unnamed), model) // 1_000_000
    named = linked.fresh & ~acts.anonymous
    now = _clocks(voices.header["day"].astype(np.int64), acts, named)
    voices = Voices(voices.header.copy(), voices.pairs, voices.seen, voices.given)
    for turn in _turns(acts.owner, now, named):
        _begin_day(voices, acts.owner[turn], now[turn], model)
        _give(voices, acts, turn[acts.kind[turn] == PLUS_K], status, model)
        _react(voices, acts, turn[acts.kind[turn] == REACTION], status, weight, model)
    plus_k = np.where((acts.kind == PLUS_K) & (status == COUNTED), 1_000_000, 0)
    weighed, seen = chains.settle(voices.seen, acts, linked, status, weight, plus_k, model)
    return weighed, Voices(voices.header, voices.pairs, seen, voices.given)


def _clocks(began: Int, acts: Acts, moves: Flags) -> Int:
    """The actor's clock at each act, int64[m]: the newest day among its acts that move it."""
    order = np.argsort(acts.owner, kind="stable")
    owner = acts.owner[order]
    lane = owner << 32  # keeps one actor's maximum from reaching into the next one's
    newest = np.maximum(np.where(moves, acts.day, 0)[order], began[owner])
    now = np.empty(len(acts), np.int64)
    now[order] = np.maximum.accumulate(newest + lane) - lane
    return now


def _turns(owner: Int, now: Int, named: Flags) -> Iterator[Int]:
    """Acts (indices, by actor and then in log order) of every actor's first day, then of every actor's second ..."""
    rows = np.flatnonzero(named)
    order = rows[np.argsort(owner[rows], kind="stable")]
    if not len(order):
        return
    moved = ragged.starts(owner[order], now[order])
    actor = ragged.starts(owner[order])
    turn = np.cumsum(moved, dtype=np.int64)
    turn -= np.repeat(turn[actor], np.diff(np.append(np.flatnonzero(actor), len(order))))
    for number in range(int(turn.max()) + 1):
        yield order[turn == number]


def _begin_day(voices: Voices, owner: Int, now: Int, model: ScoreModel) -> None:
    """Where the clock moves on: counts begin again, and what is too old or too weak is dropped."""
    header = voices.header
    ahead = now > header["day"][owner]
    if not ahead.any():
        return
    turned = np.zeros(len(header), np.bool_)
    turned[owner[ahead]] = True
    header["day"][owner[ahead]] = now[ahead]
    header["acts"][turned] = 0
    header["plus_ks"][turned] = 0
    day = header["day"].astype(np.int64)
    owners = voices.given.owners
    voices.given = voices.given.keep(day[owners] - voices.given.rows["day"] < model.plus_k_repeat_days)
    memory = _faded(voices.pairs.rows, day[voices.pairs.owners], model)
    strong = (memory > 0) | ~turned[voices.pairs.owners]
    voices.pairs = voices.pairs.keep(strong)
    if int(voices.pairs.lengths.max(initial=0)) > model.pairs_kept:
        voices.pairs = _strongest(voices.pairs, memory[strong], turned, model.pairs_kept)


def _strongest(pairs: Ragged, memory: Int, turned: Flags, kept: int) -> Ragged:
    """At most `kept` pairs of each turned actor: the strongest ones, the smaller hash first among equals."""
    owners = pairs.owners
    order = np.lexsort((pairs.rows["target"], -memory, owners))
    rank = np.empty(len(order), np.int64)
    rank[order] = ragged.ordinals(ragged.starts(owners[order]))
    return pairs.keep((rank < kept) | ~turned[owners])


def _faded(pairs: npt.NDArray[np.void], now: Int, model: ScoreModel) -> Int:
    """Memories of PAIR rows as of `now` (days, int64), micro-points. What fades is what they added up to."""
    table = np.append(memory_table(model), 0)
    age = np.minimum(now - pairs["day"], len(table) - 1)
    left = points_for((potential(pairs["memory"]) * table[age]) >> 16)
    return np.where(age > 0, left, pairs["memory"])


def _react(voices: Voices, acts: Acts, rows: Int, status: Status, weight: Int, model: ScoreModel) -> None:
    """Weighs one turn's reactions, in order, and remembers them."""
    owner = acts.owner[rows]
    ordinal = voices.header["acts"][owner] + ragged.ordinals(ragged.starts(owner)) + 1
    within = ordinal <= model.daily_limit
    status[rows[~within]] = DAILY_LIMIT
    rows, owner, ordinal = rows[within], owner[within], ordinal[within]
    if not len(rows):
        return
    voices.header["acts"] += np.bincount(owner, minlength=len(voices.header)).astype(np.uint32)
    points = acts.action_weight[rows] * selectivity(ordinal.astype(np.int64), model) // 1_000_000
    now = voices.header["day"].astype(np.int64)

    pairs, old = voices.pairs, len(voices.pairs.rows)
    owners = np.concatenate((pairs.owners, owner))
    targets = np.concatenate((pairs.rows["target"], acts.target[rows]))
    order = np.lexsort((targets, owners))  # stable: the remembered pair, if any, comes before this turn's acts
    first = ragged.starts(owners[order], targets[order])
    faded = np.concatenate((_faded(pairs.rows, now[pairs.owners], model), points))[order]
    before = ragged.running(faded, first)
    is_act = order >= old
    acting = order[is_act] - old
    added = potential(before[is_act] + faded[is_act]) - potential(before[is_act])
    factor = engager_factor(voices.header["score"][owner[acting]].astype(np.int64), model)
    weight[rows[acting]] = added * factor // 1_000_000

    heads = np.flatnonzero(first)
    last = np.append(heads[1:], len(order)) - 1
    touched = is_act[last]  # a group that ends in an act
    kept = np.zeros(len(heads), PAIR)
    kept["target"] = targets[order][heads]
    untouched = pairs.rows[np.where(touched, 0, order[heads])] if old else np.zeros(len(heads), PAIR)
    kept["memory"] = np.where(touched, before[last] + faded[last], untouched["memory"])
    kept["day"] = np.where(touched, now[owners[order][heads]], untouched["day"])
    voices.pairs = ragged.from_owners(owners[order][heads], kept, len(voices.header))


def _give(voices: Voices, acts: Acts, rows: Int, status: Status, model: ScoreModel) -> None:
    """Accepts or refuses one turn's +Ks, in order: first those given again too soon, then those beyond the day's quota."""
    if not len(rows):
        return
    owner = acts.owner[rows]
    pair = acts.target[rows] * np.uint64(0x9E3779B97F4A7C15) ^ acts.topic[rows]
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
    status[rows] = np.where(accepted, COUNTED, np.where(given_before, PLUS_K_REPEAT, PLUS_K_QUOTA))
    voices.header["plus_ks"] += np.bincount(owner[accepted], minlength=len(voices.header)).astype(np.uint32)
    added = np.zeros(int(accepted.sum()), GIVEN)
    added["pair"] = pair[accepted]
    added["day"] = voices.header["day"][owner[accepted]]
    voices.given = ragged.append(given, owner[accepted], added)
