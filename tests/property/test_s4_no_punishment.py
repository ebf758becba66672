"""S4: all engagement helps; adding any never lowers anybody's score."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from laurel.models.amplification import amplification
from laurel.models.combine import combine
from laurel.models.parameters import V1
from laurel.models.scale import score

counts = st.floats(0, 1e6)
means = st.floats(V1.mean_lowest, V1.mean_highest)


@given(counts, counts, means, st.floats(0, 1e3), st.floats(0, 1e6), st.floats(1e-6, 1e4))
def test_one_more_reaction_never_lowers_a_score(
    reactions: float, posts: float, mean: float, fade: float, influence: float, weight: float
) -> None:
    share = amplification(np.array([reactions, reactions + fade]), np.array([posts, posts]), mean, V1)
    raw = combine(np.array([0, 1]), share * np.array([influence, influence + weight * fade]), 2)
    before, after = score(raw, 1.0, V1)
    assert after >= before
