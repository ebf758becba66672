"""S12: each score decomposes exactly into networks and actions."""

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st

from laurel.models.contributions import BASE, Contributions, contributions

BASE_SCORE = 13.5

row = st.tuples(
    st.integers(0, 60), st.one_of(st.just(0), st.integers(0, 10), st.integers(0, 2**62)), st.floats(0.25, 1)
)
account = st.tuples(st.lists(row, max_size=8, unique_by=lambda row: row[0]).map(sorted), st.floats(BASE_SCORE, 100))
accounts = st.lists(account, max_size=8)
Account = tuple[list[tuple[int, int, float]], float]


def explain(people: list[Account]) -> Contributions:
    rows = [row for own, _ in people for row in own]
    scores = [score if any(part for _, part, _ in own) else BASE_SCORE for own, score in people]
    offsets: npt.NDArray[np.int64] = np.concatenate(([0], np.cumsum([len(own) for own, _ in people], dtype=np.int64)))
    return contributions(
        np.array(scores, np.float64),
        BASE_SCORE,
        offsets,
        np.array([code for code, _, _ in rows], np.int64),
        np.array([part for _, part, _ in rows], np.int64),
        np.array([factor for _, _, factor in rows], np.float64),
    )


@given(accounts)
def test_the_points_add_up_to_the_score(people: list[Account]) -> None:
    found = explain(people)
    for i, (own, score) in enumerate(people):
        points = found.points[found.offsets[i] : found.offsets[i + 1]]
        expected = score if any(part for _, part, _ in own) else BASE_SCORE
        assert abs(points.sum() - expected) < 1e-9
        assert (points >= 0).all()


@given(accounts)
def test_everybody_has_the_base_point_and_then_each_action_that_counts(people: list[Account]) -> None:
    found = explain(people)
    for i, (own, _) in enumerate(people):
        mine = slice(found.offsets[i], found.offsets[i + 1])
        assert found.code[mine].tolist() == [BASE, *(code for code, part, _ in own if part)]
        assert found.points[mine][0] == BASE_SCORE


@given(account)
def test_points_are_shared_by_amplified_influence(person: Account) -> None:
    own, score = person
    found = explain([person])
    total = sum(part * factor for _, part, factor in own)
    expected = [(score - BASE_SCORE) * factor * part / total for _, part, factor in own if part]
    assert np.allclose(found.points[1:], expected, rtol=1e-12, atol=0)


@given(accounts, st.integers(0, 8))
def test_an_explanation_does_not_depend_on_the_batch_it_is_in(people: list[Account], cut: int) -> None:
    whole, left, right = explain(people), explain(people[:cut]), explain(people[cut:])
    assert whole.points.tolist() == [*left.points.tolist(), *right.points.tolist()]
    assert whole.code.tolist() == [*left.code.tolist(), *right.code.tolist()]
