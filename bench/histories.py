"""Accounts with 90 days of history, as a partition of targets keeps them: seeded, packed and stored by the product's own code."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from laurel.agents.layouts import INFLUENCE
from laurel.models.influence import BUCKET, TOPIC, Influences, accrue
from laurel.models.networks import REACTION, Networks
from laurel.models.parameters import V1
from laurel.models.reach import PEOPLE, put
from laurel.streams.packing import States, blank, pack
from laurel.streams.store import NAME, STATE, Mark, Store

DAY = 20_000  # the day to be closed, days since 1970-01-01
WINDOW = V1.window_days
LEAST, MOST = (
    2,
    2_000,
)  # events of an account: with r uniform in 0..1, LEAST / r, so half have up to 4 and one in a hundred 200
ELSEWHERE = 0.2  # share of an account's events that are on a second network
ON_TOPIC = 0.5  # share of reactions that are on a topic
NEW_PEOPLE = 0.5  # people reached, of events
MOST_EARNED = 60  # points above the base of somebody who acts
TOPICS = 2_000
BLOCK = 20_000  # accounts made at a time
MICRO = 1_000_000

Ints = npt.NDArray[np.int64]


def fill(store: Store, accounts: int) -> None:
    """Stores so many accounts, and the topics' names, as of the evening of DAY."""
    topics = np.arange(1, TOPICS + 1, dtype=np.uint64)
    names = [NAME + topic.tobytes() for topic in topics]
    store.write(names, [b"topic-%d" % topic for topic in topics], Mark())
    networks = Networks.load()
    for numbers in _blocks(accounts):
        keys, states = _made(numbers, networks)
        store.write([STATE + key for key in keys], pack(INFLUENCE, states), Mark())


def _blocks(accounts: int) -> Iterator[Ints]:
    for begin in range(0, accounts, BLOCK):
        yield np.arange(begin, min(begin + BLOCK, accounts))


def _made(numbers: Ints, networks: Networks) -> tuple[list[bytes], States]:
    """The accounts of some numbers: keys, and states."""
    n, rng = len(numbers), np.random.default_rng(int(numbers[0]))
    events = np.minimum(LEAST / (1 - rng.random(n)), MOST).astype(np.int64)
    owner = np.repeat(np.arange(n), events)
    m, lane = len(owner), len(networks.network_names)
    home, second = rng.integers(0, lane, (2, n))
    network = np.where(rng.random(m) < ELSEWHERE, second[owner], home[owner])

    # Of a network's actions the first ones of the table are the most frequent.
    by_network = np.argsort(networks.network_code, kind="stable")
    sizes = np.bincount(networks.network_code, minlength=lane)
    begins = np.cumsum(sizes) - sizes
    code = by_network[begins[network] + (rng.random(m) ** 2 * sizes[network]).astype(np.int64)]

    buckets = np.zeros(m, BUCKET)
    buckets["day"] = buckets["admit"] = DAY - rng.integers(0, WINDOW, m)
    buckets["action"] = networks.ids[code]
    buckets["weight"] = networks.weight[code] * (rng.random(m) + 0.1)
    buckets["count"] = 1

    on_topic = np.flatnonzero((networks.kind[code] == REACTION) & (rng.random(m) < ON_TOPIC))
    topics = np.zeros(len(on_topic), TOPIC)
    topics["day"] = topics["admit"] = buckets["day"][on_topic]
    topics["topic"] = (numbers[owner[on_topic]] + rng.integers(0, 3, len(on_topic))) % TOPICS + 1
    topics["weight"] = buckets["weight"][on_topic]
    topics["plus_k"] = MICRO * (rng.random(len(on_topic)) < 0.1)

    # Who acts comes again within the window half of the time, and counts on the day of the last act only.
    last = np.flatnonzero(rng.random(m) < NEW_PEOPLE)
    people = np.zeros(len(last), PEOPLE)
    people["day"] = people["admit"] = buckets["day"][last]
    people["people"] = people["acts"] = people["squares"] = 1
    people["points"] = rng.integers(0, MOST_EARNED, len(last))

    empty = blank(INFLUENCE, n)
    found = accrue(
        Influences(empty.sections["buckets"], empty.sections["topics"]),
        owner,
        buckets,
        owner[on_topic],
        topics,
        DAY - 1,
        WINDOW,
    )
    reached = put(empty.sections["people"], owner[last], people, DAY - 1, WINDOW)
    sections = {"buckets": found.buckets, "topics": found.topics, "people": reached}
    states = States(empty.header, {**empty.sections, **sections})
    names = networks.network_names
    keys = [f"{names[at]}:user{number:07}".encode() for at, number in zip(home.tolist(), numbers.tolist(), strict=True)]
    return keys, states
