"""Records that are refused, each kind once: the reason, and how to make one.

A case is a list of (key, value) to publish in order to `engagements`; the last is refused, those before it are what it
takes for that. Actors and targets are the case's own, so that cases don't meet.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from laurel.streams.codec import Codec

Sent = list[tuple[bytes | None, bytes | None]]

OPEN_DAY = date(2024, 5, 2)  # the day before it is closed when the cases are sent
DAY = 86_400_000  # milliseconds
NOON = int(datetime(OPEN_DAY.year, OPEN_DAY.month, OPEN_DAY.day, 12, tzinfo=UTC).timestamp() * 1000)
NOW = int(datetime.now(UTC).timestamp() * 1000)

CODEC = Codec()


def engagement(**fields: Any) -> dict[str, Any]:
    """A good engagement, with some fields replaced."""
    return {
        "event_id": "event",
        "network": "twitter",
        "action": "retweet",
        "actor": "twitter:actor",
        "target": "twitter:target",
        "content_id": None,
        "topics": [],
        "text": None,
        "occurred_at": NOON,
        "private": False,
        "retracts": None,
    } | fields


def sent(*events: dict[str, Any]) -> Sent:
    """Encoded, and keyed as the contract says."""
    return [((event["actor"] or event["target"]).encode(), CODEC.encode_one("Engagement", event)) for event in events]


def _one(**fields: Any) -> Callable[[str], Sent]:
    return lambda name: sent(engagement(event_id=name, **({"actor": f"twitter:{name}"} | fields)))


def _raw(change: Callable[[bytes], bytes | None]) -> Callable[[str], Sent]:
    def make(name: str) -> Sent:
        [(key, value)] = sent(engagement(event_id=name, actor=f"twitter:{name}"))
        assert value is not None
        return [(key, change(value))]

    return make


def _plus_k(name: str, number: int, topic: str = "python") -> dict[str, Any]:
    fields = {"network": "laurel", "action": "plus_k", "actor": f"twitter:{name}", "target": f"twitter:{name}-{number}"}
    return engagement(event_id=f"{name}-{number}", topics=[topic], **fields)


def _repeated_plus_k(name: str) -> Sent:
    return sent(_plus_k(name, 1), _plus_k(name, 1) | {"event_id": "again"})


def _sixth_plus_k(name: str) -> Sent:
    return sent(*(_plus_k(name, number) for number in range(6)))


def _too_busy(name: str) -> Sent:
    return sent(*(engagement(event_id=f"{name}-{number}", actor=f"twitter:{name}") for number in range(5_001)))


def _other_record(name: str) -> Sent:
    return [(name.encode(), CODEC.encode_one("AccountScore", {"account": "twitter:1", "day": 1, "score": 2.0}))]


def _marker(**fields: Any) -> Callable[[str], Sent]:
    marker = {"day": 1, "upstream": -1, "upstream_offset": -1, "model": "v1"} | fields
    return lambda name: [(name.encode(), CODEC.encode_one("DayMarker", marker))]


CASES: dict[str, tuple[str, Callable[[str], Sent]]] = {
    "nothing at all": ("empty_value", lambda _name: [(None, None)]),
    "no value": ("empty_value", _raw(lambda _value: None)),
    "an empty value": ("empty_value", _raw(lambda _value: b"")),
    "JSON": ("wrong_magic_byte", _raw(lambda _value: b'{"event_id": "a"}')),
    "another magic byte": ("wrong_magic_byte", _raw(lambda value: b"\x01" + value[1:])),
    "an unknown schema id": ("unknown_schema_id", _raw(lambda value: b"\x00\x00\x0f\x42\x40" + value[5:])),
    "only a header": ("malformed_avro", _raw(lambda value: value[:5])),
    "a value cut short": ("malformed_avro", _raw(lambda value: value[:-1])),
    "a byte too many": ("malformed_avro", _raw(lambda value: value + b"\x00")),
    "text that is no UTF-8": ("malformed_avro", _raw(lambda value: value.replace(b"retweet", b"\xff\xfe\xfdweet"))),
    "another record": ("unexpected_record", _other_record),
    "a marker of a stage": ("unexpected_record", _marker(upstream=0)),
    "a marker of a day before 1970": ("unexpected_record", _marker(day=-1)),
    "a marker of the day after tomorrow": ("unexpected_record", _marker(day=NOW // DAY + 2)),
    "a marker of the last day there is": ("unexpected_record", _marker(day=2**31 - 1)),
    "nobody to nobody": ("missing_actor_and_target", _one(actor=None, target="")),
    "no target": ("missing_target", _one(target="")),
    "an actor without a network": ("malformed_account", _one(actor="42")),
    "a target without an id": ("malformed_account", _one(target="twitter:")),
    "an account of 257 characters": ("malformed_account", _one(target="twitter:" + "x" * 249)),
    "an unknown network": ("unknown_network", _one(network="myspace")),
    "an unknown action": ("unknown_action", _one(action="poke")),
    "another network's action": ("unknown_action", _one(network="facebook")),
    "a private message": ("private", _one(private=True)),
    "a time before 1970": ("malformed_timestamp", _one(occurred_at=-1)),
    "a time a year ahead": ("future", _one(occurred_at=NOW + 365 * DAY)),
    "the last time there is": ("future", _one(occurred_at=2**63 - 1)),
    "a time 31 days after the open day": ("future", _one(occurred_at=NOON + 31 * DAY)),
    "a time 90 days before the open day": ("expired", _one(occurred_at=NOON - 90 * DAY)),
    "a self-engagement": ("self_engagement", _one(actor="twitter:self", target="twitter:self")),
    "a post by another": ("post_by_another", _one(action="post")),
    "21 topics": ("too_many_topics", _one(topics=[f"topic {number}" for number in range(21)])),
    "an event id of 257 characters": (
        "too_long",
        lambda name: sent(engagement(event_id="e" * 257, actor=f"twitter:{name}")),
    ),
    "a topic of 257 characters": ("too_long", _one(topics=["short", "t" * 257])),
    "a +K without a topic": ("plus_k_topic", _one(network="laurel", action="plus_k")),
    "a +K for two topics": ("plus_k_topic", _one(network="laurel", action="plus_k", topics=["a", "b"])),
    "a +K by nobody": ("plus_k_topic", _one(network="laurel", action="plus_k", topics=["a"], actor=None)),
    "a +K again": ("plus_k_repeat", _repeated_plus_k),
    "a sixth +K": ("plus_k_quota", _sixth_plus_k),
    "5,001 reactions in a day": ("daily_limit", _too_busy),
}
