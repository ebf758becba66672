"""Whatever happens to whom and when, what is published is what an undisturbed run publishes, each record once."""

import os
from collections.abc import Sequence
from random import Random

import pytest
from faust.types import TP
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests.simulation.chaos import CHANGELOGS, STEPS, Chaos, simulate
from tests.simulation.events import ACCOUNTS, FIRST, MEMBERS, engagement
from tests.simulation.results import check, check_oracle
from tests.simulation.worker import Worker
from tests.simulation.world import World

SEEDS = int(os.environ.get("LAUREL_TEST_SEEDS", "12"))  # of simulations; a thousand take a while
RUNS = int(os.environ.get("LAUREL_TEST_RUNS", "8"))  # of the state machine

chances = st.integers(0, 1 << 20).map(Random)
places = st.integers(0, 5)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_seed_of_disasters_shows_nowhere(seed: int) -> None:
    simulate(seed)


def test_a_seed_s_simulation_is_the_same_each_time() -> None:
    assert simulate(3) == simulate(3)


class Deployment(RuleBasedStateMachine):
    """A deployment and what befalls it, rule by rule."""

    world: World | None = None

    @initialize(
        partitions=st.integers(1, 3),
        workers=st.integers(1, 3),
        rows=st.sampled_from([1, 5, 1_000]),
        trouble=st.sampled_from([0.0, 0.1]),
        seed=st.integers(0, 1 << 20),
    )
    def begin(self, partitions: int, workers: int, rows: int, trouble: float, seed: int) -> None:
        self.world = World(partitions, workers, rows, seed, trouble)
        self.chaos = Chaos(self.world, Random(seed), linked=False)
        self.events: list = []
        self.day, self.oracle = FIRST, seed % 3 == 0

    @rule(chance=chances, count=st.integers(1, 10))
    def publish(self, chance: Random, count: int) -> None:
        for _ in range(count):
            self.events.append(engagement(chance, self.day, f"m{len(self.events)}", self.events[-40:]))
            self.world.publish(self.events[-1])

    @precondition(lambda self: self.events)
    @rule(count=st.integers(1, 20))
    def publish_again(self, count: int) -> None:
        self.world.send_again([sent for sent in self.world.sent if sent.event][-count:])

    @rule(account=st.sampled_from(ACCOUNTS), member=st.sampled_from(MEMBERS))
    def link(self, account: str, member: str | None) -> None:
        self.oracle = False  # it knows no links
        self.world.link(account, member)

    @rule(days=st.integers(1, 2), told=st.booleans(), markers=st.integers(0, 6), twice=st.booleans())
    def close(self, days: int, told: bool, markers: int, twice: bool) -> None:
        self.world.request(range(self.day, self.day + days), told=told or not self.world.closes)
        self.world.mark(markers, twice=twice)
        self.day += days
        self.chaos._day = self.day

    @rule(steps=st.lists(st.integers(0, 20), min_size=1, max_size=30))
    def work(self, steps: Sequence[int]) -> None:
        for step in steps:
            if self.world.loop.works:
                self.world.step(step)

    @rule(worker=places, place=st.integers(0, 20), records=st.integers(1, 20))
    def fetch(self, worker: int, place: int, records: int) -> None:
        worker = self._worker(worker)
        if waiting := worker.waiting:
            self.world.fetch(worker, waiting[place % len(waiting)], records)

    @rule(worker=places, place=st.integers(0, 20), records=st.integers(1, 20))
    def fetch_again(self, worker: int, place: int, records: int) -> None:
        worker = self._worker(worker)
        if worker.places:
            tp: TP = worker.places[place % len(worker.places)]
            worker.again(tp, records)

    @rule(worker=places, records=st.integers(1, 3))
    def learn(self, worker: int, records: int) -> None:
        self.world.follow(self._worker(worker), records)

    @rule(worker=places, at=st.sampled_from(STEPS), chance=chances, disk_too=st.booleans())
    def crash(self, worker: int, at: str, chance: Random, disk_too: bool) -> None:
        number = worker % len(self.world.workers)
        self.world.until(number, at)
        self.world.crash(number, chance, disk_too=disk_too)

    @rule(partition=places, to=places, unnoticed=st.booleans())
    def move(self, partition: int, to: int, unnoticed: bool) -> None:
        self.world.move(partition % self.world.partitions, to % len(self.world.workers), unnoticed=unnoticed)

    @rule(worker=places)
    def wake(self, worker: int) -> None:
        self.world.wake(worker % len(self.world.workers))

    @rule(changelog=st.sampled_from(CHANGELOGS), partition=places)
    def compact(self, changelog: str, partition: int) -> None:
        self.world.compact(changelog, partition % self.world.partitions)

    @rule(count=st.integers(1, 100))
    def bustle(self, count: int) -> None:
        """Much happens, without choice."""
        for _ in range(count):
            self.chaos.happen()
        self.day = self.chaos._day

    def _worker(self, number: int) -> Worker:
        return self.world.workers[number % len(self.world.workers)]

    def teardown(self) -> None:
        """What came of it."""
        if self.world is None:
            return
        with self.world as world:
            world.request([self.day])
            world.drain()
            with world.replayed(1, Random(0)) as calm:
                check(world, calm)
            if self.oracle:
                check_oracle(world)


TestDeployment = Deployment.TestCase
TestDeployment.settings = settings(max_examples=RUNS, stateful_step_count=30)
