"""The records that tell what scores a close gave: to everyone who subscribes, and to the actors stage."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from laurel.agents.classic import Classic
from laurel.agents.context import Context
from laurel.models.change import PARTS, Change
from laurel.models.contributions import BASE, Contributions
from laurel.models.networks import OWN_NETWORK, Networks
from laurel.models.parameters import ScoreModel
from laurel.models.sentences import sentences
from laurel.streams.outbox import Output

Float = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Int = npt.NDArray[np.int64]

OF_PERSONS = ("score-updates", "insights", "shadow-scores", "signals")  # topics by person
NEWS = 0.1  # points that a score moves by before its person is written to


@dataclass(frozen=True)
class Scored:
    """What a close gave n `persons`: `scores` and `percentiles` float64[n], what these are made of, the `change` from
    `previous` float64[n], which counts where `had_previous` bool[n] holds, and the `classic` parts."""

    persons: pa.StringArray
    scores: Float
    previous: Float
    had_previous: Flags
    percentiles: Float
    made_of: Contributions
    change: Change
    classic: Classic


def score_updates(context: Context, model: ScoreModel, day: int, given: Scored) -> Output:
    """A score update, by a model, for each person."""
    made_of, n = given.made_of, len(given.persons)
    amounts = contributed(context.networks, made_of.code, made_of.points)
    batch = pa.RecordBatch.from_pydict(
        {
            "person": given.persons,
            "day": pa.array(np.full(n, day, np.int32)),
            "score": pa.array(given.scores),
            "previous": pa.array(given.previous, mask=~given.had_previous),
            "percentile": pa.array(given.percentiles),
            "model": pa.repeat(pa.scalar(model.name, pa.string()), n),
            "contributions": pa.ListArray.from_arrays(pa.array(made_of.offsets, pa.int32()), amounts),
            "change": pa.StructArray.from_arrays(
                [pa.array(getattr(given.change, part)) for part in PARTS],
                names=PARTS,
                mask=pa.array(~given.had_previous),
            ),
            **given.classic.parts(),
        }
    )
    return Output(
        context.topic("score-updates"), record_keys(given.persons), context.codec.encode("ScoreUpdate", batch)
    )


def insights(context: Context, day: int, given: Scored) -> Output:
    """What there is to tell, in words, to those whose score moved by NEWS or more, or who had none."""
    rows = np.flatnonzero(~given.had_previous | (np.abs(given.scores - given.previous) >= NEWS))
    told = sentences(
        given.scores[rows],
        given.previous[rows],
        given.had_previous[rows],
        given.change.take(rows),
        given.made_of.take(rows),
        context.networks.network,
        context.networks.action,
    )
    persons = given.persons.take(pa.array(rows))
    batch = pa.RecordBatch.from_pydict(
        {"person": persons, "day": pa.array(np.full(len(rows), day, np.int32)), "sentences": told}
    )
    return Output(context.topic("insights"), record_keys(persons), context.codec.encode("Insight", batch))


def account_scores(
    context: Context, day: int, accounts: pa.StringArray, scores: Float, partition: int | None = None
) -> Output:
    """The scores that weigh what accounts do, where the actors stage reads them: in the partition their keys belong to."""
    n = len(accounts)
    batch = pa.RecordBatch.from_pydict(
        {
            "account": accounts,
            "day": pa.array(np.full(n, day, np.int32)),
            "score": pa.array(scores),
        }
    )
    values = context.codec.encode("AccountScore", batch)
    return Output(context.topic("account-scores"), record_keys(accounts), values, partition)


def contributed(networks: Networks, code: Int, points: Float) -> pa.StructArray:
    """Network, action and points of contributions, or of what is to become them."""
    place = pa.array(np.where(code == BASE, len(networks.network), code))
    return pa.StructArray.from_arrays(
        [
            pa.array([*networks.network, OWN_NETWORK], pa.string()).take(place),
            pa.array([*networks.action, "base"], pa.string()).take(place),
            pa.array(points),
        ],
        names=["network", "action", "points"],
    )


def forgotten(context: Context, persons: Sequence[bytes]) -> list[Output]:
    """Says that these are no persons any more."""
    return [Output(context.topic(topic), persons, [None] * len(persons)) for topic in OF_PERSONS if persons]


def record_keys(names: pa.StringArray) -> list[bytes]:
    """Record keys of some names."""
    return cast("list[bytes]", names.cast(pa.binary()).to_pylist())
