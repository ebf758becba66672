"""Compares laurel's speed with its peers', on one broker, on this machine: `make bench`."""

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from rich.console import Console

from bench import machine, results
from bench.closes import closes
from bench.cluster import Cluster
from bench.measure import Bench, Run
from bench.process import BenchError
from bench.restore import Restores
from bench.results import Case
from bench.systems import FAUST, LAUREL, PEERS_PYTHON, QUIX, ROOT, System
from bench.texts import texts
from bench.workload import Workload
from laurel.ingest import generate
from laurel.models.errors import LaurelError
from laurel.streams.broker import EmbeddedBroker

PARTITIONS = 4
SUMS, STAGES = "decaying sum per user", "both stages"
CASES = ["sums", "stages", "restore", "close", "texts"]
WARM_UP = {LAUREL.name: 100_000, QUIX.name: 20_000, FAUST.name: 3_000}  # events of the run nobody counts
FOLDER = ROOT / "bench" / "results"
PAGE = ROOT / "docs" / "benchmarks.md"

console = Console(stderr=True, highlight=False)


@dataclass(frozen=True)
class Plan:
    """How much to measure."""

    events: int
    faust_events: int
    stages_events: int
    restored: int
    faust_restored: int
    closed: int
    texts: int
    alternatives_texts: int
    runs: int


FULL = Plan(
    events=1_000_000,
    faust_events=30_000,
    stages_events=1_000_000,
    restored=3_000_000,
    faust_restored=200_000,
    closed=1_000_000,
    texts=500_000,
    alternatives_texts=5_000,
    runs=3,
)
QUICK = Plan(
    events=200_000,
    faust_events=5_000,
    stages_events=200_000,
    restored=1_000_000,
    faust_restored=50_000,
    closed=50_000,
    texts=100_000,
    alternatives_texts=1_000,
    runs=1,
)


def main() -> int:
    """Exit status: 0, 1 if a measurement failed or a promise isn't kept."""
    options = _options()
    default = QUICK if options.quick else FULL
    plan = Plan(
        options.events or default.events,
        options.faust_events or default.faust_events,
        options.stages_events or default.stages_events,
        default.restored,
        default.faust_restored,
        default.closed,
        default.texts,
        default.alternatives_texts,
        options.runs or default.runs,
    )
    if not PEERS_PYTHON.exists():
        raise BenchError(f"the peers' environment {PEERS_PYTHON.parent.parent} isn't there: run `make bench`")
    FOLDER.mkdir(exist_ok=True)
    place = machine.machine()
    with EmbeddedBroker() as broker:
        bench = Bench(broker, Cluster(broker.bootstrap, PARTITIONS), FOLDER)
        found: list[Case] = []
        if "sums" in options.only:
            found += _sums(bench, Workload("zipf 1.3 over 100 k users", 100_000, 1.3, plan.events), plan)
            found += _sums(bench, Workload("uniform over 1 M users", 1_000_000, 0, plan.events), plan)
        if "stages" in options.only:
            found += _stages(bench, plan)
        if "restore" in options.only:
            found += _restores(Restores(broker, FOLDER), plan)
        if "close" in options.only:
            found += _closes(plan)
        if "texts" in options.only:
            found += _texts(plan)
    partial = options.quick or set(options.only) != set(CASES)
    path = FOLDER / ("quick.json" if partial else "latest.json")
    written = results.write(path, place, machine.versions(), found)
    print(results.table(written))
    console.print(f"written to {path.relative_to(ROOT)}")
    if partial:
        return 0  # short runs are mostly waiting: they promise nothing
    results.document(PAGE, written)
    missed = results.shortfalls(written)
    for sentence in missed:
        console.print(f"missed: {sentence}", style="bold red")
    return 1 if missed else 0


def _sums(bench: Bench, workload: Workload, plan: Plan) -> list[Case]:
    """Every system on the same records; runs alternate, so that what else the machine does hits all alike."""
    events = {LAUREL.name: plan.events, QUIX.name: plan.events, FAUST.name: plan.faust_events}
    topics: dict[int, str] = {}
    for count in sorted({*events.values(), *WARM_UP.values()}):
        topics[count] = f"engagements-{workload.users}-{count}"
        _load(bench, topics[count], workload.first(count))
    runs: dict[str, list[Run]] = defaultdict(list)
    systems = [LAUREL, QUIX, FAUST]
    for number in range(plan.runs + 1):
        for system in systems:
            count = events[system.name] if number else WARM_UP[system.name]
            run = _told(bench, system, topics[count], workload.first(count), number)
            if number:
                runs[system.name].append(run)
    bench.cluster.delete("engagements-")
    return results.cases(SUMS, workload.name, runs, events)


def _load(bench: Bench, topic: str, workload: Workload) -> None:
    with console.status(f"{workload.name}: publishing {workload.events:,} engagements"):
        bench.cluster.create(topic)
        _exhaust(bench.cluster.load(topic, workload.batches()))


def _told(bench: Bench, system: System, topic: str, workload: Workload, number: int) -> Run:
    label = f"{workload.name}: {system.name}, {f'run {number}' if number else 'warm-up'}"
    with console.status(label):
        run = bench.sums(system, topic, workload)
    console.print(f"{label}: {run.rate:,.0f} events/s, {run.worker_bytes / results.MIB:,.0f} MiB")
    return run


def _stages(bench: Bench, plan: Plan) -> list[Case]:
    runs: dict[str, list[Run]] = defaultdict(list)
    workload = "zipf 1.1 over 100 k accounts"
    for number in range(plan.runs + 1):
        for processes in (1, 2) if number else (1,):
            name = f"laurel, {processes} process{'es' if processes > 1 else ''}"
            events = plan.stages_events if number else WARM_UP[LAUREL.name]
            label = f"{STAGES}: {name}, {f'run {number}' if number else 'warm-up'}"
            with console.status(label):
                run = bench.two_stages(processes, generate.Plan(events, users=100_000, skew=1.1, days=30))
            console.print(f"{label}: {run.rate:,.0f} events/s, {run.worker_bytes / results.MIB:,.0f} MiB")
            if number:
                runs[name].append(run)
    return results.cases(STAGES, workload, runs, dict.fromkeys(runs, plan.stages_events))


def _restores(restores: Restores, plan: Plan) -> list[Case]:
    records = {LAUREL.name: plan.restored, FAUST.name: plan.faust_restored}
    runs: dict[str, list[Run]] = defaultdict(list)
    for number in range(1, plan.runs + 1):
        for system in (LAUREL, FAUST):
            label = f"{results.RESTORE}: {system.name}, run {number}"
            with console.status(label):
                run = restores.run(system, records[system.name])
            console.print(f"{label}: {run.rate:,.0f} records/s, {run.worker_bytes / results.MIB:,.0f} MiB")
            runs[system.name].append(run)
    return results.cases(results.RESTORE, "200 bytes each, every key twice", runs, records, "records/s")


def _closes(plan: Plan) -> list[Case]:
    runs: dict[str, dict[str, list[Run]]] = defaultdict(lambda: defaultdict(list))
    with console.status(f"{results.CLOSE}: {plan.closed:,} accounts"):
        for case, system, run in closes(plan.closed, plan.runs, FOLDER):
            console.print(f"{case}: {system}: {run.rate:,.0f} accounts/s, {run.worker_bytes / results.MIB:,.0f} MiB")
            runs[case][system].append(run)
    return [
        found
        for case, made in runs.items()
        for found in results.cases(case, "90 days of history", made, dict.fromkeys(made, plan.closed), "accounts/s")
    ]


def _texts(plan: Plan) -> list[Case]:
    posts = {LAUREL.name: plan.texts, results.ALTERNATIVES: plan.alternatives_texts}
    runs: dict[str, list[Run]] = defaultdict(list)
    with console.status(f"{results.TEXTS}: {plan.texts:,} posts"):
        for system, run in texts(posts, plan.runs, FOLDER):
            console.print(f"{results.TEXTS}: {system}: {run.rate:,.0f} posts/s of a core")
            runs[system].append(run)
    return results.cases(results.TEXTS, "20 words each, the built-in ontology", runs, posts, "posts/s")


def _exhaust(steps: Iterable[object]) -> None:
    for _ in steps:
        pass


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a short run, into results/quick.json, no page written")
    parser.add_argument("--events", type=int, help="of the decaying sums")
    parser.add_argument("--faust-events", type=int, help="of stock Faust's, which is slow: its figure is a rate")
    parser.add_argument("--stages-events", type=int, help="of the two stages")
    parser.add_argument("--runs", type=int, help="of every case")
    parser.add_argument("--only", nargs="+", choices=CASES, default=CASES)
    return parser.parse_args()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LaurelError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
