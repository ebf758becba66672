"""T5: gold for a top influencer of a topic, blue for a top +K recipient, blue-and-gold for both."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from laurel.models.parameters import V1
from laurel.models.sashes import CHANGES, SASHES, changes, sashes

ranks = st.integers(0, 120)


def worn(influencer_rank: int, plus_k_rank: int) -> str:
    return SASHES[sashes(np.array([influencer_rank]), np.array([plus_k_rank]), V1)[0]]


def change(before: str, after: str) -> str:
    codes = np.array([SASHES.index(before)], np.int8), np.array([SASHES.index(after)], np.int8)
    return CHANGES[changes(*codes)[0]]


@given(ranks, ranks)
def test_a_sash_says_which_of_the_two_rankings_one_leads(influencer_rank: int, plus_k_rank: int) -> None:
    sash = worn(influencer_rank, plus_k_rank)
    assert ("gold" in sash) == (influencer_rank in range(1, 21))
    assert ("blue" in sash) == (plus_k_rank in range(1, 51))
    assert (sash == "none") == (influencer_rank not in range(1, 21) and plus_k_rank not in range(1, 51))


@given(ranks, ranks, ranks, ranks)
def test_better_ranks_never_downgrade_a_sash(influencer: int, plus_k: int, better: int, more: int) -> None:
    before = worn(influencer, plus_k)
    up = worn(min(influencer, better) or influencer, min(plus_k, more) or plus_k)
    assert change(before, up) in {"kept", "awarded", "upgraded"}


def test_each_change_of_sash_has_its_name() -> None:
    named = {pair: change(*pair) for pair in itertools.product(SASHES, repeat=2)}
    assert {pair for pair, name in named.items() if name == "kept"} == {(sash, sash) for sash in SASHES}
    assert {pair for pair, name in named.items() if name == "awarded"} == {("none", sash) for sash in SASHES[1:]}
    assert {pair for pair, name in named.items() if name == "lost"} == {(sash, "none") for sash in SASHES[1:]}
    upgraded = {("blue", "gold"), ("blue", "blue_and_gold"), ("gold", "blue_and_gold")}
    assert {pair for pair, name in named.items() if name == "upgraded"} == upgraded
    assert {(b, a) for (a, b), name in named.items() if name == "downgraded"} == upgraded
