"""A worker process: a Faust app whose agents take chunks, and what has to run beside them."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any, cast

import faust
from faust.types import StreamT

from laurel.agents import calendar_care, clock
from laurel.agents.context import Context
from laurel.agents.day_model import model_of_record
from laurel.agents.runtime import Runtime
from laurel.agents.stopping import Stopping
from laurel.models import catalogue
from laurel.models.errors import LaurelError
from laurel.models.event_topics import EventTopics
from laurel.models.networks import Networks
from laurel.streams import ontology_file, topics, transport
from laurel.streams.chunk import Chunk
from laurel.streams.codec import Codec
from laurel.streams.ends import Ends
from laurel.streams.follower import CalendarFollower
from laurel.streams.log import KafkaLog
from laurel.streams.metrics import Metrics
from laurel.streams.presence import Presence
from laurel.streams.reader import ReadError
from laurel.streams.settings import Settings
from laurel.streams.starting import NoTables
from laurel.streams.writer import FencedError, StoppedError

log = logging.getLogger(__name__)

MEASURE_EVERY = 2.0  # seconds between looks at lags and sizes
TELL_AFTER = 5  # looks in a row that failed although Kafka answers; after a restart it takes a moment to find itself
IDLE_FOR = 1.0  # seconds without work, input drained, that make a worker idle


class WorkerError(LaurelError):
    """A worker can't go on."""


class Worker:
    """One worker process, run by `run` until it is told to stop."""

    def __init__(
        self,
        settings: Settings,
        stopping: Stopping,
        *,
        until_idle: bool = False,
        ready: Callable[[int], None] = lambda _port: None,
    ) -> None:
        self._settings, self._stopping = settings, stopping
        self._until_idle, self._ready = until_idle, ready
        self._stop = asyncio.Event()
        self._failure: BaseException | None = None
        self._app: faust.App

    async def run(self) -> None:
        """Works until told to stop or, with until_idle, until its group's input is drained and checkpointed; waits for Kafka if need be.

        Raises what stopped it, if it was not asked to stop.
        """
        loop = asyncio.get_running_loop()

        def wake() -> None:
            loop.call_soon_threadsafe(self._stop.set)

        self._stopping.wake(wake)
        work = asyncio.create_task(self._work())
        stop = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait([work, stop], return_when=asyncio.FIRST_COMPLETED)
            self._stopping.begin(0 if self._failure is None and not work.done() else 1)
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
        finally:
            self._stopping.wake(lambda: None)
            stop.cancel()
        if self._failure is not None:
            raise self._failure
        if not work.cancelled() and (error := work.exception()) is not None:
            if not self._stop.is_set() or not isinstance(error, LaurelError):
                raise error
            log.warning("while stopping: %s", error)

    async def _work(self) -> None:
        """Works until cancelled, and then lets everything go in order."""
        settings = self._settings
        try:
            settings.state.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WorkerError(f"the state folder {settings.state} can't be made: {error.strerror}") from None
        async with AsyncExitStack() as begun:
            codec, metrics = Codec(), Metrics()
            try:
                port, end_metrics = metrics.serve(settings.metrics_host, settings.metrics_port)
            except OSError as error:
                place = f"{settings.metrics_host}:{settings.metrics_port}"
                raise WorkerError(f"metrics can't be served on {place}: {error.strerror}") from None
            begun.callback(end_metrics)
            presence = Presence(settings.servers, metrics.brokers)
            begun.push_async_callback(_end, asyncio.create_task(self._guard(presence.follow())))
            partitions = await presence.patiently(lambda: asyncio.to_thread(topics.check, settings))
            calendar = CalendarFollower(settings, codec, lambda record: _closed(metrics, record))
            await presence.patiently(calendar.start)
            begun.push_async_callback(calendar.stop)
            networks, models = Networks.load(settings.networks), catalogue.load(settings.models)
            kafka = KafkaLog(settings.servers, f"{settings.topic_prefix}{settings.group}")
            model = catalogue.named(models, settings.model)
            _check_shadows(models, model.name, settings.shadow_models)
            event_topics = EventTopics(ontology_file.load(settings.ontology))
            context = Context(
                settings, codec, networks, model, metrics, kafka, calendar, partitions, models, event_topics
            )
            if (last := calendar.last_closed) is not None and (record := calendar.day(last)) is not None:
                model_of_record(context, record)
            runtime = Runtime(context, self._fail)
            begun.push_async_callback(runtime.close)
            app = self._app = _app(settings, runtime, metrics)
            begun.push_async_callback(app.stop)
            begun.callback(kafka.stop)
            await app.start()
            self._ready(port)
            beside = [
                self._measure(context, runtime, app, presence),
                self._watch(app),
                self._follow(calendar),
                clock.close_days(context, lambda: runtime.coordinates),
                calendar_care.care(context, lambda: runtime.coordinates),
            ]
            for task in [asyncio.create_task(self._guard(one)) for one in beside]:
                begun.push_async_callback(_end, task)
            await asyncio.Event().wait()

    async def _fail(self, error: BaseException) -> None:
        """Something went wrong that must not be gone on from: nothing of it is committed.

        Only what another worker has taken over meanwhile is no reason to stop, but one to ask what is still ours.
        """
        if isinstance(error, StoppedError):
            return  # what was let go ended before Kafka had answered
        if self._stop.is_set():
            log.warning("while stopping: %s", error)
            return
        if isinstance(error, FencedError):
            log.warning("%s; joining the group again", error)
            cast("transport.ChunkConsumer", self._app.consumer).rejoin()
            return
        self._failure = error
        log.critical("stopping: %s", error, exc_info=None if isinstance(error, LaurelError) else error)
        self._stop.set()

    async def _guard(self, beside: Coroutine[Any, Any, None]) -> None:
        """Runs what runs beside the agents; a worker doesn't go on without it."""
        try:
            await beside
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            await self._fail(error)

    async def _watch(self, app: faust.App) -> None:
        """Faust goes on running when one of its services has crashed; a worker must not."""
        await app._crashed.wait()  # noqa: SLF001 (there is no public way to wait for it)
        await self._fail(app.crash_reason or WorkerError("the consumer crashed"))

    async def _measure(self, context: Context, runtime: Runtime, app: faust.App, presence: Presence) -> None:
        ends, failures = Ends(self._settings.servers), 0
        while True:
            try:
                await self._look(context, runtime, app, ends)
                failures = 0
            except ReadError as error:
                failures = 0 if presence.away else failures + 1
                if failures == TELL_AFTER:
                    log.warning("how far behind this worker is can't be told: %s", error)
            await asyncio.sleep(IDLE_FOR if self._until_idle else MEASURE_EVERY)

    async def _look(self, context: Context, runtime: Runtime, app: faust.App, asked: Ends) -> None:
        positions, applied = runtime.positions(), runtime.applied()
        reached = await cast("transport.ChunkConsumer", app.consumer).reached(positions)
        ends = await asyncio.to_thread(asked.of, list(positions))
        held = runtime.positions()
        for tp, end in ends.items():
            if tp not in held:
                continue  # it went elsewhere meanwhile
            waiting = applied[tp] < positions[tp] or reached[tp] < end
            context.metrics.lag(tp.topic, tp.partition, max(end - applied[tp], 0) if waiting else 0)
        context.metrics.open_days(len(context.calendar.open_requests))
        await asyncio.to_thread(runtime.measure)
        drained = positions and all(end <= reached[tp] for tp, end in ends.items())
        if self._until_idle and drained and runtime.idle_for(IDLE_FOR) and held == positions:
            # Somebody else's partitions may come here yet: their holder may have crashed, or left without a word.
            others = runtime.elsewhere()
            done = await asyncio.to_thread(asked.committed, app.conf.id, others)
            left = await asyncio.to_thread(asked.of, others)
            if all(done[tp] >= end for tp, end in left.items()):
                self._stop.set()

    async def _follow(self, calendar: CalendarFollower) -> None:
        """Without the calendar no day can be closed."""
        await self._fail(await calendar.failure())


def _closed(metrics: Metrics, record: Any) -> None:
    if record["status"] == "closed":
        metrics.closed(record["day"])


def _check_shadows(models: catalogue.Catalogue, model: str, shadows: list[str]) -> None:
    """Says what is wrong with the setting; a worker goes on, since its days don't wait for a shadow."""
    try:
        catalogue.shadows_beside(models, model, shadows)
    except catalogue.ModelError as error:
        log.warning("setting shadows (LAUREL_SHADOWS): days are closed without one of them: %s", error)


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _app(settings: Settings, runtime: Runtime, metrics: Metrics) -> faust.App:
    app = faust.App(
        f"{settings.topic_prefix}{settings.group}",
        broker=[f"kafka://{server}" for server in settings.servers.split(",")],
        store="memory://",
        TableManager=NoTables,
        datadir=str(settings.state / "faust"),  # kept empty, but Faust makes it
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        stream_buffer_maxsize=8,
        broker_commit_interval=1.0,
        consumer_group_instance_id=settings.instance,
        broker_session_timeout=settings.session_seconds,
        broker_heartbeat_interval=settings.session_seconds / 6,
        stream_wait_empty=False,
    )
    transport.install(app, runtime, runtime.failed)
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
        metrics.assigned()
        try:
            await runtime.open(app.consumer.assignment())
        except LaurelError as error:  # Faust would tell a person of it by its stack
            await runtime.failed(error)

    async def released(_app: Any, revoked: Any, *_: Any, **__: Any) -> None:
        await runtime.release(revoked)
        await app.consumer.commit()

    app.on_rebalance_complete.connect(opened, weak=False)
    app.on_partitions_revoked.connect(cast("Any", released), weak=False)  # its type has no arguments
    return app
