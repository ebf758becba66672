"""Events that a service publishes in Kafka transactions, as stream processors with exactly-once delivery do."""

from pathlib import Path

from confluent_kafka import Producer

from laurel.streams.settings import load
from tests.integration.bad_records import engagement, sent
from tests.integration.pipeline import WITHIN, Pipeline, eventually


def publish(pipeline: Pipeline, name: str, *, commit: bool) -> None:
    producer = Producer(
        {
            "bootstrap.servers": pipeline.settings.servers,
            "transactional.id": f"{pipeline.settings.topic_prefix}{name}",
            "partitioner": "murmur2_random",
        }
    )
    producer.init_transactions(WITHIN)
    producer.begin_transaction()
    events = [
        engagement(event_id=f"{name}-{n}", actor=f"twitter:{name}-{n}", target=f"twitter:{name}") for n in range(10)
    ]
    for key, value in sent(*events):
        producer.produce(pipeline.settings.topic("engagements"), value, key)
    producer.flush(WITHIN)
    if commit:
        producer.commit_transaction(WITHIN)
    else:
        producer.abort_transaction(WITHIN)


def test_what_was_aborted_never_counts_and_the_markers_of_transactions_are_no_lag(
    kafka: str, prefix: str, tmp_path: Path
) -> None:
    with Pipeline(load(bootstrap=kafka, topic_prefix=prefix, partitions=2), tmp_path) as pipeline:
        publish(pipeline, "aborted", commit=False)
        publish(pipeline, "committed", commit=True)
        publish(pipeline, "aborted-too", commit=False)
        worker = pipeline.start()
        eventually(lambda: worker.metric("laurel_events_weighed_total", outcome="counted") == 10)
        pipeline.close_day("2024-05-02")
        publish(pipeline, "after", commit=True)
        eventually(lambda: worker.metric("laurel_events_weighed_total", outcome="counted") == 20)
        eventually(lambda: worker.metric("laurel_consumer_lag_records") == 0)
        assert worker.stop() == 0
        assert [row["person"] for row in pipeline.records("score-updates", "ScoreUpdate")] == ["twitter:committed"]
        assert pipeline.start(0, "--until-idle").wait() == 0
        assert pipeline.start(1, "--until-idle").wait() == 0
