"""One partition of one stage at work: what waits, what is being applied, and the checkpoints.

A checkpoint takes these steps, in this order; docs/reliability.md tells what a crash after each one means.

1. outputs and dead letters are sent, the changed states to the changelog, and the mark, which says what they include;
2. the transaction that all of this is in is committed;
3. states and mark are written to the store in one atomic write;
4. the source offset may be committed (Faust does so a moment later).
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import chain
from time import monotonic
from typing import Any, Protocol, TypeVar

from laurel.streams.chunk import Chunk
from laurel.streams.dead_letters import DeadLetter, send
from laurel.streams.log import LogWriter
from laurel.streams.metrics import Metrics
from laurel.streams.outbox import Output
from laurel.streams.store import MARK, Store
from laurel.streams.writer import Transaction

T = TypeVar("T")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Part:
    """What a chunk was taken apart into: `rows` of a stage's own making, or a marker, with the source offsets covered."""

    last_offset: int
    count: int
    size: int
    content: Any
    is_marker: bool = False


@dataclass
class Changes:
    """What applying parts comes to. `keys` are full store keys, a value of None deletes; `notes` are to be remembered. `streamed` outputs are
    made as they are sent, before `outputs`; where a transaction failed, once more for the next."""

    source: int
    keys: list[bytes] = field(default_factory=list)
    values: list[bytes | None] = field(default_factory=list)
    outputs: list[Output] = field(default_factory=list)
    refused: list[DeadLetter] = field(default_factory=list)
    notes: Mapping[str, Any] = field(default_factory=dict)
    streamed: Iterable[Output] = ()


class Keeper(Protocol):
    """What a stage does with one partition."""

    def parse(self, chunk: Chunk) -> list[Part]:
        """Takes a chunk apart, markers as parts of their own. Runs in a thread."""

    def apply(self, parts: Sequence[Part]) -> Changes | None:
        """Applies consecutive rows to the states; None if nothing is to be made lasting yet. Runs in a thread, one call at
        a time."""

    async def marker(self, part: Part) -> None:
        """Deals with a marker, all before it being checkpointed."""

    async def start(self) -> None:
        """Takes up what was unfinished when the partition was last let go."""

    async def stop(self) -> None:
        """Ends what runs beside the partition's own work."""


class Partition:
    """One partition of one stage."""

    def __init__(
        self,
        stage: str,
        number: int,
        store: Store,
        writer: LogWriter,
        *,
        changelog: str,
        dead_letters: str,
        threads: ThreadPoolExecutor,
        metrics: Metrics,
        checkpoint_seconds: float,
        checkpoint_rows: int,
    ) -> None:
        self.stage, self.number, self.store, self._writer = stage, number, store, writer
        self.keeper: Keeper  # set by whoever makes the partition, before start
        self.waiting_bytes = 0
        self.idle_since: float | None = monotonic()  # None while anything waits or runs
        self._changelog, self._dead_letters = changelog, dead_letters
        self._threads, self._metrics = threads, metrics
        self._seconds, self._rows = checkpoint_seconds, checkpoint_rows
        self._parts: deque[Part] = deque()
        self._arrived = asyncio.Event()
        self._work: asyncio.Task[None] | None = None
        self._parsed = store.mark.source  # last offset taken
        self._gathered = monotonic()  # what waits has come since then
        self._failed: Callable[[BaseException], Awaitable[None]]

    async def start(self, failed: Callable[[BaseException], Awaitable[None]]) -> None:
        """Begins to work; failed is told of the error that ends it, if one does."""
        self._failed = failed
        await self.keeper.start()
        self._work = asyncio.create_task(self._run(), name=f"{self.stage}/{self.number}")

    async def fail(self, error: BaseException) -> None:
        """Something of the partition's went wrong: nothing more is checkpointed, and the worker is told."""
        await self._failed(error)

    async def stop(self) -> None:
        """Ends after the checkpoint that is under way, forgets what waits, and closes the store."""
        self._writer.stop()
        if self._work is not None:
            self._work.cancel()
            await asyncio.gather(self._work, return_exceptions=True)
        await self.keeper.stop()
        self._parts.clear()
        self.waiting_bytes = 0
        await self.in_thread(self.store.close)

    def expect(self, chunk: Chunk) -> None:
        """Counts a chunk that was fetched and will be taken."""
        self.waiting_bytes += chunk.size

    async def take(self, chunk: Chunk) -> None:
        """Accepts a chunk that was expected; what the store already includes is skipped."""
        rest = chunk.after(self._parsed)
        if rest is None:
            self.waiting_bytes -= chunk.size
            return
        self.idle_since = None
        parts = await self.in_thread(lambda: self.keeper.parse(rest))
        self._parsed = rest.last_offset
        self._parts.extend(parts)
        self.waiting_bytes += sum(part.size for part in parts) - chunk.size
        self._arrived.set()

    @property
    def taken(self) -> int:
        """The last source offset that was taken, applied or not."""
        return self._parsed

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Runs blocking work beside the event loop, to its end even if the caller is cancelled meanwhile."""
        future = asyncio.get_running_loop().run_in_executor(self._threads, work)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            # Nobody waits for how it ends any more; that it was fenced, or a disk failed, is worth knowing all the same.
            [outcome] = await asyncio.gather(future, return_exceptions=True)
            if isinstance(outcome, Exception):
                log.info("%s/%d: while it was let go: %s", self.stage, self.number, outcome)
            raise

    async def publish(self, outputs: Sequence[Output]) -> None:
        """Publishes what goes with no change of state; after a crash it may be published again."""

        def fill(transaction: Transaction) -> None:
            for output in outputs:
                transaction.send(output)

        await self.in_thread(lambda: self._writer.transact(fill))

    async def checkpoint(self, changes: Changes) -> None:
        """Makes changes lasting: published, verified, stored (see the module's steps)."""
        began = monotonic()
        await self.in_thread(lambda: self._checkpoint(changes))
        self._metrics.checkpoint(self.stage, monotonic() - began)

    def _checkpoint(self, changes: Changes) -> None:
        mark = replace(self.store.mark, source=changes.source, notes={**self.store.mark.notes, **changes.notes})

        def fill(transaction: Transaction) -> None:  # 1
            for output in chain(changes.streamed, changes.outputs):
                transaction.send(output)
            for letter in changes.refused:
                send(transaction, self._dead_letters, letter)
            transaction.send(Output(self._changelog, changes.keys, changes.values, self.number))
            transaction.seal(self._changelog, MARK, mark.to_bytes(), self.number)

        sealed = self._writer.transact(fill)  # 2
        self.store.write(changes.keys, changes.values, replace(mark, changelog=sealed + 1))  # 3
        for letter in changes.refused:
            self._metrics.refused(self.stage, letter.reason)

    async def _run(self) -> None:
        try:
            while True:
                await self._gather()
                if self._parts[0].is_marker:
                    part = self._parts[0]
                    await self.keeper.marker(part)
                    self._done(1)
                else:
                    await self._apply(self._ready())
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            await self.fail(error)

    async def _apply(self, parts: list[Part]) -> None:
        changes = await self.in_thread(lambda: self.keeper.apply(parts))
        if changes is not None:
            await self.checkpoint(changes)
        self._done(len(parts))

    async def _gather(self) -> None:
        """Waits until there is something to do: a marker, enough rows, or rows that have waited long enough."""
        since = self._gathered
        while not self._parts:
            if self.idle_since is None:
                self.idle_since = monotonic()
            self._arrived.clear()
            await self._arrived.wait()
            since = monotonic()
        due = since + self._seconds
        while (left := due - monotonic()) > 0:
            if any(part.is_marker for part in self._parts) or sum(part.count for part in self._parts) >= self._rows:
                return
            self._arrived.clear()
            try:
                # Not wait_for: that of Python 3.11 forgets a cancellation that comes together with what it waits for.
                async with asyncio.timeout(left):
                    await self._arrived.wait()
            except TimeoutError:
                return

    def _ready(self) -> list[Part]:
        """The rows at the head of what waits, about as many as a checkpoint should have."""
        self._gathered = monotonic()
        parts: list[Part] = []
        rows = 0
        for part in self._parts:
            if part.is_marker or rows >= self._rows:
                break
            parts.append(part)
            rows += part.count
        return parts

    def _done(self, parts: int) -> None:
        for _ in range(parts):
            self.waiting_bytes -= self._parts.popleft().size
