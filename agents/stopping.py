"""Being told to stop: once is enough, and a moment later the process is gone, whatever may hang.

What a worker has not checkpointed is done again by whoever has its partitions next, as after a crash. So when Kafka is
away, or a disk is slow, there is nothing to wait for longer.
"""

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType

LEAVE_WITHIN = 8.0  # seconds to finish in order; Kubernetes and systemd give more before they kill

log = logging.getLogger(__name__)


class Stopping:
    """SIGTERM and SIGINT (Ctrl-C) of this process, from construction on: the first asks to stop, more change nothing."""

    def __init__(self) -> None:
        self._asked = False
        self._wake: Callable[[], None] = lambda: None
        self._deadline: threading.Timer | None = None
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._signalled)

    def wake(self, wake: Callable[[], None]) -> None:
        """`wake` is called, from any thread or a signal handler, when the process is to stop; at once if it is already."""
        self._wake = wake
        if self._asked:
            wake()

    def begin(self, status: int) -> None:
        """From now on the process has a few seconds to end by itself, then it ends with this exit status."""
        if self._deadline is not None:
            return
        self._deadline = threading.Timer(LEAVE_WITHIN, _leave, [status])
        self._deadline.daemon = True
        self._deadline.start()

    def _signalled(self, _number: int, _frame: FrameType | None) -> None:
        self._asked = True
        self._wake()
        self.begin(0)


def _leave(status: int) -> None:
    log.warning("not everything ended within %.0f s: leaving, what is not checkpointed is done again", LEAVE_WITHIN)
    logging.shutdown()
    sys.stdout.flush()
    os._exit(status)
