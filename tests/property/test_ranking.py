"""Metrics of a ranking, and the baselines, against what they mean written out."""

from itertools import permutations
from math import log2

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from laurel.models.baselines import HALF_LIVES, Baselines, h_index
from laurel.models.pagerank import DAMPING, pagerank
from laurel.models.ranking import ndcg, precision, spearman
from laurel.models.refusals import DAY

pairs = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4)), min_size=1, max_size=6)
many = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=60)
ks = st.integers(1, 8)


def columns(rows):
    values, gains = np.array(rows, np.float64).T
    assume(gains.any())
    return values, gains


def dcg(gains, k):
    return sum(gain / log2(2 + place) for place, gain in enumerate(gains[:k]))


@given(pairs, ks)
@settings(max_examples=80, deadline=None)
def test_ndcg_and_precision_are_the_mean_over_all_orders_of_equals(rows, k) -> None:
    values, gains = columns(rows)
    orders = [order for order in permutations(range(len(rows))) if (np.diff(values[list(order)]) <= 0).all()]
    best = sorted(gains, reverse=True)
    expected = np.mean([dcg(gains[list(order)], k) for order in orders]) / dcg(best, k)
    assert ndcg(values, gains, k) == pytest.approx(expected)
    border = best[min(k, len(best)) - 1]
    hits = [sum(gains[at] >= border and gains[at] > 0 for at in order[:k]) for order in orders]
    assert precision(values, gains, k) == pytest.approx(np.mean(hits) / k)


@given(many, ks)
@settings(max_examples=80, deadline=None)
def test_a_perfect_ranking_has_ndcg_1_and_none_has_more(rows, k) -> None:
    values, gains = columns(rows)
    assert ndcg(gains, gains, k) == pytest.approx(1.0)
    assert 0.0 <= ndcg(values, gains, k) <= 1.0 + 1e-12


@given(many, ks, st.randoms(use_true_random=False))
@settings(max_examples=80, deadline=None)
def test_no_figure_depends_on_the_order_in_which_accounts_are_given(rows, k, random) -> None:
    values, gains = columns(rows)
    order = random.sample(range(len(rows)), len(rows))
    for metric in (lambda v, g: ndcg(v, g, k), lambda v, g: precision(v, g, k), spearman):
        assert metric(values[order], gains[order]) == pytest.approx(metric(values, gains))


@given(many)
@settings(max_examples=80, deadline=None)
def test_rank_correlation_is_that_of_the_ranks(rows) -> None:
    values, gains = columns(rows)
    ranks = [[1 + (column < x).sum() + ((column == x).sum() - 1) / 2 for x in column] for column in (values, gains)]
    found = spearman(values, gains)
    if len(set(ranks[0])) == 1 or len(set(ranks[1])) == 1:
        assert found is None
    else:
        assert found == pytest.approx(np.corrcoef(ranks)[0, 1])


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 6)), max_size=30))
@settings(max_examples=60, deadline=None)
def test_the_h_index_is_the_most_posts_with_as_many_reactions_each(rows) -> None:
    owner, reactions = np.array(rows, np.int64).reshape(-1, 2).T
    for account, found in enumerate(h_index(owner, reactions.astype(np.float64), 5)):
        own = reactions[owner == account]
        assert found == max(h for h in range(31) if (own >= h).sum() >= h)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=30, unique=True))
@settings(max_examples=60, deadline=None)
def test_pagerank_sums_to_1_and_is_what_the_random_surfer_settles_on(edges) -> None:
    source, target = np.array(edges, np.int64).T
    rank = pagerank(source, target, np.ones(len(edges)), 6)
    assert rank.sum() == pytest.approx(1.0)
    step = np.zeros((6, 6))
    step[target, source] = 1.0
    out = step.sum(axis=0)
    step[:, out == 0] = 1.0
    again = DAMPING * (step / step.sum(axis=0)) @ rank + (1 - DAMPING) / 6
    assert np.abs(again - rank).max() < 1e-8


@given(st.lists(st.tuples(st.integers(-1, 3), st.integers(0, 3), st.integers(0, 3 * DAY - 1)), max_size=30))
@settings(max_examples=60, deadline=None)
def test_counts_kept_from_day_to_day_are_the_counts_of_the_whole_log(rows) -> None:
    actor, target, at = np.array(sorted(rows, key=lambda row: row[2]), np.int64).reshape(-1, 3).T
    one, none = np.ones(len(at), np.int64), np.full(len(at), -1)
    kept = Baselines()
    for day in range(3):
        some = at // DAY == day
        kept.take(actor[some], target[some], none[some], at[some], one[some], 4, (day + 1) * DAY)
    found = kept.rankings()
    assert found["count"].tolist() == np.bincount(target, minlength=4).tolist()
    assert found["count of the last period"].tolist() == np.bincount(target[at >= 2 * DAY], minlength=4).tolist()
    engagers = [len({a for a, t in zip(actor, target, strict=True) if t == account and a >= 0}) for account in range(4)]
    assert found["distinct engagers"].tolist() == engagers
    for name, days in HALF_LIVES.items():
        faded = np.bincount(target, 0.5 ** ((3 * DAY - at) / DAY / days), 4)
        assert np.abs(found[f"count, half-life {name}"] - faded).max() < 1e-9
