"""The close of a day over a partition of many accounts, against going over the same states without doing anything."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.histories import fill
from bench.measure import Run, states
from bench.process import BenchError, Measured
from bench.results import CLOSE, CLOSE_PROCESSOR, RAW
from laurel.streams.store import Store

DONE_WITHIN = 600.0  # seconds


def closes(accounts: int, runs: int, logs: Path) -> Iterator[tuple[str, str, Run]]:
    """Case, system and measurement of each run, on one store; runs alternate. BenchError if not everybody got a score.

    Users a second are by the clock, which is what is promised; by the processor time of all threads they are told beside it.
    """
    with states() as folder:
        place = Path(folder) / "targets-0"
        store = Store(place)
        fill(store, accounts)
        store.close()
        for _ in range(runs):
            for what, system in (("iterate", RAW), ("close", "laurel")):
                found, memory = _measured(what, place, logs)
                if what == "close" and found["scored"] != accounts:
                    raise BenchError(f"a close scored {found['scored']:,} of {accounts:,} accounts: no result")
                yield CLOSE, system, Run(accounts / sum(found["seconds"]), memory, 0)
                yield CLOSE_PROCESSOR, system, Run(accounts / sum(found["processor"]), memory, 0)
            for name, seconds in zip(("influence counted", "scores published"), found["seconds"], strict=True):
                yield f"{CLOSE}: {name}", "laurel", Run(accounts / seconds, memory, 0)


def _measured(what: str, place: Path, logs: Path) -> tuple[dict[str, Any], int]:
    """What a process of its own found out, and its peak memory, bytes."""
    command = [sys.executable, "-m", "bench.closing", what, str(place)]
    with Measured(command, {}, logs / f"{what}.log") as worker:
        found = json.loads(worker.line("done", DONE_WITHIN).removeprefix("done "))
        worker.until(lambda: True, DONE_WITHIN)
        return found, worker.peak_bytes
