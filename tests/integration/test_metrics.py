"""What a worker's /metrics tells, from a first event over a close and a restart to an end without lag."""

import re
from collections.abc import Iterable
from pathlib import Path

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from laurel.models.refusals import REASONS
from laurel.streams.metrics import Metrics
from laurel.streams.settings import Settings, load
from tests.integration.bad_records import engagement, sent
from tests.integration.pipeline import Pipeline, Worker, eventually

UNITS = ("_seconds", "_bytes", "_records", "_keys", "_requests", "_brokers")  # of gauges and histograms

# Counters by the parser's names, without _total.
DOCUMENTED = {
    "laurel_records_in": "counter",
    "laurel_events_weighed": "counter",
    "laurel_dead_letters": "counter",
    "laurel_consumer_lag_records": "gauge",
    "laurel_event_time_lag_seconds": "gauge",
    "laurel_checkpoint_seconds": "histogram",
    "laurel_close_seconds": "histogram",
    "laurel_users_scored": "counter",
    "laurel_closed_day_timestamp_seconds": "gauge",
    "laurel_open_close_requests": "gauge",
    "laurel_state_keys": "gauge",
    "laurel_state_bytes": "gauge",
    "laurel_backlog_bytes": "gauge",
    "laurel_restored_records": "counter",
    "laurel_restore_remaining_records": "gauge",
    "laurel_state_rebuilt": "counter",
    "laurel_state_free_bytes": "gauge",
    "laurel_kafka_brokers": "gauge",
    "laurel_assignments": "counter",
}


def ours(families: Iterable[Metric]) -> dict[str, str]:
    return {family.name: family.type for family in families if family.name.startswith("laurel_")}


def lag(worker: Worker) -> float:
    return worker.metric("laurel_consumer_lag_records")


def lags_measured(worker: Worker, partitions: int) -> bool:
    text = worker.scrape()
    return len(re.findall(r"^laurel_consumer_lag_records\{", text, re.MULTILINE)) == partitions


def test_every_family_has_the_documented_name_and_a_conventional_one() -> None:
    families = list(Metrics().registry.collect())
    assert ours(families) == DOCUMENTED
    for family in families:
        assert re.fullmatch(r"[a-z][a-z0-9_]*[a-z0-9]", family.name)
        if family.name in DOCUMENTED:
            assert family.documentation.endswith(".")
            assert family.type == "counter" or family.name.endswith(UNITS)


def test_a_lag_and_a_newest_event_end_when_their_partition_goes_elsewhere() -> None:
    metrics = Metrics()
    metrics.lag("engagements", 1, 5)
    metrics.applied(1, 1e9)
    metrics.state("actors", 1, 1, 1, 1)
    metrics.forget("actors", "engagements", 1)
    metrics.forget("actors", "engagements", 1)
    kept = [
        sample for family in metrics.registry.collect() for sample in family.samples if "partition" in sample.labels
    ]
    assert kept == []


def test_an_event_time_lag_is_that_of_the_newest_event_and_grows_while_none_come() -> None:
    def told() -> float:
        value = metrics.registry.get_sample_value("laurel_event_time_lag_seconds", {"partition": "3"})
        assert value is not None
        return value

    metrics = Metrics()
    metrics.applied(3, 2_000.0)
    metrics.applied(3, 1_000.0)
    first = told()
    assert first < 1e12
    metrics.applied(3, 1_500.0)
    assert 0 <= told() - first < 60


def test_the_newest_closed_day_is_told_whatever_the_order() -> None:
    metrics = Metrics()
    for day in (3, 5, 4):
        metrics.closed(day)
    assert metrics.registry.get_sample_value("laurel_closed_day_timestamp_seconds") == 5 * 86_400


def test_a_run_with_a_close_and_a_restart_moves_every_metric(kafka: str, prefix: str, tmp_path: Path) -> None:
    settings: Settings = load(bootstrap=kafka, topic_prefix=prefix, partitions=2)
    with Pipeline(settings, tmp_path) as pipeline:
        worker = pipeline.start()
        eventually(lambda: lags_measured(worker, 8))
        refused = {
            reason: worker.metric("laurel_dead_letters_total", stage="actors", reason=reason) for reason in REASONS
        }
        assert refused == dict.fromkeys(REASONS, 0.0)
        assert ours(text_string_to_metric_families(worker.scrape())).items() <= DOCUMENTED.items()

        events = [engagement(event_id=str(n), actor=f"twitter:{n}", target=f"twitter:{n % 7}") for n in range(8, 108)]
        bad = [engagement(network="myspace"), engagement(action="poke"), engagement(action="poke")]
        pipeline.produce("engagements", [*sent(*events, *bad, events[0]), (b"k", b"garbage")])
        pipeline.close_day("2024-05-02")
        eventually(lambda: worker.metric("laurel_close_seconds_count", stage="leaders") == 2)
        eventually(lambda: worker.metric("laurel_state_keys", stage="actors") >= 100)
        eventually(lambda: lag(worker) == 0 and worker.metric("laurel_open_close_requests") == 0)
        assert worker.metric("laurel_records_in_total", topic=settings.topic("engagements")) == 107
        assert worker.metric("laurel_events_weighed_total", outcome="counted") == 100
        assert worker.metric("laurel_events_weighed_total", outcome="duplicate") == 1
        assert worker.metric("laurel_dead_letters_total", reason="unknown_network", stage="actors") == 1
        assert worker.metric("laurel_dead_letters_total", reason="unknown_action", stage="actors") == 2
        assert worker.metric("laurel_dead_letters_total", reason="wrong_magic_byte", stage="actors") == 1
        assert worker.metric("laurel_dead_letters_total") == 4
        assert worker.metric("laurel_users_scored_total") == 7
        assert worker.metric("laurel_closed_day_timestamp_seconds") == 1_714_608_000
        assert worker.metric("laurel_event_time_lag_seconds", partition="0") > 0
        eventually(lambda: worker.metric("laurel_backlog_bytes") == 0)
        for stage in ("actors", "targets", "leaders"):
            assert worker.metric("laurel_checkpoint_seconds_count", stage=stage) >= 2
            assert worker.metric("laurel_checkpoint_seconds_sum", stage=stage) > 0
        assert worker.metric("laurel_close_seconds_count", stage="targets") == 2
        assert worker.metric("laurel_state_bytes", stage="actors") > 0
        assert worker.metric("laurel_state_free_bytes") > 0
        assert worker.metric("laurel_state_rebuilt_total") == 0
        assert worker.metric("laurel_restored_records_total") == 0
        assert worker.metric("process_resident_memory_bytes") < 1 << 30
        assert worker.stop() == 0

        elsewhere = pipeline.start(number=1)
        eventually(lambda: elsewhere.metric("laurel_state_keys", stage="actors") >= 100)
        for stage, keys in (("actors", 100), ("targets", 7)):
            assert elsewhere.metric("laurel_restored_records_total", stage=stage) > keys
        assert elsewhere.metric("laurel_restore_remaining_records") == 0
        assert elsewhere.metric("laurel_closed_day_timestamp_seconds") == 1_714_608_000
        eventually(lambda: lags_measured(elsewhere, 8) and lag(elsewhere) == 0)
        told = ours(text_string_to_metric_families(elsewhere.scrape()))
        assert told == DOCUMENTED
        assert elsewhere.stop() == 0
