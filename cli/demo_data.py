"""What the demo replays: real days where they are or can be had, made-up ones otherwise, and it says which."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from laurel.ingest import arrow, datasets, generate
from laurel.ingest.errors import DataError
from laurel.ingest.files import read
from laurel.streams.settings import Settings

DAY = 86_400_000  # milliseconds
SYNTHETIC = "synthetic"
MADE_UP = generate.Plan(events=120_000, users=5_000, skew=1.1, days=30)


@dataclass(frozen=True)
class Described:
    """A data set in words: a name for headings, and whom it is from."""

    title: str
    credit: str


DESCRIBED = {
    "stackexchange": Described(
        "quantumcomputing.stackexchange.com",
        "by its contributors, CC BY-SA 3.0 and 4.0, from Stack Exchange",
    ),
    "higgs": Described(
        "Higgs on Twitter",
        "SNAP; De Domenico et al., Scientific Reports 3:2980 (2013); anonymous ids",
    ),
    SYNTHETIC: Described("synthetic events", "made up by a seeded random generator, about nobody"),
}


@dataclass(frozen=True)
class Source:
    """A file to replay: its days `first` to `last` (since 1970-01-01 UTC), and how many engagements they have."""

    name: str
    path: Path
    first: int
    last: int
    events: int

    @property
    def described(self) -> Described:
        """Its title and credit."""
        return DESCRIBED[self.name]

    @property
    def days(self) -> int:
        """How many days it has, those without events included."""
        return self.last - self.first + 1


def sources(
    names: list[str], settings: Settings, folder: Path, days: int | None, tell: Callable[[str], None]
) -> list[Source]:
    """The data sets that are there or can be downloaded, their first `days` days; synthetic events if there is none.

    `tell` gets a sentence about everything that isn't plainly there. Raises DataError if a file can't be read.
    """
    found = []
    for name in names:
        path = _located(name, settings, tell)
        if path is not None:
            found.append(measured(name, path, days))
    if found:
        return found
    path = folder / "synthetic.ndjson.gz"
    tell(f"no real data: {MADE_UP.events:,} synthetic events instead, random and about nobody, into {path}")
    for _ in generate.write(MADE_UP, path):
        pass
    return [measured(SYNTHETIC, path, days)]


def measured(name: str, path: Path, days: int | None) -> Source:
    """The source in a file, cut to its first `days` days."""
    counts: dict[int, int] = {}
    for chunk in read(path):
        numbers, events = np.unique(arrow.numbers(chunk.records["occurred_at"]) // DAY, return_counts=True)
        for day, count in zip(numbers.tolist(), events.tolist(), strict=True):
            counts[day] = counts.get(day, 0) + count
    if not counts:
        raise DataError(f"{path} has no events")
    first = min(counts)
    last = max(counts) if days is None else min(max(counts), first + days - 1)
    return Source(name, path, first, last, sum(count for day, count in counts.items() if day <= last))


def _located(name: str, settings: Settings, tell: Callable[[str], None]) -> Path | None:
    try:
        return datasets.find(name, settings)
    except DataError as missing:
        if datasets.DATA_SETS[name].url is None:
            tell(str(missing))
            return None
    tell(f"downloading the data set {name} from {datasets.DATA_SETS[name].url}")
    try:
        return datasets.fetch(name)
    except DataError as error:
        tell(str(error))
        return None
