"""How somebody might try to be worth more than they are: one function a scenario, and genuine growth to compare with.

A scenario says who acts on whom on each of its days. Its accounts are new unless it borrows people of the population
it is played in. Who profits begins as a newcomer: each point costs exponentially more, so nobody gains more by an act.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from laurel.ingest import arrow
from laurel.ingest.arrow import join
from laurel.ingest.records import SCHEMA
from laurel.models.refusals import DAY

Act = tuple[str, str, str]  # actor, target, action
POST, PLUS_K = "post", "plus_k"


@dataclass(frozen=True)
class Stage:
    """Where scenarios are played, and with whom.

    reaction, like: actions of the network, its weightiest reaction and its mark of approval.
    days: how long an attack that goes on lasts.
    average, fan: people of the population there, those of average score and one of middle score.
    elsewhere: the weightiest reaction of every other network that has posts and reactions.
    """

    network: str
    reaction: str
    like: str
    days: int
    average: Sequence[str]
    fan: str
    elsewhere: Mapping[str, str]

    def account(self, name: str, network: str | None = None) -> str:
        """An account of that name that nobody has: ids of real networks don't begin with a tilde."""
        return f"{network or self.network}:~{name}"

    def is_made_up(self, account: str) -> bool:
        """Whether it is such an account."""
        return ":~" in account

    def accounts(self, name: str, count: int) -> list[str]:
        """`count` accounts like it."""
        return [self.account(f"{name}{number}") for number in range(count)]


@dataclass(frozen=True)
class Plot:
    """What is done on each day, and who is to profit: the one of them who gains most is told. All have as many `accounts`,
    which they linked: those of the first one, then of the next ..."""

    winners: list[str]
    days: list[list[Act]]
    accounts: int = 1


@dataclass(frozen=True)
class Scenario:
    """What is tried, in words; `bound` is the most points it may bring, None for what is no attack."""

    title: str
    bound: float | None
    plot: Callable[[Stage], Plot]


def _two_bots(stage: Stage) -> Plot:
    one, two = stage.accounts("bot", 2)
    return Plot([one, two], [[(one, two, stage.reaction), (two, one, stage.reaction)] * 50] * stage.days)


def _ring(stage: Stage) -> Plot:
    ring = stage.accounts("ring", 10)
    return Plot(ring, [[(a, b, stage.reaction) for a in ring for b in ring if a != b]] * stage.days)


def _fresh_accounts(stage: Stage) -> Plot:
    star = stage.account("star")
    return Plot([star], [[(fresh, star, stage.reaction) for fresh in stage.accounts("fresh", 1_000)]])


def _fresh_accounts_slowly(stage: Stage) -> Plot:
    star = stage.account("star")
    visits = _spread(stage.accounts("fresh", 1_000), stage.days)
    return Plot([star], [[(fresh, star, stage.reaction) for fresh in today] for today in visits])


def _large_ring(stage: Stage) -> Plot:
    """Fifty, each of whom reacts to ten others a day, in turns: as many as count in full (S9)."""
    ring = stage.accounts("ring", 50)
    return Plot(
        ring,
        [
            [
                (a, ring[(at + 1 + (day * 10 + step) % 49) % 50], stage.reaction)
                for at, a in enumerate(ring)
                for step in range(10)
            ]
            for day in range(stage.days)
        ],
    )


def _linked_ring(stage: Stage) -> Plot:
    """The ring of ten on five networks at once, whose accounts each of them linked."""
    reactions = {stage.network: stage.reaction, **dict(sorted(stage.elsewhere.items())[:4])}
    people = [[stage.account(f"ring{at}", network) for network in reactions] for at in range(10)]
    day = [
        (actor, target, reaction)
        for a in people
        for b in people
        if a is not b
        for actor, target, reaction in zip(a, b, reactions.values(), strict=True)
    ]
    return Plot([account for each in people for account in each], [day] * stage.days, len(reactions))


def _posts(stage: Stage) -> Plot:
    spammer = stage.account("spammer")
    return Plot([spammer], [[(spammer, spammer, POST)] * 500] * 20)


def _fan_once(stage: Stage) -> Plot:
    star = stage.account("star")
    return Plot([star], [[(stage.fan, star, stage.reaction)]])


def _fan_often(stage: Stage) -> Plot:
    star = stage.account("star")
    return Plot([star], [[(stage.fan, star, stage.reaction)] * 20])


def _automaton(stage: Stage) -> Plot:
    """Twenty posts a day, likes handed out to ten average people a day, and one in ten likes is returned."""
    bot, people = stage.account("bot"), stage.average
    days = []
    for day in range(stage.days):
        liked = [people[(day * 10 + number) % len(people)] for number in range(10)]
        days.append(
            [(bot, bot, POST)] * 20 + [(bot, person, stage.like) for person in liked] + [(liked[0], bot, stage.like)]
        )
    return Plot([bot], days)


def _bought(stage: Stage) -> Plot:
    engagers, buyers = stage.accounts("hired", 200), stage.accounts("buyer", 20)
    return Plot(buyers, [[(hired, buyer, stage.reaction) for hired in engagers for buyer in buyers]])


def _plus_ks(stage: Stage) -> Plot:
    ring = stage.accounts("ring", 10)
    return Plot(
        ring,
        [[(a, ring[(at + step) % 10], PLUS_K) for at, a in enumerate(ring) for step in range(1, 6)]] * stage.days,
    )


def _fifty_fresh(stage: Stage) -> Plot:
    return _followed(stage, stage.accounts("fresh", 50))


def _growth(stage: Stage) -> Plot:
    return _followed(stage, stage.average[:50])


def _followed(stage: Stage, people: Sequence[str]) -> Plot:
    """Somebody posts once a week, and people come by all the while, each to react once."""
    star, days = stage.account("star"), stage.days
    weekly = [(star, star, POST)]
    return Plot(
        [star],
        [
            weekly * (day % 7 == 0) + [(one, star, stage.reaction) for one in today]
            for day, today in enumerate(_spread(people, days))
        ],
    )


def _audience(stage: Stage) -> Plot:
    """A post a day, and a hundred people who each react to one a week."""
    star, people = stage.account("star"), stage.average[:100]
    return Plot(
        [star],
        [
            [(star, star, POST)] + [(one, star, stage.reaction) for one in people[day % 7 :: 7]]
            for day in range(stage.days)
        ],
    )


def _spread(people: Sequence[str], days: int) -> list[Sequence[str]]:
    """People by the day that each comes on, as even as may be."""
    return [people[len(people) * day // days : len(people) * (day + 1) // days] for day in range(days)]


A_FEW = 10.0  # points that an attack may bring at most
NOTHING = 0.0

SCENARIOS = {
    "two-bots": Scenario("two bots trade 100 actions a day", A_FEW, _two_bots),
    "ring": Scenario("ring of ten, each reacting to each every day", A_FEW, _ring),
    "fresh-50": Scenario("50 fresh accounts react once", A_FEW, _fifty_fresh),
    "fresh-1000": Scenario("1,000 fresh accounts react once, on one day", A_FEW, _fresh_accounts),
    "fresh-1000-slowly": Scenario("1,000 fresh accounts react once, some every day", A_FEW, _fresh_accounts_slowly),
    "ring-50": Scenario("ring of fifty, each reacting to ten others a day", A_FEW, _large_ring),
    "ring-linked": Scenario("the ring of ten on five networks, linked", A_FEW, _linked_ring),
    "posts": Scenario("10,000 posts nobody reacts to", NOTHING, _posts),
    "fan-once": Scenario("a fan of middle score reacts once", A_FEW, _fan_once),
    "fan-often": Scenario("the same fan reacts 20 times", A_FEW, _fan_often),
    "automaton": Scenario("posting by machine, liking and being liked back", A_FEW, _automaton),
    "bought": Scenario("200 hired accounts react to 20 buyers each", A_FEW, _bought),
    "plus-k-ring": Scenario("ring of ten giving each other +Ks", NOTHING, _plus_ks),
    "growth": Scenario("genuine: 50 average people react once", None, _growth),
    "audience": Scenario("genuine: 100 average people react weekly", None, _audience),
}


def batches(plot: Plot, first_day: int) -> Iterator[pa.RecordBatch]:
    """The plot's engagements, a batch a day (columns of records.SCHEMA), from `first_day` (since 1970-01-01) on."""
    for day, acts in enumerate(plot.days, first_day):
        actor, target, action = (pa.array([act[column] for act in acts], pa.string()) for column in range(3))
        count = len(acts)
        given = arrow.equals(action, PLUS_K)
        columns = {
            "event_id": join(f"attack:{day}:", arrow.numbers(pa.array(range(count)))),
            "network": arrow.choose(given, "laurel", arrow.cells(arrow.split(target, ":"), 1)[0]),
            "action": action,
            "actor": actor,
            "target": target,
            "content_id": arrow.repeated(None, count),
            "topics": arrow.lists(given.astype(int), arrow.repeated("topic", int(given.sum()))),
            "text": arrow.repeated(None, count),
            "occurred_at": arrow.repeated(day * DAY, count),
            "private": arrow.repeated(False, count),
            "retracts": arrow.repeated(None, count),
        }
        yield pa.RecordBatch.from_arrays([columns[name] for name in SCHEMA.names], schema=SCHEMA)
