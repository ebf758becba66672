"""Workers: they share partitions, keep equal numbers together, commit what is checkpointed, and stop when told."""

import random

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient
from prometheus_client.parser import text_string_to_metric_families

from laurel.streams.log import KafkaLog
from laurel.streams.settings import load
from laurel.streams.store import Store
from laurel.streams.topic_table import TOPICS
from laurel.streams.transport import FETCH_RECORDS
from tests.integration.pipeline import Pipeline, Worker, eventually

STAGES = {"actors": "engagements", "targets": "influence", "persons": "person-parts", "leaders": "topic-candidates"}
DAY = 86_400_000
SOON = {"LAUREL_SESSION_SECONDS": "6"}


def held(worker: Worker) -> dict[str, set[int]]:
    """Partitions that a worker holds, by stage."""
    found: dict[str, set[int]] = {stage: set() for stage in STAGES}
    for family in text_string_to_metric_families(worker.scrape()):
        if family.name == "laurel_state_keys":
            for sample in family.samples:
                found[sample.labels["stage"]].add(int(sample.labels["partition"]))
    return found


def shared(workers: list[Worker], partitions: int) -> bool:
    """Whether every partition of every stage has one holder, and every holder some."""
    parts = [held(worker) for worker in workers]
    return all(
        all(part[stage] for part in parts)
        and sorted(number for part in parts for number in part[stage]) == list(range(partitions))
        for stage in STAGES
    )


def events(count: int, seed: int = 1) -> list[dict]:
    chance = random.Random(seed)
    return [
        {
            "event_id": f"e{seed}-{n}",
            "network": "twitter",
            "action": "retweet",
            "actor": f"twitter:{chance.randrange(200)}",
            "target": f"twitter:{200 + chance.randrange(100)}",
            "content_id": None,
            "text": None,
            "topics": [],
            "private": False,
            "retracts": None,
            "occurred_at": 19_800 * DAY + n,
        }
        for n in range(count)
    ]


def publish(pipeline: Pipeline, count: int, seed: int = 1) -> None:
    encode = pipeline.codec.encode_one
    pipeline.produce("engagements", [(e["actor"].encode(), encode("Engagement", e)) for e in events(count, seed)])


def committed(pipeline: Pipeline) -> dict[tuple[str, int], int]:
    settings = pipeline.settings
    consumer = Consumer({"bootstrap.servers": settings.servers, "group.id": f"{settings.topic_prefix}{settings.group}"})
    places = [
        TopicPartition(settings.topic(topic), number)
        for topic in STAGES.values()
        for number in range(settings.partitions)
    ]
    try:
        return {(place.topic, place.partition): place.offset for place in consumer.committed(places, timeout=30)}
    finally:
        consumer.close()


def test_two_workers_share_partitions_and_equal_numbers_stay_together(kafka, prefix, tmp_path):
    with Pipeline(load(bootstrap=kafka, topic_prefix=prefix, partitions=4), tmp_path) as pipeline:
        first = pipeline.start(0, **SOON)
        eventually(lambda: shared([first], 4))
        second = pipeline.start(1, LAUREL_SESSION_SECONDS="300")
        eventually(lambda: shared([first, second], 4), what="both hold partitions")
        for worker in (first, second):
            parts = held(worker)
            assert all(parts[stage] == parts["actors"] for stage in STAGES)
        # One that leaves gives its partitions back at once; one that is lost, when its session is over.
        assert second.stop() == 0
        eventually(lambda: shared([first], 4))
        third = pipeline.start(2, **SOON)
        eventually(lambda: shared([first, third], 4))
        third.kill()
        eventually(lambda: shared([first], 4))


def test_a_worker_until_idle_exits_with_everything_committed(kafka, prefix, tmp_path):
    with Pipeline(load(bootstrap=kafka, topic_prefix=prefix, partitions=2), tmp_path) as pipeline:
        publish(pipeline, 5_000)
        worker = pipeline.start(0, "--until-idle")
        assert worker.wait() == 0, worker.log.read_text()
        offsets = committed(pipeline)
        for stage in ("actors", "targets"):
            for number in range(2):
                topic = pipeline.settings.topic(STAGES[stage])
                end = max((r.offset for r in pipeline.read(STAGES[stage]) if r.partition == number), default=-1) + 1
                assert offsets[topic, number] >= end
                store = Store(pipeline.state() / f"{prefix}laurel" / f"{stage}-{number}")
                assert store.mark.source + 1 == end
                store.close()


def test_a_worker_told_to_stop_in_the_middle_of_work_exits_and_loses_nothing(kafka, prefix, tmp_path):
    with Pipeline(load(bootstrap=kafka, topic_prefix=prefix, partitions=2), tmp_path) as pipeline:
        worker = pipeline.start()
        publish(pipeline, 20_000)
        assert worker.stop() == 0, worker.log.read_text()
        again = pipeline.start(0, "--until-idle")
        assert again.wait() == 0, again.log.read_text()
        influence = pipeline.records("influence", "Influence")
        assert len({(row["upstream"], row["upstream_offset"]) for row in influence}) == 20_000


def test_what_waits_is_bounded_in_bytes(kafka, prefix, tmp_path):
    with Pipeline(load(bootstrap=kafka, topic_prefix=prefix, partitions=1), tmp_path) as pipeline:
        publish(pipeline, 60_000)
        size = sum(len(r.key or b"") + len(r.value or b"") for r in pipeline.read("engagements")) / 60_000
        share = (4 << 20) // len(STAGES)
        # A checkpoint that is never due, and room for a fraction of what there is to read.
        worker = pipeline.start(
            0, LAUREL_BACKLOG_BYTES=str(4 << 20), LAUREL_CHECKPOINT_SECONDS="60", LAUREL_CHECKPOINT_ROWS="1000000"
        )
        waiting = lambda: worker.metric("laurel_backlog_bytes", stage="actors")  # noqa: E731 (a name for what is read)
        eventually(lambda: waiting() >= share, what="its share is used")
        # Its share of the stages' room, and the one chunk that passed its mark.
        assert max(waiting() for _ in range(100)) < share + FETCH_RECORDS * size * 1.1
        assert worker.metric("laurel_records_in_total", topic=pipeline.settings.topic("engagements")) < 60_000


def test_a_worker_that_joins_before_the_first_checkpoint_costs_no_event(kafka, prefix, tmp_path):
    slow = SOON | {"LAUREL_CHECKPOINT_SECONDS": "5"}
    with Pipeline(load(bootstrap=kafka, topic_prefix=prefix, partitions=4), tmp_path) as pipeline:
        first = pipeline.start(0, **slow)
        publish(pipeline, 20_000)
        eventually(lambda: first.metric("laurel_records_in_total") > 0)
        pipeline.start(1, **slow)

        def weighed() -> int:
            return len(
                {(row["upstream"], row["upstream_offset"]) for row in pipeline.records("influence", "Influence")}
            )

        eventually(lambda: weighed() == 20_000, what="every event is weighed")


def test_state_of_topics_that_were_made_anew_is_not_believed(kafka, prefix, tmp_path):
    settings = load(bootstrap=kafka, topic_prefix=prefix, partitions=2)
    with Pipeline(settings, tmp_path) as pipeline:
        publish(pipeline, 500)
        assert pipeline.start(0, "--until-idle").wait() == 0
        admin = AdminClient({"bootstrap.servers": kafka})
        names = [settings.topic(topic.name) for topic in TOPICS]
        for future in admin.delete_topics(names).values():
            future.result()
        for future in admin.delete_consumer_groups([f"{prefix}laurel"]).values():
            future.result()
        eventually(lambda: not set(names) & set(admin.list_topics(timeout=30).topics))
    with Pipeline(settings, tmp_path) as pipeline:
        publish(pipeline, 300, seed=2)
        worker = pipeline.start(0, "--until-idle")
        assert worker.wait() == 0, worker.log.read_text()
        assert len(pipeline.records("influence", "Influence")) == 300
        assert "begun anew" in worker.log.read_text()


def test_a_group_that_has_nothing_left_to_do_has_committed_to_the_end_of_its_topics(kafka, prefix, tmp_path):
    with Pipeline(load(bootstrap=kafka, topic_prefix=prefix, partitions=2), tmp_path) as pipeline:
        worker = pipeline.start()
        publish(pipeline, 1_000)

        def at_the_end() -> bool:
            found = committed(pipeline)
            ends = KafkaLog(kafka, "").settled(list(found))
            return found == ends and sum(ends.values()) > 2_000  # of which transactions ended at some

        eventually(at_the_end, what="no tool sees any lag")
        assert worker.stop() == 0
