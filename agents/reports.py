"""What partitions tell the coordinator of a day's close."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from laurel.agents.context import Context
from laurel.models.networks import Networks
from laurel.models.parameters import ScoreModel
from laurel.models.scale import histogram
from laurel.models.standing import Standing, posters
from laurel.streams.outbox import Output

SOURCE = "day-reports"

# Parts of a close: influence counted by targets and persons, then scores published by them, and leaders settled.
TARGETS_RAW, PERSONS_RAW, TARGETS, PERSONS, LEADERS = "targets-raw", "persons-raw", "targets", "persons", "leaders"
# Influence counted by a model in shadow; comes before the same report of the published one, in the same transaction.
TARGETS_SHADOW, PERSONS_SHADOW = "targets-shadow", "persons-shadow"


class Totals:
    """What a partition of targets counts by a model: people by raw influence, and reactions and posts by network."""

    def __init__(self, networks: Networks, model: ScoreModel) -> None:
        self._names, self._model = networks.network_names, model
        self._bins = np.zeros(model.bins, np.int64)
        self._sums = np.zeros((2, len(self._names)), np.int64)

    def add(self, found: Standing, people: npt.NDArray[np.bool_]) -> None:
        """Counts n accounts in; only `people` bool[n] are their own, and there."""
        self._bins += histogram(found.raw[people], self._model)
        self._sums += posters(found.presences, len(self._names))

    def fields(self) -> dict[str, Any]:
        """As a DayReport has them."""
        networks = [
            {"network": name, "reactions": reactions, "posts": posts}
            for name, reactions, posts in zip(self._names, *self._sums.tolist(), strict=True)
            if posts
        ]
        return {"people": int(self._bins.sum()), "histogram": self._bins.tolist(), "networks": networks}


def report(context: Context, model: ScoreModel, day: int, stage: str, partition: int, **fields: Any) -> Output:
    """Says that a partition has done a part of a day's close by a model; to be sent together with what it has done."""
    record = {"people": 0, "histogram": [], "networks": [], "published": 0, "model": model.name}
    record |= {"day": day, "stage": stage, "partition": partition, **fields}
    value = context.codec.encode_one("DayReport", record)
    return Output(context.topic(SOURCE), [str(day).encode()], [value], 0)


def reported(context: Context, day: int, partition: int) -> set[str]:
    """The parts of a day's close that a partition has done. Raises ReadError."""
    topic = context.topic(SOURCE)
    low, _ = context.log.ends(topic, 0)
    end = context.log.settled([(topic, 0)])[topic, 0]
    done: set[str] = set()
    for messages in context.log.read(topic, 0, low, end):
        rows = context.codec.decode([message.value() for message in messages]).batches.get("DayReport")
        if rows is not None:
            table = rows.table
            mine = pc.and_(pc.equal(table["day"], day), pc.equal(table["partition"], partition))
            done.update(table["stage"].filter(mine).to_pylist())
    return done
