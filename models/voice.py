"""What is remembered of an account as an actor: its *voice*.

When it acted last, how much it acted that day, whom it acted on, which of its events were seen, which +Ks it gave, and
its own score as far as it was published. `models.weigh` turns a voice and its next engagements into weights.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from laurel.models.ragged import Ragged

Int = npt.NDArray[np.int64]
Hash = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]

# next_offset: source offsets before it are applied to this key. day: the actor's clock, days since 1970-01-01.
# acts, plus_ks: accepted reactions and +Ks since the clock's day began. score: published, in whole points, 0 before any.
HEADER = np.dtype([("next_offset", "<i8"), ("day", "<i4"), ("acts", "<u4"), ("plus_ks", "<u4"), ("score", "u1")])
# target: hash of an account acted on. memory: faded sum of what was done, micro-points as of `day`. Ordered by target.
PAIR = np.dtype([("target", "<u8"), ("day", "<i4"), ("memory", "<i8")])
# event: hash of an event id, newest last. The rest is what the event put into its target, and what became of it.
SEEN = np.dtype([("event", "<u8"), ("day", "<i4"), ("weight", "<i8"), ("plus_k", "<i4"), ("status", "u1")])
# pair: hash of a receiver and topic that got a +K on `day`.
GIVEN = np.dtype([("pair", "<u8"), ("day", "<i4")])

# What became of an act.
COUNTED, DUPLICATE, DAILY_LIMIT, PLUS_K_REPEAT, PLUS_K_QUOTA, RETRACTION, UNMATCHED, RETRACTED = range(8)


@dataclass
class Voices:
    """The voices of n actors: `header` is HEADER[n]; `pairs`, `seen` and `given` are ragged over the same actors."""

    header: npt.NDArray[np.void]
    pairs: Ragged
    seen: Ragged
    given: Ragged


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


@dataclass(frozen=True)
class Weighed:
    """What each of m acts adds to its target: `status` uint8 (COUNTED and RETRACTION do, the others add nothing).

    `weight` int64 micro-points, `count` int64, `plus_k` int64 micro-+Ks, all into the bucket of `day` int64: the act's
    own, or for a retraction the day of what it takes back.
    """

    status: npt.NDArray[np.uint8]
    weight: Int
    count: Int
    plus_k: Int
    day: Int
