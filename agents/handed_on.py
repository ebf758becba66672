"""What a partition of targets hands on to other stages at a close: linked accounts' parts to persons, candidates to leaders."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from laurel.agents.context import Context
from laurel.agents.counted import Counted
from laurel.agents.links import Link
from laurel.agents.updates import contributed
from laurel.models.change import STEPS
from laurel.models.daily import POINT
from laurel.models.fade import FADE_UNIT
from laurel.models.leaders import Candidates
from laurel.models.parameters import ScoreModel
from laurel.streams.outbox import Output
from laurel.streams.store import Store


@dataclass(frozen=True)
class HandedOn:
    """The records of one partition for one day."""

    context: Context
    partition: int
    model: ScoreModel
    day: int
    shadows: Sequence[ScoreModel]
    links: Mapping[bytes, Link]

    def parts(
        self,
        accounts: Sequence[bytes],
        counted: Counted,
        signals: Mapping[str, pa.Array] | None = None,
        shadow: str = "",
    ) -> Output:
        """What linked accounts bring to their members, a PersonPart each, with columns of their `signals` (see `tallied`), if there are
        any; `shadow` names the model if it isn't the published one."""
        context, n = self.context, len(accounts)
        amounts = contributed(context.networks, counted.code, counted.amount / (FADE_UNIT * POINT))
        persons = [self.links[account].member or "" for account in accounts]
        batch = pa.RecordBatch.from_pydict(
            {
                "person": pa.array(persons, pa.string()),
                "day": pa.array(np.full(n, self.day, np.int32)),
                "upstream": pa.array(np.full(n, self.partition, np.int32)),
                "account": counted.accounts,
                "present": pa.array(counted.present),
                "raw": pa.array(counted.raw),
                "amounts": pa.ListArray.from_arrays(pa.array(counted.offsets, pa.int32()), amounts),
                **{f"raw_{name}": pa.array(getattr(counted.passed, name)) for name in STEPS},
                "shadow": pa.repeat(pa.scalar(shadow, pa.string()), n),
                **counted.classic.columns(),
                **(signals or {}),
                "direction": pa.repeat(pa.scalar("", pa.string()), n),
                "tied": pa.array([[]] * n, context.codec.arrow("PersonPart").field("tied").type),
            }
        )
        values = context.codec.encode("PersonPart", batch)
        return Output(context.topic("person-parts"), [person.encode() for person in persons], values)

    def candidates(self, store: Store, candidates: Candidates) -> Output:
        """Who may lead topics, a TopicCandidates for each topic, whose names are in the store."""
        order = np.argsort(candidates.topic, kind="stable")
        codes, begins = np.unique(candidates.topic[order], return_index=True)
        n = len(codes)
        names = store.names([code.astype(np.uint64).tobytes() for code in codes])
        ordered = candidates.take(order)
        people = pa.StructArray.from_arrays(
            [ordered.person, pa.array(ordered.strength), pa.array(ordered.plus_k)],
            names=["person", "strength", "plus_k"],
        )
        batch = pa.RecordBatch.from_pydict(
            {
                "topic": pa.array(names, pa.binary()).cast(pa.string()),
                "day": pa.array(np.full(n, self.day, np.int32)),
                "upstream": pa.array(np.full(n, self.partition, np.int32)),
                "candidates": pa.ListArray.from_arrays(pa.array(np.append(begins, len(order)), pa.int32()), people),
            }
        )
        values = self.context.codec.encode("TopicCandidates", batch)
        return Output(self.context.topic("topic-candidates"), [name or b"" for name in names], values)

    def markers(self) -> list[Output]:
        """Says to every partition of both stages that all of the day was sent."""
        marker = {"day": self.day, "upstream": self.partition, "upstream_offset": -1, "model": self.model.name}
        marker["shadows"] = [shadow.name for shadow in self.shadows]
        value = self.context.codec.encode_one("DayMarker", marker)
        return [
            Output(self.context.topic(topic), [b""], [value], partition)
            for topic in ("topic-candidates", "person-parts")
            for partition in range(self.context.partitions)
        ]
