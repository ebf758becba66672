"""What a model's scale is on a day: its r0 and the networks' means, from what all partitions have counted by it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from laurel.agents.day_model import scale_after
from laurel.models.calibration import Calibration, calibrate, network_means
from laurel.models.networks import Networks
from laurel.models.parameters import ScoreModel


@dataclass(frozen=True)
class Scaled:
    """`bins` int64[bins] are the day's people by raw influence, `calibration` what was made of them; by network of the table, `means` are
    the reactions per post from the next close on, and `measured` the closes that measured them."""

    bins: npt.NDArray[np.int64]
    calibration: Calibration
    means: list[float]
    measured: list[int]


def scaled(
    reports: Sequence[Mapping[str, Any]], before: Mapping[str, Any] | None, model: ScoreModel, networks: Networks
) -> Scaled:
    """Decides for one model, published or in shadow, from its DayReports of the day and the closed day `before`. A model that
    neither scored that day nor was in its shadow, or has changed since, begins freely, as on the first day: another's r0 says nothing of its own."""
    names, so_far = networks.network_names, scale_after(before, model)
    bins = np.array([report["histogram"] for report in reports], np.int64).sum(axis=0)
    sums = {name: [0, 0] for name in names}
    for report in reports:
        for total in report["networks"]:
            if total["network"] in sums:
                sums[total["network"]][0] += total["reactions"]
                sums[total["network"]][1] += total["posts"]
    measured = [so_far.measured.get(name, 0) for name in names]
    means = network_means(
        np.array([sums[name][0] for name in names], np.int64),
        np.array([sums[name][1] for name in names], np.int64),
        np.array([so_far.means.get(name, model.first_mean) for name in names]),
        np.array(measured, np.int64),
        model,
    )
    return Scaled(
        bins,
        calibrate(bins, so_far.r0, before["closed_days"] if before else 0, model),
        means.tolist(),
        [days + (sums[name][1] > 0) for days, name in zip(measured, names, strict=True)],
    )
