"""A worker process with the one stage of `decay`, on the product's transport, partitions, stores and checkpoints."""

import asyncio
import os
import signal
import traceback
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic
from typing import Any

import faust
from faust.types import TP, StreamT

from bench.decay import Sums
from laurel.streams import transport
from laurel.streams.chunk import Chunk
from laurel.streams.codec import Codec
from laurel.streams.log import KafkaLog
from laurel.streams.metrics import Metrics
from laurel.streams.partition import Partition
from laurel.streams.restore import restore
from laurel.streams.settings import Settings
from laurel.streams.store import Store

THREADS = 4  # as the product's worker


class SingleStage:
    """The partitions of the stage; the `Owner` of the chunks."""

    def __init__(self, settings: Settings, changelog: str) -> None:
        self._settings, self._changelog = settings, changelog
        self._codec, self._metrics, self._log = Codec(), Metrics(), KafkaLog(settings.servers, settings.group)
        self._threads = ThreadPoolExecutor(THREADS)
        self._partitions: dict[TP, Partition] = {}
        self._started = False
        self.failed = asyncio.Event()

    def accepts(self, tp: TP) -> bool:
        """Whether more of the partition may be fetched."""
        share = self._settings.backlog_bytes // max(len(self._partitions), 1)
        return tp in self._partitions and self._partitions[tp].waiting_bytes < share

    def coming(self, chunk: Chunk) -> None:
        """A chunk is on its way."""
        self._partitions[TP(chunk.topic, chunk.partition)].expect(chunk)

    def watermark(self, tp: TP) -> int | None:
        """The next offset to read after a crash."""
        return self._partitions[tp].store.mark.source + 1 if tp in self._partitions else None

    @property
    def checkpointed(self) -> int:
        """Records whose effects are lasting."""
        return sum(partition.store.mark.source + 1 for partition in self._partitions.values())

    async def take(self, chunk: Chunk) -> None:
        """A chunk arrived."""
        if not self._started:
            self._started = True
            print(f"first {monotonic()}", flush=True)
        try:
            await self._partitions[TP(chunk.topic, chunk.partition)].take(chunk)
        except Exception as error:
            await self.fail(error)  # Faust would go on with the next chunk

    async def open(self, assigned: Iterable[TP]) -> None:
        """Opens what was assigned."""
        for tp in sorted(set(assigned) - set(self._partitions)):
            writer = self._log.writer(f"sums-{tp.partition}")
            await asyncio.to_thread(writer.open)
            store = Store(self._settings.state / str(tp.partition))
            restore(store, self._log, self._changelog, tp.partition, lambda _applied, _left: None)
            partition = Partition(
                "sums",
                tp.partition,
                store,
                writer,
                changelog=self._changelog,
                dead_letters="dead-letters",
                threads=self._threads,
                metrics=self._metrics,
                checkpoint_seconds=self._settings.checkpoint_seconds,
                checkpoint_rows=self._settings.checkpoint_rows,
            )
            partition.keeper = Sums(partition, self._codec)
            self._partitions[tp] = partition
            await partition.start(self.fail)

    async def fail(self, error: BaseException) -> None:
        """Ends the measurement, and says why."""
        traceback.print_exception(error)
        self.failed.set()

    async def close(self) -> None:
        """Lets everything go."""
        await asyncio.gather(*(partition.stop() for partition in self._partitions.values()))
        self._threads.shutdown()


async def main() -> None:
    """Works through the topic, commits once all of it is checkpointed, and ends when told to."""
    settings = Settings(
        bootstrap=os.environ["BENCH_BOOTSTRAP"],
        group=os.environ["BENCH_GROUP"],
        state=Path(os.environ["BENCH_STATE"]),
        partitions=int(os.environ["BENCH_PARTITIONS"]),
    )
    stage = SingleStage(settings, os.environ["BENCH_CHANGELOG"])
    app = _app(settings, stage, os.environ["BENCH_TOPIC"])
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await app.start()
    # Commits at once, so that no time is counted in which the worker waits for its commit interval.
    committing = asyncio.create_task(_commit(app, stage, int(os.environ["BENCH_EVENTS"])))
    await asyncio.wait(
        [asyncio.ensure_future(stop.wait()), asyncio.ensure_future(stage.failed.wait())],
        return_when=asyncio.FIRST_COMPLETED,
    )
    committing.cancel()
    await app.stop()
    await stage.close()


async def _commit(app: faust.App, stage: SingleStage, expected: int) -> None:
    while stage.checkpointed < expected:  # noqa: ASYNC110 (partitions tell nobody of their checkpoints)
        await asyncio.sleep(0.01)
    await app.consumer.commit()


def _app(settings: Settings, stage: SingleStage, topic: str) -> faust.App:
    app = faust.App(
        settings.group,
        broker=[f"kafka://{settings.servers}"],
        store="memory://",
        datadir=str(settings.state / "faust"),  # kept empty, but Faust makes it
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        stream_buffer_maxsize=8,
        broker_commit_interval=1.0,
        stream_wait_empty=False,
    )
    transport.install(app, stage, stage.fail)

    async def agent(chunks: StreamT[Chunk]) -> None:
        async for chunk in chunks:
            await stage.take(chunk)

    app.agent(app.topic(topic, schema=transport.ChunkSchema()), name="sums")(agent)

    async def opened(*_: Any, **__: Any) -> None:
        await stage.open(app.consumer.assignment())

    app.on_rebalance_complete.connect(opened, weak=False)
    return app


if __name__ == "__main__":
    asyncio.run(main())
