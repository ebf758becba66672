"""What people's scores are by models in shadow, beside the published one: for whoever decides on a switch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from laurel.agents.context import Context
from laurel.agents.updates import contributed, record_keys
from laurel.models.contributions import Contributions, contributions
from laurel.models.parameters import ScoreModel
from laurel.models.scale import base_score, score
from laurel.streams.outbox import Output

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ByModel:
    """The `scores` float64[n] of some people by a model, and what these are made of."""

    model: str
    scores: Float
    made_of: Contributions


def by_model(model: ScoreModel, r0: float, raw: Float, offsets: Int, code: Int, amount: Float) -> ByModel:
    """Scores of n people by a model with its r0, from their `raw` influence float64[n]; person i owns rows offsets[i]..offsets[i + 1]
    of `code` (int64[m]) and `amount` (float64[m], any one unit), see contributions."""
    scores = score(raw, r0, model)
    base = float(base_score(r0, model))
    return ByModel(model.name, scores, contributions(scores, base, offsets, code, amount))


def decided_r0(decided: Mapping[str, Any], models: Sequence[ScoreModel]) -> list[tuple[int, float]]:
    """Which of these models, by position, were calibrated in shadow, and each one's r0."""
    known: dict[str, Any] = {shadow["model"]: shadow["r0"] for shadow in decided["shadows"]}
    return [(at, known[model.name]) for at, model in enumerate(models) if model.name in known]


def shadow_scores(context: Context, day: int, persons: pa.StringArray, given: Sequence[ByModel]) -> Output:
    """A ShadowScore for each of n people: `given` are the published model's scores, and those of each model in shadow."""
    n, models = len(persons), pa.array([each.model for each in given], pa.string())
    scores = pa.StructArray.from_arrays(
        [
            models.take(pa.array(np.tile(np.arange(len(given)), n))),
            pa.array(np.stack([g.scores for g in given], 1).ravel()),
        ],
        names=["model", "score"],
    )
    made_of = [each.made_of for each in given]
    sizes = [np.diff(each.offsets) for each in made_of]
    order = np.argsort(np.concatenate([np.repeat(np.arange(n), size) for size in sizes]), kind="stable")
    code = np.concatenate([each.code for each in made_of])[order]
    points = np.concatenate([each.points for each in made_of])[order]
    by = np.repeat(np.arange(len(given)), [len(each.code) for each in made_of])[order]
    parts = contributed(context.networks, code, points)
    parts = pa.StructArray.from_arrays(
        [models.take(pa.array(by)), *parts.flatten()], names=["model", "network", "action", "points"]
    )
    ends = np.sum([each.offsets for each in made_of], axis=0)
    batch = pa.RecordBatch.from_pydict(
        {
            "person": persons,
            "day": pa.array(np.full(n, day, np.int32)),
            "scores": pa.ListArray.from_arrays(pa.array(np.arange(n + 1) * len(given), pa.int32()), scores),
            "contributions": pa.ListArray.from_arrays(pa.array(ends, pa.int32()), parts),
        }
    )
    return Output(context.topic("shadow-scores"), record_keys(persons), context.codec.encode("ShadowScore", batch))
