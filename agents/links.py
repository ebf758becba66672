"""Which accounts belong to a member: what the targets stage remembers of the profiles, as of the last markers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from laurel.streams.store import LINK, Store


@dataclass(frozen=True)
class Link:
    """An account's member, None if it is its own person again, since the close of a day (days since 1970-01-01)."""

    member: str | None
    since: int

    def to_bytes(self) -> bytes:
        """The link as it is stored."""
        return json.dumps([self.member, self.since]).encode()

    @classmethod
    def from_bytes(cls, value: bytes) -> "Link":
        """A stored link."""
        return cls(*json.loads(value))


def links(store: Store) -> Mapping[bytes, Link]:
    """All links of a partition, by account. Few: only accounts that were ever linked have one."""
    return {
        key: Link.from_bytes(value)
        for keys, values in store.scan(LINK)
        for key, value in zip(keys, values, strict=True)
    }
