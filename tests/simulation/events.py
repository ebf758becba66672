"""Engagements by chance: few accounts, so that they meet; late ones, repeats, what is taken back, and what is refused."""

from collections.abc import Sequence
from random import Random
from typing import Any

from laurel.streams.scan import partition_of

Record = dict[str, Any]

FIRST = 19_800  # days since 1970-01-01
DAY = 86_400_000  # milliseconds
ACCOUNTS = [f"{network}:{number}" for network in ("twitter", "flickr") for number in range(4)]
ACTIONS = {"twitter": ("retweet", "like", "reply", "post"), "flickr": ("favorite", "comment", "post")}
TOPICS = ("jazz", "chess")
TEXTS = (None, None, None, "a word about #chess", "Jazz and #golang, and Go", "")
MEMBERS = ("m:1", "m:2", None)


def engagement(chance: Random, day: int, name: str, earlier: Sequence[Record]) -> Record:
    """An engagement that arrives on a day, among those that came earlier."""
    kind = chance.randrange(20)
    if earlier and kind < 3:
        return chance.choice(earlier)  # sent twice
    if earlier and kind < 5:
        taken = chance.choice(earlier)
        return {**taken, "event_id": name, "retracts": taken["event_id"]}
    actor, target = chance.choice(ACCOUNTS), chance.choice(ACCOUNTS)
    network = target.split(":")[0]
    late = chance.choice((0, 0, 0, 0, 1, 2, 60, 95))
    event: Record = {
        "event_id": name,
        "network": network,
        "action": chance.choice(ACTIONS[network]),
        "actor": actor if kind != 5 else None,
        "target": target,
        "content_id": None,
        "topics": list(TOPICS[: chance.choice((0, 0, 1, 2))]),
        "text": chance.choice(TEXTS),
        "occurred_at": (day - late) * DAY + chance.randrange(DAY),
        "private": kind == 6 and chance.random() < 0.3,
        "retracts": None,
    }
    if event["action"] == "post":
        event["actor"] = target
    if kind in (7, 8):
        event |= {"network": "laurel", "action": "plus_k", "topics": [chance.choice(TOPICS)], "actor": actor}
    return event


assert len({partition_of(account.encode(), 2) for account in ACCOUNTS}) == 2
