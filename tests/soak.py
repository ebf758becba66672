"""Kills workers while days are replayed, for as long as asked, and holds what was published against the oracle.

    python -m tests.soak --seed 1 --kills 10 --minutes 3

The seed decides when who is killed and whose state is wiped. Exit status 1 if anything published is wrong.
"""

import argparse
import random
import shutil
import sys
import tempfile
import threading
import time
import uuid
from pathlib import Path

from laurel.ingest.replay import replay
from laurel.streams.broker import EmbeddedBroker
from laurel.streams.settings import load
from tests.integration.comparison import assert_same
from tests.integration.days import DATA, LARGEST, WORKER, file_of, oracle
from tests.integration.pipeline import Pipeline

WORKERS = 2
PARTITIONS = 4


class Trouble(threading.Thread):
    """Kills one worker after another, sometimes with its state, and starts it again."""

    def __init__(self, pipeline: Pipeline, chance: random.Random, kills: int, seconds: float) -> None:
        super().__init__(name="trouble")
        self._pipeline, self._chance = pipeline, chance
        self._moments = sorted(chance.uniform(0, seconds) for _ in range(kills))
        self._over = threading.Event()
        self._newest = list(range(WORKERS))  # the process last started with each number
        self.kills = self.wiped = 0

    def run(self) -> None:
        began = time.monotonic()
        for moment in self._moments:
            if self._over.wait(max(0.0, began + moment - time.monotonic())):
                return
            number = self._chance.randrange(WORKERS)
            self._pipeline.workers[self._newest[number]].kill()
            self.kills += 1
            if self._chance.random() < 0.3:
                shutil.rmtree(self._pipeline.state(number), ignore_errors=True)
                self.wiped += 1
            self._newest[number] = len(self._pipeline.workers)
            self._pipeline.start(number, **WORKER)

    def end(self) -> None:
        self._over.set()
        self.join()


def round_of(name: str, broker: str, seed: int, kills: int, seconds: float, folder: Path) -> Trouble:
    """One data set replayed under trouble and compared; AssertionError if anything published is wrong."""
    settings = load(bootstrap=broker, topic_prefix=f"soak{uuid.uuid4().hex[:8]}.", partitions=PARTITIONS)
    with Pipeline(settings, folder) as pipeline:
        for number in range(WORKERS):
            pipeline.start(number, **WORKER)
        trouble = Trouble(pipeline, random.Random(seed), kills, seconds)
        trouble.start()
        try:
            replay([file_of(name, folder)], settings, close=True)
        finally:
            trouble.end()
        assert_same(pipeline, oracle(name))
    return trouble


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=int, default=10, help="in a round, at most, within its first minute")
    parser.add_argument("--minutes", type=float, default=3)
    options = parser.parse_args()
    until = time.monotonic() + options.minutes * 60
    rounds = kills = wiped = 0
    with EmbeddedBroker() as broker:
        while time.monotonic() < until:
            seed = options.seed + rounds
            with tempfile.TemporaryDirectory(prefix="laurel-soak-") as folder:
                try:
                    done = round_of(LARGEST, broker.bootstrap, seed, options.kills, 60, Path(folder))
                except AssertionError as error:
                    print(f"seed {seed}: what was published is wrong: {error}", file=sys.stderr)
                    return 1
            rounds, kills, wiped = rounds + 1, kills + done.kills, wiped + done.wiped
            print(
                f"seed {seed}: {done.kills} kills, {done.wiped} with the state lost, {LARGEST} as the oracle says",
                flush=True,
            )
    print(f"{rounds} rounds over {DATA[LARGEST].rows} rows, {kills} kills, {wiped} states lost, nothing wrong")
    return 0


if __name__ == "__main__":
    sys.exit(main())
