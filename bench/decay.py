"""The peers' work done by laurel's own machinery: a decaying sum for every account, a whole batch of records at a time."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from laurel.agents.parts import Rows, parse
from laurel.streams.chunk import Chunk
from laurel.streams.codec import Codec
from laurel.streams.packing import Layout, pack, unpack
from laurel.streams.partition import Changes, Part, Partition
from laurel.streams.store import STATE

HALF_LIFE = 7 * 86_400_000  # milliseconds

SUM = Layout("sum", 1, np.dtype([("sum", "<f8"), ("time", "<i8")]), {})
"""`sum` as of `time` (milliseconds), the newest event's."""


class Sums:
    """Keeps the sums of one partition's accounts."""

    def __init__(self, partition: Partition, codec: Codec) -> None:
        self._partition, self._codec = partition, codec

    def parse(self, chunk: Chunk) -> list[Part]:
        """Engagements."""
        return parse(chunk, self._codec, "Engagement", range(0))

    def apply(self, parts: Sequence[Part]) -> Changes:
        """Adds engagements to their actors' sums."""
        rows: list[Rows] = [part.content for part in parts]
        table = pa.Table.from_batches([run.table for run in rows]).select(["actor", "occurred_at"]).combine_chunks()
        accounts = table.column("actor").chunk(0).dictionary_encode()
        keys = accounts.dictionary.cast(pa.binary()).to_pylist()
        owner = accounts.indices.to_numpy().astype(np.int64)
        states = unpack(SUM, self._partition.store.states(keys))
        add(states.header, owner, table.column("occurred_at").to_numpy())
        return Changes(
            parts[-1].last_offset,
            keys=[STATE + key for key in keys],
            values=list(pack(SUM, states)),
            refused=[letter for run in rows for letter in run.refused],
        )

    async def marker(self, part: Part) -> None:
        """No day is closed here."""

    async def start(self) -> None:
        """Nothing is unfinished between checkpoints."""

    async def stop(self) -> None:
        """Nothing runs beside the partition's own work."""


def add(
    header: npt.NDArray[np.void],
    owner: npt.NDArray[np.int64],
    moments: npt.NDArray[np.int64],
) -> None:
    """Adds one to the sum (row of SUM's header) that owns each event, int64[m] all; late ones count for what is left."""
    newest = header["time"].copy()
    np.maximum.at(newest, owner, moments)
    added = np.bincount(owner, np.exp2((moments - newest[owner]) / HALF_LIFE), len(header))
    header["sum"] = header["sum"] * np.exp2((header["time"] - newest) / HALF_LIFE) + added
    header["time"] = newest
