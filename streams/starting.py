"""Clients of Faust's that wait for a Kafka that is away when they start: by themselves they give up, and the worker with them."""

import asyncio
from collections.abc import Awaitable, Callable

import aiokafka
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


async def _until_connected(start: Callable[[], Awaitable[None]]) -> None:
    """Connecting is the first thing that starting does, so it can be tried again."""
    while True:
        try:
            return await start()
        except KafkaConnectionError:
            await asyncio.sleep(AGAIN)
