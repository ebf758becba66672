"""Which accounts belong to a member: what a partition remembers of the profiles, as of the last markers."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from laurel.agents.context import Context
from laurel.agents.parts import strangers
from laurel.streams.log import Message, offset_of
from laurel.streams.partition import Changes, Partition
from laurel.streams.store import LINK, Store

REFUSES = "targets"  # the one of the stages that says what is no profile


@dataclass(frozen=True)
class Link:
    """An account's member, None if it is its own person again, as named for the close of a day (days since 1970-01-01); and whose it was
    at the close before that."""

    member: str | None
    since: int
    before: str | None = None

    def is_new(self, day: int) -> bool:
        """Whether the close of `day` is the first with another member than the one before, however often that was changed in between."""
        return self.since == day and self.member != self.before

    def to_bytes(self) -> bytes:
        """The link as it is stored."""
        return json.dumps([self.member, self.since, self.before]).encode()

    @classmethod
    def from_bytes(cls, value: bytes) -> "Link":
        """A stored link."""
        return cls(*json.loads(value))


def named(old: Link | None, member: str | None, day: int) -> Link | None:
    """The link after a profile named a member, or nobody, for the close of `day`; None if that changes nothing."""
    if member == (old.member if old else None):
        return None
    if old is None:
        return Link(member, day)
    return Link(member, day, old.before if old.since == day else old.member)


def links(store: Store) -> Mapping[bytes, Link]:
    """All links of a partition, by account. Few: only accounts that were ever linked have one."""
    return {
        key: Link.from_bytes(value)
        for keys, values in store.scan(LINK)
        for key, value in zip(keys, values, strict=True)
    }


async def take_links(context: Context, partition: Partition, day: int, end: int) -> None:
    """Takes over, for the close of a day, who is linked to whom: the partition's profiles before `end`."""
    number = partition.number
    begin = partition.store.mark.notes.get("profiles_offset", 0)
    batches = context.log.read(context.topic("profiles"), number, begin, end)
    while changes := await partition.in_thread(lambda: _linked(context, partition, next(batches, []), day)):
        await partition.checkpoint(changes)


def _linked(context: Context, partition: Partition, messages: Sequence[Message], day: int) -> Changes | None:
    if not messages:
        return None
    changes = Changes(partition.store.mark.source, notes={"profiles_offset": offset_of(messages[-1]) + 1})
    decoded = context.codec.decode([message.value() for message in messages])
    if partition.stage == REFUSES:
        changes.refused = strangers(messages, decoded, "Profile")
    rows = decoded.batches.get("Profile")
    profiles = {row["account"]: row["member"] for row in rows.table.to_pylist()} if rows is not None else {}
    keys = [LINK + account.encode() for account in profiles]
    for key, member, old in zip(keys, profiles.values(), partition.store.get(keys), strict=True):
        link = named(None if old is None else Link.from_bytes(old), member, day)
        if link is not None:
            changes.keys.append(key)
            changes.values.append(link.to_bytes())
    return changes


def profile_ends(context: Context, named: Sequence[int], known: Sequence[int]) -> list[int]:
    """How far each partition of profiles is to be taken over: as far as a marker has `named`, and not less than was `known`.

    A marker names no more than there was when it was written, so one that names more than there is was written by a stranger, and what it says
    must not be waited for.
    """
    ends = list(known)
    for number, (at, end) in enumerate(zip(known, named, strict=False)):
        if end > at:
            ends[number] = max(at, min(end, context.log.ends(context.topic("profiles"), number)[1]))
    return ends
