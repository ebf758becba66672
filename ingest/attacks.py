"""What attacks gain: each scenario played in a population, and the same population without it, day by day.

Both runs take in the same engagements of others, and both scores are on the scale of the day without the attack:
newcomers move everybody's alike, through the calibration. So what is told is what the scenario's acts bring.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from laurel.ingest import arrow, generate
from laurel.ingest.arrow import Ints
from laurel.ingest.errors import DataError
from laurel.ingest.files import Format
from laurel.ingest.generate import Floats
from laurel.ingest.merge import merge
from laurel.ingest.moments import check_span
from laurel.ingest.records import SCHEMA
from laurel.ingest.scenarios import SCENARIOS, Scenario, Stage, batches
from laurel.models.combine import combine
from laurel.models.networks import POST, REACTION, Networks
from laurel.models.parameters import ScoreModel
from laurel.models.population import Close, Population, Taken
from laurel.models.refusals import DAY
from laurel.models.scale import base_score, score
from laurel.models.signals import SUSPICIOUS, Signals, signals

Progress = Callable[[str], None]

USERS, EVENTS_A_DAY, SKEW = 1_000, 300, 1.1  # the synthetic population
WARM_DAYS = 50  # before attacks begin: calibration moves by small steps from then on
FAN = 50.0  # points of a fan of middle score
AVERAGE = 100  # average people whom scenarios may borrow


@dataclass(frozen=True)
class Background:
    """Engagements of a population by day from `first_day` on (since 1970-01-01), and the day on which attacks begin."""

    name: str
    synthetic: bool
    first_day: int
    begins: int
    days: list[pa.RecordBatch]

    @property
    def lasts(self) -> int:
        """Days from the one on which attacks begin to the last."""
        return self.first_day + len(self.days) - self.begins


@dataclass(frozen=True)
class Outcome:
    """What a scenario cost (days, accounts of its own, people borrowed, actions), and what it brought whoever won most.

    gained: the most points on any day above a newcomer who does nothing; `score` is the score then.
    signals: the winner's, by name, the highest of its accounts'; flagged: which of them are suspicious.
    """

    scenario: Scenario
    days: int
    accounts: int
    borrowed: int
    actions: int
    gained: float
    score: float
    signals: dict[str, float]
    flagged: list[str]

    @property
    def kept(self) -> bool | None:
        """Whether the bound holds, to a hundredth of a point; None where there is none."""
        return None if self.scenario.bound is None else self.gained < self.scenario.bound + 0.005


def synthetic(days: int, seed: int) -> Background:
    """A population made up by the seed, about nobody, that attacks of `days` days are played in."""
    plan = generate.Plan(EVENTS_A_DAY * (WARM_DAYS + days), USERS, SKEW, WARM_DAYS + days, seed)
    events = arrow.concatenate(list(generate.batches(plan)), SCHEMA)
    name = f"{USERS:,} synthetic accounts (random, seed {seed})"
    return Background(name, True, plan.start, plan.start + WARM_DAYS, _by_day(events, plan.start, WARM_DAYS + days))


def from_files(paths: Sequence[Path], days: int, form: Format | None = None) -> Background:
    """The files' own people; attacks take up the last `days` days of them, or their second half if that is shorter.

    Raises DataError if a file can't be read, or if there are too few days.
    """
    events = arrow.concatenate([part.records for part in merge(paths, form)], SCHEMA)
    name = ", ".join(path.name for path in paths)
    if not len(events):
        raise DataError(f"{name}: no engagement to play attacks among")
    events = arrow.pick_rows(events, np.argsort(arrow.numbers(events["occurred_at"]), kind="stable"))
    times = arrow.numbers(events["occurred_at"])
    first, last = int(times[0] // DAY), int(times[-1] // DAY)
    check_span(name, first, last)
    if last - first < 3:
        raise DataError(f"{name}: {last - first + 1} days of engagements are too few to play attacks among; it takes 4")
    lasts = min(days, (last - first + 1) // 2)
    return Background(name, False, first, last + 1 - lasts, _by_day(events, first, last + 1 - first))


def play(
    background: Background,
    model: ScoreModel,
    networks: Networks,
    progress: Progress = lambda _: None,
    scenarios: Mapping[str, Scenario] = SCENARIOS,
) -> Iterator[tuple[str, Outcome]]:
    """Plays the scenarios one by one, each in a population of its own; their names and outcomes. Raises DataError."""
    progress("the population before")
    before = _Run(Population(model, networks, background.first_day), networks)
    for day in background.days[: background.begins - background.first_day]:
        closed = before.day([day])
    stage = _stage(background, before, closed.scores, networks, model)
    progress("the population without attacks")
    alone = deepcopy(before)
    without = [alone.day([day]) for day in background.days[background.begins - background.first_day :]]
    for name, scenario in scenarios.items():
        progress(scenario.title)
        yield name, _play(scenario, stage, background, deepcopy(before), without, model)


class _Run:
    """A population, and the reactions it has counted."""

    def __init__(self, population: Population, networks: Networks) -> None:
        self.population, self._networks = population, networks
        self._reactions: list[Ints] = []  # int64[3, m]: actor, target, day

    def day(self, given: Sequence[pa.RecordBatch]) -> Close:
        """Takes in a day and closes it."""
        today = self.population.open_day
        for events in given:
            self._note(self.population.take(events), today)
        self.population.mark()
        return self.population.close()

    def signals(self) -> Signals:
        """Signals of all accounts, of all that was counted."""
        actor, target, day = np.concatenate(self._reactions, axis=1)
        return signals(actor, target, day, self.population.first_acts())

    def _note(self, taken: Taken, today: int) -> None:
        counts = (taken.count > 0) & (self._networks.kind[np.maximum(taken.code, 0)] == REACTION)
        found = np.stack((taken.actor[counts], taken.target[counts]))
        self._reactions.append(np.vstack((found, np.full(found.shape[1], today))))


def _play(
    scenario: Scenario,
    stage: Stage,
    background: Background,
    run: _Run,
    without: Sequence[Close],
    model: ScoreModel,
) -> Outcome:
    plot = scenario.plot(stage)
    theirs = list(batches(plot, background.begins))[: background.lasts]
    winners = pa.array(plot.winners)
    gained, scored, winner = -np.inf, 0.0, np.empty(0, np.int64)
    start = background.begins - background.first_day
    # The day after the last act tells what that brought, where there is such a day.
    for at in range(min(len(theirs) + 1, background.lasts)):
        closed = run.day([background.days[start + at], *theirs[at : at + 1]])
        numbers = run.population.accounts.numbers(winners).reshape(-1, plot.accounts)
        owner = np.repeat(np.arange(len(numbers)), plot.accounts)
        scores = score(combine(owner, closed.raw[numbers.ravel()], len(numbers)), without[at].r0, model)
        gains = scores - float(base_score(without[at].r0, model))
        most = int(np.argmax(gains))
        if gains[most] > gained:
            gained, scored, winner = float(gains[most]), float(scores[most]), numbers[most]
    found = run.signals()
    acts = [act for day in plot.days[: len(theirs)] for act in day]
    names = {name for act in acts for name in act[:2]}
    own = {name for name in names if stage.is_made_up(name)}
    return Outcome(
        scenario,
        days=len(theirs),
        accounts=len(own),
        borrowed=len(names - own),
        actions=len(acts),
        gained=gained,
        score=scored,
        signals={name: float(getattr(found, name)[winner].max()) for name in SUSPICIOUS},
        flagged=[name for name in SUSPICIOUS if found.flagged(name)[winner].any()],
    )


def _stage(background: Background, run: _Run, scores: Floats, networks: Networks, model: ScoreModel) -> Stage:
    """The network with the most engagements of those that have posts and reactions, and people there."""
    tally: dict[str, int] = {}
    for day in background.days[: background.begins - background.first_day]:
        for name, count in arrow.tally(day["network"]).items():
            tally[name] = tally.get(name, 0) + count
    fit = [name for name in tally if _is_fit(name, networks)]
    if not fit:
        raise DataError(f"{background.name}: before the attacks no engagement is on a network with posts and reactions")
    network = max(fit, key=lambda name: (tally[name], name))
    reactions = _reactions(network, networks)
    people = np.flatnonzero(arrow.matches(run.population.accounts.names, f"^{network}:"))
    if not len(people):
        raise DataError(f"{background.name}: before the attacks nobody is on {network}")
    own = scores[people]
    average = people[np.argsort(np.abs(own - model.mean), kind="stable")[:AVERAGE]]
    fan = people[int(np.argmin(np.abs(own - FAN)))]
    names = run.population.accounts.names.take(pa.array(np.append(average, fan))).to_pylist()
    liking = "like" if "like" in reactions else reactions[-1]
    others = [name for name in networks.network_names if name != network and _is_fit(name, networks)]
    elsewhere = {name: _reactions(name, networks)[0] for name in others}
    return Stage(network, reactions[0], liking, background.lasts, names[:-1], names[-1], elsewhere)


def _is_fit(network: str, networks: Networks) -> bool:
    """Whether the network has posts and reactions."""
    return {POST, REACTION} <= set(networks.kind[np.array(networks.network) == network].tolist())


def _reactions(network: str, networks: Networks) -> list[str]:
    """The network's reactions by weight, from the weightiest down."""
    here = np.flatnonzero((np.array(networks.network) == network) & (networks.kind == REACTION))
    return [networks.action[code] for code in here[np.argsort(-networks.weight[here], kind="stable")]]


def _by_day(events: pa.RecordBatch, first: int, count: int) -> list[pa.RecordBatch]:
    """Engagements in time order, a batch for each of `count` days from `first` on."""
    times = arrow.numbers(events["occurred_at"])
    cuts = np.searchsorted(times, (first + np.arange(count + 1)) * DAY)
    return [events.slice(low, high - low) for low, high in zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True)]
