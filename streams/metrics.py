"""The worker's Prometheus metrics: one registry, names with base units, few labels."""

from collections.abc import Callable, Iterable
from time import time
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, start_http_server
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector

from laurel.streams import homes

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """What a worker process counts and measures."""

    def __init__(self) -> None:
        # They are twice the series, for times that Prometheus doesn't need.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        r = self.registry
        self._in = Counter("laurel_records_in_total", "Records taken from Kafka.", ["topic"], registry=r)
        self._weighed = Counter(
            "laurel_events_weighed_total", "Engagements counted, by what became of them.", ["outcome"], registry=r
        )
        self._refused = Counter("laurel_dead_letters_total", "Records refused.", ["stage", "reason"], registry=r)
        self._lag = Gauge("laurel_consumer_lag_records", "Records not yet applied.", ["topic", "partition"], registry=r)
        self._event_lag = Gauge(
            "laurel_event_time_lag_seconds",
            "Now minus when the newest applied event occurred.",
            ["partition"],
            registry=r,
        )
        self._checkpoint = Histogram(
            "laurel_checkpoint_seconds", "Duration of a checkpoint.", ["stage"], buckets=SECONDS, registry=r
        )
        self._close = Histogram(
            "laurel_close_seconds",
            "Duration of a partition's part of a day's close.",
            ["stage"],
            buckets=SECONDS,
            registry=r,
        )
        self._scored = Counter("laurel_users_scored_total", "Score updates published.", registry=r)
        self._closed_day = Gauge("laurel_closed_day_timestamp_seconds", "Start of the newest closed day.", registry=r)
        self._keys = Gauge("laurel_state_keys", "Keys in a store, about.", ["stage", "partition"], registry=r)
        self._bytes = Gauge("laurel_state_bytes", "Bytes of a store's files.", ["stage", "partition"], registry=r)
        self._open_days = Gauge(
            "laurel_open_close_requests", "Days asked to be closed that are not closed yet.", registry=r
        )
        self._waiting = Gauge(
            "laurel_backlog_bytes", "Fetched but not yet applied.", ["stage", "partition"], registry=r
        )
        self._restored = Counter(
            "laurel_restored_records_total", "Changelog records applied by restores.", ["stage"], registry=r
        )
        self._restoring = Gauge(
            "laurel_restore_remaining_records", "Changelog records still to apply.", ["stage", "partition"], registry=r
        )
        self._begun_anew = Counter(
            "laurel_state_rebuilt_total", "Stores begun anew, by why.", ["stage", "reason"], registry=r
        )
        self._free = Gauge("laurel_state_free_bytes", "Bytes free on the disk of the state folder.", registry=r)
        self._brokers = Gauge("laurel_kafka_brokers", "Brokers the cluster has; 0 while none answers.", registry=r)
        self._assigned = Counter("laurel_assignments_total", "Times the group shared its partitions out.", registry=r)
        self._newest: dict[int, float] = {}  # by partition, seconds since 1970 of the newest applied event
        self._newest_closed: int | None = None

    def expect(self, stage: str, reasons: Iterable[str]) -> None:
        """Begins a stage's counters at zero, so that the first dead letter of a reason is an increase too."""
        self.expect_refusals(stage, reasons)
        for reason in homes.REASONS:
            self._begun_anew.labels(stage, reason)
        self._restored.labels(stage)

    def expect_refusals(self, stage: str, reasons: Iterable[str]) -> None:
        """Begins those of dead letters alone."""
        for reason in reasons:
            self._refused.labels(stage, reason)

    def serve(self, host: str, port: int) -> tuple[int, Callable[[], None]]:
        """Serves /metrics; returns the port and a function that ends it. OSError if the port is taken."""
        server: WSGIServer
        server, thread = start_http_server(port, addr=host, registry=self.registry)

        def end() -> None:
            server.shutdown()
            server.server_close()
            thread.join()

        return server.server_port, end

    def brokers(self, count: int) -> None:
        """A broker answered that there are so many, or none did."""
        self._brokers.set(count)

    def assigned(self) -> None:
        """The group has shared its partitions out, this worker's among them."""
        self._assigned.inc()

    def taken(self, topic: str, records: int) -> None:
        """Records came in."""
        self._in.labels(topic).inc(records)

    def weighed(self, outcome: str, events: int) -> None:
        """Engagements were weighed."""
        self._weighed.labels(outcome).inc(events)

    def refused(self, stage: str, reason: str) -> None:
        """A record went to the dead letters."""
        self._refused.labels(stage, reason).inc()

    def lag(self, topic: str, partition: int, records: int) -> None:
        """Records between what is applied and the partition's end."""
        self._lag.labels(topic, str(partition)).set(records)

    def applied(self, partition: int, newest: float) -> None:
        """Events were applied, the newest of which occurred then (seconds since 1970); the lag grows while none are."""
        if partition not in self._newest:
            self._event_lag.labels(str(partition)).set_function(lambda: time() - self._newest.get(partition, time()))
        self._newest[partition] = max(newest, self._newest.get(partition, newest))

    def checkpoint(self, stage: str, seconds: float) -> None:
        """A checkpoint was taken."""
        self._checkpoint.labels(stage).observe(seconds)

    def closing(self, stage: str, seconds: float) -> None:
        """A partition did its part of a close."""
        self._close.labels(stage).observe(seconds)

    def scored(self, users: int) -> None:
        """Score updates were published."""
        self._scored.inc(users)

    def closed(self, day: int) -> None:
        """A day (since 1970-01-01) is closed."""
        if self._newest_closed is None or day > self._newest_closed:
            self._newest_closed = day
            self._closed_day.set(day * 86_400)

    def open_days(self, days: int) -> None:
        """How many days wait to be closed."""
        self._open_days.set(days)

    def state(self, stage: str, partition: int, keys: int, size: int, waiting: int) -> None:
        """How large a partition's state and backlog are."""
        labels = (stage, str(partition))
        self._keys.labels(*labels).set(keys)
        self._bytes.labels(*labels).set(size)
        self._waiting.labels(*labels).set(waiting)

    def restoring(self, stage: str, partition: int, applied: int, remaining: int) -> None:
        """A restore went on by some records."""
        self._restored.labels(stage).inc(applied)
        self._restoring.labels(stage, str(partition)).set(remaining)

    def begun_anew(self, stage: str, reason: str) -> None:
        """A store could not be relied on and is restored from its changelog."""
        self._begun_anew.labels(stage, reason).inc()

    def free(self, size: int) -> None:
        """Bytes free on the disk of the state folder."""
        self._free.set(size)

    def forget(self, stage: str, topic: str, partition: int) -> None:
        """A stage's partition went elsewhere: its gauges, and its source topic's, end here."""
        for gauge in (self._keys, self._bytes, self._waiting, self._restoring):
            gauge.remove(stage, str(partition))
        self._lag.remove(topic, str(partition))
        if stage == "actors" and self._newest.pop(partition, None) is not None:
            self._event_lag.remove(str(partition))
