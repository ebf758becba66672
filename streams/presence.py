"""Whether Kafka answers: told in one line when that changes, and every few seconds while it doesn't."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from time import gmtime, monotonic, strftime, time
from typing import TypeVar

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from laurel.models.errors import LaurelError

T = TypeVar("T")

ASK_EVERY = 1.0  # seconds between questions
ANSWER_WITHIN = 3.0  # seconds for any broker to answer
REMIND_EVERY = 10.0  # seconds between lines that say that it is still away

log = logging.getLogger(__name__)


class Presence:
    """Asks the brokers whether they are there. `tell` hears how many there are, each time."""

    def __init__(self, servers: str, tell: Callable[[int], None] = lambda _brokers: None) -> None:
        self._servers, self._tell = servers, tell
        self._admin = AdminClient({"bootstrap.servers": servers, "log_level": 0, "reconnect.backoff.max.ms": 1_000})
        self._away: float | None = None  # since when, by the monotonic clock
        self._absences = 0
        self._reminded = 0.0
        self._since = ""

    @property
    def away(self) -> bool:
        """Whether no broker answered when last asked."""
        return self._away is not None

    async def wait(self) -> None:
        """Returns once a broker answers, however long that takes."""
        while True:
            if await self._ask():
                return
            await asyncio.sleep(ASK_EVERY)

    async def follow(self) -> None:
        """Asks for ever."""
        while True:
            await self.wait()
            await asyncio.sleep(ASK_EVERY)

    async def patiently(self, work: Callable[[], Awaitable[T]]) -> T:
        """What the work comes to, done again if it failed while no broker answered. Raises what it raises otherwise.

        Needs `follow` beside it: an absence that is over when the work has failed must have been noticed.
        """
        while True:
            await self.wait()
            before = self._absences
            try:
                return await work()
            except LaurelError as error:
                if await self._ask() and self._absences == before:
                    raise
                log.info("trying again, as no broker answered: %s", error)

    async def _ask(self) -> int:
        brokers = await asyncio.to_thread(self._brokers)
        self._tell(brokers)
        now = monotonic()
        if brokers:
            if self._away is not None:
                log.warning("Kafka answers again at %s, after %.0f s", self._servers, now - self._away)
            self._away = None
        elif self._away is None:
            self._away, self._reminded, self._since = now, now, strftime("%H:%M:%S", gmtime(time()))
            self._absences += 1
            log.warning("no Kafka broker answers at %s: waiting for one", self._servers)
        elif now - self._reminded >= REMIND_EVERY:
            self._reminded = now
            log.warning(
                "no Kafka broker answers at %s, since %s UTC (%.0f s): still waiting",
                self._servers,
                self._since,
                now - self._away,
            )
        return brokers

    def _brokers(self) -> int:
        try:
            return len(self._admin.describe_cluster(request_timeout=ANSWER_WITHIN).result().nodes)
        except KafkaException:
            return 0
