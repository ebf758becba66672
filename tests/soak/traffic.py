"""What is sent, day by day: late, out of order, twice, taken back, refused, unreadable; a function of the seed alone.

Some accounts are linked, one of each network to a member. They only receive, so a member is to the oracle, which knows of no
links, as one account on several networks.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from laurel.streams.codec import Codec

FIRST = 19_800  # days since 1970-01-01
DAY = 86_400_000  # milliseconds
PEOPLE = 250
MEMBERS = range(20, 50)  # whose accounts of that number are linked
TWICE, BACK, BAD, LATE, ANONYMOUS, PLUS_K = 0.10, 0.03, 0.01, 0.08, 0.04, 0.06  # shares of what is sent
REMEMBERED = 600  # records back that repeats and retractions go
ACTIONS = {
    "twitter": ("retweet", "mention", "reply", "like", "post"),
    "facebook": ("comment", "like", "share", "post"),
    "flickr": ("favorite", "comment", "post"),
}
TOPICS = ("jazz", "chess", "physics", "rust", "bread", "kites", "tea", "maps")

_LINKS = {f"{network}:{number}": f"member:{number}" for network in ACTIONS for number in MEMBERS}

Event = dict[str, Any]


@dataclass(frozen=True)
class Sent:
    """A record on its way: an event and its value, or a value nobody can read and the reason it is refused for."""

    key: bytes
    value: bytes | None
    event: Event | None
    reason: str = ""


class Traffic:
    """Makes the days one after the other."""

    def __init__(self, seed: int, size: int, codec: Codec) -> None:
        """`size` records a day."""
        self._seed, self._size, self._codec = seed, size, codec
        self._recent: list[Event] = []

    def day(self, number: int) -> list[Sent]:
        """The records of a day, counted from 0, in the order they are sent."""
        chance = random.Random(f"traffic {self._seed} {number}")
        sent = [self._one(chance, FIRST + number, f"{number}-{at}") for at in range(self._size)]
        self._recent = self._recent[-REMEMBERED:]
        return sent

    def _one(self, chance: random.Random, day: int, name: str) -> Sent:
        kind = chance.random()
        if kind < BAD:
            return self._unreadable(chance, _event(chance, day, name))
        if self._recent and kind < BAD + TWICE:
            event = chance.choice(self._recent[-REMEMBERED:])
        elif self._recent and kind < BAD + TWICE + BACK:
            taken = chance.choice(self._recent[-REMEMBERED:])
            event = {**taken, "event_id": f"back-{name}", "retracts": taken["event_id"]}
        else:
            event = _event(chance, day, name)
        self._recent.append(event)
        return Sent(key_of(event), self._codec.encode_one("Engagement", event), event)

    def _unreadable(self, chance: random.Random, event: Event) -> Sent:
        value = self._codec.encode_one("Engagement", event)
        ways: Sequence[tuple[str, bytes | None]] = (
            ("empty_value", None),
            ("wrong_magic_byte", b'{"event_id": "a"}'),
            ("unknown_schema_id", b"\x00\x00\x0f\x42\x40" + value[5:]),
            ("malformed_avro", value[:-1]),
            ("malformed_avro", value + b"\x00"),
        )
        reason, bad = chance.choice(ways)
        return Sent(key_of(event), bad, None, reason)


def profiles(codec: Codec) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values that link the members' accounts."""
    for account, member in _LINKS.items():
        profile = {
            "account": account,
            "member": member,
            "opted_out": False,
            "consented": False,
            "updated_at": FIRST * DAY,
        }
        yield account.encode(), codec.encode_one("Profile", profile)


def for_oracle(event: Event) -> Event:
    """The event as if it had been done to the member, where its target is linked."""
    return {**event, "target": _LINKS.get(event["target"], event["target"])}


def key_of(event: Event) -> bytes:
    """The key that an event is published under."""
    key: str = event["actor"] or event["target"]
    return key.encode()


def _event(chance: random.Random, day: int, name: str) -> Event:
    network = chance.choice(list(ACTIONS))
    target = f"{network}:{int(chance.paretovariate(0.8)) % PEOPLE}"
    # The busiest aren't the most acted upon; and no member acts.
    actor = f"{network}:{(int(chance.paretovariate(0.8)) % (PEOPLE - len(MEMBERS)) + MEMBERS.stop) % PEOPLE}"
    action = chance.choice(ACTIONS[network])
    event = {
        "event_id": name,
        "network": network,
        "action": action,
        "actor": target if action == "post" else actor,
        "target": target,
        "content_id": None,
        "topics": chance.sample(TOPICS, chance.choice([0, 0, 1, 1, 2])),
        "text": None,
        "occurred_at": (day - (chance.randrange(1, 100) if chance.random() < LATE else 0)) * DAY
        + chance.randrange(DAY),
        "private": chance.random() < 0.005,
        "retracts": None,
    }
    kind = chance.random()
    if kind < ANONYMOUS or event["actor"] in _LINKS:
        event["actor"] = None
    elif kind < ANONYMOUS + PLUS_K:
        event |= {"network": "laurel", "action": "plus_k", "topics": chance.sample(TOPICS, 1), "actor": actor}
    return event
