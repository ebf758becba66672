"""By how much people move from one model to another is counted whole, and alike in both directions."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from laurel.models.moves import EDGES, QUANTILES, TOP, moves

scores = st.integers(100, 10_000).map(lambda hundredths: hundredths / 100)
pairs = st.lists(st.tuples(scores, scores), min_size=1, max_size=150).map(lambda rows: np.array(rows).T)


@given(pairs)
def test_everybody_is_counted_in_one_class_that_their_move_lies_in(both: np.ndarray) -> None:
    found = moves(*both)
    moved = both[1] - both[0]
    bounds = [-np.inf, *EDGES, np.inf]
    assert found.counts.sum() == found.people == len(moved)
    for low, high, count in zip(bounds, bounds[1:], found.counts.tolist(), strict=False):
        inside = (low <= moved) & (moved < high) if low > 0 else (low < moved) & (moved <= high)
        if low < 0 < high:
            inside = (low < moved) & (moved < high)
        assert count == inside.sum()


@given(pairs)
def test_the_way_back_is_the_same_with_the_other_sign(both: np.ndarray) -> None:
    there, back = moves(*both), moves(*both[::-1])
    assert there.counts.tolist() == back.counts.tolist()[::-1]
    assert there.mean == -back.mean
    assert there.mean_size == back.mean_size
    assert there.overlap == back.overlap
    assert there.rank_correlation == back.rank_correlation
    assert len(there.quantiles) == len(QUANTILES)
    assert np.all(np.diff(there.quantiles) >= 0)


@given(pairs)
def test_a_model_that_keeps_the_order_has_the_same_first_and_full_rank_correlation(both: np.ndarray) -> None:
    before = both[0]
    found = moves(before, 1 + before / 2)
    assert found.overlap == found.top == min(TOP, len(before))
    assert found.rank_correlation is None or abs(found.rank_correlation - 1) < 1e-9
