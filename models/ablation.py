"""A model without one of its terms: what each of them adds to its predictions, or costs."""

from dataclasses import replace

import numpy as np

from laurel.models.networks import Networks
from laurel.models.parameters import ScoreModel


def ablations(model: ScoreModel, networks: Networks) -> dict[str, tuple[ScoreModel, Networks]]:
    """Models that differ from the given one by one term, by what is said of them."""
    alike = replace(networks, weight=np.where(networks.weight > 0, 1_000_000, 0))
    changes = {
        "every engager alike": replace(model, engager_step=0),
        "no selectivity": replace(model, selective_after=model.daily_limit),
        "repeats forgotten overnight": replace(model, memory_half_life=min(0.01, model.half_life / 2)),
        "a loud day in full": replace(model, day_knee=1e9),
        "no amplification": replace(model, amplification_floor=1.0),
    }
    return {said: (changed, networks) for said, changed in changes.items()} | {"every action alike": (model, alike)}
