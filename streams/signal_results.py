"""Signals read back from their topic: of one person, or of the most suspicious; never of anybody who opted out.

At each close everybody who looks suspicious gets a record of its day. One of a day before the newest closed one is void, whether or not
a tombstone came for it.
"""

from collections.abc import Collection
from heapq import nsmallest

import pyarrow as pa
import pyarrow.compute as pc

from laurel.models.tally import TOLD
from laurel.streams.codec import Codec
from laurel.streams.days import Record
from laurel.streams.scan import blocks
from laurel.streams.settings import Settings

TOPIC, RECORD = "signals", "Signals"


def of_person(settings: Settings, codec: Codec, person: str, closed: int) -> Record | None:
    """The person's newest Signals, None if nothing about it was suspicious on the newest `closed` day (since 1970-01-01), or if
    it opted out.

    Raises MetadataError or ReadError if Kafka or a topic isn't there.
    """
    found = _newest(settings, codec, closed, [person.encode()])
    return found.get(person) if found and person not in opted_out(settings, codec) else None


def most_suspicious(settings: Settings, codec: Codec, n: int, closed: int) -> list[Record]:
    """The Signals of `n` people as of the newest `closed` day (since 1970-01-01), or of the one after it, whose close is on its way: those with
    most signals flagged first, then by the highest of these, by reactions and by name.

    Raises MetadataError or ReadError if Kafka or a topic isn't there.
    """
    hidden = opted_out(settings, codec)
    shown = (record for person, record in _newest(settings, codec, closed).items() if person not in hidden)
    return nsmallest(n, shown, key=_order)


def opted_out(settings: Settings, codec: Codec) -> set[str]:
    """Accounts that opted out, and the members that any of these is linked to, by the newest profiles."""
    found: dict[str, str | None] = {}
    for block in blocks(settings, codec, "profiles", "Profile"):
        for key in block.forgotten:
            found.pop(key.decode(errors="replace"), None)
        # Few opt out: of all others nothing is looked at but that they aren't among these.
        account, out = block.table.column("account"), block.table.column("opted_out")
        known = pa.concat_arrays([account.filter(out), pa.array(list(found), pa.string())])
        some = pc.is_in(account, value_set=known)
        offsets = block.offsets[some.to_numpy(zero_copy_only=False)]
        for profile, offset in zip(block.table.filter(some).to_pylist(), offsets.tolist(), strict=True):
            if offset > block.forgotten.get(profile["account"].encode(), -1):
                found.pop(profile["account"], None)
                if profile["opted_out"]:
                    found[profile["account"]] = profile["member"]
    return set(found) | {member for member in found.values() if member is not None}


def _newest(settings: Settings, codec: Codec, closed: int, keys: Collection[bytes] | None = None) -> dict[str, Record]:
    found: dict[str, Record] = {}
    for block in blocks(settings, codec, TOPIC, RECORD, keys):
        for key in block.forgotten:
            found.pop(key.decode(errors="replace"), None)
        for record, offset in zip(block.table.to_pylist(), block.offsets.tolist(), strict=True):
            if offset > block.forgotten.get(record["person"].encode(), -1):
                found[record["person"]] = record
    return {person: record for person, record in found.items() if record["day"] >= closed}


def _order(record: Record) -> tuple[int, float, int, str]:
    flagged = [record[name] for name in record["flagged"] if name in TOLD]  # whoever wrote it
    return -len(flagged), -max(flagged, default=0.0), -record["reactions"], record["person"]
