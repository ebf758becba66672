"""Which events are repeats of one seen before, and which take one back.

The rows of one actor that speak of the same event id, each at most `events_seen` rows after the one before, form a
chain. Only the first row of a chain can count, and only its first retraction takes it back.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from laurel.models import ragged
from laurel.models.parameters import ScoreModel
from laurel.models.ragged import Ragged
from laurel.models.voice import (
    COUNTED,
    DUPLICATE,
    RETRACTED,
    RETRACTION,
    SEEN,
    UNMATCHED,
    Acts,
    Flags,
    Int,
    Weighed,
)


@dataclass(frozen=True)
class Chains:
    """For each of m acts: `fresh` where it counts unless a quota refuses it; `head` int64, the act that began its chain in
    this batch; `base` int64, the row of `seen` the chain goes on from, -1 for none; `taken` where the act is the chain's
    first retraction in this batch or comes after it."""

    fresh: Flags
    head: Int
    base: Int
    taken: Flags


def link(seen: Ragged, acts: Acts, model: ScoreModel) -> Chains:
    """Chains of the acts, going on from what was seen (SEEN, ragged over the actors)."""
    m, old = len(acts), len(seen.rows)
    retracts = acts.retracts != 0
    order = np.argsort(acts.owner, kind="stable")
    position = np.empty(m, np.int64)
    position[order] = ragged.ordinals(ragged.starts(acts.owner[order]))
    position += seen.lengths[acts.owner]
    owner = np.concatenate((seen.owners, acts.owner))
    event = np.concatenate((seen.rows["event"], np.where(retracts, acts.retracts, acts.event)))
    at = np.concatenate((np.arange(old) - seen.offsets[seen.owners], position))
    by_chain = np.lexsort((at, event, owner))
    is_act = by_chain >= old
    broken = ragged.starts(owner[by_chain], event[by_chain])
    broken[1:] |= np.diff(at[by_chain]) > model.events_seen
    # A chain's part within this batch begins at its first act, going on from the seen row just before it, if linked.
    begins = is_act & (broken | np.concatenate(([True], ~is_act[:-1]))[: len(is_act)])
    previous = np.concatenate(([-1], by_chain[:-1]))[: len(by_chain)]
    rows = by_chain[is_act] - old
    first = begins[is_act]
    heads = np.flatnonzero(first)
    size = np.diff(np.append(heads, len(rows)))
    head, base, taken = np.empty(m, np.int64), np.empty(m, np.int64), np.empty(m, np.bool_)
    head[rows] = np.repeat(rows[heads], size)
    base[rows] = np.repeat(np.where(broken, -1, previous)[is_act][heads], size)
    taken[rows] = ragged.running(retracts[rows].astype(np.int64), first) + retracts[rows] > 0
    fresh = (base < 0) & (head == np.arange(m)) & ~retracts
    return Chains(fresh, head, base, taken)


def settle(
    seen: Ragged,
    acts: Acts,
    chains: Chains,
    status: npt.NDArray[np.uint8],
    weight: Int,
    plus_k: Int,
    model: ScoreModel,
) -> tuple[Weighed, Ragged]:
    """What the acts add, retractions included, and what is seen after them.

    status, weight and plus_k are those of the fresh acts (uint8[m], int64[m] micro-points, int64[m] micro-+Ks).
    """
    retracts = acts.retracts != 0
    based = chains.base >= 0
    base = seen.rows[chains.base] if len(seen.rows) else np.zeros(len(acts), SEEN)
    head_status = np.where(retracts[chains.head], UNMATCHED, status[chains.head])
    source_status = np.where(based, base["status"], head_status)
    source_weight = np.where(based, base["weight"], weight[chains.head])
    source_plus_k = np.where(based, base["plus_k"], plus_k[chains.head])
    source_day = np.where(based, base["day"], acts.day[chains.head])
    first_retraction = retracts & chains.taken & ~_taken_before(chains, acts)
    effective = first_retraction & (source_status == COUNTED)
    outcome = np.where(chains.fresh, status, DUPLICATE)
    outcome = np.where(retracts, np.where(effective, RETRACTION, UNMATCHED), outcome).astype(np.uint8)
    counted = outcome == COUNTED
    sign = np.where(counted, 1, np.where(effective, -1, 0))
    weighed = Weighed(
        outcome, sign * source_weight, sign, sign * source_plus_k, np.where(effective, source_day, acts.day)
    )
    rows = np.empty(len(acts), SEEN)
    rows["event"] = np.where(retracts, acts.retracts, acts.event)
    rows["day"] = source_day
    rows["weight"] = source_weight
    rows["plus_k"] = source_plus_k
    rows["status"] = np.where(chains.taken, RETRACTED, source_status)
    after = ragged.append(seen, acts.owner, rows)
    age = np.repeat(after.offsets[1:], after.lengths) - np.arange(len(after.rows))
    return weighed, after.keep(age <= model.events_seen)


def _taken_before(chains: Chains, acts: Acts) -> Flags:
    """True where an earlier act of the same chain in this batch was a retraction."""
    before = np.zeros(len(acts), np.bool_)
    order = np.argsort(chains.head, kind="stable")  # acts of one chain stay in log order
    same = chains.head[order][1:] == chains.head[order][:-1]
    before[order[1:]] = same & chains.taken[order[:-1]]
    return before
