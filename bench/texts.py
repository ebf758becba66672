"""Topics of texts on one core, against a regular expression of all names."""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from bench.measure import Run
from bench.process import BenchError, Measured
from bench.results import ALTERNATIVES

DONE_WITHIN = 600.0  # seconds


def texts(posts: Mapping[str, int], runs: int, logs: Path) -> Iterator[tuple[str, Run]]:
    """System and measurement of each run, by processor time; runs alternate. BenchError if a system found nothing."""
    for _ in range(runs):
        for system, name in (("laurel", "laurel"), (ALTERNATIVES, "re")):
            command = [sys.executable, "-m", "bench.texting", name, str(posts[system])]
            with Measured(command, {}, logs / f"texts-{name}.log") as worker:
                found = json.loads(worker.line("done", DONE_WITHIN).removeprefix("done "))
                worker.until(lambda: True, DONE_WITHIN)
            if not found["found"]:
                raise BenchError(f"{system} found no topics in {posts[system]:,} posts: no result")
            yield system, Run(posts[system] / found["seconds"], worker.peak_bytes, 0)
