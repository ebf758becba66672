"""Worker processes of the demo: started, watched, counted, and gone when it is."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from prometheus_client.parser import text_string_to_metric_families

from laurel.models.errors import LaurelError
from laurel.streams.settings import Settings

READY_WITHIN = 60.0  # seconds for workers to start
STOP_WITHIN = 15.0  # seconds for workers to stop before they are killed
ANSWER_WITHIN = 10.0  # seconds for a worker to answer with its metrics
LOOK_EVERY = 0.05  # seconds
LOG_LINES = 12  # lines of a worker's log that an error shows
WEIGHED = "laurel_events_weighed"
# Kills the whole group of a worker whose starter is gone, however it went: the shell's input ends then.
GUARD = 'read -r _; kill -9 "-$0"'


class WorkersError(LaurelError):
    """Workers didn't start or ended by themselves; the message has the end of their log."""


class Workers:
    """`laurel worker` with some processes, for the length of a `with` statement, in a session of its own.

    So Ctrl-C in a terminal reaches only this process, which then ends the workers in order.
    """

    def __init__(self, settings: Settings, processes: int, folder: Path) -> None:
        """`folder` gets `worker.log` and `worker.out`; what the workers are to use is in `settings`."""
        self._settings, self._processes = settings, processes
        self._log, self._out = folder / "worker.log", folder / "worker.out"
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        self._ports: list[int] = []

    def __enter__(self) -> Self:
        try:
            self._start()
            self._wait()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def check(self) -> None:
        """Raises WorkersError if the workers have ended."""
        if self._process is not None and self._process.poll() is not None:
            raise WorkersError(f"the worker ended by itself, with exit status {self._process.returncode}{self._end()}")

    def weighed(self) -> Counter[str]:
        """Engagements by what became of them, as the workers have counted so far. Raises WorkersError."""
        counts: Counter[str] = Counter()
        for port in self._ports:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=ANSWER_WITHIN) as answer:
                    text = answer.read().decode()
            except OSError as error:
                self.check()
                raise WorkersError(f"a worker's metrics at port {port} can't be read: {error}") from None
            for family in text_string_to_metric_families(text):
                for sample in family.samples:
                    if family.name == WEIGHED and sample.name == f"{WEIGHED}_total":
                        counts[sample.labels["outcome"]] += int(sample.value)
        return counts

    def stop(self) -> None:
        """Asks the workers to stop, and kills those that don't. May be called again."""
        process, guard = self._process, self._guard
        try:
            if process is not None and process.poll() is None:
                process.terminate()
                with suppress(subprocess.TimeoutExpired):
                    process.wait(STOP_WITHIN)
        finally:
            if process is not None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)  # whoever is left of its group
                process.wait()
            if guard is not None:
                guard.kill()
                if guard.stdin is not None:
                    guard.stdin.close()
                guard.wait()
            self._process = self._guard = None

    def _start(self) -> None:
        settings = self._settings
        command = [
            *(
                sys.executable,
                "-m",
                "laurel",
                "worker",
                "--bootstrap",
                settings.servers,
                "--state",
                str(settings.state),
            ),
            *("--processes", str(self._processes), "--metrics-port", "0"),
        ]
        with self._out.open("wb") as out, self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 (our own command, without a shell)
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=log,
                env=os.environ | environment(settings),
                start_new_session=True,
            )
        self._guard = subprocess.Popen(  # noqa: S603 (a constant script and a number)
            ["/bin/sh", "-c", GUARD, str(self._process.pid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _wait(self) -> None:
        """Until all processes have said that they are ready."""
        deadline = time.monotonic() + READY_WITHIN
        while len(self._ports) < self._processes:
            self.check()
            if time.monotonic() > deadline:
                raise WorkersError(f"the worker is not ready after {READY_WITHIN:.0f} s{self._end()}")
            lines = self._out.read_text(errors="replace").splitlines(keepends=True)
            self._ports = [json.loads(line)["metrics_port"] for line in lines if line.endswith("\n")]
            time.sleep(LOOK_EVERY)

    def _end(self) -> str:
        lines = self._log.read_text(errors="replace").splitlines()[-LOG_LINES:]
        return f"; the end of {self._log}:\n" + "\n".join(f"  {line}" for line in lines) if lines else ""


def environment(settings: Settings) -> Mapping[str, str]:
    """What workers on the demo's own broker must not take from the settings of somebody's real one, nor leave behind."""
    return {
        "LAUREL_TOPIC_PREFIX": settings.topic_prefix,
        "LAUREL_REPLICATION": str(settings.replication),
        "LAUREL_METRICS_HOST": settings.metrics_host,
        "LAUREL_CLOSE_AFTER_MINUTES": str(settings.close_after_minutes),
    }
