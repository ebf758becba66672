"""Influence networks read back from `influence-networks`, without whoever has opted out by now."""

from collections.abc import Collection
from dataclasses import dataclass

from laurel.streams.codec import Codec
from laurel.streams.days import Record
from laurel.streams.results import ResultsError
from laurel.streams.scan import blocks
from laurel.streams.settings import Settings

TOPIC, RECORD = "influence-networks", "InfluenceNetwork"
INFLUENCES, INFLUENCED_BY = "influences", "influenced_by"  # who acts on the person; whom the person acts on


@dataclass(frozen=True)
class InfluenceNetwork:
    """The newest InfluenceNetwork of a person in each direction, None where there is nobody to show."""

    influences: Record | None
    influenced_by: Record | None


def network_key(direction: str, person: bytes) -> bytes:
    """The key of a person's list in one direction."""
    return b"%s/%s" % (direction.encode(), person)


def read_network(settings: Settings, person: str, codec: Codec | None = None) -> InfluenceNetwork:
    """Whom a person influences and who influences them. Nobody is shown who has opted out, whenever the lists are of.

    Raises ResultsError if the person has opted out; MetadataError or ReadError if Kafka or a topic isn't there, ScanError for what is no record.
    """
    codec = codec or Codec()
    directions = {network_key(direction, person.encode()): direction for direction in (INFLUENCES, INFLUENCED_BY)}
    newest: dict[str, Record] = {}
    for block in blocks(settings, codec, TOPIC, RECORD, directions):
        last = dict.fromkeys(directions.values(), -1)
        for record, offset in zip(block.table.to_pylist(), block.offsets.tolist(), strict=True):
            newest[record["direction"]], last[record["direction"]] = record, offset
        for key, offset in block.forgotten.items():
            if offset > last[directions[key]]:
                newest.pop(directions[key], None)
    named = {tied["account"] for record in newest.values() for tied in record["accounts"]}
    hidden = opted_out(settings, {person, *named}, codec)
    if person in hidden:
        raise ResultsError(f"{person!r} has opted out: nothing is told of them")
    shown = {direction: _without(record, hidden) for direction, record in newest.items()}
    return InfluenceNetwork(shown.get(INFLUENCES), shown.get(INFLUENCED_BY))


def opted_out(settings: Settings, accounts: Collection[str], codec: Codec) -> set[str]:
    """Which of some accounts have opted out, by their newest profiles. Raises as `read_network` does."""
    out: set[str] = set()
    for block in blocks(settings, codec, "profiles", "Profile", {account.encode() for account in accounts}):
        last: dict[str, tuple[int, bool]] = {key.decode(): (offset, False) for key, offset in block.forgotten.items()}
        for row, offset in zip(block.table.to_pylist(), block.offsets.tolist(), strict=True):
            if offset > last.get(row["account"], (-1, False))[0]:
                last[row["account"]] = offset, row["opted_out"]
        for account, (_, leaves) in last.items():
            (out.add if leaves else out.discard)(account)
    return out


def _without(record: Record, hidden: Collection[str]) -> Record | None:
    accounts = [tied for tied in record["accounts"] if tied["account"] not in hidden]
    return {**record, "accounts": accounts} if accounts else None
