"""What is remembered of an account as an actor: its *voice*.

When it acted last, how much it acted that day, whom it acted on, what it did and what became of that, which +Ks it gave,
and its own score as far as it was published. `models.weigh` turns a voice and its next engagements into weights.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from laurel.models import ragged
from laurel.models.counted_once import stays
from laurel.models.memory import untold
from laurel.models.ragged import Ragged

Int = npt.NDArray[np.int64]
Hash = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]

# day: the actor's clock, days since 1970-01-01. first: the first day it showed, 0 if that isn't known.
# acts, plus_ks: accepted reactions and +Ks since the clock's day began, without those taken back; withdrawn: reactions
# among these that were. newest: newest day of any act remembered, anonymous ones too. first_block: number of the oldest
# block kept. score: whole points that the published score is above the base, 0 before any.
HEADER = np.dtype(
    [
        ("day", "<i4"),
        ("first", "<i4"),
        ("acts", "<u4"),
        ("plus_ks", "<u4"),
        ("withdrawn", "<u4"),
        ("newest", "<i4"),
        ("first_block", "<u4"),
        ("score", "u1"),
    ]
)
# target: hash of an account acted on. day: the actor's clock at the last act on it. memory: faded sum of what was done,
# micro-points as of `day`. points: the actor's own at that act, UNTOLD if the target was not told that it reached the actor. acts:
# how often the actor acted on it since the pair began, MOST_ACTS at most.
PAIR = np.dtype([("target", "<u8"), ("day", "<i4"), ("memory", "<i8"), ("points", "u1"), ("acts", "<u2")])
# One act, oldest first. event: hash of what it is known by. day: its own. now: the actor's clock then. kind, status: what
# it is and what became of it. weight: micro-points put into its target. other: a reaction's target, a +K's hash in GIVEN.
# points: the actor's own at a reaction. used: micro-points a reaction added to its pair's memory, which was `memory` as of
# the day `since` before it, when the actor had `points_before` and had acted `acts_before` times; `since` is NEW if there was no such
# pair.
ACT = np.dtype(
    [
        ("event", "<u8"),
        ("other", "<u8"),
        ("memory", "<i8"),
        ("since", "<i4"),
        ("used", "<u4"),
        ("weight", "<u4"),
        ("day", "<i4"),
        ("now", "<i4"),
        ("kind", "u1"),
        ("status", "u1"),
        ("points", "u1"),
        ("points_before", "u1"),
        ("acts_before", "<u2"),
    ]
)
# pair: hash of a receiver and topic that got a +K on `day`.
GIVEN = np.dtype([("pair", "<u8"), ("day", "<i4")])
# A block of older acts that is kept elsewhere: its oldest and newest day, and how many acts it holds.
BLOCK = np.dtype([("oldest", "<i4"), ("newest", "<i4"), ("acts", "<u4")])
# event: hash of what a retraction takes back that has not come yet.
AWAITED = np.dtype([("event", "<u8")])

ANONYMOUS = 255  # as the kind of an ACT whose actor is not named
NEW = -1  # as the day since which a pair is remembered: it was not

# What became of an act. A retraction takes something back (RETRACTION), waits for what it takes back (WAITING), or has
# nothing to take back any more (UNMATCHED); an engagement that a retraction waited for is WITHDRAWN. RETRACTED is the
# status of an ACT that was taken back.
(
    COUNTED,
    DUPLICATE,
    DAILY_LIMIT,
    PLUS_K_REPEAT,
    PLUS_K_QUOTA,
    RETRACTION,
    UNMATCHED,
    RETRACTED,
    WAITING,
    WITHDRAWN,
) = range(10)


@dataclass
class Voices:
    """The voices of n actors: `header` is HEADER[n], the rest is ragged over the same actors.

    `recent` ACT rows are the newest acts, `blocks` says where the older ones are, and `past` holds those of them that were
    fetched (by `models.archive`), all in log order.
    """

    header: npt.NDArray[np.void]
    pairs: Ragged
    recent: Ragged
    given: Ragged
    blocks: Ragged
    awaited: Ragged
    past: Ragged

    def take(self, actors: Int) -> "Voices":
        """Only some actors (int64[k]), in the order given."""
        rest = (getattr(self, field.name).take(actors) for field in fields(self)[1:])
        return Voices(self.header[actors], *rest)


def blank(actors: int) -> Voices:
    """Voices of actors never heard."""
    kinds = (PAIR, ACT, GIVEN, BLOCK, AWAITED, ACT)
    return Voices(np.zeros(actors, HEADER), *(ragged.empty(actors, kind) for kind in kinds))


def join(parts: Sequence[Voices]) -> Voices:
    """The actors of all parts, one part after the other."""
    columns = ([getattr(part, field.name) for part in parts] for field in fields(Voices)[1:])
    return Voices(np.concatenate([part.header for part in parts]), *map(ragged.join, columns))


@dataclass(frozen=True)
class Acts:
    """m engagements in log order: `owner` indexes the voices, strings come as 64-bit hashes.

    `day` int64 (days since 1970-01-01), `kind` REACTION, POST or PLUS_K, `action_weight` int64 micro-points,
    `anonymous` where no actor is named (the owner is then the target's account), `topic` the hash of a +K's topic,
    `retracts` the hash of the event taken back, 0 for none.
    """

    owner: Int
    event: Hash
    target: Hash
    topic: Hash
    day: Int
    kind: Int
    action_weight: Int
    anonymous: Flags
    retracts: Hash

    def __len__(self) -> int:
        return len(self.owner)

    def take(self, rows: Int) -> "Acts":
        """Only some acts (int64[k]), in the order given."""
        return Acts(*(getattr(self, field.name)[rows] for field in fields(self)))


@dataclass(frozen=True)
class Weighed:
    """What each of m acts adds to its target: `status` uint8 (COUNTED and RETRACTION do, the others add nothing).

    `weight` int64 micro-points, `count` int64, `plus_k` int64 micro-+Ks, all into the bucket of `day` int64: the act's
    own, or for a retraction the day of what it takes back. `move` (MOVE) is how its actor counts for the target's reach, `pair`
    (TOLD) what the actor remembers of having acted on it.
    """

    status: npt.NDArray[np.uint8]
    weight: Int
    count: Int
    plus_k: Int
    day: Int
    move: npt.NDArray[np.void]
    pair: npt.NDArray[np.void]

    def put(self, rows: Int, part: "Weighed") -> None:
        """Sets some acts (int64[k]) to those of `part`."""
        for field in fields(self):
            getattr(self, field.name)[rows] = getattr(part, field.name)


def unweighed(acts: Acts, status: npt.NDArray[np.uint8]) -> Weighed:
    """Acts that add nothing, to be filled in."""
    weight, count, plus_k = np.zeros((3, len(acts)), np.int64)
    return Weighed(status, weight, count, plus_k, acts.day.copy(), stays(len(acts)), untold(len(acts)))
