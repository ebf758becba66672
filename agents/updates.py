"""The records that tell what scores a close gave: to everyone who subscribes, and to the actors stage."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from laurel.agents.context import Context
from laurel.models.contributions import BASE, Contributions
from laurel.models.networks import OWN_NETWORK
from laurel.streams.outbox import Output

Float = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


def score_updates(
    context: Context,
    day: int,
    persons: Sequence[bytes],
    scores: Float,
    previous: Float,
    had_previous: Flags,
    percentiles: Float,
    made_of: Contributions,
) -> Output:
    """A score update for each of n persons; `previous` counts where `had_previous` holds."""
    networks, n = context.networks, len(persons)
    assert BASE == -1  # the last of each
    network = np.array([*networks.network, OWN_NETWORK], object)[made_of.code]
    action = np.array([*networks.action, "base"], object)[made_of.code]
    contributed = pa.StructArray.from_arrays(
        [pa.array(network, pa.string()), pa.array(action, pa.string()), pa.array(made_of.points)],
        names=["network", "action", "points"],
    )
    batch = pa.RecordBatch.from_pydict(
        {
            "person": pa.array(persons, pa.binary()).cast(pa.string()),
            "day": pa.array(np.full(n, day, np.int32)),
            "score": pa.array(scores),
            "previous": pa.array(previous, mask=~had_previous),
            "percentile": pa.array(percentiles),
            "model": pa.array([context.model.name] * n, pa.string()),
            "contributions": pa.ListArray.from_arrays(pa.array(made_of.offsets, pa.int32()), contributed),
        }
    )
    return Output(context.topic("score-updates"), persons, context.codec.encode("ScoreUpdate", batch))


def account_scores(
    context: Context, day: int, accounts: Sequence[bytes], scores: Float, partition: int | None = None
) -> Output:
    """The scores that weigh what accounts do, where the actors stage reads them: in the partition their keys belong to."""
    n = len(accounts)
    batch = pa.RecordBatch.from_pydict(
        {
            "account": pa.array(accounts, pa.binary()).cast(pa.string()),
            "day": pa.array(np.full(n, day, np.int32)),
            "score": pa.array(scores),
        }
    )
    return Output(context.topic("account-scores"), accounts, context.codec.encode("AccountScore", batch), partition)
