"""What goes wrong when: a function of the seed alone, in terms of how far the days have come and not of the clock."""

import random
from dataclasses import dataclass

SESSION = 6.0  # seconds until a worker not heard of loses its partitions
FEWEST, MOST = 2, 4  # workers at a time
A_DAY = 4  # things that go wrong in a day, about
AT_A_CLOSE = 0.6  # share of them that are aimed at the close of a day, which is a short time of it

SENDING, REQUESTED, CALIBRATED, CLOSED = PHASES = ("sending", "requested", "calibrated", "closed")
KILL, WIPE, BROKER, FREEZE, JOIN, LEAVE = "kill", "wipe", "broker", "freeze", "join", "leave"
GUEST = "guest"  # joins or leaves, whichever there is room for


@dataclass(frozen=True)
class Plan:
    """How much of what. `kills` of workers, `wipes` of them with their state; so many `moves` are workers joining or leaving."""

    days: int
    kills: int
    wipes: int
    broker_kills: int
    zombies: int
    moves: int


def plan(kills: int, broker_kills: int, zombies: int, moves: int) -> Plan:
    """That much, on as many days as it takes; a quarter of the killed workers lose their state too."""
    days = max(4, -(-(kills + broker_kills + zombies + moves) // A_DAY))
    return Plan(days, kills, -(-kills // 4), broker_kills, zombies, moves)


@dataclass(frozen=True)
class Action:
    """`kind` is done `delay` seconds after day number `day` has come to `phase`; of sending, to that `share` (0..1) of it.

    `victim` (0..1) says which of those there are; `seconds` how long it lasts.
    """

    day: int
    phase: str
    share: float
    delay: float
    kind: str
    victim: float
    seconds: float

    def __str__(self) -> str:
        when = f"{self.share:.0%} sent" if self.phase == SENDING else self.phase
        return f"{self.kind} at day {self.day} {when} + {self.delay:.2f} s"


def schedule(seed: int, what: Plan) -> list[Action]:
    """All that happens, about in order."""
    chance = random.Random(f"schedule {seed}")
    kinds = [WIPE] * what.wipes + [KILL] * (what.kills - what.wipes) + [BROKER] * what.broker_kills
    kinds += [FREEZE] * what.zombies + [GUEST] * what.moves
    chance.shuffle(kinds)
    moments = sorted(_moment(chance, number * what.days // len(kinds)) for number in range(len(kinds)))
    actions, workers = [], FEWEST
    for drawn, (day, phase, share) in zip(kinds, moments, strict=True):
        kind = drawn
        if drawn == GUEST:
            joins = workers == FEWEST or (workers < MOST and chance.random() < 0.5)
            kind, workers = (JOIN, workers + 1) if joins else (LEAVE, workers - 1)
        seconds = {BROKER: chance.uniform(0, 6), FREEZE: SESSION + chance.uniform(1, 6)}.get(kind, 0.0)
        delay = chance.uniform(0, 0.4)
        actions.append(Action(day, PHASES[phase], share, delay, kind, chance.random(), seconds))
    return actions


def _moment(chance: random.Random, day: int) -> tuple[int, int, float]:
    if chance.random() < AT_A_CLOSE:
        return day, chance.randint(1, len(PHASES) - 1), 0.0
    return day, 0, chance.random()
