"""A measured process: what it says, whether it lives, and how much memory it takes."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from time import monotonic, sleep
from types import TracebackType
from typing import Self

from laurel.models.errors import LaurelError

STOP_WITHIN = 60.0  # seconds after SIGTERM until it is killed
LOOK_EVERY = 0.01  # seconds between looks at what is waited for
LOG_LINES = 15  # last lines of the log in an error
WEIGH_EVERY = 0.2  # seconds between looks at its memory


class BenchError(LaurelError):
    """A measurement can't be made; the message says which and why."""


class Measured:
    """A child process from the start to the end of a `with` statement; `peak_bytes` is its largest memory until then."""

    def __init__(self, command: Sequence[str], variables: Mapping[str, str], log: Path) -> None:
        self._command, self._variables, self._log = command, variables, log
        self._lines: SimpleQueue[str] = SimpleQueue()
        self.peak_bytes = 0

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command, env=os.environ | self._variables, stdout=subprocess.PIPE, stderr=log, text=True
            )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line.rstrip())

    def line(self, begin: str, within: float) -> str:
        """The next line it prints that begins so; BenchError if none comes."""
        deadline = monotonic() + within
        while (left := deadline - monotonic()) > 0:
            try:
                line = self._lines.get(timeout=min(left, 0.1))
            except Empty:
                if not self._reader.is_alive() and self._lines.empty():
                    break
                continue
            if line.startswith(begin):
                return line
        raise BenchError(f"{self._name} did not begin to work{self._log_end()}")

    def until(self, condition: Callable[[], bool], within: float) -> float:
        """Waits for the condition and returns when it was seen to hold (monotonic); BenchError if it doesn't come."""
        deadline, weighed = monotonic() + within, 0.0
        while (now := monotonic()) < deadline:
            if now - weighed > WEIGH_EVERY:
                weighed, self.peak_bytes = now, max(self.peak_bytes, memory_bytes(self._process.pid))
            alive = self._reader.is_alive()
            if condition():
                return monotonic()
            if not alive:  # before the look, so that what it did last was seen
                raise BenchError(f"{self._name} ended before its work did{self._log_end()}")
            sleep(LOOK_EVERY)
        raise BenchError(f"{self._name} was not done within {within:.0f} s{self._log_end()}")

    @property
    def _name(self) -> str:
        return " ".join(Path(part).name for part in self._command[:3])

    def _log_end(self) -> str:
        lines = re.sub(r"\x1b\[[0-9;]*m", "", self._log.read_text(errors="replace")).splitlines()[-LOG_LINES:]
        return f"; the end of {self._log}:\n" + "\n".join(f"  {line}" for line in lines)


def memory_bytes(pid: int) -> int:
    """Memory of the largest of a process and its children: the peak on Linux, the present elsewhere; 0 if there is none."""
    if sys.platform != "linux":
        found = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,rss="], capture_output=True, text=True, check=True)
        rows = [tuple(map(int, line.split())) for line in found.stdout.splitlines()]
        return max((rss * 1024 for process, parent, rss in rows if pid in {process, parent}), default=0)
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        peaks = [
            re.search(r"^VmHWM:\s*(\d+) kB", Path(f"/proc/{process}/status").read_text(), re.MULTILINE)
            for process in (pid, *children)
        ]
    except (FileNotFoundError, ProcessLookupError):  # it has just ended
        return 0
    return max((int(peak[1]) * 1024 for peak in peaks if peak), default=0)
