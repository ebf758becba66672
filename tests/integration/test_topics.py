"""`laurel topics` against a real broker."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its types leave out what it re-exports
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from laurel.streams.settings import Settings, load
from laurel.streams.topic_table import TOPICS
from laurel.streams.topics import Difference, TopicsError, apply, check


@pytest.fixture
def settings(kafka: str, prefix: str) -> Settings:
    return load(bootstrap=kafka, topic_prefix=prefix, partitions=3)


def eventually(shown: Callable[[], bool]) -> None:
    """A broker shows what it has accepted a moment later."""
    deadline = time.monotonic() + 30
    while not shown():
        assert time.monotonic() < deadline


def configured(settings: Settings, name: str) -> dict[str, Any]:
    resource = ConfigResource(ResourceType.TOPIC, settings.topic(name))
    admin = AdminClient({"bootstrap.servers": settings.servers})
    [future] = admin.describe_configs([resource]).values()
    return {key: entry.value for key, entry in future.result(30).items()}


def configure(settings: Settings, name: str, key: str, value: str) -> None:
    entry = ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, settings.topic(name), incremental_configs=[entry])
    admin = AdminClient({"bootstrap.servers": settings.servers})
    [future] = admin.incremental_alter_configs([resource]).values()
    future.result(30)
    eventually(lambda: configured(settings, name)[key] == value)


def create(settings: Settings, name: str, partitions: int) -> None:
    new = NewTopic(settings.topic(name), num_partitions=partitions, replication_factor=1)
    admin = AdminClient({"bootstrap.servers": settings.servers})
    [future] = admin.create_topics([new]).values()
    future.result(30)
    eventually(lambda: name in counts(settings))


def counts(settings: Settings) -> dict[str, int]:
    known = AdminClient({"bootstrap.servers": settings.servers}).list_topics(timeout=30).topics
    return {
        topic.name: len(known[settings.topic(topic.name)].partitions)
        for topic in TOPICS
        if settings.topic(topic.name) in known
    }


def test_applying_creates_every_topic_and_a_second_time_finds_nothing_to_do(settings: Settings) -> None:
    differences = apply(settings)
    assert [(difference.topic, difference.setting, difference.wanted) for difference in differences] == [
        (settings.topic(topic.name), "topic", "3" if topic.keyed else "1") for topic in TOPICS
    ]
    assert counts(settings) == {topic.name: 3 if topic.keyed else 1 for topic in TOPICS}
    for topic in TOPICS:
        found = configured(settings, topic.name)
        assert {name: found[name] for name in topic.settings} == topic.settings
        assert found["min.insync.replicas"] == "1"
    assert apply(settings) == []
    assert check(settings) == 3


def test_a_dry_run_tells_and_changes_nothing(settings: Settings) -> None:
    assert len(apply(settings, dry_run=True)) == len(TOPICS)
    assert counts(settings) == {}


def test_a_setting_that_differs_is_put_right_and_reported(settings: Settings) -> None:
    apply(settings)
    configure(settings, "engagements", "retention.ms", "1000")
    configure(settings, "engagements", "segment.bytes", "1048576")
    expected = [Difference(settings.topic("engagements"), "retention.ms", "1000", "8640000000")]
    assert apply(settings, dry_run=True) == expected
    assert configured(settings, "engagements")["retention.ms"] == "1000"
    assert apply(settings) == expected
    found = configured(settings, "engagements")
    assert found["retention.ms"] == "8640000000"
    assert found["segment.bytes"] == "1048576"
    assert apply(settings) == []


def test_missing_topics_join_an_existing_set_with_its_number_of_partitions(settings: Settings) -> None:
    create(settings, "engagements", 2)
    apply(settings)
    assert counts(settings) == {topic.name: 2 if topic.keyed else 1 for topic in TOPICS}
    assert check(settings) == 2


def test_another_number_of_partitions_is_refused_before_anything_changes(settings: Settings) -> None:
    create(settings, "engagements", 2)
    with pytest.raises(TopicsError, match=r"have 2 partitions, not 4: keys would move .* leave out --partitions"):
        apply(settings, partitions=4)
    assert counts(settings) == {"engagements": 2}


def test_keyed_topics_that_disagree_are_refused(settings: Settings) -> None:
    create(settings, "engagements", 2)
    create(settings, "influence", 3)
    create(settings, "calendar", 2)
    with pytest.raises(
        TopicsError, match=f"{settings.topic('engagements')} 2, {settings.topic('influence')} 3"
    ) as refused:
        apply(settings)
    assert f"{settings.topic('calendar')} has 2 partitions and must have 1" in str(refused.value)
    assert len(counts(settings)) == 3


def test_another_number_of_replicas_is_refused(settings: Settings) -> None:
    create(settings, "profiles", 3)
    more = load(bootstrap=settings.servers, topic_prefix=settings.topic_prefix, replication=3)
    with pytest.raises(TopicsError, match="has 1 replicas, not 3: set LAUREL_REPLICATION"):
        apply(more)


def test_more_replicas_than_brokers_are_refused_with_kafka_s_reason(settings: Settings) -> None:
    more = load(bootstrap=settings.servers, topic_prefix=settings.topic_prefix, replication=3)
    with pytest.raises(TopicsError, match="eplication factor"):
        apply(more)


def test_checking_names_what_is_missing_and_what_to_do(settings: Settings) -> None:
    with pytest.raises(TopicsError, match=f"{settings.topic('engagements')}, .*`laurel topics apply`"):
        check(settings)


def test_an_address_where_no_kafka_answers_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("laurel.streams.topics.ANSWER_WITHIN", 0.5)
    with pytest.raises(TopicsError, match=r"no Kafka answers at 127\.0\.0\.1:1"):
        check(load(bootstrap="127.0.0.1:1"))


def laurel(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "laurel", "topics", *arguments, "--bootstrap", settings.servers]
    environment = {"LAUREL_TOPIC_PREFIX": settings.topic_prefix, "PATH": ""}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_the_command_prints_each_difference(settings: Settings) -> None:
    told = laurel(settings, "apply", "--partitions", "2")
    assert told.returncode == 0, told.stderr
    assert told.stdout.splitlines()[0] == f"{settings.topic('engagements')}: created, partitions 2"
    assert len(told.stdout.splitlines()) == len(TOPICS)
    assert "as they should be" in laurel(settings, "apply").stdout
    configure(settings, "calendar", "cleanup.policy", "delete")
    told = laurel(settings, "apply", "--json", "--dry-run")
    assert json.loads(told.stdout) == {
        "applied": False,
        "differences": [
            {"topic": settings.topic("calendar"), "setting": "cleanup.policy", "found": "delete", "wanted": "compact"}
        ],
    }
    refused = laurel(settings, "apply", "--partitions", "5")
    assert refused.returncode == 1
    assert refused.stderr.startswith("error: the topics have 2 partitions, not 5")
    assert "Traceback" not in refused.stderr


def test_scores_of_a_shadow_go_after_two_weeks_also_where_the_topic_kept_them_for_good(settings: Settings) -> None:
    apply(settings)
    kept = {"cleanup.policy": "compact", "retention.ms": "-1"}
    for name, value in kept.items():
        configure(settings, "shadow-scores", name, value)
    changed = {difference.setting: (difference.found, difference.wanted) for difference in apply(settings)}
    assert changed == {"cleanup.policy": ("compact", "compact,delete"), "retention.ms": ("-1", "1209600000")}
    assert apply(settings) == []
    command = [sys.executable, "-m", "laurel", "topics", "list", "--json"]
    told = json.loads(subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout)
    listed = {row["topic"].rpartition(".")[2]: row["kept"] for row in told}
    assert listed["shadow-scores"] == "newest of each key, 14 days"
    assert (listed["calendar"], listed["dead-letters"]) == ("newest of each key", "30 days")
