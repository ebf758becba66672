"""Reading a log whose Kafka goes away and comes back: workers wait for it, and go on where they were."""

import asyncio
import threading
from collections.abc import Callable, Iterator

import pytest

from laurel.streams import ends, reader, settling
from laurel.streams.broker import EmbeddedBroker
from laurel.streams.log import KafkaLog
from laurel.streams.outbox import Outbox, Output
from laurel.streams.reader import ReadError
from laurel.streams.settings import Settings, load
from laurel.streams.starting import PatientConsumer, PatientProducer
from laurel.streams.topics import apply
from tests.integration.pipeline import WITHIN, eventually

TOPIC = "engagements"
RECORDS = 50_000


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedBroker]:
    """A broker of this file's own, to be killed."""
    with EmbeddedBroker(tmp_path_factory.mktemp("kafka")) as broker:
        yield broker


@pytest.fixture
def settings(broker: EmbeddedBroker, prefix: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Topics with records, read by somebody who by himself gives up soon."""
    monkeypatch.setattr(reader, "STALL", 0.5)
    monkeypatch.setattr(settling, "GIVE_UP", 0.5)
    monkeypatch.setattr(ends, "ANSWER_WITHIN", 0.5)
    settings = load(bootstrap=broker.bootstrap, topic_prefix=prefix, partitions=1)
    apply(settings)
    outbox = Outbox(settings.servers)
    values = [b"%d" % number + bytes(1_000) for number in range(RECORDS)]
    outbox.send(Output(settings.topic(TOPIC), values, values, 0))
    outbox.flush()
    return settings


def beside(work: Callable[[], object]) -> tuple[threading.Thread, list[object]]:
    """Does something in a thread; what comes of it, be it an error, is in the list then."""
    found: list[object] = []

    def run() -> None:
        try:
            found.append(work())
        except ReadError as error:
            found.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, found


def test_whatever_is_asked_while_kafka_is_away_is_answered_when_it_is_back(broker, settings, caplog):
    log, topic = KafkaLog(settings.servers, "group"), settings.topic(TOPIC)
    place = (topic, 0)
    questions: dict[Callable[[], object], object] = {
        lambda: log.ends(topic, 0): (0, RECORDS),
        lambda: log.committed(topic, 0): 0,
        lambda: log.settled([place]): {place: RECORDS},
        lambda: sum(map(len, log.read(topic, 0, 0, RECORDS))): RECORDS,
    }
    broker.kill()
    try:
        asked = [beside(question) for question in questions]
        eventually(lambda: "trying again" in caplog.text, what="somebody says that he waits")
        assert not any(found for _, found in asked)
    finally:
        broker.restart()
    for (thread, found), answer in zip(asked, questions.values(), strict=True):
        thread.join(WITHIN)
        assert found == [answer]


def test_a_read_goes_on_where_it_was_when_kafka_went_away(broker, settings):
    batches = KafkaLog(settings.servers, "group").read(settings.topic(TOPIC), 0, 0, RECORDS)
    offsets = [message.offset() for message in next(batches)]
    assert len(offsets) < RECORDS
    broker.kill()
    thread, found = beside(lambda: [message.offset() for messages in batches for message in messages])
    broker.restart()
    thread.join(WITHIN)
    assert offsets + found[0] == list(range(RECORDS))


def test_faust_s_clients_start_when_kafka_is_back(broker, settings):
    async def started() -> set[int]:
        clients = [kind(bootstrap_servers=settings.servers) for kind in (PatientProducer, PatientConsumer)]
        starts = [asyncio.create_task(client.start()) for client in clients]
        done, _ = await asyncio.wait(starts, timeout=2)  # long enough for a client to give up, if it does
        assert not done
        await asyncio.to_thread(broker.restart)
        await asyncio.wait_for(asyncio.gather(*starts), WITHIN)
        parts = await clients[0].partitions_for(settings.topic(TOPIC))
        for client in clients:
            await client.stop()
        return parts

    broker.kill()
    assert asyncio.run(started()) == {0}


def test_who_waits_for_kafka_is_let_go(broker, settings):
    log = KafkaLog(settings.servers, "group")
    broker.kill()
    try:
        thread, found = beside(lambda: log.ends(settings.topic(TOPIC), 0))
        log.stop()
        thread.join(WITHIN)
    finally:
        broker.restart()
    assert isinstance(found[0], ReadError)
