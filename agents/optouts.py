"""Who has opted out, as of the last markers: nobody of them is shown in anybody's list.

Lists name accounts of all partitions, so each partition follows all profiles, and remembers of who has opted out a hash. What is kept of
them in lists loses its name before a day's lists are made; what is admitted only to later days keeps it until then, so that the lists don't
depend on what has arrived of these.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from laurel.agents.context import Context
from laurel.agents.links import Link, named
from laurel.agents.ties import read, written
from laurel.models.hashing import Hash, hash64
from laurel.models.ragged import among
from laurel.models.ties import Ties, without_names
from laurel.streams.log import Message, offset_of
from laurel.streams.partition import Changes, Partition
from laurel.streams.store import OPTED_OUT, TIES, Store

OUT = "out"  # in the place of a member's id, as a Link remembers what an account's profiles say

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class OptOuts:
    """Hashes (uint64, ascending) of accounts that are opted out `now`, and that were at the close `before`."""

    now: Hash
    before: Hash

    def hides(self, ties: Ties, accounts: Sequence[bytes]) -> tuple[Flags, Flags]:
        """Which ties of some accounts are not to be shown, and which were not at the close before, bool[m] each."""
        other, unnamed = ties.rows.rows["other"], ties.rows.rows["length"] == 0
        if not len(self.now) and not len(self.before):
            return unnamed, unnamed
        mine = hash64(pa.array(accounts, pa.binary()).cast(pa.string()))[ties.rows.owners]
        hidden = unnamed | _among(other, self.now) | _among(mine, self.now)
        # One that opted out since has lost its name, and was shown.
        news = np.setdiff1d(self.now, self.before)
        was = (unnamed & ~_among(other, news)) | _among(other, self.before) | _among(mine, self.before)
        return hidden, was


def opted_out(store: Store, day: int) -> OptOuts:
    """Who is opted out at the close of `day`, as far as it was taken over."""
    now, before = [], []
    for keys, values in store.scan(OPTED_OUT):
        for key, link in zip(keys, map(Link.from_bytes, values), strict=True):
            if link.member is not None:
                now.append(key)
            if (link.before if link.since == day else link.member) is not None:
                before.append(key)
    return OptOuts(_hashes(now), _hashes(before))


async def take_optouts(context: Context, partition: Partition, day: int, ends: Sequence[int]) -> None:
    """Takes over, for the close of a day, who has opted out: all profiles before `ends`, by partition. Then takes the names of who has
    from what is kept."""
    for number, end in enumerate(ends):
        begin = taken_over(context, partition)[number]
        batches = context.log.read(context.topic("profiles"), number, begin, end)
        while changes := await partition.in_thread(
            lambda number=number, batches=batches: _taken(context, partition, number, next(batches, []), day)  # type: ignore[misc]
        ):
            await partition.checkpoint(changes)
    outs = await partition.in_thread(lambda: opted_out(partition.store, day))
    if not len(outs.now):
        return
    blocks = partition.store.scan(TIES)
    while changes := await partition.in_thread(lambda: _unnamed(partition, blocks, outs, day)):
        await partition.checkpoint(changes)


def taken_over(context: Context, partition: Partition) -> list[int]:
    """How far each partition of profiles was taken over."""
    known: list[int] = partition.store.mark.notes.get("optouts_offsets", [0] * context.partitions)
    return list(known)


def _taken(
    context: Context, partition: Partition, number: int, messages: Sequence[Message], day: int
) -> Changes | None:
    if not messages:
        return None
    offsets, store = taken_over(context, partition), partition.store
    offsets[number] = offset_of(messages[-1]) + 1
    changes = Changes(store.mark.source, notes={"optouts_offsets": offsets})
    says: dict[str, bool] = {}
    rows = context.codec.decode([message.value() for message in messages]).batches.get("Profile")
    found: dict[int, Any] = {}
    if rows is not None:
        found = dict(zip(rows.positions.tolist(), rows.table.select(["account", "opted_out"]).to_pylist(), strict=True))
    for at, message in enumerate(messages):
        if at in found:
            says[found[at]["account"]] = found[at]["opted_out"]
        elif message.value() is None:  # a forgotten profile says nothing any more
            says[(message.key() or b"").decode(errors="replace")] = False
    hashes = hash64(pa.array(list(says), pa.string()))
    keys = [OPTED_OUT + one.tobytes() for one in hashes]
    for key, out, old in zip(keys, says.values(), store.get(keys), strict=True):
        link = named(None if old is None else Link.from_bytes(old), OUT if out else None, day)
        if link is not None:
            changes.keys.append(key)
            changes.values.append(link.to_bytes())
    return changes


def _unnamed(
    partition: Partition, blocks: Iterator[tuple[list[bytes], list[bytes]]], outs: OptOuts, day: int
) -> Changes | None:
    """Those of the next block's ties that name somebody who has opted out, without the names; None after the last block."""
    for accounts, values in blocks:
        ties = read(values)
        unnamed = without_names(ties, outs.now, day)
        if unnamed is ties:
            continue
        after = written(unnamed)
        changed = [at for at, (old, new) in enumerate(zip(values, after, strict=True)) if old != new]
        if changed:
            changes = Changes(partition.store.mark.source)
            changes.keys, changes.values = [TIES + accounts[at] for at in changed], [after[at] for at in changed]
            return changes
    return None


def _hashes(keys: list[bytes]) -> Hash:
    return np.sort(np.frombuffer(b"".join(keys), "<u8").astype(np.uint64))


def _among(names: Hash, some: Hash) -> Flags:
    return among(names, some) if len(some) else np.zeros(len(names), np.bool_)
