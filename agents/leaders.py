"""The third stage, by topic: who leads it, and what they wear."""

from time import monotonic

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from laurel.agents.day_model import model_of_record
from laurel.agents.gathering import Gatherer
from laurel.agents.reports import LEADERS, report
from laurel.models import ragged
from laurel.models.fade import FADE_UNIT
from laurel.models.leaders import Candidates, Ranking, influencers, plus_k_recipients
from laurel.models.sashes import CHANGES, KEPT, SASHES, changes, sashes
from laurel.streams.dead_letters import DeadLetter
from laurel.streams.outbox import Output
from laurel.streams.partition import Changes
from laurel.streams.store import STATE

STAGE, SOURCE = "leaders", "topic-candidates"

POINT = 1_000_000  # micro-points in a point, micro-+Ks in a +K

Int = npt.NDArray[np.int64]


class Leaders(Gatherer):
    """Keeps the last leaderboard of each topic of one partition."""

    record = "TopicCandidates"

    async def settle(self, day: int, rows: pa.Table, offset: int, refused: list[DeadLetter]) -> None:
        """Publishes the day's boards and sash events."""
        began = monotonic()
        done = await self._partition.in_thread(lambda: self._settle(day, rows, offset))
        done.refused = refused
        await self._partition.checkpoint(done)
        self._context.metrics.closing(STAGE, monotonic() - began)

    def _settle(self, day: int, rows: pa.Table, offset: int) -> Changes:
        """Boards and sash events of the day, from its candidates and the boards of the day before."""
        context, model = self._context, self._model(day)
        now = _candidates(rows)
        topics, persons, before = self._previous_boards()
        names = pc.unique(pa.chunked_array([now.topics, topics]))
        people = pc.unique(pa.chunked_array([now.candidates.person, persons]))
        code = np.asarray(pc.index_in(now.topics, value_set=names)).astype(np.int64)
        standing = Candidates(code[now.candidates.topic], *_columns(now.candidates))
        top, acknowledged = influencers(standing, model.leaders_kept), plus_k_recipients(standing, model.leaders_kept)

        place = np.asarray(pc.index_in(standing.person, value_set=people)).astype(np.int64)
        lane = len(people) + 1
        listed = standing.topic * lane + place
        old = np.asarray(pc.index_in(topics, value_set=names)).astype(np.int64) * lane + np.asarray(
            pc.index_in(persons, value_set=people)
        ).astype(np.int64)
        seats = np.unique(np.concatenate((listed[top.row], listed[acknowledged.row], old)))
        ranks = np.zeros((4, len(seats)), np.int64)  # influencer and +K rank now, then before
        ranks[0, np.searchsorted(seats, listed[top.row])] = top.rank
        ranks[1, np.searchsorted(seats, listed[acknowledged.row])] = acknowledged.rank
        at = np.searchsorted(seats, old)
        ranks[2, at[before[0] > 0]] = before[0][before[0] > 0]
        ranks[3, at[before[1] > 0]] = before[1][before[1] > 0]
        wears = sashes(ranks[0], ranks[1], model)
        last = context.calendar.closed_before(day)
        earlier = model if last is None else model_of_record(context, last)
        change = changes(sashes(ranks[2], ranks[3], earlier), wears)
        moved = np.flatnonzero(change != KEPT)
        events = pa.RecordBatch.from_pydict(
            {
                "person": people.take(pa.array(seats[moved] % lane)),
                "topic": names.take(pa.array(seats[moved] // lane)),
                "day": pa.array(np.full(len(moved), day, np.int32)),
                "sash": pa.array([SASHES[sash] for sash in wears[moved].tolist()], pa.string()),
                "change": pa.array([CHANGES[name] for name in change[moved].tolist()], pa.string()),
                "influencer_rank": pa.array(ranks[0, moved].astype(np.int32), mask=ranks[0, moved] == 0),
                "plus_k_rank": pa.array(ranks[1, moved].astype(np.int32), mask=ranks[1, moved] == 0),
            }
        )
        boards = pa.RecordBatch.from_pydict(
            {
                "topic": names,
                "day": pa.array(np.full(len(names), day, np.int32)),
                "influencers": _lists(standing, top, len(names)),
                "plus_k_leaders": _lists(standing, acknowledged, len(names)),
            }
        )
        keys = names.cast(pa.binary()).to_pylist()
        values = context.codec.encode("Leaderboard", boards)
        empty = np.asarray(pc.list_value_length(boards.column("influencers"))) + np.asarray(
            pc.list_value_length(boards.column("plus_k_leaders"))
        )
        stored = [value if size else None for value, size in zip(values, empty.tolist(), strict=True)]
        outputs = [
            Output(context.topic("leaderboards"), keys, values),
            report(context, model, day, LEADERS, self._partition.number),
        ]
        if len(moved):
            wearers = events.column("person").cast(pa.binary()).to_pylist()
            outputs.append(Output(context.topic("sash-events"), wearers, context.codec.encode("SashEvent", events)))
        return Changes(offset, [STATE + key for key in keys], stored, outputs, notes={"settled": day})

    def _previous_boards(self) -> tuple[pa.Array, pa.Array, tuple[Int, Int]]:
        """Topic, person, and (influencer rank, +K rank; 0 for none) of each place of the boards as they are stored."""
        topics, persons, ranks = [pa.array([], pa.string())], [pa.array([], pa.string())], []
        for _, values in self._partition.store.scan():
            board = self._context.codec.decode(values).batches["Leaderboard"].table
            for column, kind in (("influencers", 0), ("plus_k_leaders", 1)):
                places = pc.list_flatten(board.column(column))
                topics.append(board.column("topic").take(pc.list_parent_indices(board.column(column))))
                persons.append(pc.struct_field(places, "person"))
                rank = np.zeros((2, len(places)), np.int64)
                rank[kind] = np.asarray(pc.struct_field(places, "rank"))
                ranks.append(rank)
        both = np.concatenate(ranks, axis=1) if ranks else np.zeros((2, 0), np.int64)
        return pa.concat_arrays(topics), pa.concat_arrays(persons), (both[0], both[1])


class _Day:
    """The candidates of a day; `topics` are their names, by the code that `candidates.topic` holds."""

    def __init__(self, topics: pa.Array, candidates: Candidates) -> None:
        self.topics, self.candidates = topics, candidates


def _columns(candidates: Candidates) -> tuple[pa.Array, Int, Int]:
    return candidates.person, candidates.strength, candidates.plus_k


def _candidates(rows: pa.Table) -> _Day:
    """The day's candidates; what a person's accounts bring to a topic is added up."""
    names = pc.unique(rows.column("topic"))
    lists = rows.column("candidates").combine_chunks()
    people = pc.list_flatten(lists)
    topic = np.asarray(pc.index_in(rows.column("topic"), value_set=names)).astype(np.int64)
    topic = topic[np.asarray(pc.list_parent_indices(lists)).astype(np.int64)]
    person = pc.struct_field(people, "person").dictionary_encode()
    place = person.indices.to_numpy().astype(np.int64)
    order = np.lexsort((place, topic))
    heads = np.flatnonzero(ragged.starts(topic[order], place[order]))
    sums = [
        np.add.reduceat(np.asarray(pc.struct_field(people, name))[order], heads)
        if len(heads)
        else np.empty(0, np.int64)
        for name in ("strength", "plus_k")
    ]
    first = order[heads]
    persons = person.dictionary.take(pa.array(place[first]))
    return _Day(names, Candidates(topic[first], persons, *sums))


def _lists(standing: Candidates, ranking: Ranking, topics: int) -> pa.ListArray:
    """The ranked people of each topic as lists of places."""
    rows = ranking.row
    places = pa.StructArray.from_arrays(
        [
            pa.array(ranking.rank.astype(np.int32)),
            standing.person.take(pa.array(rows)),
            pa.array(standing.strength[rows] / (FADE_UNIT * POINT)),
            pa.array(standing.plus_k[rows] / POINT),
        ],
        names=["rank", "person", "strength", "plus_k"],
    )
    offsets = np.searchsorted(standing.topic[rows], np.arange(topics + 1))
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), places)
