"""What an operator does about a refused record, by the reason for which it was refused."""

from collections.abc import Mapping

_PRODUCER = "mend its producer"

MENDING: Mapping[str, str] = {
    "empty_value": f"{_PRODUCER}: a record without a value says nothing. There is nothing to replay",
    "wrong_magic_byte": f"{_PRODUCER} to write the Confluent wire format (docs/publish.md); then have it publish the event anew",
    "unknown_schema_id": "add the schema to avro/ids.json of every worker, or take the newest version of laurel; then replay it",
    "malformed_avro": f"{_PRODUCER}, whose schema is not that of the id it writes; then have it publish the event anew",
    "unexpected_record": f"{_PRODUCER}, which writes to the wrong topic",
    "missing_actor_and_target": f"{_PRODUCER} to name an actor and a target",
    "missing_target": f"{_PRODUCER} to name whom the act is on",
    "malformed_account": f"{_PRODUCER} to name accounts as network:id, both parts given, at most 256 characters",
    "unknown_network": "add the network to the file that the setting networks names, for every worker; restart them; then replay it",
    "unknown_action": "add the action to its network in the file that the setting networks names, for every worker; restart them; then replay it",
    "private": "nothing: private events are not to be counted. Keep its producer from sending them",
    "malformed_timestamp": f"{_PRODUCER} to write occurred_at in milliseconds since 1970-01-01 UTC",
    "future": "set its producer's clock right. If the day has come meanwhile, replay it",
    "expired": "nothing: it is too old to count at any close still to come",
    "self_engagement": "nothing: what somebody does to themselves never counts",
    "post_by_another": f"{_PRODUCER} to name a post's author as its target, and the author or nobody as its actor",
    "too_many_topics": f"{_PRODUCER} to name at most 20 topics",
    "too_long": f"{_PRODUCER} to keep event ids and topics within 256 characters",
    "plus_k_topic": f"{_PRODUCER} to give a +K exactly one topic, and a giver",
    "daily_limit": "nothing, if the actor is a machine. Replayed, it is judged by the actor's newest day",
    "plus_k_repeat": "nothing: it can be given again 7 days after the one before",
    "plus_k_quota": "nothing: five +Ks a day are what one has to give",
}

UNKNOWN = "this version of laurel does not know that reason: see docs/publish.md of the version that refused it"


def mending(reason: str) -> str:
    """The sentence for a reason."""
    return MENDING.get(reason, UNKNOWN)
