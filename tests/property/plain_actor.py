"""An actor weighed one event at a time, in plain Python: what the vectorised code must come to.

It keeps every act for good, and the memory of a pair is worked out anew from the acts that stand each time it is asked for.
"""

import math
from dataclasses import dataclass, field

from laurel.models.parameters import ScoreModel

(
    COUNTED,
    DUPLICATE,
    DAILY_LIMIT,
    PLUS_K_REPEAT,
    PLUS_K_QUOTA,
    RETRACTION,
    UNMATCHED,
    RETRACTED,
    WAITING,
    WITHDRAWN,
) = range(10)
WAITING_MOST = 256
NEVER = -1_000


@dataclass(frozen=True)
class Event:
    event: int
    target: int
    topic: int
    day: int
    kind: int  # 0 reaction, 1 post, 2 +K
    action_weight: int
    anonymous: bool
    retracts: int


@dataclass
class Outcome:
    status: int
    weight: int = 0
    count: int = 0
    plus_k: int = 0
    day: int = 0


@dataclass
class Act:
    """An engagement that came, what became of it, and whether that still stands."""

    event: Event
    outcome: Outcome
    now: int
    used: int = 0
    points: int = 0
    stands: bool = True


@dataclass
class PlainActor:
    model: ScoreModel
    score: int = 0
    clock: int = 0
    first: int = 0  # the first day that the clock showed
    newest: int = 0
    acts: int = 0
    withdrawn: int = 0
    plus_ks: int = 0
    pairs: dict[int, list[Act]] = field(default_factory=dict)  # by target, since it was last forgotten
    stretches: list[list[Act]] = field(default_factory=list)  # all of them, the forgotten ones too
    given: dict[tuple[int, int], int] = field(default_factory=dict)
    known: list[Act] = field(default_factory=list)
    waiting: list[int] = field(default_factory=list)

    def take(self, e: Event) -> Outcome:
        if e.retracts:
            return self._retract(e)
        self.newest = max(self.newest, e.day)
        old = e.day <= self.newest - self.model.remembered_days
        if not old and any(act.event.event == e.event and act.event.day == e.day for act in self.known):
            return Outcome(DUPLICATE, day=e.day)
        if e.event in self.waiting:
            self.waiting.remove(e.event)
            self.known.append(Act(e, Outcome(WITHDRAWN, day=e.day), self.clock, stands=False))
            return self.known[-1].outcome
        if not e.anonymous and e.day > self.clock:
            self._turn(e.day)
        act = Act(e, Outcome(COUNTED, 0, 1, 0, e.day), self.clock)
        self.known.append(act)
        act.outcome = self._weigh(e, act)
        return act.outcome

    def _retract(self, e: Event) -> Outcome:
        act = next((a for a in reversed(self.known) if a.event.event == e.retracts), None)
        if act is None or act.event.day <= self.newest - self.model.remembered_days:
            if e.retracts in self.waiting:
                return Outcome(UNMATCHED, day=e.day)
            self.waiting = [*self.waiting, e.retracts][-WAITING_MOST:]
            return Outcome(WAITING, day=e.day)
        if act.outcome.status != COUNTED or not act.stands:
            return Outcome(UNMATCHED, day=e.day)
        act.stands = False
        if act.event.kind == 0 and not act.event.anonymous and act.now == self.clock:
            self.acts -= 1
            self.withdrawn += 1
        if act.event.kind == 2:
            self.plus_ks -= act.now == self.clock
            if self.given.get((act.event.target, act.event.topic)) == act.now:
                del self.given[act.event.target, act.event.topic]
        return Outcome(RETRACTION, -act.outcome.weight, -1, -act.outcome.plus_k, act.event.day)

    def _weigh(self, e: Event, act: Act) -> Outcome:
        if e.anonymous:
            if e.kind == 0:
                share = e.action_weight * self.model.anonymous_share // 1_000_000
                return Outcome(COUNTED, _added(0, share, 1_000_000), 1, 0, e.day)
            return Outcome(COUNTED, 0, 1, 0, e.day)
        if e.kind == 1:
            return Outcome(COUNTED, 0, 1, 0, e.day)
        if e.kind == 2:
            return self._plus_k(e)
        if self.acts + self.withdrawn >= self.model.daily_limit:
            return Outcome(DAILY_LIMIT, day=e.day)
        self.acts += 1
        free = self.model.selective_after
        share = 1_000_000 if self.acts <= free else free * 1_000_000 // self.acts
        act.used = e.action_weight * share // 1_000_000
        memory = self._memory(e.target)
        act.points = self.score
        if not any(known.stands for known in self.pairs.get(e.target, [])):
            self.pairs[e.target] = []
            self.stretches.append(self.pairs[e.target])
        self.pairs[e.target].append(act)
        factor = round(1_000_000 + self.model.engager_step * math.sqrt(self.score))
        return Outcome(COUNTED, _added(memory, act.used, factor), 1, 0, e.day)

    def _plus_k(self, e: Event) -> Outcome:
        key = (e.target, e.topic)
        if key in self.given and self.clock - self.given[key] < self.model.plus_k_repeat_days:
            return Outcome(PLUS_K_REPEAT, day=e.day)
        if self.plus_ks >= self.model.plus_k_daily:
            return Outcome(PLUS_K_QUOTA, day=e.day)
        self.plus_ks += 1
        self.given[key] = self.clock
        return Outcome(COUNTED, 0, 1, 1_000_000, e.day)

    def _turn(self, day: int) -> None:
        self.clock, self.acts, self.plus_ks, self.withdrawn = day, 0, 0, 0
        self.first = self.first or day
        last = {t: max((act.now for act in acts if act.stands), default=NEVER) for t, acts in self.pairs.items()}
        known = [target for target, clock in last.items() if day - clock < self.model.window_days]
        strongest = sorted(known, key=lambda target: (-self._memory(target), target))
        self.pairs = {target: self.pairs[target] for target in strongest[: self.model.pairs_kept]}

    def reached(self) -> list[tuple[int, int, int, int]]:
        """Target, day and points of each last act that stands, of every stretch in which its pair was remembered, and how many acts
        of that stand."""
        found = [[act for act in acts if act.stands] for acts in self.stretches]
        return [(acts[-1].event.target, acts[-1].now, acts[-1].points, len(acts)) for acts in found if acts]

    def _memory(self, target: int) -> int:
        memory, day = 0, self.clock
        for act in self.pairs.get(target, []):
            if act.stands:
                memory, day = _faded(memory, act.now - day) + act.used, act.now
        return _faded(memory, self.clock - day)


def _faded(memory: int, age: int) -> int:
    if age <= 0 or not memory:
        return memory
    kept = round(65_536 * 2 ** (-age / 20) * (1 - (age / 90) ** 2) ** 3) if age < 90 else 0
    left = (_potential(memory) * kept) >> 16
    return left * 1_000_000 // (2_000_000 - left)


def _added(memory: int, points: int, factor: int) -> int:
    return 2 * 10**9 * points // (memory + 10**6) * factor // ((memory + points + 10**6) * 10**3)


def _potential(points: int) -> int:
    return 2_000_000 * points // (points + 1_000_000)
