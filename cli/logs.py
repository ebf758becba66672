"""What a worker logs: what is its own, and of what its libraries say all but the endless repetitions."""

import logging
import re
from time import monotonic

SAME_AGAIN = 10.0  # seconds until a library's line of one kind is logged again
KINDS = 1_000  # kinds of lines remembered
# While no broker answers, each client says so many times a second. The worker says it once, see streams/presence.py.
ABSENCE = re.compile(
    r"NodeNotReady|ConnectionError|Unable connect to node|Unable to (update metadata|bootstrap)|RequestTimedOut"
    r"|coordinator dead|[Cc]oordinator(Not| not )(Available|available)|Heartbeat session expired"
    r"|either not started or not valid|brokers are down|Connect to .* failed|Connection refused|Disconnected|timed out|setup in state|Connection reset"
)
CLIENTS = ("laurel.streams.outbox", "laurel.streams.transport", "laurel.streams.writer")


class Calm(logging.Filter):
    """Drops what clients say about brokers that don't answer, and of other lines of theirs what was said a moment ago."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record is to be logged."""
        if record.name.startswith("laurel") and record.name not in CLIENTS:
            return True
        if ABSENCE.search(record.getMessage()):
            return False
        kind, now = (record.name, str(record.msg)), monotonic()
        if now - self._said.get(kind, -SAME_AGAIN) < SAME_AGAIN:
            return False
        if len(self._said) >= KINDS:
            self._said.clear()
        self._said[kind] = now
        return True


def set_up(*, verbose: bool) -> None:
    """Logs to the standard error output: this package from INFO on, libraries from WARNING on; verbose: all from INFO on."""
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("laurel").setLevel(logging.INFO)
    if not verbose:
        for handler in logging.getLogger().handlers:
            handler.addFilter(Calm())
