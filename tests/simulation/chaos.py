"""What may happen next, by chance: the same chance, the same things. `python -m tests.simulation.chaos --help` runs many seeds."""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable
from random import Random

from faust.types import TP

from laurel.models.signals import LEAST
from tests.simulation.events import ACCOUNTS, DAY, FIRST, MEMBERS, engagement
from tests.simulation.memory_log import Broker, MemoryLog
from tests.simulation.results import check, check_oracle
from tests.simulation.worker import Worker
from tests.simulation.world import World

Happening = Callable[[], None]

CHANGELOGS = ("changelog-actors", "changelog-targets", "changelog-persons", "changelog-leaders")
# What a worker is about to do in a checkpoint, in this order; see streams/partition.py.
STEPS = ("begin a transaction", "send more", "commit", "hear of the commit", "store", "go on after storing")
NOISE = (None, b"", b"\x00", b"noise", b"\x00\x00\x00\x00\x01")


class Chaos:
    """What befalls a world. `linked` says whether accounts are linked to members and noise is published too, `crowded` whether crowds
    gather."""

    def __init__(self, world: World, chance: Random, *, linked: bool, crowded: bool = False) -> None:
        self.world, self._chance, self._linked, self._crowded = world, chance, linked, crowded
        self._day, self._names = FIRST, 0
        self._events: list = []
        self._endings = chance.choice((0.5, 8.0))  # as often as that transactions end
        world.back = self._back

    def happen(self) -> None:
        """One thing happens."""
        possible = self._possible()
        self._chance.choices([happening for happening, _ in possible], [often for _, often in possible])[0]()

    def _possible(self) -> list[tuple[Happening, float]]:
        """What can happen now, and how often it does."""
        world, chance = self.world, self._chance
        found: list[tuple[Happening, float]] = [
            (self.publish, 10),
            (self.crash, 0.4),
            (self.move, 0.5),
            (lambda: world.wake(chance.randrange(len(world.workers))), 0.2),
            (self.compact, 0.3),
            (lambda: chance.choice(world.workers).commit(), 1),
            (self.request, 0.4),
        ]
        if self._crowded:
            found.append((self.crowd, 0.5))
        if self._linked:
            found += [(self.noise, 0.4), (self.link, 0.6)]
        if world.loop.works:
            found.append((lambda: world.step(chance.randrange(1 << 20)), 60))
        if world.broker.ending:
            found.append((lambda: world.end_act(chance.randrange(1 << 20)), self._endings))
        if world.markers_left:
            found.append((lambda: world.mark(1, twice=chance.random() < 0.1), 4))
        if waiting := [(worker, tp) for worker in world.workers for tp in worker.waiting]:
            found.append((lambda: world.fetch(*chance.choice(waiting), chance.choice((1, 2, 3, 50))), 15))
        if behind := [worker for worker in world.workers if worker.calendar.behind]:
            found.append((lambda: world.follow(chance.choice(behind), 1), 6))
        if reading := [(worker, tp) for worker in world.workers for tp in worker.places]:
            found.append((lambda: self.again(*chance.choice(reading)), 0.5))
        return found

    def publish(self) -> None:
        """An engagement is published."""
        self._names += 1
        event = engagement(self._chance, self._day, f"e{self._names}", self._events[-40:])
        self._events.append(event)
        self.world.publish(event)

    def crowd(self) -> None:
        """So many react to one account at once that it has signals."""
        one = self._chance.choice(ACCOUNTS[:2])
        for actor in self._chance.choices(ACCOUNTS[2:], k=LEAST):
            self._names += 1
            event = engagement(self._chance, self._day, f"e{self._names}", ())
            does = {"network": "twitter", "action": "like", "actor": actor, "target": one}
            self._events.append({**event, **does, "occurred_at": self._day * DAY, "private": False, "topics": []})
            self.world.publish(self._events[-1])
        self.world.counts["crowds"] += 1

    def noise(self) -> None:
        """Something is published that is no engagement."""
        self.world.publish_raw(self._chance.choice((None, b"", b"twitter:1")), self._chance.choice(NOISE))

    def link(self) -> None:
        """An account is linked, to a member or to nobody."""
        self.world.link(self._chance.choice(ACCOUNTS), self._chance.choice(MEMBERS))

    def request(self) -> None:
        """A day, or two at once, are to be closed; or one that was missed, with the next."""
        days = self._chance.choice((1, 1, 1, 2))
        self.world.request(
            range(self._day, self._day + days), told=not self.world.closes or self._chance.random() < 0.7
        )
        self._day += days

    def crash(self) -> None:
        """A worker is killed, whatever it is doing, or at a step of its next checkpoint."""
        number = self._chance.randrange(len(self.world.workers))
        if self._chance.random() < 0.5:
            self.world.until(number, self._chance.choice(STEPS))
        self.world.crash(number, self._chance, disk_too=self._chance.random() < 0.3)

    def move(self) -> None:
        """A partition goes to another worker."""
        partition, to = self._chance.randrange(self.world.partitions), self._chance.randrange(len(self.world.workers))
        self.world.move(partition, to, unnoticed=self._chance.random() < 0.5)

    def compact(self) -> None:
        """A changelog loses what is superseded."""
        self.world.compact(self._chance.choice(CHANGELOGS), self._chance.randrange(self.world.partitions))

    def again(self, worker: Worker, tp: TP) -> None:
        """Records are fetched a second time."""
        worker.again(tp, self._chance.choice((1, 3, 50)))
        self.world.counts["fetched again"] += 1

    def _back(self, watermark: int) -> int:
        return self._chance.choice((watermark, watermark, max(watermark - 3, 0), 0))


def simulate(seed: int, happenings: int = 600, log: Callable[[Broker], MemoryLog] = MemoryLog) -> Counter[str]:
    """A world of a seed's own, what befalls it, and the check that nothing shows in the end; what happened, counted."""
    chance = Random(seed)
    linked = chance.random() < 0.5
    with World(
        partitions=chance.choice((1, 2, 2, 3)),
        workers=chance.choice((1, 2, 2, 3)),
        rows=chance.choice((1, 5, 1_000)),
        seed=chance.randrange(1 << 30),
        trouble=chance.choice((0.0, 0.1)),
        log=log,
        shadows=["brisk"] * (seed % 2),
    ) as world:
        chaos = Chaos(world, chance, linked=linked, crowded=seed % 4 == 1)
        for _ in range(happenings):
            chaos.happen()
        chaos.request()
        world.drain()
        with world.replayed(chance.choice((1, world.partitions)), chance) as calm:
            check(world, calm)
        if not linked and chance.random() < 0.3:
            world.counts["held against the oracle"] += check_oracle(world)
        return world.counts


def main() -> None:
    """Runs seeds until time is up or one fails."""
    parser = argparse.ArgumentParser(description="Simulates seeds, and tells of the first that fails.")
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--happenings", type=int, default=600, help="of each simulation")
    told = parser.parse_args()
    ends, seed, counts = time.monotonic() + told.minutes * 60, told.seed, Counter[str]()
    while time.monotonic() < ends:
        try:
            counts += simulate(seed, told.happenings)
        except BaseException:
            print(f"seed {seed} with {told.happenings} happenings fails", file=sys.stderr)
            raise
        seed += 1
    print(f"{seed - told.seed} simulations")
    for what, times in sorted(counts.items()):
        print(f"{times:>10,} {what}")


if __name__ == "__main__":
    main()
