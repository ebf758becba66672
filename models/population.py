"""A whole population by the pure functions alone: engagements in, a score for each account and day out.

What the stages do between topics, done here between arrays: examine, weigh, accrue, then at each day's close standing,
calibration and scores, which weigh the engagements of later days. Every account is a person of its own, and topics
are left aside. Memory grows with the accounts and with the acts that are remembered of them.
"""

from collections import deque
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from laurel.models import ragged
from laurel.models.acts import acts_of, without_empty_actors
from laurel.models.calibration import calibrate, network_means
from laurel.models.influence import BUCKET, TOPIC, Influences, accrue
from laurel.models.networks import Networks
from laurel.models.numbering import Numbering
from laurel.models.parameters import ScoreModel
from laurel.models.reach import PEOPLE, Reach, put, reach, rows_of
from laurel.models.refusals import ACCEPTED, DAY, NO_DAY, examine
from laurel.models.scale import earned_points, histogram, score
from laurel.models.standing import Standing, posters, standing
from laurel.models.voice import COUNTED, RETRACTION, Voices, blank, join
from laurel.models.weigh import weigh

Int = npt.NDArray[np.int64]
Float = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Hold:
    """A calibration that the population does not decide: r0, and every network's reactions per post."""

    r0: float = 1.0
    mean: float = 1.0


@dataclass(frozen=True)
class Taken:
    """What became of m engagements, all int64[m]: `actor` (NOBODY if anonymous) and `target` by number, `code` into the
    network table (below 0 if unknown), `weight` micro-points and `count` that they add (0 where they don't)."""

    actor: Int
    target: Int
    code: Int
    weight: Int
    count: Int


@dataclass(frozen=True)
class Close:
    """A day's close: `present` bool[n], `raw` and `scores` float64[n] (the lowest score where nothing counts), the `reach`,
    `r0`, and `means` float64[networks] that it was computed with. n are the accounts known by then, by number."""

    day: int
    present: npt.NDArray[np.bool_]
    raw: Float
    scores: Float
    reach: Reach
    r0: float
    means: Float

    @property
    def mean(self) -> float:
        """Average score of all who are present."""
        return float(self.scores[self.present].mean())

    def earned(self, model: ScoreModel) -> Int:
        """Whole points above the score of no influence, int64[n]: what weighs an engager."""
        return np.where(self.present, earned_points(self.scores, self.r0, model), 0)


class Population:
    """Everybody, from the open day `first_day` (days since 1970-01-01) on; `hold` is a calibration that stays.

    `open_day` is the day that is taken in, `accounts` tells the accounts by number.
    """

    def __init__(self, model: ScoreModel, networks: Networks, first_day: int, hold: Hold | None = None) -> None:
        self.accounts = Numbering()
        self.open_day = first_day
        self._first, self._next = first_day, first_day  # the first day, and the first that isn't closed
        self._model, self._networks, self._hold = model, networks, hold
        self._voices = blank(0)
        self._influences = Influences(ragged.empty(0, BUCKET), ragged.empty(0, TOPIC))
        self._people = ragged.empty(0, PEOPLE)
        self._means = np.full(len(networks.network_names), hold.mean if hold else model.first_mean)
        self._measured = np.zeros(len(self._means), np.int64)  # closes that measured each of these
        self._r0: float | None = None
        self._earned: deque[Int] = deque()  # points earned at the closes that weigh nothing yet, oldest first

    def enter(self, accounts: pa.Array, points: Int | None = None) -> Int:
        """Numbers of accounts (StringArray[m], each once), int64[m]; `points` int64[m] are what they have
        earned already, by which they weigh as engagers."""
        numbers = self.accounts.numbers(accounts)
        self._grow()
        if points is not None:
            self._voices.header["score"][numbers] = points
        return numbers

    def take(self, engagements: pa.RecordBatch) -> Taken:
        """Takes engagements (columns of an Engagement, log order) in on the open day, as if published when they happened
        or when the day was opened, whichever is later; what is refused adds nothing."""
        events, networks = without_empty_actors(engagements), self._networks
        actor, target = (self.accounts.numbers(events.column(name)) for name in ("actor", "target"))
        self._grow()
        occurred_at = events.column("occurred_at").to_numpy(zero_copy_only=False)
        published = np.maximum(occurred_at, self.open_day * DAY)
        examined = examine(events, published, self.open_day, networks, self._model)
        rows = np.flatnonzero(examined.reason == ACCEPTED)
        code, day = examined.action[rows], examined.day[rows]
        owner = np.where(actor[rows] < 0, target[rows], actor[rows])
        touched, place = np.unique(owner, return_inverse=True)
        acts = acts_of(events.take(pa.array(rows)), place, code, day, networks)
        weighed, voices = weigh(self._voices.take(touched), acts, self._model)
        self._put(touched, voices)

        adds = (weighed.status == COUNTED) | (weighed.status == RETRACTION)
        weight, count = np.zeros((2, len(actor)), np.int64)
        weight[rows[adds]], count[rows[adds]] = weighed.weight[adds], weighed.count[adds]
        buckets = np.empty(int(adds.sum()), BUCKET)
        buckets["day"] = weighed.day[adds]
        buckets["admit"] = np.maximum(weighed.day[adds], self.open_day)
        buckets["action"] = networks.ids[code[adds]]
        buckets["weight"], buckets["count"] = weighed.weight[adds], weighed.count[adds]
        closed = self._next - 1 if self._next > self._first else NO_DAY
        self._influences = accrue(
            self._influences,
            target[rows[adds]],
            buckets,
            np.empty(0, np.int64),
            np.empty(0, TOPIC),
            closed,
            self._model.window_days,
        )
        moved, people = rows_of(weighed.move[adds], np.maximum(weighed.day[adds], self.open_day))
        self._people = put(self._people, target[rows[adds]][moved], people, closed, self._model.window_days)
        return Taken(actor, target, examined.action, weight, count)

    def first_acts(self) -> Int:
        """The day on which each account acted for the first time, by its own clock, int64[n]; 0 if it never has."""
        return self._voices.header["first"].astype(np.int64)

    def standing(self, day: int | None = None) -> Standing:
        """Where accounts stand at the close of a day that isn't closed, or, of the open one, as far as it was taken in."""
        at = self.open_day if day is None else day
        return standing(self._influences, at, self._means, self._networks, self._model)

    def mark(self) -> None:
        """Opens the next day. Scores of `engager_lag` days before weigh its engagements, so that close has to be done."""
        self.open_day += 1
        lag = self._model.engager_lag
        assert self._next > self.open_day - lag, "a day opens when the one two before it is closed"
        if self.open_day - lag >= self._first:
            points = self._earned.popleft()
            self._voices.header["score"][: len(points)] = points
        self._forget()

    def close(self) -> Close:
        """Closes the oldest day that isn't, which must be marked."""
        day, model = self._next, self._model
        assert day < self.open_day, "a day is closed after its marker"
        found = self.standing(day)
        r0, means = self._calibration(found)
        scores = np.where(found.present, score(found.raw, r0, model), model.lowest)
        closed = Close(day, found.present, found.raw, scores, reach(self._people.runs, day, model), r0, self._means)
        self._earned.append(closed.earned(model))
        self._next, self._r0, self._means = day + 1, r0, means
        return closed

    def _calibration(self, found: Standing) -> tuple[float, Float]:
        """The day's r0, and the networks' means for the next close."""
        if self._hold:
            return self._hold.r0, self._means
        bins = histogram(found.raw[found.present], self._model)
        r0 = calibrate(bins, self._r0, self._next - self._first, self._model).r0
        sums = posters(found.presences, len(self._means))
        means = network_means(sums[0], sums[1], self._means, self._measured, self._model)
        self._measured = self._measured + (sums[1] > 0)
        return r0, means

    def _grow(self) -> None:
        """Makes room for accounts that are new."""
        new = len(self.accounts) - len(self._influences)
        if new:
            self._voices = join([self._voices, blank(new)])
            more = Influences(ragged.empty(new, BUCKET), ragged.empty(new, TOPIC))
            held = self._influences
            self._influences = Influences(
                ragged.join([held.buckets, more.buckets]), ragged.join([held.topics, more.topics])
            )
            self._people = ragged.join([self._people, ragged.empty(new, PEOPLE)])

    def _put(self, some: Int, voices: Voices) -> None:
        """Replaces some voices (int64[k], ascending) by those given."""
        place = np.arange(len(self.accounts))
        place[some] = len(place) + np.arange(len(some))
        self._voices = join([self._voices, voices]).take(place)

    def _forget(self) -> None:
        """Drops acts that are known no more. Only the oldest ones go: what came after an act that can be taken back stays."""
        recent, newest = self._voices.recent, self._voices.header["newest"].astype(np.int64)
        old = recent.rows["day"] <= (newest - self._model.remembered_days)[recent.owners]
        if old.any():
            gone = old & (ragged.running((~old).astype(np.int64), ragged.starts(recent.owners)) == 0)
            self._voices = replace(self._voices, recent=recent.keep(~gone))
