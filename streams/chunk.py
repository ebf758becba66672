"""The unit that flows: all records fetched from one partition at a time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any


@dataclass(frozen=True)
class Chunk:
    """Consecutive records of one partition as the client fetched them, never empty.

    A record has `offset`, `timestamp` (milliseconds), `key`, `value` and `headers`. `generation` is the group's when they were
    fetched: partitions may have changed hands since.
    """

    topic: str
    partition: int
    records: Sequence[Any]
    generation: int = -1

    @property
    def first_offset(self) -> int:
        """Offset of the first record."""
        return int(self.records[0].offset)

    @property
    def last_offset(self) -> int:
        """Offset of the last record."""
        return int(self.records[-1].offset)

    @cached_property
    def size(self) -> int:
        """Bytes of the keys and values, about."""
        return sum(max(record.serialized_value_size, 0) + max(record.serialized_key_size, 0) for record in self.records)

    def after(self, offset: int) -> "Chunk | None":
        """What of the chunk lies beyond an offset, None if nothing does."""
        if self.first_offset > offset:
            return self
        rest = [record for record in self.records if record.offset > offset]
        return replace(self, records=rest) if rest else None
