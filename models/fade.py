"""How influence fades with age, and how the memory of a pair does: tables of 1/65536, so that sums stay integers."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from laurel.models.parameters import ScoreModel

Int = npt.NDArray[np.int64]

FADE_UNIT = 65_536  # what an age of 0 days counts


@lru_cache(maxsize=16)
def fade_table(model: ScoreModel) -> Int:
    """What influence still counts at each age, int64[window_days] in 1/65536, read-only.

    F[age] = max(1, round(65536 * 2**(-age / half_life) * (1 - (age / window)**2)**taper_power)): exponential decay times a
    multiweight kernel (cubed: the triweight), which reaches zero at the window's end smoothly, so that there is no cliff.
    """
    return _frozen([max(1, round(FADE_UNIT * share)) for share in _tapered(model.half_life, model)])


def fades(days: Int, day: int, model: ScoreModel) -> Int:
    """What each of some days (int64[m]) still counts at the close of `day`, int64[m] in 1/65536; 0 outside the window."""
    table, age = fade_table(model), day - days
    inside = (age >= 0) & (age < len(table))
    return table[age] if inside.all() else np.where(inside, table[np.where(inside, age, 0)], 0)


@lru_cache(maxsize=16)
def memory_table(model: ScoreModel) -> Int:
    """What an actor's memory of a target still counts after x days, int64[window_days] in 1/65536, read-only.

    R[x] = round(65536 * 2**(-x / memory_half_life) * (1 - (x / window)**2)**taper_power): never more than
    what the act that is remembered still counts itself.
    """
    return _frozen([round(FADE_UNIT * share) for share in _tapered(model.memory_half_life, model)])


def _tapered(half_life: float, model: ScoreModel) -> list[float]:
    window = model.window_days
    return [2.0 ** (-age / half_life) * (1.0 - (age / window) ** 2) ** model.taper_power for age in range(window)]


def _frozen(values: list[int]) -> Int:
    table = np.array(values, np.int64)
    table.flags.writeable = False  # one table is shared by all callers
    return table
