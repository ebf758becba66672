"""Brings a partition's store up to its changelog, in large raw batches, before its first chunk is delivered.

Changelog records are full store keys and values, in the order of checkpoints; the last record of every checkpoint is its
mark, and a checkpoint is a transaction: it is there as a whole or not at all. Compaction leaves only the newest record of
each key, so somewhere in the middle a store has states newer than what its mark says they include. Nobody reads them before the
end, and the mark's `changelog` is right at any moment: whoever is interrupted goes on from there.
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from operator import methodcaller
from time import monotonic
from typing import cast

from laurel.streams.log import Log, offset_of
from laurel.streams.store import MARK, Mark, Store
from laurel.streams.store_errors import LaterError

TELL_EVERY = 5.0  # seconds between two words on how far it is

Progress = Callable[[int, int], None]

_key, _value = methodcaller("key"), methodcaller("value")  # as fast as they can be called

_log = logging.getLogger(__name__)


def restore(store: Store, log: Log, changelog: str, partition: int, progress: Progress) -> int:
    """Applies the changelog records that the store may lack; returns how many there were.

    Nobody may be able to write to the changelog any more. progress is told, batch by batch, how many were applied and how
    many offsets are left. Raises ReadError if Kafka can't be read, or not to the end since a transaction is open; LaterError if a
    later version wrote the changelog.
    """
    low, _ = log.ends(changelog, partition)
    end = log.written(changelog, partition)
    begin = max(store.mark.changelog, low)
    applied, began = 0, monotonic()
    told = began
    progress(0, max(end - begin, 0))
    for messages in log.read(changelog, partition, begin, end):
        pairs = zip(map(_key, messages), map(_value, messages), strict=True)
        newest = cast("dict[bytes, bytes | None]", dict(pairs))  # compacted topics have no records without a key
        marked = newest.pop(MARK, None)
        mark = store.mark if marked is None else _mark(marked, changelog, partition)
        reached = offset_of(messages[-1]) + 1
        store.write(newest.keys(), newest.values(), replace(mark, changelog=reached))
        applied += len(messages)
        progress(len(messages), end - reached)
        if (now := monotonic()) - told >= TELL_EVERY:
            told = now
            _log.info(
                "%s/%d: %d records restored, %.0f a second, %d offsets left",
                changelog,
                partition,
                applied,
                applied / (now - began),
                end - reached,
            )
    if store.mark.changelog < end:
        store.write([], [], replace(store.mark, changelog=end))
    progress(0, 0)
    return applied


def _mark(value: bytes, changelog: str, partition: int) -> Mark:
    try:
        return Mark.from_bytes(value)
    except LaterError as error:
        raise LaterError(f"{changelog}/{partition}: {error}") from None
