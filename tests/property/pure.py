"""A whole population by the pure functions alone: engagements in, a score for each account and day out.

What the stages do between topics, done here between arrays: examine, weigh, accrue, then at each day's close standing,
calibration and scores, which weigh the engagements of the day after the next.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from laurel.models import ragged
from laurel.models.archive import spill
from laurel.models.calibration import calibrate, network_means
from laurel.models.influence import BUCKET, TOPIC, Influences, accrue
from laurel.models.networks import POST, Networks
from laurel.models.parameters import V1, ScoreModel
from laurel.models.refusals import ACCEPTED, DAY, NO_DAY, examine
from laurel.models.scale import earned_points, histogram, score
from laurel.models.standing import standing
from laurel.models.voice import COUNTED, Acts, blank
from laurel.models.weigh import weigh

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


@dataclass(frozen=True)
class Hold:
    """A calibration that the population does not decide: r0, and every network's reactions per post."""

    r0: float = 1.0
    mean: float = 1.0


@dataclass(frozen=True)
class Close:
    """A day's close: `present` bool[n], `raw` and `scores` float64[n] (1 where nothing counts), `r0`, `means` float64[networks]
    that the close was computed with."""

    day: int
    present: npt.NDArray[np.bool_]
    raw: Float
    scores: Float
    r0: float
    means: Float

    @property
    def mean(self) -> float:
        return float(self.scores[self.present].mean())

    def earned(self, model: ScoreModel) -> Int:
        """Whole points above the score of no influence."""
        return np.where(self.present, earned_points(self.scores, self.r0, model), 0)


class Population:
    """n accounts from day 0 on. `known` are the scores published before it, `hold` a calibration that stays."""

    def __init__(
        self, accounts: int, hold: Hold | None = None, known: Ints | None = None, model: ScoreModel = V1
    ) -> None:
        self._n, self._hold, self._model = accounts, hold, model
        self._voices = blank(accounts)
        self._voices.header["score"] = 0 if known is None else known
        self._influences = Influences(ragged.empty(accounts, BUCKET), ragged.empty(accounts, TOPIC))
        self._means = np.full(len(NETWORKS.network_names), hold.mean if hold else model.first_mean)
        self._measured = np.zeros(len(self._means), np.int64)
        self._taken = 0
        self.open_day = 0
        self.closes: list[Close] = []

    def take(self, log: Log, followers: Ints | None = None) -> Int:
        """Takes engagements in while the open day is open; their weights, int64[m] micro-points, 0 where refused."""
        event = self._taken + 1 + np.arange(len(log))
        events = _columns(log, event, followers)
        published = np.maximum((START + log.day) * DAY, (START + self.open_day) * DAY)
        examined = examine(events, published, START + self.open_day, NETWORKS, self._model)
        weight = np.zeros(len(log), np.int64)
        rows = np.flatnonzero(examined.reason == ACCEPTED)
        kind = NETWORKS.kind[log.code[rows]]
        anonymous = (log.actor[rows] == NOBODY) & (kind != POST)
        some = Acts(
            owner=np.where(log.actor[rows] == NOBODY, log.target[rows], log.actor[rows]),
            event=event[rows].astype(np.uint64),
            target=(log.target[rows] + 1).astype(np.uint64),
            topic=np.zeros(len(rows), np.uint64),
            day=examined.day[rows],
            kind=kind.astype(np.int64),
            action_weight=NETWORKS.weight[log.code[rows]],
            anonymous=anonymous,
            retracts=np.zeros(len(rows), np.uint64),
        )
        self._taken += len(log)
        weighed, self._voices = weigh(self._voices, some, self._model)
        self._voices = spill(self._voices, self._model).voices  # nothing here is sent again or taken back
        counted = weighed.status == COUNTED
        weight[rows[counted]] = weighed.weight[counted]

        buckets = np.empty(int(counted.sum()), BUCKET)
        buckets["day"] = weighed.day[counted]
        buckets["admit"] = np.maximum(weighed.day[counted], START + self.open_day)
        buckets["action"] = NETWORKS.ids[log.code[rows[counted]]]
        buckets["weight"] = weighed.weight[counted]
        buckets["count"] = weighed.count[counted]
        self._influences = accrue(
            self._influences,
            log.target[rows[counted]],
            buckets,
            np.empty(0, np.int64),
            np.empty(0, TOPIC),
            START + len(self.closes) - 1 if self.closes else NO_DAY,
            self._model.window_days,
        )
        return weight

    def mark(self) -> None:
        """Opens the next day. Scores two days old weigh its engagements, so that older close has to be done."""
        self.open_day += 1
        lag = self._model.engager_lag
        assert len(self.closes) > self.open_day - lag, "a day opens when the one two before it is closed"
        if self.open_day >= lag:
            self._voices.header["score"] = self.closes[self.open_day - lag].earned(self._model)

    def close(self) -> Close:
        """Closes the oldest day that isn't, which must be marked."""
        day, model = len(self.closes), self._model
        assert day < self.open_day, "a day is closed after its marker"
        found = standing(self._influences, START + day, self._means, NETWORKS, model)
        if self._hold:
            r0, means = self._hold.r0, self._means
        else:
            before = self.closes[-1].r0 if self.closes else None
            r0 = calibrate(histogram(found.raw[found.present], model), before, day, model).r0
            of = found.presences.rows
            posting, sums = of["posts"] > 0, np.zeros((2, len(self._means)), np.int64)
            for row, name in enumerate(("reactions", "posts")):
                np.add.at(sums[row], of["network"][posting], of[name][posting])
            means = network_means(sums[0], sums[1], self._means, self._measured, model)
            self._measured = self._measured + (sums[1] > 0)
        scores = np.where(found.present, score(found.raw, r0, model), model.lowest)
        self.closes.append(Close(day, found.present, found.raw, scores, r0, self._means))
        self._means = means
        return self.closes[-1]


def run(
    log: Log, accounts: int, until: int | None = None, hold: Hold | None = None, known: Ints | None = None
) -> list[Close]:
    """The closes of day 0 to `until` (the log's last day if None), each day's engagements taken in on that day."""
    population = Population(accounts, hold, known)
    for day in range((int(log.day.max(initial=0)) if until is None else until) + 1):
        rows = log.day == day
        if rows.any():
            population.take(log.take(rows))
        population.mark()
        population.close()
    return population.closes


def _columns(log: Log, event: Int, followers: Ints | None) -> pa.RecordBatch:
    m = len(log)
    actor, target = (
        pc.binary_join_element_wise("person", pa.array(numbers).cast(pa.string()), ":")
        for numbers in (log.actor, log.target)
    )
    columns = {
        "event_id": pa.array(event).cast(pa.string()),
        "actor": pc.if_else(pa.array(log.actor != NOBODY), actor, pa.scalar(None, pa.string())),
        "target": target,
        "network": pa.array(NETWORKS.network).take(pa.array(log.code)),
        "action": pa.array(NETWORKS.action).take(pa.array(log.code)),
        "topics": pa.ListArray.from_arrays(pa.array(np.zeros(m + 1, np.int32)), pa.array([], pa.string())),
        "occurred_at": pa.array((START + log.day) * DAY),
        "private": pa.array(np.zeros(m, np.bool_)),
    }
    if followers is not None:
        columns["followers"] = pa.array(np.broadcast_to(np.asarray(followers, np.int64), m))
    return pa.RecordBatch.from_pydict(columns)
