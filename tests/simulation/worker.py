"""A simulated worker process: laurel's own runtime, stages and coordinator, on a log, stores and a calendar in memory."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from confluent_kafka import Message
from faust.types import TP

from laurel.agents import reports
from laurel.agents.context import Context
from laurel.agents.runtime import STAGES, Runtime
from laurel.models.catalogue import Catalogue, read
from laurel.models.networks import Networks
from laurel.models.parameters import V1
from laurel.streams.chunk import Chunk
from laurel.streams.codec import Codec
from laurel.streams.metrics import Metrics
from laurel.streams.settings import Settings
from laurel.streams.writer import FencedError, StoppedError
from tests.simulation.lockstep import Crashed, Loop, owner
from tests.simulation.memory_calendar import MemoryCalendar
from tests.simulation.memory_log import Broker, MemoryLog
from tests.simulation.memory_store import Disk, MemoryStore

BRISK = read("brisk", "[adding]\nhalf_life = 22\n[scale]\nprior = 30\n[calibration]\nfree_days = 0\n", "brisk", V1)
MODELS: Catalogue = {"v1": V1, "brisk": BRISK}
SOURCES = [stage.source for stage in STAGES]


@cache
def shared() -> tuple[Codec, Networks, Metrics]:
    """What takes long to make, and nothing of a simulation changes."""
    return Codec(), Networks.load(), Metrics()


def settings(checkpoint_rows: int) -> Settings:
    """Every chunk is applied at once; a checkpoint has about so many rows."""
    return Settings(checkpoint_rows=checkpoint_rows).model_copy(update={"checkpoint_seconds": 0.0})


@dataclass(frozen=True)
class Fetched:
    """A record as a consumer has it."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[Any, ...]
    serialized_key_size: int
    serialized_value_size: int


def fetched(message: Message) -> Fetched:
    """A consumer's view of a message."""
    key: Any = message.key()
    value: Any = message.value()
    return Fetched(
        message.topic() or "",
        message.partition() or 0,
        message.offset() or 0,
        message.timestamp()[1],
        key,
        value,
        tuple(message.headers() or ()),
        -1 if key is None else len(key),
        -1 if value is None else len(value),
    )


class Worker:
    """One worker process. `back` says how far behind a partition's watermark reading begins when it is opened."""

    def __init__(
        self,
        loop: Loop,
        number: int,
        broker: Broker,
        disks: dict[str, Disk],
        rows: int,
        unexpected: Callable[[BaseException], None],
        back: Callable[[int], int],
        log: MemoryLog | None = None,
        models: Catalogue = MODELS,
    ) -> None:
        self.number, self.alive = number, True
        self.assigned: set[int] = set()
        self._loop, self._broker, self._disks, self._unexpected, self._back = loop, broker, disks, unexpected, back
        self.log = log or MemoryLog(broker)
        codec, networks, metrics = shared()
        chosen = settings(rows)
        self.calendar = MemoryCalendar(chosen, codec, broker)
        partitions = broker.topics[SOURCES[0]]
        context = Context(chosen, codec, networks, V1, metrics, self.log, self.calendar, partitions, models)
        self.runtime = Runtime(context, self._failed, self._open_store)
        self._stores: list[tuple[MemoryStore, Disk]] = []
        self._positions: dict[TP, int] = {}
        self._generation = 0
        self._queues: dict[str, deque[Chunk]] = defaultdict(deque)
        self._fed: dict[str, asyncio.Event] = {topic: asyncio.Event() for topic in self.runtime.topics}
        self._moving = asyncio.Lock()
        self._asked = False  # for a rebalance that has not begun
        self._calendar_read = self._run(self.calendar.start())
        for topic in self.runtime.topics:
            self._run(self._agent(topic))

    def __repr__(self) -> str:
        return f"worker {self.number}"

    # What the group tells it.

    def rebalance(self, after: asyncio.Event | None = None) -> asyncio.Event:
        """Lets everything go and opens what is assigned to it by then, `after` somebody else has let that go.

        What is returned is set when it has let go.
        """
        gone = asyncio.Event()
        moving = self._run(self._rebalance(gone, after))
        moving.add_done_callback(lambda _: gone.set())  # also when it crashed before that
        return gone

    async def _rebalance(self, gone: asyncio.Event, after: asyncio.Event | None) -> None:
        await self._calendar_read
        async with self._moving:
            self._asked = False
            try:
                self._generation += 1
                self._positions.clear()
                await self.runtime.release(self._places(range(self._broker.topics[SOURCES[0]])))
                gone.set()
                if after is not None:
                    await after.wait()
                await self.runtime.open(self._places(self.assigned))
                self._positions = {}
                for tp in self._places(range(self._broker.topics[SOURCES[0]])):
                    if (watermark := self.runtime.watermark(tp)) is not None and self.runtime.accepts(tp):
                        self._positions[tp] = self._back(watermark)
            except asyncio.CancelledError:
                raise
            except BaseException as error:
                await self._failed(error)

    def _places(self, numbers: Iterable[int]) -> list[TP]:
        """Equal-numbered partitions are assigned together."""
        places = [TP(topic, number) for number in numbers for topic in SOURCES]
        return places + [TP(reports.SOURCE, 0)] * (0 in numbers)

    # What it fetches.

    @property
    def waiting(self) -> list[TP]:
        """Of which partitions there is something to fetch."""
        return [
            tp
            for tp, position in self._positions.items()
            if self.runtime.accepts(tp) and self._broker.messages(tp, position, 1 << 60, 1)
        ]

    def fetch(self, tp: TP, records: int) -> None:
        """A chunk of at most so many records arrives."""
        messages = self._broker.messages(tp, self._positions[tp], 1 << 60, records)
        chunk = Chunk(tp.topic, tp.partition, [fetched(message) for message in messages], self._generation)
        self._positions[tp] = chunk.last_offset + 1
        self.runtime.coming(chunk)
        self._queues[tp.topic].append(chunk)
        self._fed[tp.topic].set()

    def again(self, tp: TP, records: int) -> None:
        """Records are fetched a second time."""
        self._positions[tp] = max(self._positions[tp] - records, 0)

    def commit(self) -> None:
        """It tells the group how far it is with what is assigned to it."""
        for tp in self._positions:
            if tp.partition in self.assigned and (watermark := self.runtime.watermark(tp)) is not None:
                self._broker.committed[tp.topic, tp.partition] = watermark

    @property
    def places(self) -> list[TP]:
        """What it reads."""
        return list(self._positions)

    async def _agent(self, topic: str) -> None:
        while True:
            while not self._queues[topic]:
                self._fed[topic].clear()
                await self._fed[topic].wait()
            chunk = self._queues[topic].popleft()
            if chunk.generation != self._generation:
                continue
            try:
                await self.runtime.take(chunk)
            except asyncio.CancelledError:
                raise
            except BaseException as error:
                await self._failed(error)

    # What happens to it.

    def crash(self, survives: Callable[[int], int]) -> None:
        """It is no more. Of each disk's recent writes so many are there afterwards as `survives` says."""
        self.alive = False
        self.log.cut()
        for store, disk in self._stores:
            store.cut()
            if disk.open:
                disk.crash(survives(len(disk.recent)))
        self._loop.kill(self)
        self._loop.cancel(self)

    def stores(self) -> dict[str, MemoryStore]:
        """The stores that are open, by stage and partition."""
        return {store.path.name: store for store, _ in self._stores if store.is_open}

    def _open_store(self, path: Path, _home: object) -> Any:
        disk = self._disks.setdefault(path.name, Disk())
        store = MemoryStore(path, disk)
        self._stores = [(other, its) for other, its in self._stores if other.is_open] + [(store, disk)]
        return store

    async def _failed(self, error: BaseException) -> None:
        if not self.alive or isinstance(error, Crashed | StoppedError):
            return
        if isinstance(error, FencedError):
            if not self._asked:
                self._asked = True
                self.rebalance()
            return
        self._unexpected(error)

    def _run(self, work: Any) -> asyncio.Task[None]:
        token = owner.set(self)
        try:
            return self._loop.create_task(work)
        finally:
            owner.reset(token)
