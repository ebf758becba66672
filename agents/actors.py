"""The first stage, by actor: what does this account do, and how much does each act count?"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from laurel.agents.context import Context
from laurel.agents.day_model import model_of_day, model_of_record
from laurel.agents.influence_networks import InfluenceNetworks
from laurel.agents.layouts import VOICE
from laurel.agents.links import links, profile_ends, take_links
from laurel.agents.older_acts import OlderActs
from laurel.agents.optouts import opted_out, take_optouts, taken_over
from laurel.agents.parts import Joined, Marker, joined, letters, parse, records_of, strangers
from laurel.agents.ties import Acts, remembered
from laurel.models import ragged
from laurel.models.acts import acts_of, without_empty_actors
from laurel.models.counted_once import NOWHERE, Moves
from laurel.models.memory import NOTHING
from laurel.models.networks import PLUS_K
from laurel.models.refusals import ACCEPTED, BY_STATUS, NO_DAY, examine
from laurel.models.repeats import refused_before
from laurel.models.scale import earned_points
from laurel.models.voice import (
    ACT,
    COUNTED,
    DUPLICATE,
    RETRACTION,
    UNMATCHED,
    WAITING,
    WITHDRAWN,
    Int,
    Voices,
    Weighed,
)
from laurel.models.weigh import weigh
from laurel.streams.chunk import Chunk
from laurel.streams.dead_letters import from_message, is_sent_again
from laurel.streams.log import Message, offset_of
from laurel.streams.network_results import INFLUENCED_BY
from laurel.streams.outbox import Output
from laurel.streams.packing import States, pack, unpack
from laurel.streams.partition import Changes, Part, Partition
from laurel.streams.store import STATE

STAGE, SOURCE = "actors", "engagements"

Float = npt.NDArray[np.float64]

IMPOSSIBLE = "a score is from 1 to 100"
OUTCOMES = {
    COUNTED: "counted",
    DUPLICATE: "duplicate",
    RETRACTION: "retracted",
    WITHDRAWN: "withdrawn",
    WAITING: "waiting_retraction",
    UNMATCHED: "unmatched_retraction",
}


class Actors:
    """Keeps the voices of one partition's accounts."""

    def __init__(self, context: Context, partition: Partition) -> None:
        self._context, self._partition = context, partition

    def parse(self, chunk: Chunk) -> list[Part]:
        """Engagements and day markers."""
        self._context.metrics.taken(chunk.topic, len(chunk.records))
        return parse(chunk, self._context.codec, "Engagement", range(-1, 0))

    async def start(self) -> None:
        """Nothing is unfinished between checkpoints."""

    async def stop(self) -> None:
        """Nothing runs beside the partition's own work."""

    @property
    def _open_day(self) -> int:
        marker = self._partition.store.mark.notes.get("marker")
        return NO_DAY if marker is None else marker + 1

    def apply(self, parts: Sequence[Part]) -> Changes:
        """Weighs engagements: influence records for their targets, dead letters, and the actors' voices."""
        context, store, rows = self._context, self._partition.store, joined(parts)
        changes, offsets = Changes(parts[-1].last_offset, refused=rows.refused), rows.offsets
        if not len(offsets):
            return changes
        events = without_empty_actors(rows.table)
        published = np.concatenate([run.timestamps for run in rows.runs])
        examined = examine(events, published, self._open_day, context.networks, context.model)

        accounts = pc.coalesce(events.column("actor"), events.column("target")).dictionary_encode()
        owner = accounts.indices.to_numpy().astype(np.int64)
        keys = accounts.dictionary.cast(pa.binary()).to_pylist()
        states = unpack(VOICE, store.states(keys))
        accepted = np.flatnonzero(examined.reason == ACCEPTED)
        does, day = examined.action[accepted], examined.day[accepted]
        plus_k = context.networks.kind[does] == PLUS_K
        taken = context.event_topics.of(events.take(pa.array(accepted)), plus_k, context.model.topics_most)
        acts = acts_of(taken, owner[accepted], does, day, context.networks)
        older = OlderActs(store, keys)
        voices = older.fetch(_voices(states), acts)
        again = _sent_again(refused_before(voices, acts), rows, accepted)
        weighed, voices = weigh(voices, acts, context.model, again)
        voices = older.keep(voices, context.model)

        reason = examined.reason.copy()
        for status, code in BY_STATUS.items():
            reason[accepted[weighed.status == status]] = code
        changes.refused += letters(rows.runs, np.flatnonzero(reason), reason)
        for status, outcome in OUTCOMES.items():
            context.metrics.weighed(outcome, int((weighed.status == status).sum()))
        if len(accepted):
            newest = pc.max(events.column("occurred_at").take(pa.array(accepted))).as_py() / 1000
            context.metrics.applied(self._partition.number, newest)

        changes.outputs = self._influence(taken, weighed, offsets[accepted])
        touched = np.unique(owner[accepted])
        after = _select(States(voices.header, {name: getattr(voices, name) for name in VOICE.sections}), touched)
        tied = remembered(store, keys, *self._ties(events, owner, accepted, weighed), self._open_day - 1)
        changes.keys = [*older.keys, *tied[0], *(STATE + keys[at] for at in touched.tolist())]
        changes.values = [*older.values, *tied[1], *pack(VOICE, after)]
        return changes

    def _influence(self, events: pa.RecordBatch, weighed: Weighed, offsets: npt.NDArray[np.int64]) -> list[Output]:
        """Influence records of what counts, in source order: repeats are told by it downstream."""
        counts = np.flatnonzero((weighed.status == COUNTED) | (weighed.status == RETRACTION))
        if not len(counts):
            return []
        rows = events.take(pa.array(counts))
        day, move = weighed.day[counts], weighed.move[counts]
        n = len(counts)
        batch = pa.RecordBatch.from_pydict(
            {
                "target": rows.column("target"),
                "upstream": pa.array(np.full(n, self._partition.number, np.int32)),
                "upstream_offset": pa.array(offsets[counts]),
                "index": pa.array(np.zeros(n, np.int32)),
                "admit": pa.array(np.maximum(day, self._open_day).astype(np.int32)),
                "day": pa.array(day.astype(np.int32)),
                "network": rows.column("network"),
                "action": rows.column("action"),
                "weight": pa.array(weighed.weight[counts]),
                "count": pa.array(weighed.count[counts].astype(np.int32)),
                "plus_k": pa.array(weighed.plus_k[counts].astype(np.int32)),
                "topics": rows.column("topics"),
                "engager": rows.column("actor"),
                "clock": pa.array(np.maximum(move["clock"], weighed.pair["clock"][counts])),
                **_sides(move),
                **_told(weighed.pair[counts]),
            }
        )
        keys = rows.column("target").cast(pa.binary()).to_pylist()
        values = self._context.codec.encode("Influence", batch)
        return [Output(self._context.topic("influence"), keys, values)]

    def _ties(self, events: pa.RecordBatch, owner: Int, accepted: Int, weighed: Weighed) -> tuple[Int, Acts]:
        """What acts tell of their pairs, and the owner of each."""
        tells = np.flatnonzero(weighed.pair["memory"] != NOTHING)
        rows, pair = accepted[tells], weighed.pair[tells]
        admit = np.maximum(pair["clock"], self._open_day)
        target = events.column("target").take(pa.array(rows))
        return owner[rows], Acts(target, admit, pair["day"], pair["memory"])

    async def marker(self, part: Part) -> None:
        """Forwards the marker's day, and any missed before it, each once the one before is closed."""
        found: Marker = part.content
        last = self._partition.store.mark.notes.get("marker")
        if last is not None and found.day <= last:
            await self._partition.checkpoint(Changes(found.offset))  # said before
            return
        for day in range(found.day if last is None else last + 1, found.day + 1):
            if last is not None:
                closed = await self._context.calendar.wait_closed(last)
                await self._take_scores(closed["score_offsets"][self._partition.number])
            await self._take_profiles(day, found)
            networks = await self._partition.in_thread(lambda last=last, day=day: self._networks(day, last, found))  # type: ignore[misc]
            await self._partition.checkpoint(self._forward(day, found, networks))
            last = day

    async def _take_profiles(self, day: int, found: Marker) -> None:
        """Takes over, for the close of a day, who is linked to whom and who has opted out: the profiles before its marker."""
        context, partition = self._context, self._partition
        ends = await partition.in_thread(lambda: profile_ends(context, found.profiles, taken_over(context, partition)))
        await take_links(context, partition, day, ends[partition.number])
        await take_optouts(context, partition, day, ends)

    def _forward(self, day: int, found: Marker, networks: InfluenceNetworks) -> Changes:
        """The marker, to every partition of the next stage; and before it, whom this partition's accounts act on."""
        topic, number = self._context.topic("influence"), self._partition.number
        value = self._context.codec.encode_one(
            "DayMarker",
            {
                "day": day,
                "upstream": number,
                "upstream_offset": found.offset,
                "model": found.model,
                "profiles": found.profiles,
                "shadows": found.shadows,
            },
        )
        outputs = [Output(topic, [b""], [value], partition) for partition in range(self._context.partitions)]
        # Until the last missed day is forwarded, a restart must find the marker again.
        offset = found.offset if day == found.day else found.offset - 1
        return Changes(offset, outputs=outputs, notes={"marker": day}, streamed=networks)

    def _networks(self, day: int, last: int | None, found: Marker) -> InfluenceNetworks:
        """Who influences this partition's accounts: all before the marker is applied, and nothing after it. `last` is the day marked before."""
        context = self._context
        closed = None if last is None else context.calendar.closed_before(day)
        before = None if closed is None else (closed["day"], model_of_record(context, closed))
        model = model_of_day(context, found.model, day)
        store, number = self._partition.store, self._partition.number
        return InfluenceNetworks(
            context, number, store, INFLUENCED_BY, day, model, before, links(store), opted_out(store, day)
        )

    async def _take_scores(self, end: int) -> None:
        """Takes over the published scores of this partition's accounts, up to an offset of account-scores."""
        topic, number = self._context.topic("account-scores"), self._partition.number
        begin = int(self._partition.store.mark.notes.get("scores_offset", 0))
        batches = self._context.log.read(topic, number, begin, end)
        while changes := await self._partition.in_thread(lambda: self._scored(next(batches, []))):
            await self._partition.checkpoint(changes)

    def _scored(self, messages: Sequence[Message]) -> Changes | None:
        if not messages:
            return None
        changes = Changes(self._partition.store.mark.source, notes={"scores_offset": offset_of(messages[-1]) + 1})
        decoded = self._context.codec.decode([message.value() for message in messages])
        changes.refused = strangers(messages, decoded, "AccountScore")
        rows = decoded.batches.get("AccountScore")
        if rows is None:
            return changes
        scores = rows.table.column("score").to_numpy()
        possible = (scores >= 1) & (scores <= 100)
        changes.refused += [
            from_message(messages[at], "unexpected_record", IMPOSSIBLE) for at in rows.positions[~possible].tolist()
        ]
        accounts = rows.table.column("account").filter(pa.array(possible)).to_pylist()
        days = rows.table.column("day").cast(pa.int32()).to_numpy()[possible]
        newest = dict(zip(accounts, self._earned(scores[possible], days).tolist(), strict=True))
        keys = [account.encode() for account in newest]
        states = unpack(VOICE, self._partition.store.states(keys))
        states.header["score"] = np.array(list(newest.values()), np.uint8)
        changes.keys, changes.values = [STATE + key for key in keys], list(pack(VOICE, states))
        return changes

    def _earned(self, scores: Float, days: npt.NDArray[np.int32]) -> Int:
        """Whole points above the base of the day that each score is of; none for a day that wasn't closed."""
        calendar, some, place = self._context.calendar, *np.unique(days, return_inverse=True)
        earned = np.zeros(len(scores), np.int64)
        for at, record in enumerate(map(calendar.day, some.tolist())):
            if record is not None and record["r0"] is not None:
                rows = place == at
                earned[rows] = earned_points(scores[rows], record["r0"], model_of_record(self._context, record))
        return earned


def _sides(move: Moves) -> dict[str, pa.Array]:
    """The columns of an Influence that tell days, points and acts of moves (MOVE), and since when their actors are known."""
    columns = {"first": pa.array(move["first"].copy())}
    for side in ("left", "reached"):
        columns[side] = pa.array(move[side].copy(), mask=move[side] == NOWHERE)
        for what in ("points", "acts"):
            columns[f"{side}_{what}"] = pa.array(move[f"{side}_{what}"].astype(np.int32))
    return columns


def _told(pair: npt.NDArray[np.void]) -> dict[str, pa.Array]:
    """The columns of an Influence that tell what is remembered of pairs (TOLD)."""
    memory = pair["memory"].copy()
    return {"memory": pa.array(memory, mask=memory == NOTHING), "memory_day": pa.array(pair["day"].copy())}


def _sent_again(refused: Int, rows: Joined, accepted: Int) -> Int:
    """Which of the acts that were refused before (`refused`, of the `accepted` rows) are sent again from the dead letters."""
    records = records_of(rows.runs, accepted[refused])
    return refused[np.fromiter(map(is_sent_again, records), np.bool_, len(records))]


def _voices(states: States) -> Voices:
    return Voices(states.header, **states.sections, past=ragged.empty(len(states.header), ACT))


def _select(states: States, keys: npt.NDArray[np.int64]) -> States:
    return states if len(keys) == len(states.header) else states.take(keys)
