"""Sends fuzzed messages into every topic that the stages read, and holds what comes back against what was sent.

    python -m tests.fuzz --seed 1 --events 1000000

No message may stop a partition. What is refused must be in the dead letters once, byte for byte, and all else be counted: those
among the messages that are good exactly. Exit status 1 if any of that is not so.
"""

import argparse
import hashlib
import re
import sys
import tempfile
import time
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from laurel.models.refusals import REASONS
from laurel.streams.broker import EmbeddedBroker
from laurel.streams.letters import Letters, Selection
from laurel.streams.settings import load
from tests.fuzzed import BLOCK, PARTITIONS, TARGETS, TOPIC, Fuzzed, messages
from tests.integration.pipeline import WITHIN, Pipeline, Worker, eventually

# What of a run goes where, beside `engagements`: one part in so many, all of it to be refused.
STAGES = {"influence": 20, "topic-candidates": 40, "person-parts": 40, "day-reports": 40}
LOOKED_UP = {"profiles": 40, "account-scores": 40}  # read at a close, where no value means: forgotten
EVENTS_A_SECOND = 500  # at the very least, before a run is given up
DAYS = ("2024-05-01", "2024-05-02", "2024-05-03")


@dataclass(frozen=True)
class Outcome:
    """What became of a run. `memory` is the worker's largest resident size, bytes; `seconds` until all was applied."""

    sent: int
    refused: int
    counted: int
    good: int
    memory: int
    seconds: float


@dataclass
class Ledger:
    """What was sent, by number: a digest of it, where it went, and how often it came back."""

    digest: Any
    topic: Any
    returned: Any
    good: Any  # how many good ones are on each target

    @classmethod
    def of(cls, size: int) -> "Ledger":
        return cls(*(np.zeros(n, kind) for n, kind in ((size, "u8"), (size, "u1"), (size, "u1"), (TARGETS, "i8"))))


def fuzz(pipeline: Pipeline, worker: Worker, seed: int, events: int) -> Outcome:
    """Sends `events` messages to `engagements` and a part as many to other topics. AssertionError, with the seed, if anything is wrong."""
    try:
        return _fuzz(pipeline, worker, seed, events)
    except AssertionError as error:
        raise AssertionError(f"seed {seed}, {events} events: {error}") from error


def _fuzz(pipeline: Pipeline, worker: Worker, seed: int, events: int) -> Outcome:
    shares = {"engagements": events} | {
        topic: max(events // part // BLOCK, 1) * BLOCK for topic, part in (STAGES | LOOKED_UP).items()
    }
    names, total, at = list(shares), sum(shares.values()), 0
    ledger = Ledger.of(total)
    pipeline.close_day(DAYS[0])
    began = time.monotonic()
    dropped = 0
    for topic, share in shares.items():
        sent = messages(seed, at, at + share, good=topic == "engagements")
        ledger.topic[at : at + share] = names.index(topic)
        if topic in LOOKED_UP:  # Kafka itself refuses a record without a key there
            sent = (replace(message, key=message.key or b"") for message in sent)
        pipeline.produce(topic, _noted(sent, ledger))
        if topic in LOOKED_UP:
            dropped += sum(message.value is None for message in messages(seed, at, at + share, good=False))
        at += share
    through_stages = total - sum(shares[topic] for topic in LOOKED_UP)
    within = WITHIN + total / EVENTS_A_SECOND
    eventually(lambda: _applied(worker) >= through_stages, within, "every message applied")
    seconds = time.monotonic() - began
    for day in DAYS[1:]:
        pipeline.close_day(day, within)
    eventually(lambda: _applied(worker) >= total - dropped, within, "every message looked up")
    counted = int(worker.metric("laurel_events_weighed_total"))
    _hold(pipeline, ledger, names)
    refused = int(ledger.returned.sum())
    assert counted + refused + dropped == total, f"{counted} counted, {refused} refused, of {total}"
    _hold_good(pipeline, ledger)
    assert worker.alive
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{worker.process.pid}/status").read_text())
    assert peak is not None
    return Outcome(total, refused, counted, int(ledger.good.sum()), int(peak[1]) << 10, seconds)


def _applied(worker: Worker) -> float:
    assert worker.alive, worker.log.read_text()
    return worker.metric("laurel_events_weighed_total") + worker.metric("laurel_dead_letters_total")


def _noted(sent: Iterable[Fuzzed], ledger: Ledger) -> Iterator[tuple[bytes | None, bytes | None, Any]]:
    for message in sent:
        ledger.digest[message.number] = digest(message.key, message.value, message.headers)
        if message.counts >= 0:
            ledger.good[message.counts] += 1
        yield message.key, message.value, message.headers


def _hold(pipeline: Pipeline, ledger: Ledger, names: list[str]) -> None:
    """Every letter is one message as it was sent, once, from where it was sent to, and refused for a reason there is."""
    topics = [pipeline.settings.topic(name) for name in names]
    for letter in chain.from_iterable(Letters(pipeline.settings, pipeline.codec).among(Selection())):
        refused = letter.refused
        [number] = [int(value or b"-1") for name, value in refused.headers if name == "fuzz"]
        told = f"message {number}, letter {letter.id}"
        assert digest(refused.key, refused.value, refused.headers) == ledger.digest[number], f"{told}: other bytes"
        assert refused.topic == topics[ledger.topic[number]], f"{told}: from {refused.topic}"
        assert refused.reason in REASONS, f"{told}: {refused.reason}"
        ledger.returned[number] += 1
    assert ledger.returned.max() == 1, f"message {int(ledger.returned.argmax())} came back more than once"


def _hold_good(pipeline: Pipeline, ledger: Ledger) -> None:
    """What the good ones were on is as strong as there are good ones on it."""
    boards = [row for row in pipeline.records("leaderboards", "Leaderboard") if row["topic"] == TOPIC]
    [strength] = [
        {place["person"]: place["strength"] for place in board["influencers"]}
        for board in boards
        if board["day"] == 19_845
    ]
    assert set(strength) == {f"twitter:loved-{at}" for at in np.flatnonzero(ledger.good).tolist()}
    one = [strength[f"twitter:loved-{at}"] / count for at, count in enumerate(ledger.good.tolist()) if count]
    assert max(one) - min(one) < 1e-9 * max(one), f"a good event brought {min(one)} to {max(one)}"


def digest(key: bytes | None, value: bytes | None, headers: Iterable[tuple[str, bytes | None]]) -> int:
    """Eight bytes that tell one message from another."""
    whole = repr((key, value, [tuple(header) for header in headers])).encode()
    return int.from_bytes(hashlib.blake2b(whole, digest_size=8).digest(), "big")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--events", type=int, default=1_000_000, help=f"to `engagements`, a multiple of {BLOCK}")
    options = parser.parse_args()
    with EmbeddedBroker() as broker, tempfile.TemporaryDirectory(prefix="laurel-fuzz-") as folder:
        prefix = f"fuzz{uuid.uuid4().hex[:8]}."
        settings = load(bootstrap=broker.bootstrap, topic_prefix=prefix, partitions=PARTITIONS)
        with Pipeline(settings, Path(folder)) as pipeline:
            try:
                done = fuzz(pipeline, pipeline.start(), options.seed, options.events // BLOCK * BLOCK)
            except AssertionError as error:
                print(error, file=sys.stderr)
                return 1
    print(
        f"seed {options.seed}: {done.sent:,} messages in {done.seconds:.0f} s, {done.refused:,} of them dead letters as they "
        f"were sent, {done.counted:,} counted, {done.good:,} good ones exactly; the worker took {done.memory >> 20} MiB at most"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
