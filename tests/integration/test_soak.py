"""A short soak: whatever is killed, stopped, lost or replaced, what is published is what the oracle says, once."""

import random

import pytest

from tests.soak.round import soak
from tests.soak.schedule import Plan, schedule

SHORT = Plan(days=3, kills=4, wipes=1, broker_kills=1, zombies=1, moves=2)


@pytest.mark.slow
@pytest.mark.timeout(1_800)
def test_days_come_out_right_whatever_is_killed_stopped_lost_or_replaced(tmp_path):
    seed = random.randrange(1 << 30)
    print(f"seed {seed}")
    figures = soak(seed, SHORT, 1_500, tmp_path / "soak")
    assert figures.done.total() == 8
    print(figures)


def test_a_seed_always_means_the_same_schedule():
    assert schedule(7, SHORT) == schedule(7, SHORT) != schedule(8, SHORT)
