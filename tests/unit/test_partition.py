"""A partition at work, with a real store and nothing to publish."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from laurel.streams.chunk import Chunk
from laurel.streams.metrics import Metrics
from laurel.streams.partition import Changes, Part, Partition
from laurel.streams.store import Store
from laurel.streams.writer import Transaction


@dataclass
class Record:
    offset: int
    serialized_key_size: int = 0
    serialized_value_size: int = 1


class Nobody:
    """Writes nothing."""

    def open(self) -> None: ...

    def transact(self, fill: Callable[[Transaction], None]) -> int:
        raise AssertionError("nothing is to be published")

    def stop(self) -> None: ...


class Idle:
    """Takes rows and makes nothing of them."""

    def parse(self, chunk: Chunk) -> list[Part]:
        return [Part(chunk.last_offset, len(chunk.records), chunk.size, None)]

    def apply(self, parts: Sequence[Part]) -> Changes | None:
        return None

    async def marker(self, part: Part) -> None: ...

    async def start(self) -> None: ...

    async def stop(self) -> None: ...


async def stop_as_a_chunk_arrives(folder: Path, threads: ThreadPoolExecutor, turns: int) -> None:
    async def failed(error: BaseException) -> None:
        raise error

    partition = Partition(
        "stage",
        0,
        Store(folder),
        Nobody(),
        changelog="changelog",
        dead_letters="dead-letters",
        threads=threads,
        metrics=Metrics(),
        checkpoint_seconds=60,
        checkpoint_rows=1_000_000,
    )
    partition.keeper = Idle()
    await partition.start(failed)
    chunk = Chunk("topic", 0, cast("list[Any]", [Record(0)]))
    partition.expect(chunk)
    await partition.take(chunk)
    for _ in range(10):  # turns of the loop: now it gathers
        await asyncio.sleep(0)
    partition._arrived.set()
    for _ in range(turns):
        await asyncio.sleep(0)
    await asyncio.wait_for(partition.stop(), 5)


@pytest.mark.parametrize("turns", range(6))
def test_a_partition_that_is_let_go_in_the_moment_a_chunk_arrives_ends(tmp_path: Path, turns: int) -> None:
    with ThreadPoolExecutor(1) as threads:
        asyncio.run(stop_as_a_chunk_arrives(tmp_path / "store", threads, turns))
