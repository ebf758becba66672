"""Days closed by the clock: whatever the machine's clock does, no day is asked for before it is over, and all are in the end."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laurel.agents.clock import BELIEVED_AFTER, JUMP, Clock, due, wanted

BEGIN = datetime(2024, 3, 9, 20, tzinfo=UTC)
LOOK = 60.0  # seconds between two looks
DAY = 86_400.0
JUMPS = st.one_of(
    st.floats(-400 * DAY, 400 * DAY),
    st.sampled_from([-3_600.0, 3_600.0, DAY, -DAY, 0.0]),
)
# How long a wrong clock stays wrong, in looks; shorter than a jump needs to be believed.
SHORT = st.integers(1, int((BELIEVED_AFTER - JUMP) / LOOK) - 1)


class World:
    """A machine: what time it is, what its clock says, and which days were asked for."""

    def __init__(self, minutes: int) -> None:
        self.passed, self.wrong = 0.0, 0.0
        self.after = timedelta(minutes=minutes)
        self.clock = Clock(lambda: self.true + timedelta(seconds=self.wrong), lambda: self.passed)
        self.last = due(BEGIN, self.after) - 3  # some days were missed

    @property
    def true(self) -> datetime:
        return BEGIN + timedelta(seconds=self.passed)

    def look(self, looks: int) -> None:
        for _ in range(looks):
            day = wanted(self.clock.now(), self.after, self.last)
            if day is not None:
                assert day > self.last, "days are asked for in order"
                assert day <= due(self.true, self.after), "no day is asked for before it is due"
                self.last = day
            self.passed += LOOK


@given(st.integers(0, 1_440), st.lists(st.tuples(st.integers(1, 200), JUMPS, SHORT), max_size=8))
def test_a_clock_that_jumps_for_a_moment_closes_no_day_early_and_misses_none(minutes, story):
    world = World(minutes)
    for right, jump, wrong in story:
        world.wrong = 0.0
        world.look(right)
        world.wrong = jump
        world.look(wrong)
    world.wrong = 0.0
    world.look(1 + int(BELIEVED_AFTER / LOOK) + 1)
    assert world.last >= due(world.true - timedelta(seconds=LOOK), world.after)


@given(st.floats(2 * JUMP, 400 * DAY))
def test_a_clock_that_stays_ahead_is_believed_in_the_end(jump):
    # A machine that slept: its clock is right, and less time has passed for it than for the world.
    world = World(0)
    world.look(2)
    seen: list[datetime | None] = []
    world.wrong = jump
    for _ in range(int(BELIEVED_AFTER / LOOK) + 2):
        seen.append(world.clock.now())
        world.passed += LOOK
    assert seen[0] is None
    assert seen[-1] is not None


def test_a_day_before_1970_is_never_due() -> None:
    assert wanted(datetime(1970, 1, 1, 3, tzinfo=UTC), timedelta(0), None) is None


@pytest.mark.parametrize("zone", ["EST5EDT,M3.2.0,M11.1.0", "<+14>-14", "CET-1CEST,M3.5.0,M10.5.0/3"])
def test_days_are_utc_days_wherever_the_machine_is_and_whatever_daylight_saving_does(zone):
    # New York goes over to summer time on 2024-03-10, Berlin on 2024-03-31; every hour around those is looked at.
    program = """
from datetime import UTC, datetime, timedelta
import time
from laurel.agents.clock import due
from laurel.streams.calendar import day_of, iso
assert time.timezone != 0 or time.altzone != 0
for seconds in range(1_709_942_400, 1_712_016_000, 3_600):
    moment = datetime.fromtimestamp(seconds).astimezone()
    assert day_of(moment) == seconds // 86_400
    assert due(moment, timedelta(0)) == seconds // 86_400 - 1
    assert iso(day_of(moment)) == time.strftime("%Y-%m-%d", time.gmtime(seconds))
"""
    subprocess.run([sys.executable, "-c", program], env=os.environ | {"TZ": zone}, check=True)
