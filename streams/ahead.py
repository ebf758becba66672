"""Reading ahead: the next blocks are read in a thread of their own while one is worked on."""

from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Block = TypeVar("Block")

AHEAD = 2  # blocks that may wait


def ahead(blocks: Generator[Block, None, None]) -> Iterator[Block]:
    """The same blocks, in the same order, AHEAD of them waiting at most. Whatever reading raises is raised where its block would come.

    One thread reads and closes `blocks`, and nothing is read any more once this iterator was closed, or let go. It gains what the work on a
    block does without the interpreter's lock, as kernels do: whoever takes a block should begin with that.
    """
    with ThreadPoolExecutor(1, "read-ahead") as reader:
        coming = deque(reader.submit(next, blocks, None) for _ in range(AHEAD))
        try:
            while (block := coming.popleft().result()) is not None:
                coming.append(reader.submit(next, blocks, None))
                yield block
        finally:
            for waiting in coming:
                waiting.cancel()
            reader.submit(blocks.close).result()
