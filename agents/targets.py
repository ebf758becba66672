"""The second stage, by target: what does this account cause?"""

import asyncio
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from laurel.agents.context import Context
from laurel.agents.day_close import DayClose
from laurel.agents.day_model import model_of_day, shadows_of_day
from laurel.agents.layouts import INFLUENCE
from laurel.agents.links import profile_ends, take_links
from laurel.agents.optouts import take_optouts
from laurel.agents.parts import Marker, Rows, joined, letters, parse, records_of
from laurel.agents.ties import Acts, remembered
from laurel.models import ragged, reach
from laurel.models.counted_once import MOST_ACTS, NOWHERE, Moves, stays
from laurel.models.hashing import hash64
from laurel.models.influence import BUCKET, TOPIC, Influences, accrue
from laurel.models.refusals import ACCEPTED, CODE, NO_DAY, UNREADABLE
from laurel.streams.chunk import Chunk
from laurel.streams.dead_letters import is_sent_again
from laurel.streams.log import LogWriter
from laurel.streams.packing import States, pack, unpack
from laurel.streams.partition import Changes, Part, Partition
from laurel.streams.store import NAME, STATE

STAGE, SOURCE = "targets", "influence"
MODELS_KEPT = 3  # newest days whose models are remembered: one that is closed, and those that may be open beyond it
REFUSES = (*UNREADABLE, "unknown_network", "unknown_action")

Int = npt.NDArray[np.int64]


class Targets:
    """Keeps the influence of one partition's accounts, and does the partition's part of each day's close."""

    def __init__(self, context: Context, partition: Partition) -> None:
        self._context, self._partition = context, partition
        self._known_topics: set[int] = set()
        self._close_of_day: DayClose
        self._closing: asyncio.Task[None] | None = None
        self._writer: LogWriter | None = None  # of closes: they take longer than checkpoints, which go on meanwhile

    def parse(self, chunk: Chunk) -> list[Part]:
        """Influence records and day markers."""
        self._context.metrics.taken(chunk.topic, len(chunk.records))
        return parse(chunk, self._context.codec, "Influence", range(self._context.partitions))

    async def start(self) -> None:
        """Takes up a close that was not finished when the partition was last let go."""
        day = self._aligned
        if day is not None:
            # A later marker comes when the day is closed: what profiles are known up to then is for that later day.
            if day == max(marked for marked in self._markers if marked is not None):
                await self._take_profiles(day)
            self._begin_close(day, resumed=True)

    async def stop(self) -> None:
        """Ends the close that is under way; whoever gets the partition does it again."""
        if self._writer is not None:
            self._writer.stop()
        if self._closing is not None:
            self._close_of_day.stop()
            self._closing.cancel()
            await asyncio.gather(self._closing, return_exceptions=True)

    @property
    def _reached(self) -> Int:
        """The last source offset seen of each upstream partition, -1 before any."""
        return np.array(self._partition.store.mark.notes.get("reached", [-1] * self._context.partitions), np.int64)

    @property
    def _markers(self) -> list[int | None]:
        """The last day marked by each upstream partition."""
        return list(self._partition.store.mark.notes.get("markers", [None] * self._context.partitions))

    @property
    def _aligned(self) -> int | None:
        """The last day that every upstream has marked."""
        days = self._markers
        return None if None in days else min(day for day in days if day is not None)

    def apply(self, parts: Sequence[Part]) -> Changes:
        """Adds influence to the targets' buckets."""
        store, rows = self._partition.store, joined(parts)
        records = rows.table
        if not records.num_rows:
            return Changes(parts[-1].last_offset, refused=rows.refused)
        reason = _examine(records, self._context)
        refused = rows.refused + letters(rows.runs, np.flatnonzero(reason), reason)
        good = np.flatnonzero(reason == ACCEPTED)
        records = records.take(pa.array(good))
        in_turn, seen = _first_time(records, self._reached)
        first_time = _with_sent_again(in_turn, rows.runs, good)
        records = self._admitted(records.take(pa.array(first_time)))

        accounts = records.column("target").dictionary_encode()
        owner = accounts.indices.to_numpy().astype(np.int64)
        keys = accounts.dictionary.cast(pa.binary()).to_pylist()
        states = unpack(INFLUENCE, store.states(keys))
        topic_owner, topics, topic_names = _topic_rows(records, owner)
        last_closed, window = self._context.calendar.last_closed, self._context.model.window_days
        closed = NO_DAY if last_closed is None else last_closed
        after = accrue(
            Influences(states.sections["buckets"], states.sections["topics"]),
            owner,
            _bucket_rows(records, self._context),
            topic_owner,
            topics,
            closed,
            window,
        )
        moved, people = reach.rows_of(_moves(records), records.column("admit").to_numpy().astype(np.int64))
        reached = reach.put(states.sections["people"], owner[moved], people, closed, window)
        sections = {"buckets": after.buckets, "topics": after.topics, "people": reached}
        packed = pack(INFLUENCE, States(states.header, sections))
        new_names = self._new_names(topics["topic"], topic_names)
        tied = remembered(store, keys, *_told(records, owner, np.isin(first_time, in_turn)), closed)
        return Changes(
            parts[-1].last_offset,
            keys=[*(STATE + key for key in keys), *(NAME + key for key in new_names), *tied[0]],
            values=[*packed, *new_names.values(), *tied[1]],
            refused=refused,
            notes={"reached": seen.tolist()},
        )

    def _admitted(self, records: pa.RecordBatch) -> pa.RecordBatch:
        """The records, none of them to be counted by a close that may have begun: what is sent again would be."""
        aligned, at = self._aligned, records.schema.get_field_index("admit")
        if aligned is None:
            return records
        admit = np.maximum(records.column(at).to_numpy(), np.int32(aligned + 1))
        return records.set_column(at, records.schema.field(at), pa.array(admit, records.schema.field(at).type))

    def _new_names(self, topics: npt.NDArray[np.uint64], names: pa.Array) -> dict[bytes, bytes]:
        """The texts of topics that the store has no name of yet, by their hash's bytes."""
        unique, at = np.unique(topics, return_index=True)
        unseen = [place for place, topic in enumerate(unique.tolist()) if topic not in self._known_topics]
        keys = [unique[place].tobytes() for place in unseen]
        texts = names.take(pa.array(at[unseen])).to_pylist()
        stored = self._partition.store.names(keys)
        self._known_topics.update(unique[unseen].tolist())
        return {key: text.encode() for key, text, known in zip(keys, texts, stored, strict=True) if known is None}

    async def marker(self, part: Part) -> None:
        """Remembers it; when it was the last one missing, closes the day beside the partition's other work."""
        found: Marker = part.content
        before, markers = self._aligned, self._markers
        known = markers[found.upstream]
        markers[found.upstream] = found.day if known is None else max(known, found.day)
        notes = {
            "markers": markers,
            "models": self._named_after("models", found, found.model),
            "shadows": self._named_after("shadows", found, found.shadows),
            "profiles_ends": await self._partition.in_thread(
                lambda: profile_ends(self._context, found.profiles, self._profiles_ends)
            ),
        }
        await self._partition.checkpoint(Changes(part.last_offset, notes=notes))
        day = self._aligned
        if day is not None and day != before:
            if self._closing is not None:
                await self._closing
            await self._take_profiles(day)
            self._begin_close(day, resumed=False)

    def _named_after(self, note: str, found: Marker, named: object) -> dict[str, Any]:
        """What a note says of each of the newest days, in decimal digits: what the first marker of it from the first partition names.
        All partitions of targets get the same, so all close a day by one model, with the same shadows."""
        known: dict[str, Any] = self._partition.store.mark.notes.get(note, {})
        if found.upstream != 0:
            return known
        newest = {str(found.day): named} | known
        return {day: newest[day] for day in sorted(newest, key=int)[-MODELS_KEPT:]}

    @property
    def _profiles_ends(self) -> list[int]:
        """How far each partition of profiles is to be taken over, as far as markers have said."""
        notes = self._partition.store.mark.notes
        if "profiles_ends" in notes:
            return list(notes["profiles_ends"])
        ends = [0] * self._context.partitions
        ends[self._partition.number] = int(notes.get("profiles_end", 0))  # all that earlier versions knew
        return ends

    async def _take_profiles(self, day: int) -> None:
        """Takes over, for the close of a day, who is linked to whom and who has opted out: the profiles before its markers."""
        ends = self._profiles_ends
        await take_links(self._context, self._partition, day, ends[self._partition.number])
        await take_optouts(self._context, self._partition, day, ends)

    def _begin_close(self, day: int, *, resumed: bool) -> None:
        first, writer = self._writer is None, self._writer
        if writer is None:
            writer = self._writer = self._context.log.writer(f"{STAGE}-close-{self._partition.number}")
        notes = self._partition.store.mark.notes
        model = model_of_day(self._context, notes.get("models", {}).get(str(day), ""), day)
        # A partition that was closing a day when it was last let go by an older version has no such note.
        shadows = shadows_of_day(self._context, notes.get("shadows", {}).get(str(day), []), model, day)
        self._close_of_day = DayClose(self._context, self._partition, writer, model, shadows, day, resumed=resumed)
        self._closing = asyncio.create_task(self._close(writer if first else None))

    async def _close(self, unopened: LogWriter | None) -> None:
        try:
            if unopened is not None:
                await self._partition.in_thread(unopened.open)
            await self._close_of_day.run()
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            await self._partition.fail(error)


def _examine(records: pa.RecordBatch, context: Context) -> npt.NDArray[np.uint8]:
    """Reason codes: only what an actors partition sends, about networks that are still in the table, can be added up."""
    upstream = records.column("upstream").to_numpy()
    codes = context.networks.codes(records.column("network"), records.column("action"))
    checks = {
        "unexpected_record": (upstream < 0) | (upstream >= context.partitions),
        "unknown_network": codes == -1,
        "unknown_action": codes == -2,
    }
    reason = np.full(len(codes), ACCEPTED, np.uint8)
    for name, wrong in reversed(checks.items()):
        reason[wrong] = CODE[name]
    return reason


def _first_time(records: pa.RecordBatch, reached: Int) -> tuple[Int, Int]:
    """Rows not seen before, and how far each upstream has been seen after them.

    An upstream sends its records in the order of its source offsets; after a crash it begins again some way back.
    """
    upstream = records.column("upstream").to_numpy()
    offset = records.column("upstream_offset").to_numpy()
    new = np.zeros(len(offset), np.bool_)
    reached = reached.copy()
    for number in np.unique(upstream).tolist():
        rows = np.flatnonzero(upstream == number)
        before = np.maximum.accumulate(np.concatenate(([reached[number]], offset[rows])))
        new[rows] = offset[rows] > before[:-1]
        reached[number] = before[-1]
    return np.flatnonzero(new), reached


def _with_sent_again(first_time: Int, rows: Sequence[Rows], good: Int) -> Int:
    """Adds to the rows seen for the first time (of `good`, rows of all runs) those that were refused before, and are sent
    again from the dead letters: that time nothing of them was counted."""
    repeats = np.setdiff1d(np.arange(len(good)), first_time)
    again = [at for at, record in zip(repeats, records_of(rows, good[repeats]), strict=True) if is_sent_again(record)]
    return np.union1d(first_time, np.array(again, np.int64)) if again else first_time


def _bucket_rows(records: pa.RecordBatch, context: Context) -> npt.NDArray[np.void]:
    rows = np.empty(records.num_rows, BUCKET)
    rows["day"] = records.column("day").to_numpy()
    rows["admit"] = records.column("admit").to_numpy()
    rows["action"] = context.networks.ids[context.networks.codes(records.column("network"), records.column("action"))]
    rows["weight"] = records.column("weight").to_numpy()
    rows["count"] = records.column("count").to_numpy()
    return rows


def _moves(records: pa.RecordBatch) -> Moves:
    """How the engagers move among the people whom their targets reach, MOVE[m]; impossible numbers are held at what can be."""
    found = stays(records.num_rows)
    found["clock"], found["first"] = (records.column(name).to_numpy() for name in ("clock", "first"))
    for side in ("left", "reached"):
        found[side] = records.column(side).fill_null(NOWHERE).to_numpy()
        for what, most in (("points", reach.MOST_POINTS), ("acts", MOST_ACTS)):
            found[f"{side}_{what}"] = np.clip(records.column(f"{side}_{what}").to_numpy(), 0, most)
    return found


def _told(records: pa.RecordBatch, owner: Int, in_turn: npt.NDArray[np.bool_]) -> tuple[Int, Acts]:
    """What engagers tell of their pairs, and the owner of each; what is sent again later (not `in_turn`) tells of a pair as it was once."""
    tells = pc.and_(pc.is_valid(records.column("memory")), pc.is_valid(records.column("engager")))
    rows = np.flatnonzero(np.asarray(tells) & in_turn)
    told = records.select(["engager", "admit", "clock", "memory_day", "memory"]).take(pa.array(rows))
    admit, clock, day, memory = (told.column(name).to_numpy() for name in ("admit", "clock", "memory_day", "memory"))
    return owner[rows], Acts(told.column("engager"), np.maximum(admit, clock), day, memory)


def _topic_rows(records: pa.RecordBatch, owner: Int) -> tuple[Int, npt.NDArray[np.void], pa.Array]:
    """Owner, TOPIC row and name of each topic of each record; one that a record names twice counts once."""
    column = records.column("topics")
    parents = np.asarray(pc.list_parent_indices(column)).astype(np.int64)
    names = pc.list_flatten(column)
    topics = hash64(names)
    order = np.lexsort((topics, parents))
    once = order[ragged.starts(parents[order], topics[order])]
    parents, names, topics = parents[once], names.take(pa.array(once)), topics[once]
    rows = np.empty(len(names), TOPIC)
    rows["topic"] = topics
    for name in ("day", "admit", "weight", "plus_k"):
        rows[name] = records.column(name).to_numpy()[parents]
    return owner[parents], rows, names
