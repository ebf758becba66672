"""Faust's consumer, delivering one event for each fetched partition chunk instead of one for each record.

Four more things differ from the driver it extends: what a producer's transaction has aborted is never delivered;
offsets are committed up to where the owner of a partition says its state is checkpointed, never by acknowledged events;
partitions whose owner has enough waiting are not read on; and equal-numbered partitions of different topics stay
together.
"""

import asyncio
import gc
import logging
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Iterator, Mapping
from typing import Any, Protocol, cast

import aiokafka
import faust
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import IllegalStateError, KafkaError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, AppT, ConsumerMessage, EventT, Message

from laurel.streams.chunk import Chunk
from laurel.streams.membership import InstanceError, NamedConsumer
from laurel.streams.starting import PatientProducer

log = logging.getLogger(__name__)

# A long poll for some partitions holds back the next fetch of all others on that broker for as long.
FETCH_WAIT = 50  # milliseconds
FETCH_RECORDS = 20_000  # in one chunk, at most
# The client makes an object of every record, none of them part of a cycle: looking for cycles among them as often as Python
# does by default takes a third of a worker's CPU.
COLLECT = 100_000, 20, 100  # objects made, and collections of each generation, until the next one is collected
# A thread that comes back from Arrow, RocksDB or Kafka waits this long for one that is making those objects.
SWITCH = 0.001  # seconds
BLOCKED_WAIT = 0.02  # seconds: how soon a partition that was not read on is looked at again


class Owner(Protocol):
    """Who takes the chunks and knows what has become of them."""

    def accepts(self, tp: TP) -> bool:
        """Whether more of the partition may be fetched now."""

    def coming(self, chunk: Chunk) -> None:
        """A chunk was fetched: it counts as waiting from now on, though streams may hold it for a while."""

    def watermark(self, tp: TP) -> int | None:
        """The next offset to read after a crash: all before it is checkpointed. None if nothing is known."""


class ChunkConsumerThread(driver.AIOKafkaConsumerThread):
    """The driver's consumer thread with an assignor that keeps equal-numbered partitions together."""

    def rejoin(self) -> None:
        """Joins the group again. Called in the thread's own loop."""
        self._ensure_consumer()._coordinator.request_rejoin()  # noqa: SLF001 (there is no public way)

    def _create_worker_consumer(self, transport: Any) -> aiokafka.AIOKafkaConsumer:
        conf = self.app.conf
        self._assignor = RangePartitionAssignor
        return NamedConsumer(
            self._name_taken,
            bootstrap_servers=driver.server_list(transport.url, transport.default_port),
            client_id=conf.broker_client_id,
            group_id=conf.id,
            group_instance_id=conf.consumer_group_instance_id,
            partition_assignment_strategy=[RangePartitionAssignor],
            enable_auto_commit=False,
            isolation_level="read_committed",
            auto_offset_reset=conf.consumer_auto_offset_reset,
            max_poll_records=FETCH_RECORDS,
            max_poll_interval_ms=int(conf.broker_max_poll_interval * 1000),
            max_partition_fetch_bytes=conf.consumer_max_fetch_size,
            fetch_max_wait_ms=FETCH_WAIT,
            request_timeout_ms=int(conf.broker_request_timeout * 1000),
            check_crcs=conf.broker_check_crcs,
            session_timeout_ms=int(conf.broker_session_timeout * 1000),
            rebalance_timeout_ms=int(conf.broker_rebalance_timeout * 1000),
            heartbeat_interval_ms=int(conf.broker_heartbeat_interval * 1000),
            metadata_max_age_ms=conf.consumer_metadata_max_age_ms,
            **driver.credentials_to_aiokafka_auth(conf.broker_credentials, conf.ssl_context),
        )

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        """Commits, or says why not: a commit only tells others how far this worker is, its states know it by themselves."""
        consumer = self._ensure_consumer()
        held = {tp: offset for tp, offset in offsets.items() if tp in self.assignment()}
        try:
            await consumer.commit({driver.ensure_aiokafka_TP(tp): offset for tp, offset in held.items()})
        except (KafkaError, IllegalStateError) as error:
            log.warning("offsets could not be committed, trying again: %r", error)
            return False
        return True

    def _name_taken(self) -> None:
        name = self.app.conf.consumer_group_instance_id
        error = InstanceError(
            f"another worker came as the instance {name!r} of group {self.app.conf.id}, and has its partitions now: "
            "give every process a name of its own (--instance, LAUREL_INSTANCE), or none"
        )
        asyncio.run_coroutine_threadsafe(cast("ChunkTransport", self.transport).failed(error), self.parent_loop)


class ChunkConsumer(driver.Consumer):
    """Yields chunks; commits what its owner has checkpointed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._fetched: dict[TP, int] = {}  # last offset of the newest chunk, taken or on its way
        self._passed: dict[TP, int] = {}  # offsets to commit: see `reached`

    @property
    def owner(self) -> Owner:
        """Who takes the chunks."""
        return cast("ChunkTransport", self.transport).owner

    def _new_consumer_thread(self) -> ChunkConsumerThread:
        return ChunkConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> Mapping[TP, list[Any]]:
        active = active_partitions or set()
        open_ = {tp for tp in active if self.owner.accepts(tp)}
        if not open_:
            await asyncio.sleep(BLOCKED_WAIT)
            return {}
        wait = timeout if len(open_) == len(active) else BLOCKED_WAIT
        records: Mapping[TP, list[Any]] = await super()._getmany(open_, wait)
        return records

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, ConsumerMessage]]:
        """One message for each partition that records were fetched from."""
        generation = self.app.consumer_generation_id
        records, active = await self._wait_next_records(timeout)
        if not records or self.should_stop:
            return
        chunks = {
            TP(tp.topic, tp.partition): Chunk(tp.topic, tp.partition, fetched, generation)
            for tp, fetched in records.items()
            if fetched and (active is None or tp in active)
        }
        self._fetched |= {tp: chunk.last_offset for tp, chunk in chunks.items()}
        for chunk in chunks.values():
            self.owner.coming(chunk)
        for tp, chunk in chunks.items():
            if not self.flow_active or self.app.consumer_generation_id != generation:
                # What was fetched may belong to somebody else by now: forget it and read it again if it doesn't.
                await self.perform_seek()
                return
            yield tp, self._message(tp, chunk)

    def rejoin(self) -> None:
        """Joins the group again, so that all partitions are assigned anew, to whomever the group gives them."""
        thread = cast("ChunkConsumerThread", self._thread)
        thread.thread_loop.call_soon_threadsafe(thread.rejoin)

    async def perform_seek(self) -> None:
        """Back to where the owner's states end, or else to the committed offset, or else to the beginning.

        The driver would leave partitions without a committed offset where they are, past what was fetched and dropped.
        """
        await super().perform_seek()
        for tp in self.assignment():
            offset = self.owner.watermark(tp)
            if offset is not None or not self._committed_offset.get(tp):
                await self.seek(tp, offset or 0)

    async def reached(self, taken: Mapping[TP, int]) -> dict[TP, int]:
        """The next offset of each partition that was not read yet, if that of those taken is `taken`.

        It can be beyond the last record: a producer's transactions leave markers behind, and what was aborted is skipped.
        """
        found = {}
        for tp, following in taken.items():
            on_its_way = self._fetched.get(tp, -1) >= following
            try:
                found[tp] = following if on_its_way else max(following, await self.position(tp) or 0)
            except IllegalStateError:  # it has just gone elsewhere
                found[tp] = following
        return found

    def _message(self, tp: TP, chunk: Chunk) -> ConsumerMessage:
        last = chunk.records[-1]
        return ConsumerMessage(
            last.topic,
            last.partition,
            last.offset,
            last.timestamp / 1000,
            last.timestamp_type,
            [],
            None,
            cast("bytes", chunk),  # ChunkSchema takes it out as it is
            None,
            0,
            0,
            tp,
            generation_id=chunk.generation,
        )

    # What is fetched is bounded by the owner and by the stream's queue, which a chunk waits for. Faust would also stop to
    # fetch partitions whose queue is filling, and look only once a second whether it may go on.
    def on_buffer_full(self, tp: TP) -> None:
        """The partition stays active."""

    def on_buffer_drop(self, tp: TP) -> None:
        """It was active all along."""

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Offsets between chunks need no acknowledgement."""

    def ack(self, message: Message) -> bool:
        """An event's end says nothing about its chunk: that is checkpointed later."""
        message.acked = True
        self._unacked_messages.discard(message)
        return True

    def _filter_tps_with_pending_acks(self, topics: Iterable[Any] | None = None) -> Iterator[TP]:
        return iter(self.assignment())

    async def _commit_offsets(
        self,
        offsets: Mapping[TP, int],
        start_new_transaction: bool = True,  # noqa: FBT001, FBT002 (Faust's own name, place and default)
    ) -> bool:
        """Faust would take an offset for committed although it could not be."""
        held = {tp: offset for tp, offset in offsets.items() if tp in self.assignment()}
        if not held or not await self._commit(held):
            return False
        self._committed_offset.update(held)
        return True

    async def _commit_tps(self, tps: Iterable[TP], start_new_transaction: bool) -> bool:  # noqa: FBT001 (the driver's)
        checkpointed = {tp: offset for tp in tps if (offset := self.owner.watermark(tp)) is not None}
        # Beyond the ends of transactions too, or all who measure a group's lag would never see it at none.
        self._passed = await self.reached(checkpointed)
        done: bool = await super()._commit_tps(checkpointed, start_new_transaction)
        return done

    def _filter_committable_offsets(self, tps: Iterable[TP]) -> dict[TP, int]:
        offsets = {}
        for tp in tps:
            offset = self._passed.get(tp)
            if offset is not None and self._should_commit(tp, offset):
                offsets[tp] = offset
        return offsets


class ChunkProducer(driver.Producer):
    """Faust's own producer, which is started and not used."""

    _producer_type = PatientProducer


class ChunkTransport(driver.Transport):
    """The driver's transport with the chunk consumer."""

    Consumer = ChunkConsumer
    Producer = ChunkProducer
    owner: Owner  # both are set by `install`
    failed: Callable[[BaseException], Coroutine[Any, Any, None]]


class ChunkSchema(faust.Schema[None, Chunk]):
    """Hands a chunk to the agents as it is."""

    def compile(self, app: AppT, **kwargs: Any) -> Callable[..., Awaitable[EventT[Any]]]:
        """The function that makes an event of a message."""

        async def decode(message: Message, *, propagate: bool = False) -> EventT[Any]:  # noqa: ARG001 (Faust passes it)
            return app.create_event(None, message.value, message.headers, message)

        return decode


def install(app: faust.App, owner: Owner, failed: Callable[[BaseException], Coroutine[Any, Any, None]]) -> None:
    """Makes an app that has not been started consume chunks for an owner; `failed` is told what can't be gone on from."""
    gc.set_threshold(*COLLECT)
    sys.setswitchinterval(SWITCH)
    transport = ChunkTransport(app.conf.broker_consumer, app)
    transport.owner, transport.failed = owner, failed
    app.transport = transport
