"""The folder an embedded broker keeps its data in: one broker at a time, and never somebody else's files."""

import fcntl
import os
import shutil
import time
from contextlib import suppress
from pathlib import Path

from laurel.models.errors import LaurelError

LOCK = "broker.lock"  # also the mark of a folder that is ours to write in and to clean
GRACE = 5.0  # seconds that a broker may need to vanish after whoever started it was killed


class BrokerFolderError(LaurelError):
    """The data folder can't be used; the message names it and says why."""


class BrokerFolder:
    """A claim on a data folder, held from construction until `release`, or until every process that inherited it ends.

    Holds `broker.lock` (who holds the claim), `server.properties`, `broker.log`, `kafka/` (the records) and `tmp/`.
    """

    def __init__(self, path: Path) -> None:
        """Claim `path`, making it if it doesn't exist.

        Raises BrokerFolderError if another broker holds it, if it holds anything else, or if it can't be written.
        """
        self.path = path.absolute()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            if not (self.path / LOCK).exists() and any(self.path.iterdir()):
                raise BrokerFolderError(
                    f"{self.path} holds files that are not a broker's; give an empty or a new folder"
                )
            self._lock = os.open(self.path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise BrokerFolderError(f"can't keep a broker's data in {self.path}: {error.strerror or error}") from error
        try:
            self._claim()
            self.write_holder("starting")
        except BaseException:
            os.close(self._lock)
            raise

    def _claim(self) -> None:
        deadline = time.monotonic() + GRACE
        while True:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                pid, _, where = os.pread(self._lock, 200, 0).decode(errors="replace").strip().partition(" ")
            if time.monotonic() > deadline or not pid.isdigit() or _runs(int(pid)):
                raise BrokerFolderError(
                    f"{self.path} is in use by the broker of process {pid or 'unknown'} ({where or 'starting'}); "
                    "stop that one, or give another folder"
                )
            time.sleep(0.02)

    @property
    def log(self) -> Path:
        """The broker's log, of the current start."""
        return self.path / "broker.log"

    @property
    def records(self) -> Path:
        """The folder of Kafka's own files."""
        return self.path / "kafka"

    @property
    def lock(self) -> int:
        """Descriptor of the lock: a child process that inherits it keeps the claim for as long as it lives."""
        return self._lock

    def write_holder(self, bootstrap: str) -> None:
        """Record this process and the broker's address, for the sentence that refuses a second broker."""
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, f"{os.getpid()} {bootstrap}\n".encode(), 0)

    def clean(self) -> None:
        """Delete everything but the claim."""
        for entry in self.path.iterdir():
            if entry.name == LOCK:
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()

    def release(self) -> None:
        """Give up the claim; may be called again."""
        with suppress(OSError):
            os.close(self._lock)
        self._lock = -1


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
