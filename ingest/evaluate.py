"""How well scores foretell: people ranked at the end of each period, judged by the reactions they get in the next one."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from laurel.ingest import arrow
from laurel.ingest.errors import DataError
from laurel.ingest.files import Format
from laurel.ingest.merge import merge
from laurel.ingest.moments import check_span, told
from laurel.ingest.records import SCHEMA
from laurel.models.baselines import Baselines
from laurel.models.networks import REACTION, Networks
from laurel.models.numbering import Numbering
from laurel.models.parameters import ScoreModel
from laurel.models.population import Population
from laurel.models.ranking import ndcg, precision, spearman
from laurel.models.refusals import DAY

Int = npt.NDArray[np.int64]
Float = npt.NDArray[np.float64]
Models = Mapping[str, tuple[ScoreModel, Networks]]
Progress = Callable[[float], None]

HOUR = DAY // 24
MONDAY = 4 * DAY  # 1970-01-05
METRICS = ("ndcg_log", "ndcg", "spearman", "precision")


class Every(StrEnum):
    """How long a period is; weeks begin on Monday, all of it is UTC."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"


@dataclass(frozen=True)
class Judged:
    """A period that people were ranked at the end of: where it `begins` (milliseconds), the reactions counted in the next
    one, and the METRICS of each ranking."""

    begins: int
    reactions: int
    figures: dict[str, dict[str, float | None]]


@dataclass
class Evaluation:
    """All periods judged, and what they were judged on: engagements read, lines that are none, those that count, accounts."""

    every: Every
    k: int
    models: list[str]
    engagements: int = 0
    rejected: int = 0
    counted: int = 0
    accounts: int = 0
    periods: list[Judged] = field(default_factory=list)

    def means(self) -> dict[str, dict[str, float | None]]:
        """The mean over periods of each ranking's figures; None where no period has one."""
        names = dict.fromkeys(name for period in self.periods for name in period.figures)
        return {name: {metric: self._mean(name, metric) for metric in METRICS} for name in names}

    def _mean(self, name: str, metric: str) -> float | None:
        figures = [period.figures[name][metric] for period in self.periods if name in period.figures]
        known = [figure for figure in figures if figure is not None]
        return sum(known) / len(known) if known else None


def evaluate(
    paths: Sequence[Path],
    models: Models,
    every: Every = Every.DAY,
    k: int = 100,
    first: int | None = None,
    last: int | None = None,
    form: Format | None = None,
    progress: Progress = lambda _: None,
) -> Evaluation:
    """Ranks everybody by each model's raw influence and by the baselines, at the end of each period but the last.

    `first` and `last` bound the days (since 1970-01-01) whose periods are judged; what came before is taken in all the same.
    All of the files is held in memory, in time order. Raises DataError if a file can't be read or no period can be judged.
    """
    found = Evaluation(every, k, list(models))
    events = _read(paths, form, found)
    if not len(events):
        raise DataError(f"{', '.join(map(str, paths))}: no engagement to evaluate on")
    times = arrow.numbers(events["occurred_at"])
    first_day, last_day = int(times[0] // DAY), int(times[-1] // DAY)
    name = ", ".join(map(str, paths))
    check_span(name, first_day, last_day)
    if (first is not None and first > last_day) or (last is not None and last < first_day):
        raise DataError(
            f"{name}: engagements are of {told(first_day)} to {told(last_day)}; no day to judge is among them"
        )
    rankers = _Rankers(models, first_day)
    waiting: tuple[int, dict[str, Float]] | None = None  # the last period's beginning and rankings, to be judged
    got = np.zeros(0)  # reactions of the period so far, by account
    for begin, end, day_ends in _units(first_day, last_day, every):
        low, high = np.searchsorted(times, (begin, end))
        got = rankers.take(events.slice(low, high - low), got)
        begins = _period(begin, every)
        if _period(end, every) != begins:
            if waiting is not None and (got := np.maximum(got, 0.0)).any():  # more taken back than came is nothing
                found.periods.append(Judged(waiting[0], int(got.sum()), _figures(waiting[1], got, k)))
            judged = (first is None or first <= (end - 1) // DAY) and (last is None or (end - 1) // DAY <= last)
            rankings = rankers.rankings(end)
            waiting = (
                (begins, rankings) if judged and rankers.counted else None
            )  # with nobody to rank, nothing to judge
            got = np.zeros(0)
        if day_ends:
            rankers.close()
        progress(high / len(times))
    if not found.periods:
        raise DataError(f"no {every} to judge: it takes engagements that count in two {every}s, one after the other")
    found.counted, found.accounts = rankers.counted, rankers.accounts
    return found


def _read(paths: Sequence[Path], form: Format | None, found: Evaluation) -> pa.RecordBatch:
    batches = []
    for part in merge(paths, form):
        found.rejected += len(part.rejects)
        batches.append(part.records)
    events = arrow.concatenate(batches, SCHEMA)
    found.engagements = len(events)
    return arrow.pick_rows(events, np.argsort(arrow.numbers(events["occurred_at"]), kind="stable"))


def _units(first_day: int, last_day: int, every: Every) -> Iterator[tuple[int, int, bool]]:
    """What is taken in at once: days, or hours, from and until (milliseconds), and whether a day ends with it.

    The last period is filled up, so that it ends.
    """
    size = HOUR if every is Every.HOUR else DAY
    at = first_day * DAY
    while at <= last_day * DAY + DAY - 1 or _period(at - 1, every) == _period(at, every):
        yield at, at + size, (at + size) % DAY == 0
        at += size


def _period(moment: int, every: Every) -> int:
    """Where the period of a moment begins, milliseconds."""
    size = {Every.HOUR: HOUR, Every.DAY: DAY, Every.WEEK: 7 * DAY}[every]
    offset = MONDAY if every is Every.WEEK else 0
    return (moment - offset) // size * size + offset


def _figures(rankings: Mapping[str, Float], got: Float, k: int) -> dict[str, dict[str, float | None]]:
    figures: dict[str, dict[str, float | None]] = {}
    # The same people for all: whoever was reacted to so far, or is now.
    counts = rankings["count"]
    some = (np.concatenate((counts, np.zeros(len(got) - len(counts)))) > 0) | (got > 0)
    for name, ranked in rankings.items():
        values = np.concatenate((ranked, np.zeros(len(got) - len(ranked))))
        figures[name] = {
            "ndcg_log": ndcg(values, np.log2(1 + got), k),
            "ndcg": ndcg(values, got, k),
            "spearman": spearman(values[some], got[some]),
            "precision": precision(values, got, k),
        }
    return figures


class _Rankers:
    """The models' populations, in step, and the baselines, which count what the first model accepts."""

    def __init__(self, models: Models, first_day: int) -> None:
        self._populations = {name: Population(model, networks, first_day) for name, (model, networks) in models.items()}
        self._networks = next(iter(models.values()))[1]
        self._baselines, self._posts = Baselines(), Numbering()
        self._pending: list[tuple[Int, ...]] = []  # reactions that the baselines haven't taken in
        self.counted = 0

    @property
    def accounts(self) -> int:
        return len(next(iter(self._populations.values())).accounts)

    def take(self, events: pa.RecordBatch, got: Float) -> Float:
        """Takes in some of a period; `got` with the reactions of it, float64[accounts]."""
        taken, *_ = [population.take(events) for population in self._populations.values()]
        reactions = np.flatnonzero((taken.count != 0) & (self._networks.kind[np.maximum(taken.code, 0)] == REACTION))
        self.counted += int((taken.count[reactions] > 0).sum())
        some = arrow.pick_rows(events, reactions)
        columns = (taken.actor[reactions], taken.target[reactions], self._posts.numbers(some["content_id"]))
        self._pending.append((*columns, arrow.numbers(some["occurred_at"]), taken.count[reactions]))
        new = np.bincount(columns[1], taken.count[reactions], self.accounts)
        return np.asarray(new + np.concatenate((got, np.zeros(len(new) - len(got)))), np.float64)

    def rankings(self, end: int) -> dict[str, Float]:
        """What everybody is ranked by at the end of the period (milliseconds), by ranking."""
        actor, target, post, at, count = (np.concatenate(column) for column in zip(*self._pending, strict=True))
        self._baselines.take(actor, target, post, at, count, self.accounts, end)
        self._pending.clear()
        models = {name: population.standing().raw for name, population in self._populations.items()}
        return models | self._baselines.rankings()

    def close(self) -> None:
        for population in self._populations.values():
            population.mark()
            population.close()
