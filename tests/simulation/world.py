"""A whole simulated deployment: a broker, workers, whoever publishes, and all that can go wrong between them."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random
from types import TracebackType
from typing import Any, Self

from faust.types import TP

from laurel.models.catalogue import Catalogue
from laurel.models.parameters import V1
from laurel.streams.calendar import day_key, requested
from laurel.streams.scan import partition_of
from laurel.streams.topic_table import TOPICS
from tests.simulation.lockstep import Loop
from tests.simulation.memory_log import Broker, MemoryLog
from tests.simulation.memory_store import Disk
from tests.simulation.worker import MODELS, Worker, shared

Record = dict[str, Any]

PATIENCE = 200_000  # steps until a simulation that is left in peace must have come to an end


@dataclass(frozen=True)
class Sent:
    """What somebody published: `segment` is how many days its partition (for profiles: anybody) had been asked to close before."""

    topic: str
    key: bytes | None
    value: bytes | None
    segment: int
    event: Record | None = None  # None for what is no engagement


@dataclass(frozen=True)
class Close:
    """A day that was asked to be closed; days missed before it were `told` to nobody."""

    day: int
    told: bool = True


class StuckError(AssertionError):
    """Nothing can happen any more, and not all is done."""


class World:
    """Everything there is in a simulation. What happens, happens by calling its methods; `drain` lets the rest come."""

    def __init__(
        self,
        partitions: int = 2,
        workers: int = 2,
        rows: int = 5,
        seed: int = 0,
        trouble: float = 0.0,
        log: Callable[[Broker], MemoryLog] = MemoryLog,
        shadows: Sequence[str] = (),
        models: Sequence[Catalogue] = (),
    ) -> None:
        """`trouble` is the share of commits that Kafka refuses; `seed` decides which. `model` and `shadows` are what days are asked to
        be computed by, `models` what each worker knows, where that isn't all."""
        self._models = dict(enumerate(models))
        self.model, self.shadows = V1.name, list(shadows)
        self.partitions, self._rows, self._log = partitions, rows, log
        chance = self._chance = Random(seed)
        self._endings = chance.choice((0.02, 0.3, 1.0))  # how soon transactions end once that is agreed to
        odds = {"refuse": trouble, "forget": 0.5}
        self.broker = Broker(
            {topic.name: partitions if topic.keyed else 1 for topic in TOPICS},
            lambda what: chance.random() < odds[what] * (trouble > 0),
        )
        self.loop = Loop()
        self.sent: list[Sent] = []
        self.closes: list[Close] = []
        self.counts: Counter[str] = Counter()
        self._markers: list[tuple[int, bytes, bytes]] = []  # asked for, not yet written
        self._written = [0] * partitions  # markers of each partition of engagements
        self._disks: list[dict[str, Disk]] = [{} for _ in range(workers)]
        self._failures: list[BaseException] = []
        self.back: Callable[[int], int] = lambda watermark: watermark
        self.workers = [self._started(number) for number in range(workers)]
        for number in range(partitions):
            self.workers[number % workers].assigned.add(number)
        for worker in self.workers:
            worker.rebalance()
        self.settle()

    # Whoever publishes.

    def publish(self, event: Record) -> None:
        """A service publishes an engagement."""
        key = (event["actor"] or event["target"]).encode()
        self._send("engagements", key, shared()[0].encode_one("Engagement", event), event)

    def publish_raw(self, key: bytes | None, value: bytes | None) -> None:
        """Somebody publishes whatever this is."""
        self._send("engagements", key, value, None)

    def link(self, account: str, member: str | None) -> None:
        """An account is linked to a member, or to nobody."""
        self._decide(account, member=member)

    def opt_out(self, account: str) -> None:
        """An account opts out."""
        self._decide(account, opted_out=True)

    def _decide(self, account: str, **decided: object) -> None:
        profile = {"account": account, "member": None, "consented": True, "opted_out": False, "updated_at": 0} | decided
        self._send("profiles", account.encode(), shared()[0].encode_one("Profile", profile), None)

    def _send(self, topic: str, key: bytes | None, value: bytes | None, event: Record | None) -> None:
        partition = 0 if key is None else partition_of(key, self.partitions)
        segment = self._written[partition] if topic == "engagements" else len(self.closes)
        self.broker.add(topic, partition, key, value, (), None)
        self.sent.append(Sent(topic, key, value, segment, event))
        self.counts["records"] += 1

    def send_again(self, sent: Sequence[Sent]) -> None:
        """What was published before is published once more."""
        for record in sent:
            self._send(record.topic, record.key, record.value, record.event)

    def request(self, days: Sequence[int], *, told: bool = True) -> None:
        """Somebody asks for days to be closed, one after the other. Unless `told`, only the markers of the last are written."""
        for day in days:
            close = Close(day, told or day == days[-1])
            if close.told:
                self._ask(day)
            else:
                self.counts["days skipped"] += 1
            self.closes.append(close)

    def _ask(self, day: int) -> None:
        codec = shared()[0]
        self.broker.add(
            "calendar",
            0,
            day_key(day),
            codec.encode_one("Calendar", requested(day, self.model, self.shadows)),
            (),
            None,
        )
        ends = [self.broker.written(("profiles", partition)) for partition in range(self.partitions)]
        marker = {"day": day, "upstream": -1, "upstream_offset": -1, "model": self.model, "profiles": ends}
        marker["shadows"] = self.shadows
        value = codec.encode_one("DayMarker", marker)
        self._markers += [(partition, day_key(day), value) for partition in range(self.partitions)]
        self.counts["days"] += 1

    @property
    def markers_left(self) -> int:
        """How many markers were asked for and are not yet written."""
        return len(self._markers)

    def mark(self, markers: int, *, twice: bool = False) -> None:
        """So many markers that were asked for are written."""
        for partition, key, value in self._markers[:markers]:
            for _ in range(1 + twice):
                self.broker.add("engagements", partition, key, value, (), None)
            day = int(key)
            self._written[partition] = next(at for at, close in enumerate(self.closes) if close.day == day) + 1
        del self._markers[:markers]

    # What can happen.

    def settle(self) -> None:
        """Lets everyone do what needs no waiting; raises what went wrong."""
        self.loop.settle()
        if self._failures:
            raise self._failures[0]

    def step(self, place: int) -> None:
        """One of the pieces of blocking work goes on to its next step."""
        works = self.loop.works
        works[place % len(works)].resume()
        self.counts["steps"] += 1
        self.settle()

    def fetch(self, worker: Worker, tp: TP, records: int) -> None:
        """A worker gets a chunk of a partition."""
        worker.fetch(tp, records)
        self.counts["chunks"] += 1
        self.settle()

    def follow(self, worker: Worker, records: int) -> None:
        """A worker learns of so many more calendar records."""
        worker.calendar.follow(records)
        self.settle()

    def end_act(self, place: int) -> None:
        """A transaction whose end was agreed to ends in one more partition."""
        ending = self.broker.ending
        self.broker.finish(*ending[place % len(ending)])

    def crash(self, number: int, chance: Random, *, disk_too: bool = False) -> None:
        """A worker is killed, and started again with the same partitions; its disk's newest writes are lost, or all of it."""
        worker = self.workers[number]
        for work in self.loop.under_way(worker):
            self.counts[f"crashed at: {work.doing}"] += 1
        worker.crash(lambda writes: chance.randint(0, writes))
        self.counts["crashes"] += 1
        if disk_too:
            self._disks[number].clear()
            self.counts["disks lost"] += 1
        again = self.workers[number] = self._started(number)
        again.assigned |= worker.assigned
        again.rebalance()
        self.settle()

    def until(self, number: int, doing: str) -> bool:
        """Lets a worker go on, nobody else, until it is about to do something; False if it has nothing more to do."""
        worker = self.workers[number]
        for _ in range(PATIENCE):
            if any(work.doing == doing for work in self.loop.under_way(worker)):
                return True
            if ready := [work for work in self.loop.works if work.owner is worker]:
                ready[0].resume()
                self.counts["steps"] += 1
                self.settle()
            elif self.broker.ending:
                self.end_act(0)
            elif worker.calendar.behind:
                self.follow(worker, 1)
            elif worker.waiting:
                self.fetch(worker, worker.waiting[0], 3)
            else:
                return False
        raise StuckError(f"{worker} goes on for ever")

    def move(self, partition: int, to: int, *, unnoticed: bool = False) -> None:
        """A partition is given to another worker, after the one who has it let go of it, or while it goes on unnoticed."""
        taker = self.workers[to]
        if partition in taker.assigned:
            return
        gone = None
        for giver in self.workers:
            if partition in giver.assigned:
                giver.assigned.discard(partition)
                if not unnoticed:
                    gone = giver.rebalance()
        taker.assigned.add(partition)
        taker.rebalance(gone)
        self.counts["moved unnoticed" if unnoticed else "moved"] += 1
        self.settle()

    def wake(self, number: int) -> None:
        """A worker hears what is assigned to it."""
        self.workers[number].rebalance()
        self.settle()

    def compact(self, topic: str, partition: int) -> None:
        """A changelog loses what is superseded."""
        self.broker.compact((topic, partition))
        self.counts["compactions"] += 1

    def _started(self, number: int) -> Worker:
        return Worker(
            self.loop,
            number,
            self.broker,
            self._disks[number],
            self._rows,
            self._failures.append,
            lambda watermark: self.back(watermark),  # noqa: PLW0108 (it changes)
            self._log(self.broker),
            self._models.get(number, MODELS),
        )

    # How it ends.

    def drain(self, records: int = 1_000) -> None:
        """Leaves everyone in peace until all is done: what was asked to be closed is closed."""
        self.back = lambda watermark: watermark
        self.mark(self.markers_left)
        for worker in self.workers:
            worker.rebalance()
        self.settle()
        self.go_on(records)
        last = max((close.day for close in self.closes), default=None)
        closed = [worker.calendar.last_closed for worker in self.workers]
        if self.loop.waiting or closed != [last] * len(closed):
            raise StuckError(f"closed {closed} of {last}; under way: {self.loop.waiting}")

    def go_on(self, records: int = 1_000) -> None:
        """Lets all happen that can, until nothing more does."""
        for _ in range(PATIENCE):
            if not self._advance(records):
                break

    def _advance(self, records: int) -> bool:
        """Lets all happen that can, once; whether anything did."""
        happened = False
        for work in self.loop.works:
            if not work.ended and work.ready:
                work.resume()
                self.counts["steps"] += 1
                happened = True
        self.settle()
        for worker in self.workers:
            if worker.calendar.behind:
                worker.calendar.follow(1)
                happened = True
            for tp in worker.waiting:
                worker.fetch(tp, records)
                happened = True
        ending = self.broker.ending
        self._chance.shuffle(ending)
        for act, place in ending:
            if not happened or self._chance.random() < self._endings:
                self.broker.finish(act, place)
                happened = True
        self.settle()
        return happened

    def replayed(self, partitions: int = 1, shuffle: Random | None = None) -> "World":
        """A world in which the same was published and nothing went wrong, drained; each account's own order is kept."""
        calm = World(partitions, 1, rows=1_000, shadows=self.shadows)
        sent = [replace(record, segment=record.segment) for record in self.sent]
        for segment in range(len(self.closes) + 1):
            now = [record for record in sent if record.segment == segment]
            calm.send_again(_shuffled(now, shuffle) if shuffle else now)
            if segment < len(self.closes):
                calm.closes.append(self.closes[segment])
                if self.closes[segment].told:
                    calm._ask(self.closes[segment].day)
                calm.mark(calm.markers_left)
        calm.drain(1_000)
        return calm

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self.workers:
            worker.crash(lambda writes: writes)
        self.loop.end()


def _shuffled(records: Sequence[Sent], chance: Random) -> list[Sent]:
    """In another order, which keeps that of records with the same key."""
    places: dict[bytes | None, list[Sent]] = {}
    for record in records:
        places.setdefault(record.key, []).append(record)
    keys = [record.key for record in records]
    chance.shuffle(keys)
    return [places[key].pop(0) for key in keys]
