"""Synthetic engagements: seeded, skewed as real ones are, and marked as synthetic in every `event_id`.

The same arguments give the same events; `count` events fill the days evenly and in time order.
"""

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from laurel.ingest import arrow
from laurel.ingest.arrow import Column, Ints, join
from laurel.ingest.errors import DataError
from laurel.ingest.ndjson_writer import lines
from laurel.ingest.records import SCHEMA

DAY = 86_400_000  # milliseconds
START = 19_723  # 2024-01-01 in days since 1970-01-01 UTC: long enough ago that its events aren't in the future
BLOCK = 50_000  # events made at a time
POSTS, PLUS_K, ANONYMOUS = 0.10, 0.01, 0.02  # shares of the events
TOPICS = 64
CONTENT = 16  # pieces of content a user
NETWORKS = {
    "twitter": ("retweet", "mention", "reply", "like"),
    "facebook": ("comment", "like", "share"),
    "youtube": ("comment", "like", "view"),
    "instagram": ("comment", "like", "mention"),
}

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Plan:
    """What to generate: `events` over `days` from day `start`, among `users` accounts; shares fall as rank**-skew."""

    events: int
    users: int
    skew: float
    days: int
    seed: int = 0
    start: int = START

    def __post_init__(self) -> None:
        for name, value, least in (("events", self.events, 0), ("users", self.users, 2), ("days", self.days, 1)):
            if value < least:
                raise DataError(f"--{name} {value}: at least {least}")
        if not 0 <= self.skew <= 5:
            raise DataError(f"--skew {self.skew}: from 0 (everybody alike) to 5")
        if self.seed < 0:
            raise DataError(f"--seed {self.seed}: at least 0")


def batches(plan: Plan) -> Iterator[pa.RecordBatch]:
    """The events in time order, columns of records.SCHEMA, at most BLOCK rows at a time."""
    shares = np.arange(1, plan.users + 1, dtype=np.float64) ** -plan.skew
    ranks = np.cumsum(shares) / shares.sum()
    actors = np.random.default_rng([plan.seed]).permutation(plan.users)  # the busiest aren't the most acted upon
    for start in range(0, plan.events, BLOCK):
        rng = np.random.default_rng([plan.seed, start // BLOCK + 1])
        numbers = np.arange(start, min(start + BLOCK, plan.events))
        yield _block(plan, numbers, ranks, actors, rng)


def write(plan: Plan, path: Path) -> Iterator[int]:
    """Writes the events to `path` as JSON lines (.gz: packed) and yields how many so far. Raises DataError."""
    try:
        with path.open("wb") as raw, _packed(raw, path) as sink:
            done = 0
            for batch in batches(plan):
                sink.write(lines(batch))
                done += batch.num_rows
                yield done
    except OSError as error:
        raise DataError(f"{path} can't be written: {error.strerror or error}") from None


def _packed(raw: IO[bytes], path: Path) -> IO[bytes]:
    if path.name.endswith(".gz"):  # no time and no name inside, so that the same events are the same file
        return cast("IO[bytes]", gzip.GzipFile("", "wb", 1, raw, 0))
    return raw


def _block(plan: Plan, numbers: Ints, ranks: Floats, actors: Ints, rng: np.random.Generator) -> pa.RecordBatch:
    count = len(numbers)
    networks = min(len(NETWORKS), plan.users // 2)  # user u is on network u % networks, so each has at least two
    target = np.minimum(np.searchsorted(ranks, rng.random(count)), plan.users - 1)
    drawn = actors[np.minimum(np.searchsorted(ranks, rng.random(count)), plan.users - 1)]
    actor = _same_network(drawn, target, networks, plan.users)
    kind = rng.random(count)
    post, plus_k = kind < POSTS, (kind >= POSTS) & (kind < POSTS + PLUS_K)
    anonymous = kind >= 1 - ANONYMOUS
    actor = np.where(post, target, actor)
    network = target % networks

    moment = plan.start * DAY + ((numbers + rng.random(count)) * (plan.days * DAY / plan.events)).astype(np.int64)
    topics = np.where(plus_k, 1, rng.integers(0, 3, count))
    accounts = arrow.pick(pa.array([f"{name}:u" for name in NETWORKS]), network)
    content = join(accounts, target, "/", rng.integers(0, CONTENT, count))
    actions = arrow.choose(post, "post", _actions(network, rng.random(count)))
    columns = {
        "event_id": join("synthetic:", numbers),
        "network": arrow.choose(plus_k, "laurel", arrow.pick(pa.array(list(NETWORKS)), network)),
        "action": arrow.choose(plus_k, "plus_k", actions),
        "actor": arrow.choose(anonymous, None, join(accounts, actor)),
        "target": join(accounts, target),
        "content_id": arrow.choose(plus_k, None, content),
        "topics": _topics(topics, target, rng),
        "text": arrow.repeated(None, count),
        "occurred_at": pa.array(moment),
        "private": arrow.repeated(False, count),
        "retracts": arrow.repeated(None, count),
    }
    return pa.RecordBatch.from_arrays([columns[name] for name in SCHEMA.names], schema=SCHEMA)


def _same_network(drawn: Ints, target: Ints, networks: int, users: int) -> Ints:
    """Moves each drawn user to the nearest one on the target's network, and away from the target."""
    actor = drawn - drawn % networks + target % networks
    actor = np.where(actor >= users, actor - networks, actor)
    beside = np.where(target + networks < users, target + networks, target - networks)
    return np.where(actor == target, beside, actor)


def _actions(network: Ints, chance: Floats) -> Column:
    names = [action for actions in NETWORKS.values() for action in actions]
    sizes = np.array([len(actions) for actions in NETWORKS.values()])
    begins = np.cumsum(sizes) - sizes
    return arrow.pick(pa.array(names), begins[network] + (chance * sizes[network]).astype(np.int64))


def _topics(counts: Ints, target: Ints, rng: np.random.Generator) -> Column:
    """`counts[i]` different topics for each event, near those its target is known for."""
    first = (target * 7 + np.minimum(rng.geometric(0.5, len(counts)), 8)) % TOPICS
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return arrow.lists(counts, join("topic-", (np.repeat(first, counts) + within) % TOPICS))
