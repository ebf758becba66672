"""What is streamed: seeded engagements of accounts chosen with or without skew, and the sums they come to."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from laurel.ingest import arrow
from laurel.ingest.arrow import join
from laurel.ingest.records import SCHEMA

HALF_LIFE = 7 * 86_400_000  # milliseconds
START = 1_704_067_200_000  # 2024-01-01 UTC
LENGTH = 30 * 86_400_000  # milliseconds from the first event to the last
BLOCK = 50_000  # events made at a time
TOPICS = 64

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Workload:
    """`events` engagements of `users` accounts, whose shares fall as rank**-skew (0: all alike). The seed is fixed."""

    name: str
    users: int
    skew: float
    events: int

    def first(self, events: int) -> "Workload":
        """The same events, only so many of them."""
        return Workload(self.name, self.users, self.skew, events)

    @cached_property
    def actors(self) -> Ints:
        """Number of the account that acts, int64[events]; the same for any number of events."""
        chance = np.random.default_rng(1).random(self.events)
        if self.skew == 0:
            return (chance * self.users).astype(np.int64)
        shares = np.cumsum(np.arange(1, self.users + 1, dtype=np.float64) ** -self.skew)
        ranks = np.minimum(np.searchsorted(shares / shares[-1], chance), self.users - 1)
        return np.random.default_rng(2).permutation(self.users)[ranks]

    @property
    def moments(self) -> Ints:
        """When each event occurs, milliseconds, int64[events], ascending."""
        return START + np.arange(self.events) * (LENGTH // 1_000_000)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The engagements in order, columns of records.SCHEMA."""
        targets = np.random.default_rng(3).integers(1, self.users, self.events)
        for start in range(0, self.events, BLOCK):
            numbers = np.arange(start, min(start + BLOCK, self.events))
            count, actor = len(numbers), self.actors[numbers]
            target = (actor + targets[numbers]) % self.users
            columns = {
                "event_id": join("bench:", numbers),
                "network": arrow.repeated("twitter", count),
                "action": arrow.repeated("retweet", count),
                "actor": join("twitter:u", actor),
                "target": join("twitter:u", target),
                "content_id": join("twitter:u", target, "/", numbers % 16),
                "topics": arrow.lists(np.ones(count, np.int64), join("topic-", target % TOPICS)),
                "text": arrow.repeated(None, count),
                "occurred_at": pa.array(self.moments[numbers]),
                "private": arrow.repeated(False, count),
                "retracts": arrow.repeated(None, count),
            }
            yield pa.RecordBatch.from_arrays([columns[name] for name in SCHEMA.names], schema=SCHEMA)

    def expected(self) -> dict[str, float]:
        """What every account's decayed sum must come to, as of its newest event."""
        newest = np.zeros(self.users, np.int64)
        np.maximum.at(newest, self.actors, self.moments)
        left = 2.0 ** ((self.moments - newest[self.actors]) / HALF_LIFE)
        sums = np.bincount(self.actors, left, self.users)
        seen = np.flatnonzero(newest)
        return {f"twitter:u{user}": total for user, total in zip(seen.tolist(), sums[seen].tolist(), strict=True)}
