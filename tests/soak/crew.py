"""The workers of a round: started, killed, stopped and let go, never waited for; and how much memory they take."""

import resource
import shutil
import signal
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from tests.integration.pipeline import Pipeline, Worker
from tests.soak.schedule import SESSION

# A checkpoint for few rows, so that there are many to be interrupted.
VARIABLES = {
    "LAUREL_CHECKPOINT_SECONDS": "0.2",
    "LAUREL_CHECKPOINT_ROWS": "300",
    "LAUREL_SESSION_SECONDS": f"{SESSION:.0f}",
}
LEAVES_WITHIN = 120.0  # seconds; 10 are promised, on a machine that isn't busy
LEFT = (0, -signal.SIGTERM)  # how a worker ends that was told to leave; the other before Python was up to hear it
FENCED = "belongs to another worker by now"


@dataclass
class Member:
    """A worker, the number of its state folder, and what is done to it."""

    number: int
    worker: Worker
    frozen: bool = False
    stopping: float | None = None  # since when, by the monotonic clock

    @property
    def present(self) -> bool:
        """Whether it was not told to leave."""
        return self.stopping is None


class Crew:
    """All workers; threads may share it."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._lock = threading.RLock()
        self._members: list[Member] = []
        self._numbers = 0
        self.wrong: list[str] = []  # what workers did that they must not
        self.peak = 0  # bytes that one worker took at most

    @property
    def present(self) -> list[Member]:
        """Those that were not told to leave."""
        with self._lock:
            return [member for member in self._members if member.present]

    @property
    def awake(self) -> list[Member]:
        """Those that are present and not stopped."""
        return [member for member in self.present if not member.frozen]

    def join(self) -> Member:
        """A worker with a state folder of its own."""
        with self._lock:
            self._numbers += 1
            return self._start(self._numbers - 1)

    def kill(self, member: Member, *, wipe: bool) -> None:
        """Ends it as a crash does, perhaps with its state, and starts another in its place."""
        with self._lock:
            self.look()
            if member not in self._members:
                return  # it has just ended by itself, which was noted
            self._members.remove(member)
            member.worker.kill()
            if wipe:
                shutil.rmtree(self._pipeline.state(member.number), ignore_errors=True)
            self._start(member.number)

    def leave(self, member: Member) -> None:
        """Tells it to stop."""
        with self._lock:
            member.stopping = monotonic()
            member.worker.process.terminate()

    def freeze(self, member: Member) -> None:
        """Stops it where it is."""
        with self._lock:
            member.frozen = True
            member.worker.process.send_signal(signal.SIGSTOP)

    def thaw(self, member: Member) -> None:
        """Lets it go on, if it is still there."""
        with self._lock:
            member.frozen = False
            if member.worker.alive:
                member.worker.process.send_signal(signal.SIGCONT)

    def look(self) -> None:
        """Notes what has ended and should not have, starts others in their place, and measures the rest."""
        with self._lock:
            for member in list(self._members):
                status = member.worker.process.poll()
                if status is None:
                    self.peak = max(self.peak, _resident(member.worker.process.pid))
                    if member.stopping is not None and monotonic() - member.stopping > LEAVES_WITHIN:
                        self.wrong.append(f"{member.worker.log} does not leave")
                        member.worker.kill()
                        self._members.remove(member)
                    continue
                self._members.remove(member)
                if member.present or status not in LEFT:
                    told = "when told to leave" if not member.present else "by itself"
                    self.wrong.append(f"{member.worker.log}: ended {told}, with exit status {status}")
                if member.present:
                    self._start(member.number)

    def end(self) -> None:
        """Lets all of them leave."""
        for member in self.present:
            self.leave(member)
        while self._members:
            for member in list(self._members):
                member.worker.wait(LEAVES_WITHIN)
            self.look()

    def said(self, text: str) -> int:
        """How often workers have logged something."""
        return sum(worker.log.read_text(errors="replace").count(text) for worker in self._pipeline.workers)

    def _start(self, number: int) -> Member:
        pipeline = self._pipeline
        command = [sys.executable, "-m", "laurel", "worker", "--state", str(pipeline.state(number))]
        log = pipeline.folder / f"worker-{len(pipeline.workers)}.log"
        worker = Worker(command, pipeline.environment | VARIABLES, pipeline.folder, log)
        pipeline.workers.append(worker)
        member = Member(number, worker)
        self._members.append(member)
        return member


def _resident(pid: int) -> int:
    """Bytes of memory that a process takes; 0 if it has just ended."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize()
    except (OSError, IndexError):
        return 0
