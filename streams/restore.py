"""Brings a partition's store up to its changelog, in large raw batches, before its first chunk is delivered.

Changelog records are full store keys and values, in the order of checkpoints; the last record of every checkpoint is its
mark. States beyond the last mark (a checkpoint that was torn by a crash) are kept: each state says itself up to which
source offset it goes, so applying the source again from the mark skips what they already include.
"""

from collections.abc import Callable
from dataclasses import replace

from laurel.streams.reader import ends, offset_of, read
from laurel.streams.store import MARK, Mark, Store

Progress = Callable[[int, int], None]


def restore(store: Store, servers: str, changelog: str, partition: int, progress: Progress) -> int:
    """Applies the changelog records that the store may lack; returns how many there were.

    progress is told, batch by batch, how many were applied and how many offsets are left. Raises ReadError if Kafka can't
    be read.
    """
    low, high = ends(servers, changelog, partition)
    applied, begin = 0, max(store.mark.changelog, low)
    progress(0, max(high - begin, 0))
    for messages in read(servers, changelog, partition, begin, high):
        mark = store.mark
        keys: list[bytes] = []
        values: list[bytes | None] = []
        for message in messages:
            key, value = message.key(), message.value()
            if key == MARK and value is not None:
                mark = Mark.from_bytes(value)
            elif key is not None:
                keys.append(key)
                values.append(value)
        reached = offset_of(messages[-1]) + 1
        # The mark stays behind states of a torn checkpoint: their source is applied again, and skipped key by key.
        store.write(keys, values, replace(mark, changelog=reached))
        applied += len(messages)
        progress(len(messages), high - reached)
    if store.mark.changelog < high:
        store.write([], [], replace(store.mark, changelog=high))
    progress(0, 0)
    return applied
