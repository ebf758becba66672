"""Where an actor's older acts are: in blocks that lie beside its voice and are read only when they may be asked for.

A voice holds its newest acts itself. When there are many, all but the last few move into a block, which the voice
remembers by its number, its days and its size. A block is needed again for an engagement of one of its days, which may
have come before, and all of them are for a retraction of what the voice itself does not know.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from laurel.models import ragged
from laurel.models.parameters import ScoreModel
from laurel.models.ragged import Ragged
from laurel.models.repeats import is_known
from laurel.models.voice import ACT, BLOCK, Acts, Int, Voices

RECENT_MOST = 192  # acts a voice holds itself between calls
RECENT_KEPT = 32  # acts that stay with it when the others move into a block
BLOCK_ACTS = 2_048  # in one block at most
BLOCKS_KEPT = 1_024  # of one actor; beyond it the oldest are dropped, with more than 160,000 acts left


@dataclass(frozen=True)
class Blocks:
    """Some blocks: `owner` int64[k] of each, its `number` int64[k]."""

    owner: Int
    number: Int

    def __len__(self) -> int:
        return len(self.owner)


@dataclass(frozen=True)
class Spilled:
    """What moving older acts away comes to: the `voices` after it, the new blocks and their acts (ragged over the blocks),
    and the blocks that are not needed any more."""

    voices: Voices
    blocks: Blocks
    acts: Ragged
    dropped: Blocks


def needed(voices: Voices, acts: Acts) -> Blocks:
    """The blocks that must be fetched before the acts are weighed, by owner and number."""
    index = voices.blocks
    rows = np.flatnonzero(index.lengths[acts.owner])
    if not len(rows):
        return _blocks(voices, np.zeros(len(index.rows), np.bool_))
    newest = np.full(len(voices.header), -1, np.int64)
    np.maximum.at(newest, index.owners, index.rows["newest"].astype(np.int64))
    retracts = acts.retracts[rows] != 0
    back, events = rows[retracts], rows[~retracts]
    wanted = np.zeros(len(index.rows), np.bool_)

    events = events[acts.day[events] <= newest[acts.owner[events]]]
    events = events[~is_known(voices.recent, np.arange(len(voices.recent.rows)), acts.take(events))]
    pairs = np.unique(np.stack((acts.owner[events], acts.day[events])), axis=1)
    for owner, day in pairs.T.tolist():
        begin, end = index.offsets[owner : owner + 2]
        some = index.rows[begin:end]
        wanted[begin:end] |= (some["oldest"] <= day) & (day <= some["newest"])

    if len(back):
        recent = voices.recent
        known = ragged.latest(recent.owners, recent.rows["event"], acts.owner[back], acts.retracts[back]) >= 0
        new = np.flatnonzero((acts.retracts == 0) & (acts.day > newest[acts.owner]))
        known |= _before(acts, new, back)
        lost = np.zeros(len(voices.header), np.bool_)
        lost[acts.owner[back[~known]]] = True
        wanted |= lost[index.owners]
    return _blocks(voices, wanted)


def _before(acts: Acts, events: Int, retractions: Int) -> npt.NDArray[np.bool_]:
    """Which retractions (int64[k], into the acts) come after one of the `events` (int64[m]) of the name they take back."""
    rows = events[::-1]  # so that the last one found is the first to come
    found = ragged.latest(acts.owner[rows], acts.event[rows], acts.owner[retractions], acts.retracts[retractions])
    come = np.zeros(len(retractions), np.bool_)
    some = found >= 0
    come[some] = rows[found[some]] < retractions[some]
    return come


def _blocks(voices: Voices, wanted: npt.NDArray[np.bool_]) -> Blocks:
    index = voices.blocks
    owner = index.owners
    number = voices.header["first_block"][owner].astype(np.int64) + np.arange(len(owner)) - index.offsets[owner]
    return Blocks(owner[wanted], number[wanted])


def fetched(voices: Voices, blocks: Blocks, acts: Ragged) -> Voices:
    """The voices with what blocks hold (ACT, ragged over the blocks), as `needed` named them."""
    past = ragged.from_owners(np.repeat(blocks.owner, acts.lengths), acts.rows, len(voices.header))
    return replace(voices, past=past)


def changed(blocks: Blocks, before: Ragged, voices: Voices) -> tuple[Blocks, Ragged]:
    """The fetched blocks that weighing changed, and their acts now; `before` are those that were fetched."""
    block = before.owners
    now = Ragged(before.offsets, voices.past.rows)
    touched = np.unique(block[before.rows != now.rows])
    return Blocks(blocks.owner[touched], blocks.number[touched]), now.take(touched)


def spill(voices: Voices, model: ScoreModel, most: int = RECENT_MOST, kept: int = RECENT_KEPT) -> Spilled:
    """Moves the acts of voices that hold more than `most`, but for the last `kept`, into blocks, and drops what is too old."""
    recent, header = voices.recent, voices.header.copy()
    size = recent.lengths
    moving = np.where(size > most, size - kept, 0)
    place = np.arange(len(recent.rows)) - recent.offsets[recent.owners]
    moves = place < moving[recent.owners]
    owner, rows = recent.owners[moves], recent.rows[moves]
    first = ragged.starts(owner, place[moves] // BLOCK_ACTS)
    cut = Ragged(np.append(np.flatnonzero(first), len(rows)), rows)
    index = np.empty(int(first.sum()), BLOCK)
    index["acts"] = cut.lengths
    if len(index):
        index["oldest"] = np.minimum.reduceat(rows["day"], cut.offsets[:-1])
        index["newest"] = np.maximum.reduceat(rows["day"], cut.offsets[:-1])
    blocks = voices.blocks
    count = blocks.lengths
    number = header["first_block"][owner[first]].astype(np.int64) + count[owner[first]]
    number += ragged.ordinals(ragged.starts(owner[first]))
    blocks = ragged.append(blocks, owner[first], index)

    # Only the oldest ones go, so that whatever came after an act that can be taken back is still there.
    owners = blocks.owners
    horizon = header["newest"][owners].astype(np.int64) - model.remembered_days
    age = np.repeat(blocks.offsets[1:], blocks.lengths) - np.arange(len(owners))
    spilled = np.zeros(len(header), np.bool_)
    spilled[owner] = True
    gone = (blocks.rows["newest"] <= horizon) | (age > BLOCKS_KEPT)
    gone &= ragged.running((~gone).astype(np.int64), ragged.starts(owners)) == 0
    gone &= spilled[owners]
    past = ragged.empty(len(header), ACT)
    after = replace(voices, header=header, recent=recent.keep(~moves), blocks=blocks, past=past)
    dropped = _blocks(after, gone)
    np.add.at(header["first_block"], dropped.owner, 1)
    after.blocks = blocks.keep(~gone)
    return Spilled(after, Blocks(owner[first], number), cut, dropped)
