"""One data set through the whole pipeline: topics, workers, a replay that closes each day, and what came of it."""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from laurel.cli.demo_data import Source
from laurel.cli.processes import Workers
from laurel.cli.show import moved
from laurel.ingest.replay import Progress, ReplaySummary, replay
from laurel.models.errors import LaurelError
from laurel.streams import settings as setting
from laurel.streams import topics
from laurel.streams.broker import BrokerError, EmbeddedBroker
from laurel.streams.results import Board, Results
from laurel.streams.settings import Settings

PATIENCE = 180.0  # seconds without a day getting closed before the demo gives up
SETTLE = 0.5  # seconds for a broker that has ended to be noticed
LEADERS = 10
TOPICS = 6


@dataclass(frozen=True)
class Outcome:
    """What a data set came to. `closed` is the Calendar record of its last day, `history` the leaders' score updates,
    `explained` the one of them whose score moved most and `worn` that one's sashes, `weighed` and `refused` what became
    of all that was published."""

    source: Source
    settings: Settings
    summary: ReplaySummary
    weighed: Counter[str]
    refused: Counter[str]
    closed: dict[str, Any]
    leaders: list[dict[str, Any]]
    history: dict[str, list[dict[str, Any]]]
    explained: str
    worn: list[dict[str, Any]]
    boards: list[Board]
    sashes: dict[str, Counter[str]]
    seconds: float

    @property
    def lost(self) -> int:
        """Engagements that were published and of which nothing is known: 0."""
        return self.summary.published - sum(self.weighed.values()) - sum(self.refused.values())


class Watched:
    """An embedded broker that is looked after: `check` raises BrokerError once it has ended by itself."""

    def __init__(self, broker: EmbeddedBroker) -> None:
        self.bootstrap = broker.bootstrap
        self._failure: BrokerError | None = None
        self._thread = threading.Thread(target=self._wait, args=(broker,), name="broker", daemon=True)
        self._thread.start()

    def _wait(self, broker: EmbeddedBroker) -> None:
        try:
            broker.wait()
        except BrokerError as error:
            self._failure = error
        except OSError as error:
            self._failure = BrokerError(f"the broker ended by itself, and its log can't be read: {error}")

    def check(self, patience: float = 0.0) -> None:
        """Raises BrokerError if the broker is gone, or goes within `patience` seconds."""
        if patience:
            self._thread.join(patience)
        if self._failure is not None:
            raise self._failure


def run(
    source: Source, broker: Watched, folder: Path, processes: int, partitions: int, tell: Callable[[Progress], None]
) -> Outcome:
    """Replays the source under a topic prefix of its own. Workers run only for as long as this takes.

    Raises what went wrong first: BrokerError or WorkersError, or another LaurelError if both are well.
    """
    began = monotonic()
    place = folder / source.name
    place.mkdir()
    settings = setting.load(
        bootstrap=broker.bootstrap,
        topic_prefix=f"{source.name}.",
        partitions=partitions,
        replication=1,
        state=place / "state",
        metrics_host="127.0.0.1",
        metrics_port=0,
        close_after_minutes=-1,
    )
    try:
        topics.apply(settings, partitions=partitions)
        with Workers(settings, processes, place) as workers:
            summary = _replayed(source, settings, broker, workers, tell)
            weighed = workers.weighed()
        return _outcome(source, settings, summary, weighed, began)
    except LaurelError:
        broker.check(SETTLE)  # whatever else fails then fails for that
        raise


def _replayed(
    source: Source, settings: Settings, broker: Watched, workers: Workers, tell: Callable[[Progress], None]
) -> ReplaySummary:
    def progressed(progress: Progress) -> None:
        broker.check()
        workers.check()
        tell(progress)

    first, last = source.first, source.last
    try:
        return replay(
            [source.path], settings, close=True, first=first, last=last, patience=PATIENCE, progress=progressed
        )
    except LaurelError:
        workers.check()
        raise


def _outcome(
    source: Source, settings: Settings, summary: ReplaySummary, weighed: Counter[str], began: float
) -> Outcome:
    results = Results(settings)
    closed = results.last_day()
    leaders = results.leaders(closed["day"], LEADERS)
    persons = [leader["person"] for leader in leaders]
    explained = max(leaders, key=lambda leader: abs(moved(leader) or 0.0))["person"] if leaders else ""
    return Outcome(
        source,
        settings,
        summary,
        weighed,
        results.refusals(),
        closed,
        leaders,
        results.history(persons),
        explained,
        results.sashes(explained) if explained else [],
        results.boards(TOPICS),
        results.sash_counts(),
        monotonic() - began,
    )
