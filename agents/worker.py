"""A worker process: a Faust app whose agents take chunks, and what has to run beside them."""

import asyncio
import logging
import signal
from collections.abc import Callable
from typing import Any, cast

import faust
from faust.types import StreamT

from laurel.agents import clock
from laurel.agents.context import Context
from laurel.agents.runtime import Runtime
from laurel.models.errors import LaurelError
from laurel.models.networks import Networks
from laurel.models.parameters import V1
from laurel.streams import topics, transport
from laurel.streams.chunk import Chunk
from laurel.streams.codec import Codec
from laurel.streams.follower import CalendarFollower
from laurel.streams.log import KafkaLog
from laurel.streams.metrics import Metrics
from laurel.streams.reader import ReadError, end_offsets
from laurel.streams.settings import Settings
from laurel.streams.writer import FencedError, StoppedError

log = logging.getLogger(__name__)

MEASURE_EVERY = 2.0  # seconds between looks at lags and sizes
IDLE_FOR = 1.0  # seconds without work, input drained, that make a worker idle


class WorkerError(LaurelError):
    """A worker can't go on."""


class Worker:
    """One worker process, run by `run` until it is told to stop."""

    def __init__(
        self, settings: Settings, *, until_idle: bool = False, ready: Callable[[int], None] = lambda _port: None
    ) -> None:
        self._settings, self._until_idle, self._ready = settings, until_idle, ready
        self._stop = asyncio.Event()
        self._failure: BaseException | None = None
        self._app: faust.App

    async def run(self) -> None:
        """Works until SIGTERM, SIGINT or, with until_idle, until the input is drained and checkpointed.

        Raises what stopped it, if it was not asked to stop.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        settings = self._settings
        try:
            settings.state.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WorkerError(f"the state folder {settings.state} can't be made: {error.strerror}") from None
        codec, metrics = Codec(), Metrics()
        partitions = await asyncio.to_thread(topics.check, settings)
        kafka = KafkaLog(settings.servers, f"{settings.topic_prefix}{settings.group}")
        calendar = CalendarFollower(settings, codec, lambda record: _closed(metrics, record))
        context = Context(
            settings,
            codec,
            Networks.load(settings.networks),
            V1,
            metrics,
            kafka,
            calendar,
            partitions,
        )
        runtime = Runtime(context, self._fail)
        app = self._app = _app(settings, runtime)
        port, end_metrics = metrics.serve(settings.metrics_host, settings.metrics_port)
        beside: list[asyncio.Task[None]] = []
        try:
            await calendar.start()
            await app.start()
            self._ready(port)
            beside = [
                asyncio.create_task(self._measure(context, runtime, app)),
                asyncio.create_task(self._watch(app)),
                asyncio.create_task(self._follow(calendar)),
                asyncio.create_task(self._close_days(context, runtime)),
            ]
            await self._stop.wait()
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            kafka.stop()
            await app.stop()
            await runtime.close()
            await calendar.stop()
            end_metrics()
        if self._failure is not None:
            raise self._failure

    async def _fail(self, error: BaseException) -> None:
        """Something went wrong that must not be gone on from: nothing of it is committed.

        Only what another worker has taken over meanwhile is no reason to stop, but one to ask what is still ours.
        """
        if isinstance(error, StoppedError):
            return  # what was let go ended before Kafka had answered
        if isinstance(error, FencedError):
            log.warning("%s; joining the group again", error)
            cast("transport.ChunkConsumer", self._app.consumer).rejoin()
            return
        if self._failure is None:
            self._failure = error
            log.critical("stopping: %s", error, exc_info=None if isinstance(error, LaurelError) else error)
        self._stop.set()

    async def _watch(self, app: faust.App) -> None:
        """Faust goes on running when one of its services has crashed; a worker must not."""
        await app._crashed.wait()  # noqa: SLF001 (there is no public way to wait for it)
        await self._fail(app.crash_reason or WorkerError("the consumer crashed"))

    async def _close_days(self, context: Context, runtime: Runtime) -> None:
        try:
            await clock.close_days(context, lambda: runtime.coordinates)
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            await self._fail(error)

    async def _measure(self, context: Context, runtime: Runtime, app: faust.App) -> None:
        try:
            while True:
                try:
                    await self._look(context, runtime, app)
                except ReadError as error:
                    log.warning("how far behind this worker is can't be told: %s", error)
                await asyncio.sleep(IDLE_FOR if self._until_idle else MEASURE_EVERY)
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            await self._fail(error)

    async def _look(self, context: Context, runtime: Runtime, app: faust.App) -> None:
        positions, applied = runtime.positions(), runtime.applied()
        reached = await cast("transport.ChunkConsumer", app.consumer).reached(positions)
        ends = await asyncio.to_thread(end_offsets, self._settings.servers, list(positions))
        for tp, end in ends.items():
            waiting = applied[tp] < positions[tp] or reached[tp] < end
            context.metrics.lag(tp.topic, tp.partition, max(end - applied[tp], 0) if waiting else 0)
        context.metrics.open_days(len(context.calendar.open_requests))
        await asyncio.to_thread(runtime.measure)
        drained = positions and all(end <= reached[tp] for tp, end in ends.items())
        if self._until_idle and drained and runtime.idle_for(IDLE_FOR) and runtime.positions() == positions:
            self._stop.set()

    async def _follow(self, calendar: CalendarFollower) -> None:
        """Without the calendar no day can be closed."""
        await self._fail(await calendar.failure())


def _closed(metrics: Metrics, record: Any) -> None:
    if record["status"] == "closed":
        metrics.closed(record["day"])


def _app(settings: Settings, runtime: Runtime) -> faust.App:
    app = faust.App(
        f"{settings.topic_prefix}{settings.group}",
        broker=[f"kafka://{server}" for server in settings.servers.split(",")],
        store="memory://",
        datadir=str(settings.state / "faust"),  # kept empty, but Faust makes it
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        stream_buffer_maxsize=8,
        broker_commit_interval=1.0,
        broker_session_timeout=settings.session_seconds,
        broker_heartbeat_interval=settings.session_seconds / 6,
        stream_wait_empty=False,
    )
    transport.install(app, runtime)
    schema = transport.ChunkSchema()
    for name in runtime.topics:

        async def agent(chunks: StreamT[Chunk]) -> None:
            async for chunk in chunks:
                if chunk.generation != app.consumer_generation_id:
                    continue  # it is read again, by whoever has the partition now
                try:
                    await runtime.take(chunk)
                except asyncio.CancelledError:
                    raise
                except BaseException as error:
                    await runtime.failed(error)

        app.agent(app.topic(name, schema=schema), name=name)(agent)

    async def opened(*_: Any, **__: Any) -> None:
        await runtime.open(app.consumer.assignment())

    async def released(_app: Any, revoked: Any, *_: Any, **__: Any) -> None:
        await runtime.release(revoked)
        await app.consumer.commit()

    app.on_rebalance_complete.connect(opened, weak=False)
    app.on_partitions_revoked.connect(cast("Any", released), weak=False)  # its type has no arguments
    return app
