"""What two stages have in common that take lists sent by every partition of targets: all must be there first.

Rows of a day are held in memory until every upstream has sent its marker of that day; until then nothing of them is
checkpointed, and a restart reads them again.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from laurel.agents.context import Context
from laurel.agents.day_model import model_of_day, shadows_of_day
from laurel.agents.parts import Marker, Rows, parse
from laurel.models.parameters import ScoreModel
from laurel.streams.chunk import Chunk
from laurel.streams.dead_letters import DeadLetter
from laurel.streams.partition import Changes, Part, Partition


class Gatherer(ABC):
    """Keeper of a partition that settles a day at a time."""

    record: ClassVar[str]  # the record type it takes

    def __init__(self, context: Context, partition: Partition) -> None:
        self._context, self._partition = context, partition
        self._held: list[pa.RecordBatch] = []
        self._refused: list[DeadLetter] = []
        self._marked: dict[int, int] = {}  # newest day by upstream
        self._named: dict[int, Marker] = {}  # by day not yet settled, a marker that names its models

    @abstractmethod
    async def settle(self, day: int, rows: pa.Table, offset: int, refused: list[DeadLetter]) -> None:
        """Does the day's work with its rows and checkpoints it, as far as the source's offset, with a report to the coordinator."""

    def parse(self, chunk: Chunk) -> list[Part]:
        """Rows and day markers."""
        self._context.metrics.taken(chunk.topic, len(chunk.records))
        return parse(chunk, self._context.codec, self.record, range(self._context.partitions))

    @property
    def _settled(self) -> int | None:
        """The last day that is settled."""
        day: int | None = self._partition.store.mark.notes.get("settled")
        return day

    async def start(self) -> None:  # noqa: B027 (a Keeper has one; here it has nothing to do)
        """Rows not yet settled come again."""

    async def stop(self) -> None:  # noqa: B027 (a Keeper has one; here it has nothing to do)
        """Nothing runs beside the partition's own work."""

    def apply(self, parts: Sequence[Part]) -> Changes | None:
        """Holds rows of days not settled yet. What is refused while none are held can be let go of at once."""
        for part in parts:
            rows: Rows = part.content
            self._refused += rows.refused
            if rows.table.num_rows:
                self._held.append(rows.table)
        settled = self._settled
        if self._held or any(settled is None or day > settled for day in self._marked.values()):
            return None
        refused, self._refused = self._refused, []
        return Changes(parts[-1].last_offset, refused=refused)

    async def marker(self, part: Part) -> None:
        """Settles the day when this was the last partition's marker."""
        found: Marker = part.content
        self._named[found.day] = found  # all name the same model, and of its shadows those that their worker knows
        self._marked[found.upstream] = max(found.day, self._marked.get(found.upstream, found.day))
        if len(self._marked) < self._context.partitions:
            return
        day = min(self._marked.values())
        if self._settled is not None and day <= self._settled:
            return
        table = pa.Table.from_batches(self._held, schema=self._context.codec.arrow(self.record))
        rows = table.filter(pc.equal(table["day"], day)).combine_chunks()
        await self.settle(day, rows, part.last_offset, self._refused)
        self._held, self._refused = [], []
        self._named = {other: marker for other, marker in self._named.items() if other > day}

    def _model(self, day: int) -> ScoreModel:
        """The model that the markers of a day being settled name. Raises ModelError."""
        return model_of_day(self._context, self._named[day].model, day)

    def _shadows(self, day: int) -> list[ScoreModel]:
        """The models that they name to be computed beside it."""
        return shadows_of_day(self._context, self._named[day].shadows, self._model(day), day)
