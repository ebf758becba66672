"""A worker that is stopped in the middle of a checkpoint, for longer than its session, and goes on: it does no harm."""

import signal
from itertools import count

import pyarrow as pa

from laurel.streams.reader import ends, written
from laurel.streams.settings import load
from tests.integration.comparison import Place, assert_influence_once, assert_same
from tests.integration.days import ROOT
from tests.integration.pipeline import Pipeline, Worker, eventually
from tests.integration.test_workers import DAY, events, shared
from tests.oracle.oracle import EVENT_COLUMNS, Oracle, read_networks

PARTITIONS = 2
SOON = {"LAUREL_SESSION_SECONDS": "6"}
LOOKS = 20  # in a row that find a transaction open, which its owner would have ended within milliseconds


class Story:
    """A pipeline, and the events sent to it."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        self.sent: list[dict] = []
        self._numbers = count(1)

    def send(self, size: int) -> None:
        arrivals = events(size, seed=next(self._numbers))
        encode = self.pipeline.codec.encode_one
        self.pipeline.produce("engagements", [(e["actor"].encode(), encode("Engagement", e)) for e in arrivals])
        self.sent += arrivals

    def places(self) -> set[Place]:
        """Where the events are."""
        records = self.pipeline.read("engagements")
        read = self.pipeline.codec.decode([record.value for record in records]).batches["Engagement"].positions
        return {(records[at].topic, records[at].partition, records[at].offset) for at in read}

    def weighed(self) -> int:
        rows = self.pipeline.records("influence", "Influence")
        return len({(row["upstream"], row["upstream_offset"]) for row in rows})

    def expected(self):
        rows = [
            {**event, "seq": number, "epoch": None, "record_ts": event["occurred_at"]}
            for number, event in enumerate(self.sent)
        ]
        events_ = pa.Table.from_pylist(rows, schema=pa.schema(EVENT_COLUMNS))
        return Oracle(read_networks(ROOT / "models/networks.toml")).run(events_, [rows[0]["occurred_at"] // DAY])

    def stopped_in_a_transaction(self, worker: Worker) -> bool:
        """Stops a worker that has been given work; lets it go on, and says False, if no transaction of it is open then."""
        self.send(200)
        worker.process.send_signal(signal.SIGSTOP)
        if all(self._open() for _ in range(LOOKS)):
            return True
        worker.process.send_signal(signal.SIGCONT)
        return False

    def _open(self) -> bool:
        servers, changelog = self.pipeline.settings.servers, self.pipeline.settings.topic("changelog-actors")
        return any(written(servers, changelog, at) > ends(servers, changelog, at)[1] for at in range(PARTITIONS))


def test_a_worker_stopped_for_longer_than_its_session_writes_no_more_and_joins_again(kafka, prefix, tmp_path):
    with Pipeline(load(bootstrap=kafka, topic_prefix=prefix, partitions=PARTITIONS), tmp_path) as pipeline:
        story = Story(pipeline)
        zombie = pipeline.start(0, **SOON)
        eventually(lambda: shared([zombie], PARTITIONS))
        try:
            eventually(
                lambda: story.stopped_in_a_transaction(zombie), within=120, what="it is stopped in a transaction"
            )
            other = pipeline.start(1, **SOON)
            eventually(lambda: shared([other], PARTITIONS), what="the other has its partitions")
            story.send(500)
            eventually(lambda: story.weighed() == len(story.sent), what="the other has done its work")
        finally:
            zombie.process.send_signal(signal.SIGCONT)
        eventually(lambda: "belongs to another worker by now" in zombie.log.read_text(), what="it is told and says so")
        eventually(lambda: shared([zombie, other], PARTITIONS), what="it has partitions again")
        story.send(500)
        pipeline.close_day("2024-03-18")
        assert_same(pipeline, story.expected())
        assert_influence_once(pipeline, story.places())
        for worker in (zombie, other):
            assert worker.stop() == 0, worker.log.read_text()
