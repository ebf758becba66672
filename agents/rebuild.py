"""What workers made of the log, held against the same made anew from nothing."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from laurel.agents import actors, canonical, persons, targets
from laurel.models.parameters import ScoreModel
from laurel.streams.log import Log
from laurel.streams.store import LINK, NAME, STATE, TIES, Store

SHOWN = 3  # differing keys that are named
KINDS = {STATE: "states", NAME: "names", LINK: "links", TIES: "ties"}
PUBLISHED = {  # whether only the newest record of a key counts
    "score-updates": True,
    "account-scores": True,
    "signals": True,
    "leaderboards": True,
    "influence-networks": True,
    "sash-events": False,
}


@dataclass
class Compared:
    """How two sets of keyed values agree; `examples` are some keys that don't."""

    what: str
    partition: int
    equal: int = 0
    different: int = 0
    missing: int = 0  # made anew, and not there
    extra: int = 0  # there, and not made anew
    examples: list[str] = field(default_factory=list)

    @property
    def same(self) -> bool:
        """Whether there is no difference."""
        return not (self.different or self.missing or self.extra)

    def name(self, keys: Sequence[bytes]) -> None:
        """Remembers some keys that differ, for showing."""
        self.examples += [key.decode(errors="backslashreplace") for key in keys[: SHOWN - len(self.examples)]]


@dataclass(frozen=True)
class Basis:
    """What states are compared by: the last day that is closed, and the model."""

    closed: int
    model: ScoreModel


def stores(stage: str, partition: int, live: Store, anew: Store, basis: Basis) -> Iterator[Compared]:
    """Compares what two stores of one partition hold, kind by kind."""
    for kind, name in KINDS.items():
        found = Compared(f"{stage} {name}", partition)
        for keys, stored in live.scan(kind):
            others = anew.get([kind + key for key in keys])
            both = [at for at, other in enumerate(others) if other is not None]
            shared = [keys[at] for at in both]
            ours = _values(stage, kind, live, shared, [stored[at] for at in both], basis)
            theirs = _values(stage, kind, anew, shared, [other for other in others if other is not None], basis)
            different = [key for key, one, other in zip(shared, ours, theirs, strict=True) if one != other]
            extra = [key for key, other in zip(keys, others, strict=True) if other is None]
            found.equal += len(shared) - len(different)
            found.different += len(different)
            found.extra += len(extra)
            found.name(different + extra)
        for keys, _ in anew.scan(kind):
            here = live.get([kind + key for key in keys])
            missing = [key for key, value in zip(keys, here, strict=True) if value is None]
            found.missing += len(missing)
            found.name(missing)
        yield found


def _values(
    stage: str, kind: bytes, store: Store, keys: Sequence[bytes], stored: Sequence[bytes], basis: Basis
) -> list[bytes]:
    """The values of some keys in the form that two runs agree in."""
    if kind == STATE and stage == actors.STAGE:
        return canonical.voices(store, keys, stored, basis.model)
    if kind == STATE and stage == targets.STAGE:
        return canonical.influences(stored, basis.closed, basis.model)
    if kind == STATE and stage == persons.STAGE:
        return canonical.persons(stored)
    if kind == TIES:
        return canonical.ties(stored, basis.closed)
    return list(stored)


def published(topic: str, partition: int, live: dict[bytes, bytes], anew: dict[bytes, bytes]) -> Compared:
    """Compares what `results` read of one partition of a topic twice."""
    extra, missing = sorted(live.keys() - anew.keys()), sorted(anew.keys() - live.keys())
    shared = live.keys() & anew.keys()
    different = sorted(key for key in shared if live[key] != anew[key])
    found = Compared(topic, partition, len(shared) - len(different), len(different), len(missing), len(extra))
    found.name(different + extra + missing)
    return found


def results(log: Log, name: str, topic: str, partition: int) -> dict[bytes, bytes]:
    """A digest of what a results topic says of each key: of its newest record, or of each of its records."""
    found: dict[bytes, bytes] = {}
    seen: Counter[bytes] = Counter()
    low, high = log.ends(topic, partition)
    newest_counts = PUBLISHED[name]
    for messages in log.read(topic, partition, low, high):
        for message in messages:
            key, value = message.key() or b"", message.value()
            if value is None:
                found.pop(key, None)
                continue
            digest = blake2b(value, digest_size=16).digest()
            if not newest_counts:  # and in no order: several partitions write into this one
                seen[key + digest] += 1
                key = b"%s #%d of %s" % (key, seen[key + digest], digest.hex().encode())
            found[key] = digest
    return found
