"""One round: days sent through trouble, and all that was published held against the oracle."""

import shutil
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from laurel.streams.broker import EmbeddedBroker
from laurel.streams.settings import load
from tests.integration.comparison import assert_influence_once, assert_same
from tests.integration.days import ROOT
from tests.integration.pipeline import Pipeline
from tests.oracle.oracle import Oracle, read_networks
from tests.soak.course import Course
from tests.soak.crew import FENCED, Crew
from tests.soak.publisher import Publisher
from tests.soak.schedule import FEWEST, Plan, schedule
from tests.soak.traffic import FIRST, Traffic
from tests.soak.trouble import Trouble

PARTITIONS = 4


@dataclass
class Figures:
    """What came of a round, or of several."""

    seeds: list[int] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)  # what went wrong on purpose, by kind
    compared: Counter[str] = field(default_factory=Counter)  # records, by topic
    started: int = 0  # workers
    fenced: int = 0  # times a worker said that another has what it had
    events: int = 0
    days: int = 0
    seconds: float = 0.0
    peak: int = 0  # bytes that one worker took at most

    def add(self, other: "Figures") -> None:
        """Adds another round's."""
        self.seeds += other.seeds
        self.done += other.done
        self.compared += other.compared
        self.started, self.fenced = self.started + other.started, self.fenced + other.fenced
        self.events, self.days = self.events + other.events, self.days + other.days
        self.seconds, self.peak = self.seconds + other.seconds, max(self.peak, other.peak)


def soak(
    seed: int,
    what: Plan,
    size: int,
    folder: Path,
    tell: Callable[[str], None] = print,
    show: Callable[[Course], None] = lambda _course: None,
) -> Figures:
    """A round of `size` records a day; logs and state are in `folder`, which is deleted unless something is wrong.

    `tell` hears what is done, line by line, and `show` how far it is. Raises AssertionError for what is wrong.
    """
    began = monotonic()
    figures = Figures([seed], days=what.days)
    with EmbeddedBroker(folder / "kafka") as broker:
        settings = load(bootstrap=broker.bootstrap, topic_prefix=f"{uuid.uuid4().hex[:8]}.", partitions=PARTITIONS)
        with Pipeline(settings, folder) as pipeline:
            course = Course(settings, pipeline.codec)
            crew = Crew(pipeline)
            publisher = Publisher(pipeline, Traffic(seed, size, pipeline.codec), course)
            trouble = Trouble(schedule(seed, what), course, crew, broker, folder, tell)
            try:
                for _ in range(FEWEST):
                    crew.join()
                trouble.start()

                def ready(day: int) -> bool:
                    show(course)
                    return trouble.begun(day - 2)

                publisher.run(what.days, ready)
                course.wait(lambda: trouble.over, "all that was to go wrong")
            finally:
                trouble.end()
                course.close()
            crew.end()
            _compare(pipeline, publisher, what.days, figures)
            assert not crew.wrong, "all that was published is right, but\n" + "\n".join(crew.wrong)
        figures.started, figures.fenced = len(pipeline.workers), crew.said(FENCED)
    figures.done, figures.events, figures.peak = trouble.done, course.events, crew.peak
    figures.seconds = monotonic() - began
    shutil.rmtree(folder)
    return figures


def _compare(pipeline: Pipeline, publisher: Publisher, days: int, figures: Figures) -> None:
    oracle = Oracle(read_networks(ROOT / "models/networks.toml"))
    expected = oracle.run(publisher.events, range(FIRST, FIRST + days))
    figures.compared = assert_same(pipeline, expected, publisher.letters(expected.dead_letters))
    figures.compared["influence"] = assert_influence_once(pipeline, publisher.counted(expected.weights))
