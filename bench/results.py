"""Results as JSON, as a table, and in the documentation."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench.measure import Run
from bench.process import BenchError

MARKERS = ("<!-- results: written by `make bench` -->", "<!-- end of results -->")
RAW = "rocksdict alone"
ALTERNATIVES = "re, all names as alternatives"
# How many times as fast as them laurel must be: at the decaying sums, at a close as going over the same states without doing anything, and at
# finding topics.
FLOORS = {"faust": 30.0, "quix streams": 3.0, RAW: 0.5, ALTERNATIVES: 10.0}
CLOSE = "close of a day"
CLOSE_PROCESSOR = "close of a day, by processor time"  # told, not promised
RESTORE, TEXTS = "restore of a partition", "topics of texts"
LEAST = {RESTORE: 300_000.0, TEXTS: 100_000.0}  # records and posts a second that laurel must do
MEMORY_LIMIT = 1 << 30  # bytes of a laurel worker
MIB = 1 << 20


@dataclass(frozen=True)
class Case:
    """One system on one workload. `ratio_of_laurel` is laurel's median over this one's; None where nothing is compared.

    `runs` and `median` are rates, `worker_bytes` and `broker_bytes` the most memory of any run.
    """

    case: str
    workload: str
    system: str
    events: int
    runs: list[float]
    median: float
    unit: str
    ratio_of_laurel: float | None
    worker_bytes: int
    broker_bytes: int


def cases(
    case: str, workload: str, runs: Mapping[str, Sequence[Run]], events: Mapping[str, int], unit: str = "events/s"
) -> list[Case]:
    """What the runs of some systems on one workload come to, in the order given."""
    medians = {system: median(run.rate for run in made) for system, made in runs.items()}
    laurel = medians.get("laurel")
    return [
        Case(
            case,
            workload,
            system,
            events[system],
            [round(run.rate, 1) for run in made],
            round(medians[system], 1),
            unit,
            None if laurel is None else round(laurel / medians[system], 2),
            max(run.worker_bytes for run in made),
            max(run.broker_bytes for run in made),
        )
        for system, made in runs.items()
    ]


def write(path: Path, machine: Mapping[str, Any], versions: Mapping[str, Any], found: Sequence[Case]) -> dict[str, Any]:
    """Writes the JSON file, and returns what it holds."""
    results = {"machine": machine, "versions": versions, "cases": [asdict(case) for case in found]}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(results, indent=2) + "\n")
    return results


def table(results: Mapping[str, Any]) -> str:
    """A Markdown table of the results, and a line on the machine."""
    machine, ours, theirs = results["machine"], results["versions"]["laurel"], results["versions"]["peers"]
    lines = [
        "| what | workload | system | a second (median) | runs | laurel is | worker memory | broker memory |",
        "|---|---|---|--:|---|--:|--:|--:|",
    ]
    for case in results["cases"]:
        ratio = case["ratio_of_laurel"]
        compared = "" if ratio is None or case["system"] == "laurel" else f"{_number(ratio)} x as fast"
        runs = ", ".join(f"{rate:,.0f}" for rate in case["runs"])
        broker = f"{case['broker_bytes'] / MIB:,.0f} MiB" if case["broker_bytes"] else ""
        lines.append(
            f"| {case['case']} | {case['workload']}, {case['events']:,} {case['unit'].removesuffix('/s')} | {case['system']} | {case['median']:,.0f} "
            f"| {runs} | {compared} | {case['worker_bytes'] / MIB:,.0f} MiB | {broker} |"
        )
    where = (
        f"{machine['cores']} cores ({machine['processor']}), {machine['memory_bytes'] / (1 << 30):.0f} GiB, "
        f"{machine['system']}, Python {machine['python']}, Kafka {results['versions']['broker']['kafka']} on the same cores, "
        f"load {machine['load']} before; "
        f"laurel {ours['laurel']}, faust-streaming {theirs['faust-streaming']}, quixstreams {theirs['quixstreams']}."
    )
    return "\n".join([*lines, "", where])


def document(path: Path, results: Mapping[str, Any]) -> None:
    """Puts the table between the page's markers; BenchError if it has none."""
    text = path.read_text()
    begin, end = MARKERS
    if text.count(begin) != 1 or text.count(end) != 1:
        raise BenchError(f"{path} needs the lines {begin} and {end}, once each, for the table to go between them")
    before, rest = text.split(begin)
    path.write_text(f"{before}{begin}\n{table(results)}\n{end}{rest.split(end)[1]}")


def shortfalls(results: Mapping[str, Any]) -> list[str]:
    """Which promises the results don't keep, a sentence each."""
    found = []
    for case in results["cases"]:
        floor, ratio, place = FLOORS.get(case["system"]), case["ratio_of_laurel"], f"{case['case']}, {case['workload']}"
        least = LEAST.get(case["case"], 0.0)
        if case["system"] == "laurel" and case["median"] < least:
            found.append(f"{place}: {case['median']:,.0f} {case['unit']}, not {least:,.0f}")
        if case["case"] not in {RESTORE, CLOSE_PROCESSOR} and floor is not None and ratio is not None and ratio < floor:
            found.append(f"{place}: laurel is {_number(ratio)} times as fast as {case['system']}, not {floor:g}")
        if case["system"].startswith("laurel") and case["worker_bytes"] > MEMORY_LIMIT:
            found.append(f"{place}: a worker of {case['system']} took {case['worker_bytes'] / MIB:,.0f} MiB")
    return found


def _number(ratio: float) -> str:
    return f"{ratio:.1f}" if ratio >= 1 else f"{ratio:.2f}"
