"""Dead letters at a glance: how many of each kind, and the newest few."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from heapq import heappush, heappushpop

from laurel.streams.letters import Letter

KINDS = 1_000  # told apart; what else there is counts as OTHER, so that no flood of names fills the memory
OTHER = "other"


@dataclass
class Count:
    """Letters of one kind: all, and those of them that were replayed."""

    letters: int = 0
    replayed: int = 0


@dataclass
class Overview:
    """`kinds` by reason and topic of origin; `newest` the last ones refused, newest first, without their values."""

    kinds: dict[tuple[str, str], Count] = field(default_factory=dict)
    newest: list[Letter] = field(default_factory=list)

    @property
    def total(self) -> Count:
        """All kinds together."""
        counts = self.kinds.values()
        return Count(sum(count.letters for count in counts), sum(count.replayed for count in counts))


def overview(batches: Iterable[list[Letter]], most: int) -> Overview:
    """Counts letters, and keeps the newest `most`. Holds no more than these in memory."""
    found = Overview()
    heap: list[tuple[int, int, int, Letter]] = []
    for letter in (letter for batch in batches for letter in batch):
        kind = (letter.refused.reason, letter.refused.topic)
        if kind not in found.kinds and len(found.kinds) >= KINDS:
            kind = (OTHER, OTHER)
        count = found.kinds.setdefault(kind, Count())
        count.letters += 1
        count.replayed += letter.replayed
        order = (letter.at, letter.partition, letter.offset)
        if len(heap) < most:
            heappush(heap, (*order, _light(letter)))
        elif most and order > heap[0][:3]:
            heappushpop(heap, (*order, _light(letter)))
    found.newest = [entry[3] for entry in sorted(heap, key=lambda entry: entry[:3], reverse=True)]
    return found


def _light(letter: Letter) -> Letter:
    return replace(letter, refused=replace(letter.refused, value=None))
