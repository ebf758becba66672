"""How much each engagement counts: action, engager, selectivity and repeats; and what is taken back.

A weight depends on the actor's own sequence of events alone, whatever other actors do and however the sequence is cut
into calls. Sums of integer micro-points (1e-6) are exact in any order.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from laurel.models import ragged
from laurel.models.counted_once import stays
from laurel.models.give import give
from laurel.models.memory import added, faded, untold
from laurel.models.networks import PLUS_K, REACTION
from laurel.models.parameters import ScoreModel
from laurel.models.react import engager_factor, react
from laurel.models.repeats import awaited, first_of_their_kind, newest_so_far
from laurel.models.takeback import take_back
from laurel.models.voice import (
    ACT,
    ANONYMOUS,
    COUNTED,
    DUPLICATE,
    RETRACTED,
    WITHDRAWN,
    Acts,
    Flags,
    Hash,
    Int,
    Voices,
    Weighed,
    join,
    unweighed,
)


def weigh(voices: Voices, acts: Acts, model: ScoreModel, again: Int | None = None) -> tuple[Weighed, Voices]:
    """What the acts add to their targets, and the voices after them (the given ones are left as they are).

    `again` are acts (int64[k]) that were refused before and are to be judged anew.

    Acts are taken in rounds, for all actors at once: up to their next retractions, these and what follows them, and so on.
    """
    retracts = acts.retracts != 0
    fresh = first_of_their_kind(voices, acts, model)
    if again is not None:
        fresh[again] = True
    if not retracts.any():
        return _act(voices, acts, fresh, model)
    weighed = unweighed(acts, np.zeros(len(acts), np.uint8))
    number = _rounds(acts.owner, retracts)
    rounds_of = np.full(len(voices.header), -1)
    np.maximum.at(rounds_of, acts.owner, number)
    actors, place = np.arange(len(voices.header)), np.arange(len(voices.header))
    done: list[tuple[Int, Voices]] = []
    order = np.argsort(number, kind="stable")
    for turn, rows in enumerate(np.split(order, np.cumsum(np.bincount(number))[:-1])):
        left = rounds_of[actors] >= turn
        if not left.all():
            done.append((actors[~left], voices.take(np.flatnonzero(~left))))
            actors, voices = actors[left], voices.take(np.flatnonzero(left))
            place[actors] = np.arange(len(actors))
        for these in (rows[retracts[rows]], rows[~retracts[rows]]):
            if not len(these):
                continue
            some = acts.take(these)
            some.owner[:] = place[some.owner]
            if retracts[these[0]]:
                part, voices = take_back(voices, some, model)
            else:
                part, voices = _act(voices, some, fresh[these], model)
            weighed.put(these, part)
    done.append((actors, voices))
    back = np.argsort(np.concatenate([some for some, _ in done]))
    return weighed, join([part for _, part in done]).take(back)


def _rounds(owner: Int, retracts: Flags) -> Int:
    """The round of each act, int64[m]: how many runs of its actor's retractions have begun, with this act's own."""
    order = np.argsort(owner, kind="stable")
    first = ragged.starts(owner[order])
    begins = retracts[order].copy()
    begins[1:] &= first[1:] | ~retracts[order[:-1]]
    number = np.empty(len(owner), np.int64)
    number[order] = ragged.running(begins.astype(np.int64), first) + begins
    return number


def _act(voices: Voices, acts: Acts, fresh: Flags, model: ScoreModel) -> tuple[Weighed, Voices]:
    """`weigh` for acts none of which is a retraction; `fresh` are those that did not come before."""
    voices = replace(voices, header=voices.header.copy())
    withdrawn, voices.awaited = awaited(voices, acts, fresh)
    counts = fresh & ~withdrawn
    named = counts & ~acts.anonymous
    now = newest_so_far(voices.header["day"].astype(np.int64), acts, named)

    records = np.zeros(len(acts), ACT)
    records["event"], records["day"], records["now"] = acts.event, acts.day, now
    records["kind"] = np.where(acts.anonymous, ANONYMOUS, acts.kind)
    records["status"] = np.where(counts, COUNTED, np.where(withdrawn, WITHDRAWN, DUPLICATE))
    nobody = np.flatnonzero(counts & acts.anonymous & (acts.kind == REACTION))
    unnamed = acts.action_weight[nobody] * model.anonymous_share // 1_000_000
    nothing = np.zeros_like(unnamed)
    records["weight"][nobody] = added(nothing, unnamed, engager_factor(nothing, model))
    moved, told = stays(len(acts)), untold(len(acts))
    for turn in _turns(acts.owner, now, named):
        _begin_day(voices, acts.owner[turn], now[turn], model)
        give(voices, acts, turn[acts.kind[turn] == PLUS_K], records, model)
        react(voices, acts, turn[acts.kind[turn] == REACTION], records, moved, told, model)

    weighed = unweighed(acts, records["status"].copy())
    weighed.move[:], weighed.pair[:] = moved, told
    counted = weighed.status == COUNTED
    weighed.weight[counted] = records["weight"][counted]
    weighed.count[counted] = 1
    weighed.plus_k[counted & (acts.kind == PLUS_K)] = 1_000_000
    records["status"][withdrawn] = RETRACTED
    np.maximum.at(voices.header["newest"], acts.owner[fresh], acts.day[fresh])
    voices.recent = ragged.append(voices.recent, acts.owner[fresh], records[fresh])
    return weighed, voices


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
    """Where the clock moves on: counts begin again, and what is too old or too weak is dropped.

    A pair is too old out of the window: nothing is left of its memory, and the target reaches its actor no more.
    """
    header = voices.header
    ahead = now > header["day"][owner]
    if not ahead.any():
        return
    turned = np.zeros(len(header), np.bool_)
    turned[owner[ahead]] = True
    begins = ahead & (header["day"][owner] == 0)
    header["first"][owner[begins]] = now[begins]
    header["day"][owner[ahead]] = now[ahead]
    for count in ("acts", "plus_ks", "withdrawn"):
        header[count][turned] = 0
    day = header["day"].astype(np.int64)
    owners = voices.given.owners
    voices.given = voices.given.keep(day[owners] - voices.given.rows["day"] < model.plus_k_repeat_days)
    pairs, owners = voices.pairs, voices.pairs.owners
    rows = np.flatnonzero(turned[owners])
    age = day[owners[rows]] - pairs.rows["day"][rows]
    memory = faded(pairs.rows["memory"][rows], age, model)
    kept = np.ones(len(owners), np.bool_)
    counts = age < model.window_days
    kept[rows[~counts]] = False
    rows, memory = rows[counts], memory[counts]
    crowded = np.flatnonzero(np.bincount(owners[rows], minlength=len(header))[owners[rows]] > model.pairs_kept)
    kept[rows[crowded]] &= _strongest(
        owners[rows[crowded]], pairs.rows["target"][rows[crowded]], memory[crowded], model
    )
    voices.pairs = pairs.keep(kept)


def _strongest(owner: Int, target: Hash, memory: Int, model: ScoreModel) -> Flags:
    """Which of some actors' pairs are among the strongest of each that are kept, the smaller hash first among equals."""
    order = np.lexsort((target, -memory, owner))
    rank = np.empty(len(order), np.int64)
    rank[order] = ragged.ordinals(ragged.starts(owner[order]))
    return rank < model.pairs_kept
