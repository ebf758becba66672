"""S2: the population's average is about 20, and each further point costs exponentially more influence."""

import numpy as np
import numpy.typing as npt
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from laurel.models.calibration import calibrate, mean_score
from laurel.models.parameters import V1
from laurel.models.scale import base_score, bin_centres, bin_of, histogram, percentile, raw_of, score, score_percentiles

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]

raws = arrays(np.float64, st.integers(1, 60), elements=st.floats(1e-2, 1e7))
units = st.floats(1e-3, 1e5)


def population(some: Float, without: int) -> Int:
    """People by bin: those with some influence, and a number without any."""
    return histogram(np.concatenate((some, np.zeros(without))), V1)


@given(raws, st.data())
def test_the_average_is_twenty_whoever_has_influence_and_however_few(some: Float, data: st.DataObject) -> None:
    without = data.draw(st.integers(0, 1_000))
    found = calibrate(population(some, without), None, 0, V1)
    assert found.mean is not None
    assert abs(found.mean - 20) < 1e-6
    assert found.r0 == found.wanted


@given(raws)
def test_the_average_of_exact_scores_is_close_to_that_of_the_bins(some: Float) -> None:
    found = calibrate(population(some, 0), None, 0, V1)
    assert abs(score(some, found.r0, V1).mean() - 20) < 0.12  # half a bin is 1.1 % of influence


@given(raws, st.integers(0, 200), units, st.integers(V1.free_days, 1000))
def test_after_the_first_days_calibration_moves_an_untouched_score_by_little(
    some: Float, without: int, before: float, closed: int
) -> None:
    found = calibrate(population(some, without), before, closed, V1)
    raw = np.geomspace(1e-4, 1e7, 50)
    most = 99 * np.log(1 + V1.r0_step) / np.log1p(V1.top_ratio)
    assert np.abs(score(raw, found.r0, V1) - score(raw, before, V1)).max() <= most + 1e-9


@given(raws, st.integers(0, 200), units, st.integers(0, 60))
def test_calibration_moves_towards_what_is_wanted_and_never_past_it(
    some: Float, without: int, before: float, closed: int
) -> None:
    found = calibrate(population(some, without), before, closed, V1)
    assert min(before, found.wanted) <= found.r0 <= max(before, found.wanted)


@given(raws, st.integers(1, 40))
def test_calibration_sees_proportions_and_not_numbers(some: Float, times: int) -> None:
    bins = population(some, 3)
    once, often = calibrate(bins, None, 0, V1), calibrate(bins * times, None, 0, V1)
    assert np.isclose(once.r0, often.r0, rtol=1e-9)


@given(units, st.floats(30, 90))
def test_ten_points_cost_the_same_factor_of_influence_with_what_is_lent_anywhere_on_the_scale(
    r0: float, points: float
) -> None:
    assume(points > base_score(r0, V1))
    more, less = raw_of(np.array([points + 10.0, points]), r0, V1) + V1.prior
    assert 2.5 < more / less < 2.75


@given(arrays(np.float64, 8, elements=st.floats(1, 100)), units)
def test_the_scale_has_an_inverse(scores: Float, r0: float) -> None:
    scores = np.maximum(scores, base_score(r0, V1))
    assert np.allclose(score(raw_of(scores, r0, V1), r0, V1), scores, rtol=0, atol=1e-9)


@given(arrays(np.float64, 20, elements=st.floats(0, 1e12)), units)
def test_scores_stay_on_the_scale_and_never_fall_with_influence(raw: Float, r0: float) -> None:
    scores = score(np.sort(raw), r0, V1)
    assert scores.min() >= 1
    assert scores.max() <= 100
    assert (np.diff(scores) >= 0).all()


@given(arrays(np.float64, st.integers(1, 40), elements=st.floats(0, 1e12)), units, st.integers(0, 39))
def test_a_score_does_not_depend_on_its_neighbours_in_a_batch(raw: Float, r0: float, cut: int) -> None:
    split = np.concatenate((score(raw[:cut], r0, V1), score(raw[cut:], r0, V1)))
    assert (score(raw, r0, V1) == split).all()
    assert (bin_of(raw, V1) == np.concatenate((bin_of(raw[:cut], V1), bin_of(raw[cut:], V1)))).all()


@given(arrays(np.float64, 20, elements=st.floats(0, 1e15)))
def test_bins_never_fall_with_influence_and_hold_their_centres(raw: Float) -> None:
    bins = bin_of(np.sort(raw), V1)
    assert (np.diff(bins) >= 0).all()
    assert ((bins == 0) == (np.sort(raw) == 0)).all()
    assert (bin_of(bin_centres(V1), V1) == np.arange(V1.bins)).all()


@given(raws, raws)
def test_histograms_of_partitions_add_up(left: Float, right: Float) -> None:
    both = histogram(np.concatenate((left, right)), V1)
    assert (both == histogram(left, V1) + histogram(right, V1)).all()


@given(raws, st.integers(0, 30))
def test_a_percentile_is_the_share_below_and_half_of_the_equals(some: Float, without: int) -> None:
    people = np.concatenate((some, np.zeros(without)))
    bins = bin_of(people, V1)
    below = (bins[None, :] < bins[:, None]).sum(1)
    equal = (bins[None, :] == bins[:, None]).sum(1)
    expected = 100 * (below + equal / 2) / len(people)
    assert np.allclose(percentile(people, histogram(people, V1), V1), expected, rtol=0, atol=1e-9)


@given(raws, st.integers(0, 30), units)
def test_the_percentile_map_leads_from_the_lowest_to_the_highest_score(some: Float, without: int, r0: float) -> None:
    people = np.concatenate((some, np.zeros(without)))
    held = np.sort(score(bin_centres(V1)[bin_of(people, V1)], r0, V1))
    ranked = score_percentiles(histogram(people, V1), r0, V1)
    for share in range(101):
        rank = max(1, -(-share * len(held) // 100))
        assert ranked[share] == held[rank - 1]


@given(raws, units)
def test_the_average_falls_as_the_unit_rises(some: Float, r0: float) -> None:
    bins = population(some, 1)
    assert mean_score(bins, r0 * 1.5, V1) <= mean_score(bins, r0, V1)
