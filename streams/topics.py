"""Creates the topics, keeps their settings as `topic_table` has them, and checks that they are there."""

import time
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its types leave out what it re-exports
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
    TopicMetadata,
)

from laurel.models.errors import LaurelError
from laurel.streams.settings import Settings
from laurel.streams.topic_table import TOPICS, Topic

ANSWER_WITHIN = 30.0  # seconds for the cluster to answer, and for new topics to be seen
LOOK_EVERY = 0.05  # seconds between looks at whether they are


class TopicsError(LaurelError):
    """The topics are not as they have to be, and cannot be made so; the message says what to do."""


@dataclass(frozen=True)
class Difference:
    """What Kafka had other than specified: `setting` is `topic` for one that was missing, or a setting's name.

    `found` is None for a missing topic; `wanted` is then its number of partitions.
    """

    topic: str
    setting: str
    found: str | None
    wanted: str


def apply(settings: Settings, *, partitions: int | None = None, dry_run: bool = False) -> list[Difference]:
    """Creates missing topics and alters settings that differ; returns the differences there were.

    Keyed topics get `partitions`, or as many as those that exist, or else the setting of that name. With dry_run nothing
    is changed. Raises TopicsError, before anything is changed, if partitions or replicas would have to be.
    """
    admin = _admin(settings)
    found = _found(admin, settings)
    wrong = _unalterable(found, settings, partitions)
    if wrong:
        raise TopicsError("\n".join(wrong))
    existing = [len(found[topic.name].partitions) for topic in TOPICS if topic.keyed and topic.name in found]
    count = partitions or (existing[0] if existing else settings.partitions)
    missing = [topic for topic in TOPICS if topic.name not in found]
    differences = [
        Difference(settings.topic(topic.name), "topic", None, str(count if topic.keyed else 1)) for topic in missing
    ]
    altered = _differing(admin, settings, [topic for topic in TOPICS if topic.name in found])
    if not dry_run:
        _create(admin, settings, missing, count)
        _alter(admin, altered)
        if missing or altered:
            _wait(admin, settings)
    return differences + altered


def check(settings: Settings) -> int:
    """How many partitions every keyed topic has. Raises TopicsError if a topic is missing or the numbers do not agree."""
    found = _found(_admin(settings), settings)
    missing = [settings.topic(topic.name) for topic in TOPICS if topic.name not in found]
    if missing:
        raise TopicsError(
            f"missing at {settings.servers}: {', '.join(missing)}; create them with `laurel topics apply`"
        )
    wrong = _uneven(found, settings)
    if wrong:
        raise TopicsError("\n".join(wrong))
    return len(found["engagements"].partitions)


def _admin(settings: Settings) -> AdminClient:
    # The client prints every failed connection by itself; ours is one sentence.
    return AdminClient({"bootstrap.servers": settings.servers, "log_level": 0})


def _found(admin: AdminClient, settings: Settings) -> dict[str, TopicMetadata]:
    """The topics of ours that exist, by plain name."""
    try:
        known = admin.list_topics(timeout=ANSWER_WITHIN).topics
    except KafkaException as error:
        raise TopicsError(f"no Kafka answers at {settings.servers}: {error.args[0].str()}") from None
    return {topic.name: known[settings.topic(topic.name)] for topic in TOPICS if settings.topic(topic.name) in known}


def _uneven(found: Mapping[str, TopicMetadata], settings: Settings) -> list[str]:
    """What is wrong with the numbers of partitions, one sentence each."""
    counts = {topic.name: len(found[topic.name].partitions) for topic in TOPICS if topic.name in found}
    wrong = [
        f"{settings.topic(topic.name)} has {counts[topic.name]} partitions and must have 1: delete it, and apply again"
        for topic in TOPICS
        if not topic.keyed and counts.get(topic.name, 1) != 1
    ]
    keyed = {topic.name: counts[topic.name] for topic in TOPICS if topic.keyed and topic.name in counts}
    if len(set(keyed.values())) > 1:
        listed = ", ".join(f"{settings.topic(name)} {count}" for name, count in keyed.items())
        wrong.append(f"keyed topics must have one number of partitions: {listed}; delete the odd ones, and apply again")
    return wrong


def _unalterable(found: Mapping[str, TopicMetadata], settings: Settings, partitions: int | None) -> list[str]:
    wrong = _uneven(found, settings)
    existing = {len(found[topic.name].partitions) for topic in TOPICS if topic.keyed and topic.name in found}
    if not wrong and partitions and existing - {partitions}:
        wrong.append(
            f"the topics have {existing.pop()} partitions, not {partitions}: keys would move to other partitions and part "
            "from their state; leave out --partitions, or start afresh under another LAUREL_TOPIC_PREFIX and replay"
        )
    for name, topic in found.items():
        replicas = {len(partition.replicas) for partition in topic.partitions.values()}
        if replicas - {settings.replication}:
            wrong.append(
                f"{settings.topic(name)} has {max(replicas)} replicas, not {settings.replication}: set LAUREL_REPLICATION "
                "to what it has, or move it with kafka-reassign-partitions"
            )
    return wrong


def _wanted(topic: Topic, settings: Settings) -> dict[str, str]:
    # One replica may be down without stopping acks=all, where there are replicas to spare.
    return topic.settings | {"min.insync.replicas": str(max(1, settings.replication - 1))}


def _differing(admin: AdminClient, settings: Settings, topics: list[Topic]) -> list[Difference]:
    if not topics:
        return []
    resources = {ConfigResource(ResourceType.TOPIC, settings.topic(topic.name)): topic for topic in topics}
    differences = []
    for resource, future in admin.describe_configs(list(resources)).items():
        current: dict[str, Any] = _result(resource.name, future)
        for name, wanted in _wanted(resources[resource], settings).items():
            value = current[name].value if name in current else None
            if value != wanted:
                differences.append(Difference(resource.name, name, value, wanted))
    return differences


def _create(admin: AdminClient, settings: Settings, topics: list[Topic], count: int) -> None:
    if not topics:
        return
    new = [
        NewTopic(
            settings.topic(topic.name),
            num_partitions=count if topic.keyed else 1,
            replication_factor=settings.replication,
            config=_wanted(topic, settings),
        )
        for topic in topics
    ]
    for name, future in admin.create_topics(new).items():
        _result(name, future, also=KafkaError.TOPIC_ALREADY_EXISTS)  # by another process, at the same time


def _alter(admin: AdminClient, differences: list[Difference]) -> None:
    if not differences:
        return
    changes: dict[str, list[ConfigEntry]] = {}
    for difference in differences:
        entry = ConfigEntry(difference.setting, difference.wanted, incremental_operation=AlterConfigOpType.SET)
        changes.setdefault(difference.topic, []).append(entry)
    resources = [
        ConfigResource(ResourceType.TOPIC, topic, incremental_configs=entries) for topic, entries in changes.items()
    ]
    for resource, future in admin.incremental_alter_configs(resources).items():
        _result(resource.name, future)


def _wait(admin: AdminClient, settings: Settings) -> None:
    """Until brokers show what was done, which they do a moment after they have accepted it."""
    deadline = time.monotonic() + ANSWER_WITHIN
    while time.monotonic() < deadline:
        found = _found(admin, settings)
        if len(found) == len(TOPICS) and not _differing(admin, settings, list(TOPICS)):
            # Another process may have created some at the same time, and differently.
            wrong = _uneven(found, settings)
            if wrong:
                raise TopicsError("\n".join(wrong))
            return
        time.sleep(LOOK_EVERY)
    raise TopicsError(f"{settings.servers} has taken the changes but does not show them after {ANSWER_WITHIN:.0f} s")


def _result(topic: str, future: "Future[Any]", also: int | None = None) -> Any:
    try:
        return future.result(ANSWER_WITHIN)
    except KafkaException as error:
        if error.args[0].code() == also:
            return None
        raise TopicsError(f"topic {topic}: {error.args[0].str()}") from None
