"""Calibration where there is nobody, one person, or hardly anyone with influence."""

import numpy as np
import pytest

from laurel.models.calibration import calibrate, mean_score
from laurel.models.parameters import V1
from laurel.models.scale import base_score, bin_centres, histogram, percentile, score, score_percentiles

NOBODY = np.zeros(V1.bins, np.int64)


def test_with_nobody_the_unit_stays_and_there_is_no_average() -> None:
    assert (calibrate(NOBODY, 3.5, 40, V1).r0, calibrate(NOBODY, None, 0, V1).r0) == (3.5, V1.r0_first)
    assert calibrate(NOBODY, 3.5, 40, V1).mean is None
    assert score_percentiles(NOBODY, 1.0, V1).tolist() == [1.0] * 101
    assert percentile(np.array([0.0, 5.0]), NOBODY, V1).tolist() == [0.0, 0.0]


def test_where_nobody_has_any_influence_everybody_is_average() -> None:
    found = calibrate(histogram(np.zeros(9), V1), 3.5, 0, V1)
    assert found.people == 9
    assert found.mean == pytest.approx(20, abs=1e-9)
    assert base_score(found.r0, V1) == pytest.approx(20, abs=1e-9)


def test_one_person_has_the_average_score() -> None:
    found = calibrate(histogram(np.array([7.0]), V1), None, 0, V1)
    assert score(np.array([7.0]), found.r0, V1)[0] == pytest.approx(20, abs=0.12)
    assert percentile(np.array([7.0]), histogram(np.array([7.0]), V1), V1)[0] == 50.0


@pytest.mark.parametrize("influential", [1, 10, 50])
def test_however_few_have_influence_the_average_is_twenty_and_they_stand_out(influential: int) -> None:
    raw = np.concatenate((np.full(influential, 500.0), np.zeros(1_000 - influential)))
    found = calibrate(histogram(raw, V1), None, 0, V1)
    assert found.mean == pytest.approx(20, abs=1e-9)
    assert score(np.array([500.0]), found.r0, V1)[0] > 50
    assert base_score(found.r0, V1) > 17


def test_influence_beyond_all_measure_takes_the_unit_to_its_upper_limit() -> None:
    assert calibrate(histogram(np.full(10, 1e30), V1), None, 0, V1).r0 == V1.r0_highest


@pytest.mark.parametrize(("closed", "free"), [(0, True), (44, True), (45, False), (400, False)])
def test_the_unit_moves_freely_until_forty_five_days_are_closed(closed: int, free: bool) -> None:
    high, low = histogram(np.full(5, 1e5), V1), histogram(np.full(5, 1e-2), V1)
    for bins, step in ((high, 1 + V1.r0_step), (low, 1 / (1 + V1.r0_step))):
        found = calibrate(bins, 5.0, closed, V1)
        assert found.r0 == (found.wanted if free else pytest.approx(5 * step, rel=1e-12))
        assert found.mean == mean_score(bins, found.r0, V1)


def test_bins_begin_with_none_and_are_a_thirty_second_of_an_octave_wide() -> None:
    centres = bin_centres(V1)
    assert (len(centres), centres[0]) == (2048, 0.0)
    assert centres[1] == 2.0 ** (0.5 / 32 - 20)
    assert centres[641] == 2.0 ** (0.5 / 32)
    assert np.allclose(centres[2:] / centres[1:-1], 2 ** (1 / 32), rtol=1e-12)
    ends = histogram(np.array([0.0, 5e-324, 1e300]), V1)
    assert (ends[0], ends[1], ends[2047]) == (1, 1, 1)
