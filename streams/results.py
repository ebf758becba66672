"""Published results read back: a person's scores, the leaders, a topic's board, sashes, refusals.

Topics are read whole, or only the partition of a key, and only what was asked for is kept: the best so far of a list, the
records of a person. What was forgotten (a record without a value) is forgotten here too.
"""

from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from heapq import nlargest
from itertools import islice

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from laurel.models.errors import LaurelError
from laurel.streams import calendar
from laurel.streams.codec import Codec
from laurel.streams.days import Record
from laurel.streams.dead_letters import PREFIX
from laurel.streams.letters import is_mark
from laurel.streams.scan import Block, blocks, key_of, messages
from laurel.streams.settings import Settings

COMPARED = 1_000_000  # records whose keys are looked at for names like one that isn't there
NO_SASH = "none"
UNKNOWN = "unknown"  # a refusal that was not ours
REASON = f"{PREFIX}exception.class.name"


class ResultsError(LaurelError):
    """There is no such result; the message says what there is, or what to do."""


@dataclass(frozen=True)
class Board:
    """A topic's board in short: its day, who leads it, how many are on it, and the strength (points) of all of them."""

    topic: str
    day: int
    leader: str
    influencers: int
    strength: float


class Results:
    """Results as they are in Kafka now. Days are days since 1970-01-01 UTC.

    Every method reads anew, and raises MetadataError or ReadError if Kafka or a topic isn't there.
    """

    def __init__(self, settings: Settings, codec: Codec | None = None) -> None:
        self._settings, self._codec = settings, codec or Codec()

    def last_day(self) -> Record:
        """The Calendar record of the newest closed day; ResultsError if no day was closed yet."""
        days = calendar.read(self._settings, self._codec)
        last = days.last_closed
        if last is None:
            waiting = f" ({calendar.iso(min(days))} was asked for and waits for a worker)" if days else ""
            raise ResultsError(
                f"no day is closed yet{waiting}: with `laurel worker` running, publish events and close their days, "
                "with `laurel replay FILE --close` or `laurel close-day DAY`"
            )
        return days[last]

    def history(self, persons: Collection[str]) -> dict[str, list[Record]]:
        """The ScoreUpdates of each person that are still there, by day; at least the newest, if there is any."""
        found: dict[str, dict[int, Record]] = {person: {} for person in persons}
        keys = {person.encode() for person in persons}
        for block in blocks(self._settings, self._codec, "score-updates", "ScoreUpdate", keys):
            for key in block.forgotten:
                found[key.decode()].clear()
            for record, offset in zip(block.table.to_pylist(), block.offsets.tolist(), strict=True):
                if offset > block.forgotten.get(record["person"].encode(), -1):
                    found[record["person"]][record["day"]] = record
        return {person: [days[day] for day in sorted(days)] for person, days in found.items()}

    def leaders(self, day: int, n: int) -> list[Record]:
        """The `n` highest ScoreUpdates of the day: by score, by percentile where scores are equal, then by person."""
        columns = ["person", "score", "previous", "percentile"]
        forgotten: dict[str, int] = {}
        while True:
            kept: list[pa.Table] = []
            incomplete = False
            for block in blocks(self._settings, self._codec, "score-updates", "ScoreUpdate"):
                # One forgotten after it took a place had kept another off the list: read again, knowing of it.
                incomplete |= forget(block, forgotten)
                table = pa.Table.from_batches([block.table]).select([*columns, "day"])
                table = table.append_column("offset", pa.array(block.offsets))
                table = table.filter(pc.equal(table["day"], day))
                if forgotten:
                    table = table.filter(remembered(table, forgotten))
                kept = [_highest(pa.concat_tables([*kept, table]), n)]
            if not incomplete:
                return kept[0].select(columns).to_pylist() if kept else []

    def board(self, topic: str) -> Record | None:
        """The topic's newest Leaderboard, None if it has none."""
        board: Record | None = None
        for block in blocks(self._settings, self._codec, "leaderboards", "Leaderboard", [topic.encode()]):
            last = int(block.offsets[-1]) if len(block.offsets) else -1
            forgotten = max(block.forgotten.values(), default=-1)
            board = block.table.slice(len(block.offsets) - 1).to_pylist()[0] if last > forgotten else None
        return board

    def boards(self, n: int) -> list[Board]:
        """The `n` topics whose influencers are strongest together, by their newest boards."""
        found: dict[str, Board] = {}
        for block in blocks(self._settings, self._codec, "leaderboards", "Leaderboard"):
            places = block.table["influencers"]
            counts = np.asarray(pc.list_value_length(places))
            ends = np.cumsum(counts)
            flat = pc.list_flatten(places)
            sums = np.concatenate(([0.0], np.cumsum(np.asarray(pc.struct_field(flat, "strength")))))
            people, days = pc.struct_field(flat, "person"), block.table["day"]
            newest = {topic: row for row, topic in enumerate(block.table["topic"].to_pylist())}
            for topic, row in newest.items():
                found.pop(topic, None)
                end, count = int(ends[row]), int(counts[row])
                if count and block.offsets[row] > block.forgotten.get(topic.encode(), -1):
                    leader, strength = people[end - count].as_py(), float(sums[end] - sums[end - count])
                    found[topic] = Board(topic, days[row].as_py(), leader, count, strength)
            for key in block.forgotten.keys() - {topic.encode() for topic in newest}:
                found.pop(key.decode(), None)
        return nlargest(n, found.values(), key=lambda board: (board.strength, board.topic))

    def sashes(self, person: str) -> list[Record]:
        """The newest SashEvent of each topic the person wears a sash in, by day and topic."""
        worn: dict[str, Record] = {}
        for block in blocks(self._settings, self._codec, "sash-events", "SashEvent", [person.encode()]):
            forgotten = max(block.forgotten.values(), default=-1)
            if block.forgotten:
                worn.clear()
            for event, offset in zip(block.table.to_pylist(), block.offsets.tolist(), strict=True):
                if offset > forgotten:
                    worn[event["topic"]] = event
        return sorted(
            (event for event in worn.values() if event["sash"] != NO_SASH),
            key=lambda event: (event["day"], event["topic"]),
        )

    def sash_counts(self) -> dict[str, Counter[str]]:
        """How many people wear each sash, by topic."""
        worn: dict[tuple[str, str], str] = {}
        for block in blocks(self._settings, self._codec, "sash-events", "SashEvent"):
            names = (block.table[name].to_pylist() for name in ("topic", "person", "sash"))
            for topic, person, sash in zip(*names, strict=True):
                worn[topic, person] = sash
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        for (topic, _), sash in worn.items():
            if sash != NO_SASH:
                counts[topic][sash] += 1
        return counts

    def refusals(self) -> Counter[str]:
        """Dead letters by reason."""
        reasons: Counter[str] = Counter()
        for batch in messages(self._settings, "dead-letters"):
            for message in batch:
                if is_mark(message):
                    continue
                reason = dict(message.headers() or []).get(REASON)
                reasons[reason.decode(errors="replace") if isinstance(reason, bytes) else UNKNOWN] += 1
        return reasons

    def near(self, topic: str, name: str, most: int = 3) -> list[str]:
        """Keys of the topic that may have been meant by `name`: other accounts of that id, or one character apart."""
        found: set[str] = set()
        for batch in islice(messages(self._settings, topic), COMPARED // 1_000):
            for key in {key_of(message) for message in batch}:
                text = key.decode(errors="replace")
                if text != name and alike(name, text):
                    found.add(text)
            if len(found) >= most:
                break
        return sorted(found)[:most]


def alike(one: str, other: str) -> bool:
    """Whether the two differ by at most one character put in, left out or exchanged, or are one id of two networks."""
    if one.rpartition(":")[2] == other.rpartition(":")[2]:
        return True
    longest = max(len(one), len(other))
    if abs(len(one) - len(other)) > 1:
        return False
    begin = _shared(one, other)
    return begin + _shared(one[begin:][::-1], other[begin:][::-1]) >= longest - 1


def _shared(one: str, other: str) -> int:
    """How many characters the two have in common from the beginning."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def forget(block: Block, forgotten: dict[str, int]) -> bool:
    """Adds to `forgotten` by person the newest offset at which a block forgets them; whether it tells of any that was not
    known, so that what was read before it may hold them still."""
    news = {key.decode(): offset for key, offset in block.forgotten.items()}
    news = {person: offset for person, offset in news.items() if offset > forgotten.get(person, -1)}
    forgotten |= news
    return bool(news)


def remembered(table: pa.Table, forgotten: dict[str, int]) -> pa.ChunkedArray:
    """Which rows came after their person was last forgotten, if ever."""
    at = pc.index_in(table["person"], value_set=pa.array(list(forgotten)))
    since = pa.array(list(forgotten.values()), pa.int64()).take(at)
    remembered: pa.ChunkedArray = pc.fill_null(pc.greater(table["offset"], since), True)
    return remembered


def _highest(table: pa.Table, n: int) -> pa.Table:
    """The first `n` by score, place and person; a person's row that was published twice is one."""
    keys = [("score", "descending"), ("percentile", "descending"), ("person", "ascending")]
    ordered = table.take(pc.sort_indices(table, keys)).combine_chunks()
    persons = ordered["person"].to_numpy()
    first = np.append(True, persons[1:] != persons[:-1])[: len(persons)]
    return ordered.filter(pa.array(first)).slice(0, n)
