"""What is refused at the door, and the sentence that says why.

Each record is refused for one reason only, the first that applies in the order of `REASONS`.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from laurel.models.networks import PLUS_K, POST, Networks
from laurel.models.parameters import ScoreModel
from laurel.models.voice import DAILY_LIMIT, PLUS_K_QUOTA, PLUS_K_REPEAT

DAY = 86_400_000  # milliseconds
LENGTH = 256  # characters of an account, an event id or a topic
NO_DAY = -(1 << 30)  # the open day before any marker was seen

# Seen in the bytes, by the codec, and then in the record, in this order.
REASONS = {
    "empty_value": "the record has no value",
    "wrong_magic_byte": "the value does not begin with the byte 0 and a schema id",
    "unknown_schema_id": "the schema id is not registered",
    "malformed_avro": "the value is not a record of its schema",
    "unexpected_record": "a record of this type does not belong on this topic",
    "missing_actor_and_target": "neither an actor nor a target is given",
    "missing_target": "no target is given",
    "malformed_account": "an account is not of the form network:id",
    "unknown_network": "the network is not in the network table",
    "unknown_action": "the network has no such action",
    "private": "private events are not accepted without the member's consent",
    "malformed_timestamp": "occurred_at is before 1970",
    "future": "occurred_at is more than a day after the record was published, or 30 days after the open day",
    "expired": "occurred_at is too far back to count at any close still to come",
    "self_engagement": "the actor is the target",
    "post_by_another": "a post's actor is not its author, the target",
    "too_many_topics": "more than 20 topics",
    "too_long": "an event id or a topic is longer than 256 characters",
    "plus_k_topic": "a +K names exactly one topic and its giver",
    "daily_limit": "the actor has had more than 5,000 reactions that day",
    "plus_k_repeat": "the giver gave this person a +K in this topic within the last 7 days",
    "plus_k_quota": "the giver has given 5 +Ks that day",
}
UNREADABLE = ("empty_value", "wrong_magic_byte", "unknown_schema_id", "malformed_avro", "unexpected_record")
CODE = {reason: code for code, reason in enumerate(REASONS, start=1)}
NAME = {code: reason for reason, code in CODE.items()}
ACCEPTED = 0

# Reasons that only the actor's state can give, by the status that weighing gives the act.
BY_STATUS = {
    DAILY_LIMIT: CODE["daily_limit"],
    PLUS_K_REPEAT: CODE["plus_k_repeat"],
    PLUS_K_QUOTA: CODE["plus_k_quota"],
}


@dataclass(frozen=True)
class Examined:
    """n engagements looked at: `reason` uint8[n] (0 accepted), `action` int64[n] index into the network table (where
    accepted), `day` int64[n], `topics` int64[n] how many."""

    reason: npt.NDArray[np.uint8]
    action: npt.NDArray[np.int64]
    day: npt.NDArray[np.int64]
    topics: npt.NDArray[np.int64]


def examine(
    engagements: pa.RecordBatch,
    published_at: npt.NDArray[np.int64],
    open_day: int,
    networks: Networks,
    model: ScoreModel,
) -> Examined:
    """Checks all that needs no state. `published_at` int64[n] milliseconds: the records' own Kafka timestamps.

    `open_day` is the day after the last marker of the partition, NO_DAY before any.
    """
    columns = {name: engagements.column(name) for name in engagements.schema.names}
    actor, target = columns["actor"], columns["target"]
    no_actor = _bool(pc.equal(pc.fill_null(actor, ""), ""))
    no_target = _bool(pc.equal(target, ""))
    occurred_at = columns["occurred_at"].to_numpy(zero_copy_only=False)
    day = occurred_at // DAY
    codes = networks.codes(columns["network"], columns["action"])
    kind = networks.kind[np.maximum(codes, 0)]
    topics = np.asarray(pc.list_value_length(columns["topics"])).astype(np.int64)
    plus_k = (codes >= 0) & (kind == PLUS_K)
    same = ~no_actor & _bool(pc.fill_null(pc.equal(actor, target), False))
    late = (day <= open_day - model.window_days) & (open_day != NO_DAY)
    early = (day > open_day + model.future_days) & (open_day != NO_DAY)
    checks = {
        "missing_actor_and_target": no_actor & no_target,
        "missing_target": no_target,
        "malformed_account": ~(_is_account(target) & (no_actor | _is_account(actor))),
        "unknown_network": codes == -1,
        "unknown_action": codes == -2,
        "private": _bool(columns["private"]),
        "malformed_timestamp": occurred_at < 0,
        "future": (occurred_at > published_at + DAY) | early,
        "expired": late,
        "self_engagement": same & ~((codes >= 0) & (kind == POST)),
        "post_by_another": ~same & ~no_actor & (codes >= 0) & (kind == POST),
        "too_many_topics": topics > model.topics_most,
        "too_long": _too_long(columns["event_id"]) | _some_too_long(columns["topics"]),
        "plus_k_topic": plus_k & ((topics != 1) | no_actor),
    }
    reason = np.zeros(len(codes), np.uint8)
    for name, refused in reversed(checks.items()):
        reason[refused] = CODE[name]
    return Examined(reason, codes, day, topics)


def _bool(array: pa.Array) -> npt.NDArray[np.bool_]:
    return np.asarray(array.to_numpy(zero_copy_only=False), np.bool_)


def _is_account(accounts: pa.Array) -> npt.NDArray[np.bool_]:
    """Whether each is network:id with both parts, and no longer than it may be; null is not."""
    colon = pc.find_substring(accounts, ":")
    size = pc.utf8_length(accounts)
    inside = pc.and_(pc.greater(colon, 0), pc.less(pc.add(colon, 1), pc.binary_length(accounts)))
    return _bool(pc.fill_null(pc.and_(inside, pc.less_equal(size, LENGTH)), False))


def _too_long(texts: pa.Array) -> npt.NDArray[np.bool_]:
    return _bool(pc.greater(pc.utf8_length(texts), LENGTH))


def _some_too_long(lists: pa.Array) -> npt.NDArray[np.bool_]:
    found = np.zeros(len(lists), np.bool_)
    parents = np.asarray(pc.list_parent_indices(lists)).astype(np.int64)
    found[parents[_too_long(pc.list_flatten(lists))]] = True
    return found
