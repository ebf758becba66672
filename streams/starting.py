"""How parts of Faust's start: clients wait for a Kafka that is away, and nobody waits for tables that a worker doesn't have."""

import asyncio
from collections.abc import Awaitable, Callable

import aiokafka
import faust.tables
from aiokafka.errors import KafkaConnectionError

AGAIN = 0.5  # seconds


class PatientProducer(aiokafka.AIOKafkaProducer):  # type: ignore[misc]
    """A producer that starts when Kafka is there."""

    async def start(self) -> None:
        """Returns once it is connected."""
        await _until_connected(super().start)


class PatientConsumer(aiokafka.AIOKafkaConsumer):  # type: ignore[misc]
    """A consumer that starts when Kafka is there."""

    async def start(self) -> None:
        """Returns once it is connected."""
        await _until_connected(super().start)


class NoTables(faust.tables.TableManager):
    """Faust's manager of tables, of which there are none: Faust would give them a second to be made."""

    async def on_start(self) -> None:
        """Declares that all of them are there."""
        await self._update_channels()
        await self.recovery.start()


async def _until_connected(start: Callable[[], Awaitable[None]]) -> None:
    """Connecting is the first thing that starting does, so it can be tried again."""
    while True:
        try:
            return await start()
        except KafkaConnectionError:
            await asyncio.sleep(AGAIN)
