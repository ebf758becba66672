"""What simulations have found, step by step: each once was a bug."""

from collections.abc import Callable

from tests.simulation.events import DAY, FIRST
from tests.simulation.results import check, check_oracle, messages
from tests.simulation.worker import Worker, shared
from tests.simulation.world import World


def act(name: str, actor: str, target: str, day: int = FIRST, topics: tuple[str, ...] = ("jazz",)) -> dict:
    return {
        "event_id": name,
        "network": "twitter",
        "action": "retweet",
        "actor": actor,
        "target": target,
        "content_id": None,
        "topics": list(topics),
        "text": None,
        "occurred_at": day * DAY,
        "private": False,
        "retracts": None,
    }


def go_on(world: World, following: list[Worker], until: Callable[[], bool] = lambda: False) -> None:
    """All happens that can, but only some workers hear of the calendar; until something is so, or nothing happens any more."""
    while not until():
        if world.loop.works:
            world.step(0)
        elif world.broker.ending:
            world.end_act(0)
        elif behind := [worker for worker in following if worker.calendar.behind]:
            world.follow(behind[0], 1)
        elif waiting := [(worker, tp) for worker in world.workers for tp in worker.waiting]:
            world.fetch(*waiting[0], 100)
        else:
            return


def closed(world: World) -> bool:
    records = [shared()[0].decode_one(message.value())[1] for message in messages(world, "calendar")]
    return any(record["status"] == "closed" for record in records)


def test_a_coordinator_that_has_not_heard_of_a_close_does_not_close_the_day_again() -> None:
    with World(partitions=1, workers=2) as world:
        first, second = world.workers
        world.publish(act("1", "twitter:1", "twitter:2"))
        world.request([FIRST])
        world.mark(1)
        go_on(world, [first], lambda: closed(world))
        assert second.calendar.behind
        world.move(0, 1)
        go_on(world, [first])  # the second takes over and hears nothing
        world.drain()
        with world.replayed() as calm:
            check(world, calm)


def test_an_empty_topic_that_is_the_only_one_has_its_leaders() -> None:
    with World(partitions=1, workers=1) as world:
        for day in range(FIRST, FIRST + 2):
            world.publish(act(f"{day}", "twitter:1", "twitter:2", day, topics=("",)))
            world.request([day])
            world.mark(1)
            world.drain()
        assert [shared()[0].decode_one(message.value())[1]["topic"] for message in messages(world, "leaderboards")] == [
            "",
            "",
        ]
        assert check_oracle(world)
