"""Which accounts belong to a member: what the targets stage remembers of the profiles, as of the last markers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from laurel.streams.store import LINK, Store


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
