"""Whole populations in few words: the product's `models.population` with accounts by number and days from 0 on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from laurel.models import population
from laurel.models.influence import Influences
from laurel.models.networks import Networks
from laurel.models.parameters import V1, ScoreModel
from laurel.models.population import Close, Hold
from laurel.models.ragged import Ragged
from laurel.models.refusals import DAY

__all__ = ["Close", "Hold"]

Int = npt.NDArray[np.int64]
Float = npt.NDArray[np.float64]
Ints = Int | Sequence[int] | range | int

NETWORKS = Networks.load()
NOBODY = -1  # as an actor: an anonymous engagement
START = 20_000  # day 0 of a log, in days since 1970-01-01
BIN = 0.24  # points: people are calibrated at the centre of their bin, and bins are this wide at most
CODES = {f"{n}/{a}": at for at, (n, a) in enumerate(zip(NETWORKS.network, NETWORKS.action, strict=True))}


@dataclass(frozen=True)
class Log:
    """m engagements in log order, all int64[m]: accounts by number, `code` the place in the network table, `day` from 0."""

    actor: Int
    target: Int
    code: Int
    day: Int

    def __add__(self, later: "Log") -> "Log":
        columns = ((getattr(self, name), getattr(later, name)) for name in ("actor", "target", "code", "day"))
        return Log(*map(np.concatenate, columns))

    def __len__(self) -> int:
        return len(self.day)

    def take(self, rows: npt.NDArray[np.generic]) -> "Log":
        return Log(self.actor[rows], self.target[rows], self.code[rows], self.day[rows])


def acts(actor: Ints, target: Ints, action: str = "twitter/retweet", day: Ints = 0) -> Log:
    """Engagements of one action; single numbers stand for as many as the others have."""
    columns = np.broadcast_arrays(
        *(np.atleast_1d(np.asarray(c, np.int64)) for c in (actor, target, CODES[action], day))
    )
    return Log(*(column.copy() for column in columns))


def posts(author: Ints, count: int, network: str = "twitter", day: Ints = 0) -> Log:
    """The same number of posts by each author."""
    authors = np.repeat(np.atleast_1d(np.asarray(author, np.int64)), count)
    return acts(authors, authors, f"{network}/post", day)


class Population:
    """n accounts from day 0 on. `known` are the scores published before it, `hold` a calibration that stays."""

    def __init__(
        self, accounts: int, hold: Hold | None = None, known: Ints | None = None, model: ScoreModel = V1
    ) -> None:
        self._product = population.Population(model, NETWORKS, START, hold)
        points = None if known is None else np.asarray(known, np.int64)
        self._product.enter(_names(np.arange(accounts)), points)
        self._taken = 0
        self.closes: list[Close] = []

    @property
    def open_day(self) -> int:
        return self._product.open_day - START

    def take(self, log: Log, followers: Ints | None = None, back: Ints | None = None) -> Int:
        """Takes engagements in while the open day is open; their weights, int64[m] micro-points, 0 where refused. `back` int64[m] says
        which one each takes back, by its number among all that were ever taken in, from 1 on; 0 if none."""
        event = self._taken + 1 + np.arange(len(log))
        self._taken += len(log)
        return self._product.take(_columns(log, event, followers, back)).weight

    def state(self) -> tuple[Influences, Ragged]:
        """What is remembered of the accounts as targets: influence, and people (reach.PEOPLE)."""
        return self._product._influences, self._product._people

    def mark(self) -> None:
        """Opens the next day."""
        self._product.mark()

    def close(self) -> Close:
        """Closes the oldest day that isn't, which must be marked."""
        closed = self._product.close()
        self.closes.append(replace(closed, day=closed.day - START))
        return self.closes[-1]


def run(
    log: Log, accounts: int, until: int | None = None, hold: Hold | None = None, known: Ints | None = None
) -> list[Close]:
    """The closes of day 0 to `until` (the log's last day if None), each day's engagements taken in on that day."""
    people = Population(accounts, hold, known)
    for day in range((int(log.day.max(initial=0)) if until is None else until) + 1):
        rows = log.day == day
        if rows.any():
            people.take(log.take(rows))
        people.mark()
        people.close()
    return people.closes


def _names(numbers: Int) -> pa.Array:
    return pc.binary_join_element_wise("person", pa.array(numbers).cast(pa.string()), ":")


def _columns(log: Log, event: Int, followers: Ints | None, back: Ints | None) -> pa.RecordBatch:
    m = len(log)
    taken = np.broadcast_to(np.asarray(0 if back is None else back, np.int64), m)
    actor, target = _names(log.actor), _names(log.target)
    columns = {
        "event_id": pa.array(event).cast(pa.string()),
        "actor": pc.if_else(pa.array(log.actor != NOBODY), actor, pa.scalar(None, pa.string())),
        "target": target,
        "network": pa.array(NETWORKS.network).take(pa.array(log.code)),
        "action": pa.array(NETWORKS.action).take(pa.array(log.code)),
        "topics": pa.ListArray.from_arrays(pa.array(np.zeros(m + 1, np.int32)), pa.array([], pa.string())),
        "occurred_at": pa.array((START + log.day) * DAY),
        "private": pa.array(np.zeros(m, np.bool_)),
        "retracts": pc.if_else(pa.array(taken > 0), pa.array(taken).cast(pa.string()), pa.scalar(None, pa.string())),
    }
    if followers is not None:
        columns["followers"] = pa.array(np.broadcast_to(np.asarray(followers, np.int64), m))
    return pa.RecordBatch.from_pydict(columns)
