"""Signals read back from their topic: of one person, or of the most suspicious; never of anybody who opted out."""

from collections.abc import Collection
from heapq import nsmallest

from laurel.streams.codec import Codec
from laurel.streams.days import Record
from laurel.streams.scan import blocks
from laurel.streams.settings import Settings

TOPIC, RECORD = "signals", "Signals"


def of_person(settings: Settings, codec: Codec, person: str) -> Record | None:
    """The person's newest Signals, None if nothing about it is suspicious, or if it opted out.

    Raises MetadataError or ReadError if Kafka or a topic isn't there.
    """
    found = _newest(settings, codec, [person.encode()])
    return found.get(person) if found and person not in opted_out(settings, codec) else None


def most_suspicious(settings: Settings, codec: Codec, n: int) -> list[Record]:
    """The newest Signals of `n` people: those with most signals flagged first, then by the highest of these, by reactions and by name.

    Raises MetadataError or ReadError if Kafka or a topic isn't there.
    """
    hidden = opted_out(settings, codec)
    shown = (record for person, record in _newest(settings, codec).items() if person not in hidden)
    return nsmallest(n, shown, key=_order)


def opted_out(settings: Settings, codec: Codec) -> set[str]:
    """Accounts that opted out, and the members that any of these is linked to, by the newest profiles."""
    found: dict[str, str | None] = {}
    for block in blocks(settings, codec, "profiles", "Profile"):
        for key in block.forgotten:
            found.pop(key.decode(errors="replace"), None)
        for profile, offset in zip(block.table.to_pylist(), block.offsets.tolist(), strict=True):
            if offset > block.forgotten.get(profile["account"].encode(), -1):
                found.pop(profile["account"], None)
                if profile["opted_out"]:
                    found[profile["account"]] = profile["member"]
    return set(found) | {member for member in found.values() if member is not None}


def _newest(settings: Settings, codec: Codec, keys: Collection[bytes] | None = None) -> dict[str, Record]:
    found: dict[str, Record] = {}
    for block in blocks(settings, codec, TOPIC, RECORD, keys):
        for key in block.forgotten:
            found.pop(key.decode(), None)
        for record, offset in zip(block.table.to_pylist(), block.offsets.tolist(), strict=True):
            if offset > block.forgotten.get(record["person"].encode(), -1):
                found[record["person"]] = record
    return found


def _order(record: Record) -> tuple[int, float, int, str]:
    return (
        -len(record["flagged"]),
        -max(record[name] for name in record["flagged"]),
        -record["reactions"],
        record["person"],
    )
