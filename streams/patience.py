"""Waiting for a Kafka that does not answer, or is just back and has not found itself yet, as workers do: for as long as it takes."""

import logging
from collections.abc import Callable
from threading import Event
from time import monotonic
from typing import TypeVar

from laurel.models.errors import LaurelError
from laurel.streams.metadata import MetadataError
from laurel.streams.reader import ReadError

T = TypeVar("T")

AGAIN = 0.5  # seconds before what failed is tried again
REMIND = 10.0  # seconds between two words on what is waited for

log = logging.getLogger(__name__)


class Patience:
    """Of somebody who tries one thing again and again."""

    def __init__(self, ending: Event) -> None:
        """`ending` says that nobody waits any more."""
        self._ending = ending
        self._began = self._told = monotonic()

    def take(self, error: LaurelError) -> None:
        """Returns after a moment, for another try. Raises the error if that is not wanted any more."""
        if self._ending.wait(AGAIN):
            raise error
        now = monotonic()
        if now - self._told >= REMIND:
            self._told = now
            log.warning("trying again for %.0f s: %s", now - self._began, error)


def patiently(work: Callable[[], T], ending: Event) -> T:
    """What the work comes to, done again from its beginning whenever Kafka can't be reached. Raises what `Patience.take` does."""
    patience = Patience(ending)
    while True:
        try:
            return work()
        except (ReadError, MetadataError) as error:
            patience.take(error)
