"""Who opts out is in nobody's list from the next close on, whatever happens between its markers."""

from random import Random

import pytest

from tests.engagements import engagement
from tests.simulation.events import FIRST
from tests.simulation.results import messages
from tests.simulation.worker import shared
from tests.simulation.world import World

OUT, STAYS = "twitter:out", "twitter:stays"
CODEC = shared()[0]


def lists(world: World) -> dict[str, list[str]]:
    """Who is in each list, by its record's key."""
    newest = {}
    for message in messages(world, "influence-networks"):
        value = message.value()
        told = [] if value is None else [one["account"] for one in CODEC.decode_one(value)[1]["accounts"]]
        newest[message.key().decode()] = told
    return newest


@pytest.mark.parametrize("crashes", [False, True])
def test_who_opts_out_is_named_no_more_though_a_worker_stops_between_two_markers_of_the_day(crashes: bool) -> None:
    with World(partitions=2, workers=1, rows=1_000) as world:
        targets = [f"twitter:t{number}" for number in range(6)]
        for at, target in enumerate(targets):
            for by, actor in enumerate((OUT, STAYS)):
                world.publish(engagement(2 * at + by, FIRST, "retweet", actor, target))
        world.request([FIRST])
        world.drain()
        assert all(set(lists(world)[f"influences/{target}"]) == {OUT, STAYS} for target in targets)
        world.opt_out(OUT)
        world.request([FIRST + 1])
        if crashes:
            world.mark(1)  # of one partition of engagements alone
            world.go_on()
            world.crash(0, Random(1))
            world.go_on()
        world.drain()
        found = lists(world)
        assert all(found[f"influences/{target}"] == [STAYS] for target in targets)
        assert found[f"influenced_by/{OUT}"] == []
