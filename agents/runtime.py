"""A worker's stages: which partitions it holds, how they are opened, and how they are let go."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from faust.types import TP
from rocksdict import DbClosedError

from laurel.agents import actors, leaders, persons, reports, targets
from laurel.agents.context import Context
from laurel.agents.coordinator import Coordinator
from laurel.models.refusals import REASONS, UNREADABLE
from laurel.streams.chunk import Chunk
from laurel.streams.homes import at_home, open_at_home
from laurel.streams.partition import Keeper, Partition
from laurel.streams.restore import restore
from laurel.streams.store import Home, Store
from laurel.streams.store_errors import free_bytes

log = logging.getLogger(__name__)

THREADS = 4  # for decoding, applying and waiting on Kafka beside the event loop


@dataclass(frozen=True)
class Stage:
    """What one keyed stage is made of."""

    name: str
    source: str
    keeper: Callable[[Context, Partition], Keeper]
    reasons: tuple[str, ...]  # for which it refuses records

    @property
    def changelog(self) -> str:
        """Plain name of the stage's changelog topic."""
        return f"changelog-{self.name}"


STAGES = (
    Stage(actors.STAGE, actors.SOURCE, actors.Actors, tuple(REASONS)),
    Stage(targets.STAGE, targets.SOURCE, targets.Targets, targets.REFUSES),
    Stage(persons.STAGE, persons.SOURCE, persons.Persons, UNREADABLE),
    Stage(leaders.STAGE, leaders.SOURCE, leaders.Leaders, UNREADABLE),
)


class Runtime:
    """The partitions a worker process holds. It is the `Owner` that the transport asks what to fetch and to commit."""

    def __init__(
        self,
        context: Context,
        failed: Callable[[BaseException], Coroutine[Any, Any, None]],
        open_store: Callable[[Path, Home], Store] = open_at_home,
    ) -> None:
        self._context, self.failed, self._open_store = context, failed, open_store
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="laurel")
        self._partitions: dict[TP, Partition] = {}
        self._coordinator: Coordinator | None = None
        self._let_go: dict[TP, int] = {}  # watermarks of what was just released, for the commit that follows
        self._moving = asyncio.Lock()  # partitions are opened or let go, never both at once: groups change their mind
        self._stages = {context.topic(stage.source): stage for stage in STAGES}
        self._reports = context.topic(reports.SOURCE)

    @property
    def topics(self) -> list[str]:
        """All source topics."""
        return [*self._stages, self._reports]

    @property
    def coordinates(self) -> bool:
        """Whether this worker brings the closes of days together; one of a group does."""
        return self._coordinator is not None

    def accepts(self, tp: TP) -> bool:
        """Whether more of the partition may be fetched: it is open, and what waits is within its share."""
        if tp.topic == self._reports:
            return self._coordinator is not None
        held = self._partitions.get(tp)
        share = self._context.settings.backlog_bytes // max(len(self._partitions), 1)
        return held is not None and held.waiting_bytes < share

    def coming(self, chunk: Chunk) -> None:
        """A chunk is on its way to its partition."""
        held = self._partitions.get(TP(chunk.topic, chunk.partition))
        if held is not None:
            held.expect(chunk)

    def watermark(self, tp: TP) -> int | None:
        """The next offset to read after a crash."""
        if tp.topic == self._reports:
            return self._coordinator.taken + 1 if self._coordinator is not None else None
        held = self._partitions.get(tp)
        return held.store.mark.source + 1 if held is not None else self._let_go.get(tp)

    async def take(self, chunk: Chunk) -> None:
        """A chunk arrived."""
        if chunk.topic == self._reports:
            if self._coordinator is not None:
                await self._coordinator.take(chunk)
            return
        held = self._partitions.get(TP(chunk.topic, chunk.partition))
        if held is not None:
            await held.take(chunk)

    async def open(self, assigned: Iterable[TP]) -> None:
        """Opens, restores and starts what was assigned and is not open yet."""
        async with self._moving:
            wanted = [tp for tp in sorted(assigned) if tp.topic in self._stages and tp not in self._partitions]
            self._let_go.clear()
            homes = {
                topic: await asyncio.to_thread(self._home, self._stages[topic]) for topic in {tp.topic for tp in wanted}
            }
            opened = await asyncio.gather(
                *(self._open(self._stages[tp.topic], tp.partition, homes[tp.topic]) for tp in wanted)
            )
            for tp, partition in zip(wanted, opened, strict=True):
                self._partitions[tp] = partition
                await partition.start(self.failed)
            if TP(self._reports, 0) in assigned and self._coordinator is None:
                found = Coordinator(self._context)
                await found.start()
                self._coordinator = found

    async def _open(self, stage: Stage, number: int, home: Home) -> Partition:
        context, settings = self._context, self._context.settings
        folder = settings.state / f"{settings.topic_prefix}{settings.group}" / f"{stage.name}-{number}"
        loop = asyncio.get_running_loop()
        context.metrics.expect(stage.name, stage.reasons)

        writer = context.log.writer(f"{stage.name}-{number}")

        def opened() -> Store:
            writer.open()  # from now on no earlier owner can add to the changelog
            store, began = self._open_store(folder, home), monotonic()
            if store.begun_anew:
                context.metrics.begun_anew(stage.name, store.begun_anew)
            told = lambda applied, left: context.metrics.restoring(stage.name, number, applied, left)  # noqa: E731 (a partial can't name its arguments)
            records = restore(store, context.log, context.topic(stage.changelog), number, told)
            at_home(store, home)
            if records:
                log.info("%s/%d: restored %d records in %.1f s", stage.name, number, records, monotonic() - began)
            return store

        partition = Partition(
            stage.name,
            number,
            await loop.run_in_executor(self._threads, opened),
            writer,
            changelog=context.topic(stage.changelog),
            dead_letters=context.topic("dead-letters"),
            threads=self._threads,
            metrics=context.metrics,
            checkpoint_seconds=settings.checkpoint_seconds,
            checkpoint_rows=settings.checkpoint_rows,
        )
        partition.keeper = stage.keeper(context, partition)
        return partition

    def _home(self, stage: Stage) -> Home:
        """Whose state a store of a stage is: offsets mean nothing in another cluster, or in a topic made anew."""
        context = self._context
        ids = context.log.identities(context.topic(stage.source), context.topic(stage.changelog))
        return {"cluster": ids[0], "source": ids[1], "changelog": ids[2], "partitions": context.partitions}

    async def release(self, revoked: Iterable[TP]) -> None:
        """Lets partitions go: what is under way is finished, what waits is forgotten, stores are closed."""
        async with self._moving:
            gone = {tp: self._partitions.pop(tp) for tp in revoked if tp in self._partitions}
            if TP(self._reports, 0) in revoked and self._coordinator is not None:
                self._coordinator.stop()
                self._coordinator = None
            await asyncio.gather(*(partition.stop() for partition in gone.values()))
        for tp, partition in gone.items():
            self._let_go[tp] = partition.store.mark.source + 1
            self._context.metrics.forget(partition.stage, tp.topic, partition.number)

    async def close(self) -> None:
        """Lets everything go."""
        await self.release([*self._partitions, TP(self._reports, 0)])
        self._threads.shutdown()

    def measure(self) -> None:
        """Brings the gauges of the partitions up to date. Raises StoreError if a store can't go on."""
        if (free := free_bytes(self._context.settings.state)) is not None:
            self._context.metrics.free(free)
        for partition in list(self._partitions.values()):
            store = partition.store
            with suppress(DbClosedError):  # let go meanwhile
                store.check()
                self._context.metrics.state(
                    partition.stage,
                    partition.number,
                    store.keys_estimated,
                    store.bytes_on_disk,
                    partition.waiting_bytes,
                )

    def idle_for(self, seconds: float) -> bool:
        """Whether no partition has had anything to do for that long and no day waits to be closed."""
        now = monotonic()
        quiet = all(
            partition.idle_since is not None and now - partition.idle_since >= seconds
            for partition in self._partitions.values()
        )
        return quiet and not self._context.calendar.open_requests

    def elsewhere(self) -> set[TP]:
        """The partitions of the stages' topics that this worker doesn't hold."""
        numbers = range(self._context.partitions)
        return {TP(topic, number) for topic in self._stages for number in numbers} - self._partitions.keys()

    def applied(self) -> dict[TP, int]:
        """The next offset of each partition that was not checkpointed yet."""
        return {tp: partition.store.mark.source + 1 for tp, partition in self._partitions.items()}

    def positions(self) -> dict[TP, int]:
        """The next offset of each partition that was not taken yet."""
        return {tp: partition.taken + 1 for tp, partition in self._partitions.items()}
