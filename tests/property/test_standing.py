"""Where accounts stand: exact sums, however large and however the rows lie."""

import math

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from laurel.models import ragged
from laurel.models.fade import fade_table
from laurel.models.influence import BUCKET, TOPIC, Influences
from laurel.models.kernels.days import MOST
from laurel.models.networks import Networks
from laurel.models.parameters import V1
from laurel.models.ragged import Ragged
from laurel.models.standing import standing, topic_parts

NETWORKS = Networks.load()
TODAY = 1_000
RETWEET = int(NETWORKS.codes(pa.array(["twitter"]), pa.array(["retweet"]))[0])
MEANS = np.ones(len(NETWORKS.network_names))

rows = st.lists(st.tuples(st.integers(TODAY - 95, TODAY + 2), st.integers(0, 1 << 55)), max_size=12)


def one_account(buckets: list, topics: list) -> Influences:
    held = [
        Ragged(np.array([0, len(found)], np.int64), np.array(found, dtype))
        for found, dtype in ((buckets, BUCKET), (topics, TOPIC))
    ]
    return Influences(*held)


def expected(found: list[tuple[int, int]]) -> int:
    table = fade_table(V1).tolist()
    whole = sum(weight * table[TODAY - day] for day, weight in found if 0 <= TODAY - day < 90)
    return min(whole, MOST)


def influence(found: list[tuple[int, int]]) -> int:
    by_day: dict[int, int] = {}
    for day, weight in found:
        by_day[day] = by_day.get(day, 0) + weight
    counts = [(day, round(2 * weight / (1 + math.sqrt(1 + weight / 100_000)))) for day, weight in by_day.items()]
    return expected(counts)


@given(found=rows)
def test_sums_are_exact_until_they_are_held_at_the_most_there_is(found):
    action = int(NETWORKS.ids[RETWEET])
    held = one_account(
        [(day, day, action, weight, 1) for day, weight in found], [(day, day, 7, weight, 0) for day, weight in found]
    )
    stands = standing(held, TODAY, MEANS, NETWORKS, V1)
    counted = [day for day, _ in found if 0 <= TODAY - day < 90]
    assert stands.present.tolist() == [bool(counted)]
    assert stands.parts.rows["part"].tolist() == ([influence(found)] if counted else [])
    assert stands.presences.rows["part"].tolist() == ([influence(found)] if counted else [])
    assert np.isfinite(stands.raw).all()
    assert (stands.raw >= 0).all()
    assert topic_parts(held.topics.runs, TODAY, V1).rows["strength"].tolist() == (
        [_about(expected(found))] if counted else []
    )


def _about(whole: int) -> int:
    """A sum within a hair of the most is held at it already."""
    return whole if whole < MOST - (1 << 41) else MOST


def test_an_account_without_rows_stands_nowhere():
    nobody = Influences(ragged.empty(2, BUCKET), ragged.empty(2, TOPIC))
    assert standing(nobody, TODAY, MEANS, NETWORKS, V1).present.tolist() == [False, False]
