"""An actor weighed one event at a time, in plain Python: what the vectorised code must come to."""

import math
from dataclasses import dataclass, field

from laurel.models.parameters import ScoreModel

COUNTED, DUPLICATE, DAILY_LIMIT, PLUS_K_REPEAT, PLUS_K_QUOTA, RETRACTION, UNMATCHED = range(7)


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
class PlainActor:
    model: ScoreModel
    score: int = 0
    clock: int = 0
    acts: int = 0
    plus_ks: int = 0
    pairs: dict[int, tuple[int, int]] = field(default_factory=dict)  # target: (memory, day)
    given: dict[tuple[int, int], int] = field(default_factory=dict)
    rows: list[tuple[int, dict]] = field(default_factory=list)  # (event id, the chain it belongs to)

    def take(self, e: Event) -> Outcome:
        name = e.retracts or e.event
        chain = next((c for seen, c in reversed(self.rows[-self.model.events_seen :]) if seen == name), None)
        if e.retracts:
            outcome = Outcome(UNMATCHED, day=e.day)
            if chain is None:
                chain = {"outcome": None}
            elif chain["outcome"] is not None and chain["outcome"].status == COUNTED:
                o = chain["outcome"]
                outcome = Outcome(RETRACTION, -o.weight, -1, -o.plus_k, o.day)
            chain["outcome"] = None
        elif chain is not None:
            outcome = Outcome(DUPLICATE, day=e.day)
        else:
            outcome = self._weigh(e)
            chain = {"outcome": outcome}
        self.rows.append((name, chain))
        return outcome

    def _weigh(self, e: Event) -> Outcome:
        if e.anonymous:
            if e.kind == 0:
                share = e.action_weight * self.model.anonymous_share // 1_000_000
                return Outcome(COUNTED, _potential(share) * 1_100_000 // 1_000_000, 1, 0, e.day)
            return Outcome(COUNTED, 0, 1, 0, e.day)
        if e.day > self.clock:
            self._turn(e.day)
        if e.kind == 1:
            return Outcome(COUNTED, 0, 1, 0, e.day)
        if e.kind == 2:
            return self._plus_k(e)
        if self.acts >= self.model.daily_limit:
            return Outcome(DAILY_LIMIT, day=e.day)
        self.acts += 1
        free = self.model.selective_after
        share = 1_000_000 if self.acts <= free else free * 1_000_000 // self.acts
        added = e.action_weight * share // 1_000_000
        memory = self._faded(e.target)
        increment = _potential(memory + added) - _potential(memory)
        self.pairs[e.target] = (memory + added, self.clock)
        factor = 1_000_000 + self.model.engager_step * max(self.score, 1)
        return Outcome(COUNTED, increment * factor // 1_000_000, 1, 0, e.day)

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
        self.clock, self.acts, self.plus_ks = day, 0, 0
        strongest = sorted(self.pairs, key=lambda target: (-self._faded(target), target))
        self.pairs = {t: self.pairs[t] for t in strongest[: self.model.pairs_kept] if self._faded(t)}

    def _faded(self, target: int) -> int:
        memory, day = self.pairs.get(target, (0, self.clock))
        age = self.clock - day
        if age == 0:
            return memory
        left = (_potential(memory) * round(65_536 * 2 ** (-age / 10))) >> 16 if age < 90 else 0
        return round(1e6 * math.expm1(left / 1e6))


def _potential(points: int) -> int:
    return round(1e6 * math.log1p(points / 1e6))
