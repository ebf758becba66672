"""The embedded broker: that it is a whole Kafka, keeps what it is given, and leaves nothing behind."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType

from laurel.streams.broker import BrokerError, EmbeddedBroker
from laurel.streams.broker_folder import BrokerFolder, BrokerFolderError

QUIET = {"log_level": 0}
THE_PAST = 1_325_376_000_000  # 2012-01-01, epoch milliseconds


def until(condition: Callable[[], object], seconds: float = 20) -> None:
    """Poll until the condition holds; fail when it doesn't in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    """Whether the process exists and is not a zombie that waits to be collected."""
    with contextlib.suppress(FileNotFoundError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def create(bootstrap: str, topic: str, partitions: int = 1, **config: str) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap, **QUIET})
    admin.create_topics([NewTopic(topic, partitions, 1, config=config)])[topic].result(30)


def produce(bootstrap: str, topic: str, values: list[bytes], **config: object) -> None:
    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all", "linger.ms": 20, **QUIET, **config})
    for value in values:
        producer.produce(topic, value, timestamp=THE_PAST)
    assert producer.flush(30) == 0


@contextlib.contextmanager
def subscribed(bootstrap: str, topic: str, **config: object) -> Iterator[Consumer]:
    settings = {
        "bootstrap.servers": bootstrap,
        "group.id": f"{topic}-readers",
        "auto.offset.reset": "earliest",
        **QUIET,
    }
    consumer = Consumer({**settings, **config})
    consumer.subscribe([topic])
    try:
        yield consumer
    finally:
        consumer.close()


def read(bootstrap: str, topic: str, count: int, **config: object) -> list[bytes]:
    with subscribed(bootstrap, topic, **config) as consumer:
        values: list[bytes] = []
        until(
            lambda: (
                values.extend(m.value() for m in consumer.consume(count, 0.2) if not m.error()) or len(values) >= count
            )
        )
        return values


@contextlib.contextmanager
def laurel_up(*options: str, **popen: object) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "laurel", "up", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **popen)
    with process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedBroker]:
    """A broker to be restarted and killed, in a folder whose name is hard to write into a Java properties file."""
    with EmbeddedBroker(tmp_path_factory.mktemp("data") / "a, b=ü#€") as broker:
        yield broker


def test_records_of_the_past_survive_a_restart_on_the_same_port(broker, prefix):
    create(broker.bootstrap, f"{prefix}kept")
    produce(broker.bootstrap, f"{prefix}kept", [b"one", b"two"])
    before = broker.bootstrap, broker.pid
    broker.restart()
    assert broker.bootstrap == before[0]
    assert broker.pid != before[1]
    assert read(broker.bootstrap, f"{prefix}kept", 2) == [b"one", b"two"]


def test_acknowledged_records_survive_a_crash(broker, prefix):
    create(broker.bootstrap, f"{prefix}kept")
    produce(broker.bootstrap, f"{prefix}kept", [b"%d" % i for i in range(5_000)])
    crashed = broker.pid
    broker.kill()
    assert not is_running(crashed)
    broker.restart()
    assert read(broker.bootstrap, f"{prefix}kept", 5_000) == [b"%d" % i for i in range(5_000)]


def test_a_broker_that_ends_by_itself_is_reported_with_the_end_of_its_log(broker):
    os.kill(broker.pid, signal.SIGKILL)
    with pytest.raises(BrokerError, match=r"exit status -9; the end of .*broker\.log"):
        broker.wait()
    broker.restart()


def test_records_are_not_deleted_for_their_age(kafka, prefix):
    create(kafka, f"{prefix}t")
    resource = ConfigResource(ResourceType.TOPIC, f"{prefix}t")
    admin = AdminClient({"bootstrap.servers": kafka})
    config = admin.describe_configs([resource])[resource].result(30)
    assert config["retention.ms"].value == config["retention.bytes"].value == "-1"


def test_a_topic_nobody_created_does_not_appear(kafka, prefix):
    produce(kafka, f"{prefix}typo", [b"x"], **{"message.timeout.ms": 1_000})
    assert f"{prefix}typo" not in AdminClient({"bootstrap.servers": kafka}).list_topics(timeout=20).topics


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
def test_the_broker_can_read_and_write_every_compression(kafka, prefix, codec):
    other = "lz4" if codec == "zstd" else "zstd"
    create(kafka, f"{prefix}t", **{"compression.type": other})  # so it unpacks one and packs another
    values = [b"%d" % i * 20 for i in range(200)]
    produce(kafka, f"{prefix}t", values, **{"compression.type": codec})
    assert read(kafka, f"{prefix}t", 200) == values


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_both_consumer_group_protocols_work(kafka, prefix, protocol):
    create(kafka, f"{prefix}t", partitions=3)
    produce(kafka, f"{prefix}t", [b"x"])
    assert read(kafka, f"^{prefix}t", 1, **{"group.protocol": protocol, "group.id": f"{prefix}g"}) == [b"x"]


def test_a_killed_member_may_be_noticed_within_two_seconds(kafka, prefix):
    create(kafka, f"{prefix}t")
    produce(kafka, f"{prefix}t", [b"x"])
    assert read(kafka, f"{prefix}t", 1, **{"session.timeout.ms": 2_000}) == [b"x"]


def test_transactions_work(kafka, prefix):
    create(kafka, f"{prefix}t")
    producer = Producer({"bootstrap.servers": kafka, "transactional.id": f"{prefix}id", **QUIET})
    producer.init_transactions(30)
    for value, end in ((b"aborted", producer.abort_transaction), (b"committed", producer.commit_transaction)):
        producer.begin_transaction()
        producer.produce(f"{prefix}t", value)
        producer.flush(30)
        end(30)
    assert read(kafka, f"{prefix}t", 1, **{"isolation.level": "read_committed"}) == [b"committed"]


def test_a_temporary_broker_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    broker = EmbeddedBroker()
    broker.start()
    [folder] = tmp_path.iterdir()
    assert (folder / "kafka").is_dir()
    pid = broker.pid
    broker.stop()
    assert broker.pid is None
    assert not is_running(pid)
    assert not any(tmp_path.iterdir())
    broker.stop()


def test_a_broker_outlives_the_thread_that_started_it_and_ends_with_its_process(tmp_path):
    story = f"""
import sys, threading
from pathlib import Path
from laurel.streams.broker import EmbeddedBroker
broker = EmbeddedBroker(Path({str(tmp_path / "data")!r}))
starter = threading.Thread(target=broker.start)
starter.start(); starter.join()
print(broker.pid, broker.bootstrap, flush=True)
sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", story], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        pid, bootstrap = parent.stdout.readline().split()
        assert AdminClient({"bootstrap.servers": bootstrap, **QUIET}).list_topics(timeout=20).brokers
        parent.kill()
    with EmbeddedBroker(tmp_path / "data"):  # the claim passes on as soon as the orphan is gone
        assert not is_running(int(pid))


def test_a_second_broker_on_the_same_folder_is_refused_and_told_whose_it_is(tmp_path):
    first = BrokerFolder(tmp_path / "data")
    first.write_holder("127.0.0.1:1234")
    with pytest.raises(
        BrokerFolderError, match=rf"{tmp_path}/data is in use .* process {os.getpid()} \(127\.0\.0\.1:1234\)"
    ):
        EmbeddedBroker(tmp_path / "data", clean=True).start()
    first.release()
    BrokerFolder(tmp_path / "data").release()


def test_a_folder_of_other_files_is_neither_used_nor_cleaned(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    for clean in (False, True):
        with pytest.raises(BrokerFolderError, match="not a broker's"):
            EmbeddedBroker(tmp_path, clean=clean).start()
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_data_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "data").touch()
    with pytest.raises(BrokerFolderError, match=f"can't keep a broker's data in {tmp_path}/data"):
        EmbeddedBroker(tmp_path / "data").start()


def test_cleaning_deletes_what_was_there_but_not_what_a_link_points_to(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "file").touch()
    folder = BrokerFolder(tmp_path / "data")
    folder.records.mkdir()
    (folder.records / "old").touch()
    (folder.path / "link").symlink_to(tmp_path / "elsewhere")
    folder.clean()
    assert [path.name for path in folder.path.iterdir()] == ["broker.lock"]
    assert (tmp_path / "elsewhere" / "file").exists()
    folder.release()


def test_records_that_kafka_cannot_open_are_refused_with_the_end_of_its_log(tmp_path):
    folder = BrokerFolder(tmp_path / "data")
    folder.records.mkdir()
    (folder.records / "meta.properties").write_text("version=1\ncluster.id=x\nnode.id=7\n")
    folder.release()
    broker = EmbeddedBroker(tmp_path / "data")
    with pytest.raises(BrokerError, match=r"doesn't start; the end of .*\n(.*\n)*.*node id"):
        broker.start()
    BrokerFolder(tmp_path / "data").release()


def test_a_port_in_use_and_an_address_of_another_machine_are_refused(kafka, tmp_path):
    port = int(kafka.rpartition(":")[2])
    with pytest.raises(BrokerError, match=rf"port {port} of 127\.0\.0\.1 is in use"):
        EmbeddedBroker(tmp_path / "data", port).start()
    with pytest.raises(BrokerError, match=r"can't listen on 192\.0\.2\.1"):
        EmbeddedBroker(tmp_path / "data", host="192.0.2.1").start()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_laurel_up_says_when_it_is_ready_and_stops_cleanly_on_a_signal(tmp_path, number):
    def as_a_background_job() -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    data = tmp_path / "data"
    with laurel_up("--data", str(data), preexec_fn=as_a_background_job) as process:
        word, bootstrap = process.stdout.readline().split()
        assert word == "ready"
        assert AdminClient({"bootstrap.servers": bootstrap, **QUIET}).list_topics(timeout=20).brokers
        process.send_signal(number)
        assert process.wait(30) == 0
        assert process.communicate() == ("", "")
    assert (data / "kafka" / ".kafka_cleanshutdown").exists()
    BrokerFolder(data).release()


def test_laurel_up_prints_json_and_fails_with_a_sentence(tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").touch()
    with laurel_up("--data", str(tmp_path / "other"), "--clean") as process:
        out, error = process.communicate(timeout=60)
        assert (out, process.returncode) == ("", 1)
        assert error.startswith("error: ")
        assert error.count("\n") == 1
    with laurel_up("--data", str(tmp_path / "data"), "--json") as process:
        bootstrap = json.loads(process.stdout.readline())["bootstrap"]
        assert bootstrap.startswith("127.0.0.1:")
        process.terminate()
        assert process.wait(30) == 0
