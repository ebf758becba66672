"""A worker process that closes a day over a store filled by `histories`, or only iterates over it: says `done` and how long it took.

The close is the product's own, first and second pass. Only Kafka is not there: what is published goes nowhere, and the day is decided
here, by the product's own calibration.
"""

import asyncio
import json
import signal
import sys
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic, process_time
from typing import Any, cast

from rocksdict import Rdict, ReadOptions

from bench.histories import DAY
from laurel.agents.context import Context
from laurel.agents.day_close import DayClose
from laurel.agents.scaling import scaled
from laurel.models.networks import Networks
from laurel.models.parameters import V1
from laurel.streams import store as stores
from laurel.streams.calendar import requested
from laurel.streams.codec import Codec
from laurel.streams.days import Record
from laurel.streams.follower import CalendarFollower
from laurel.streams.log import KafkaLog
from laurel.streams.metrics import Metrics
from laurel.streams.outbox import Output
from laurel.streams.partition import Partition
from laurel.streams.settings import Settings
from laurel.streams.store import STATE, Store
from laurel.streams.writer import Transaction

THREADS = 4  # as the product's worker
CLOSED_DAYS = 60  # before the day: its calibration moves as it does in daily work


class Nowhere:
    """A writer, and its own transaction, whose records go nowhere; how long its transactions took, by the clock and in processor time of
    all threads, the score updates in them, and the newest report."""

    def __init__(self, settings: Settings) -> None:
        self.seconds: list[float] = []
        self.processor: list[float] = []
        self.scored = 0
        self.report = b""
        self._settings = settings

    def open(self) -> None:
        """See LogWriter."""

    def stop(self) -> None:
        """See LogWriter."""

    def transact(self, fill: Callable[[Transaction], None]) -> int:
        """See LogWriter."""
        began, worked = monotonic(), process_time()
        fill(self)
        self.seconds.append(monotonic() - began)
        self.processor.append(process_time() - worked)
        return -1

    def send(self, output: Output) -> None:
        """See Transaction."""
        if output.topic == self._settings.topic("score-updates"):
            self.scored += len(output.values)
        if output.topic == self._settings.topic("day-reports"):
            self.report = output.values[0] or b""

    def send_raw(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes | None]]
    ) -> None:
        """See Transaction."""

    def seal(self, topic: str, key: bytes, value: bytes, partition: int) -> None:
        """See Transaction."""


class Decided(CalendarFollower):
    """A calendar that decides a day from the one report there is."""

    def __init__(self, settings: Settings, codec: Codec, networks: Networks, writer: Nowhere) -> None:
        super().__init__(settings, codec)
        self._reports, self._networks, self._writer = codec, networks, writer
        self._before: Record | None = None
        self._decided: Record

    def day(self, day: int) -> Record | None:
        """See CalendarFollower."""
        return None

    def closed_before(self, day: int) -> Record | None:
        """See CalendarFollower."""
        return self._before

    async def wait(self, day: int, status: str) -> Record:
        """See CalendarFollower."""
        _, report = self._reports.decode_one(self._writer.report)
        found, names = scaled([report], self._before, V1, self._networks), self._networks.network_names
        self._decided = {
            **requested(day, V1.name),
            "status": "calibrated",
            "r0": found.calibration.r0,
            "bins": found.bins.tolist(),
            "reactions_per_post": [
                {"network": name, "mean": mean} for name, mean in zip(names, found.means, strict=True)
            ],
            "measured": [CLOSED_DAYS] * len(names),
            "closed_days": CLOSED_DAYS,
        }
        return self._decided

    async def wait_closed(self, day: int) -> Record:
        """See CalendarFollower."""
        self._before = self._decided
        return self._decided


async def close(folder: Path) -> dict[str, Any]:
    """Closes the day before, which nobody measures, and then DAY."""
    settings, codec, networks, metrics = Settings(), Codec(), Networks.load(), Metrics()
    writer = Nowhere(settings)
    calendar = Decided(settings, codec, networks, writer)
    log = KafkaLog("", settings.group)  # asked for nothing
    context = Context(settings, codec, networks, V1, metrics, log, calendar, partitions=1)
    store = Store(folder)
    with ThreadPoolExecutor(THREADS) as threads:
        partition = Partition(
            "targets",
            0,
            store,
            writer,
            changelog=settings.topic("targets-changelog"),
            dead_letters=settings.topic("dead-letters"),
            threads=threads,
            metrics=metrics,
            checkpoint_seconds=settings.checkpoint_seconds,
            checkpoint_rows=settings.checkpoint_rows,
        )
        for day in (DAY - 1, DAY):
            writer.seconds.clear()
            writer.processor.clear()
            writer.scored = 0
            await DayClose(context, partition, writer, V1, (), day, resumed=False).run()
    store.close()
    return {"seconds": writer.seconds, "processor": writer.processor, "scored": writer.scored}


def iterate(folder: Path) -> dict[str, Any]:
    """Goes over all states the fastest way that rocksdict has, keys and values as bytes, nothing done with them; after a first
    time that nobody measures."""
    database = Rdict(str(folder), stores.options())
    for _ in range(2):
        began, worked = monotonic(), process_time()
        options = ReadOptions()
        cast("Any", options).fill_cache(False)  # its stub forgot the argument
        options.set_iterate_upper_bound(bytes([STATE[0] + 1]))
        deque(database.items(from_key=STATE, read_opt=options), maxlen=0)
        seconds, processor = monotonic() - began, process_time() - worked
    database.close()
    return {"seconds": [seconds], "processor": [processor], "scored": 0}


def main() -> None:
    """What to do and the store's folder are the arguments. Waits to be told to end, so that its memory can be read."""
    what, folder = sys.argv[1], Path(sys.argv[2])
    found = iterate(folder) if what == "iterate" else asyncio.run(close(folder))
    print(f"done {json.dumps(found)}", flush=True)
    signal.sigwait({signal.SIGTERM})


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    main()
