"""`laurel worker`: runs the agents."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Annotated, Any

import typer

from laurel.agents import arenas
from laurel.agents.stopping import Stopping
from laurel.cli import logs
from laurel.models.errors import LaurelError
from laurel.streams.settings import Settings, load

app = typer.Typer(pretty_exceptions_enable=False)

STOP_WITHIN = 15  # seconds a worker process has to stop before it is killed


@app.command()
def worker(
    bootstrap: Annotated[str | None, typer.Option(help="Kafka bootstrap servers.", metavar="HOST:PORT")] = None,
    state: Annotated[Path | None, typer.Option(help="Folder of the RocksDB stores.")] = None,
    instance: Annotated[str | None, typer.Option(help="Name of this worker in its group, no other's.")] = None,
    processes: Annotated[int, typer.Option(min=1, max=64, help="Worker processes to run.")] = 1,
    metrics_port: Annotated[int | None, typer.Option(help="Prometheus port; 0 takes a free one.")] = None,
    until_idle: Annotated[
        bool, typer.Option("--until-idle", help="Exit once the input is drained and checkpointed.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log what Faust and the client do.")] = False,
) -> None:
    """Run the agents that keep scores, until SIGTERM or Ctrl-C."""
    settings = load(bootstrap=bootstrap, state=state, metrics_port=metrics_port, instance=instance)
    settings.servers  # noqa: B018 (says at once when there is none)
    if processes > 1:
        _many(processes, settings, until_idle=until_idle, verbose=verbose)
    else:
        _one(settings, until_idle=until_idle, verbose=verbose)


def _one(settings: Settings, *, until_idle: bool, verbose: bool) -> None:
    stopping = Stopping()
    arenas.share()
    logs.set_up(verbose=verbose)
    from laurel.agents.worker import Worker  # noqa: PLC0415 (Faust takes a second to import)

    asyncio.run(Worker(settings, stopping, until_idle=until_idle, ready=_say_ready).run())


def _say_ready(port: int) -> None:
    print(json.dumps({"ready": True, "metrics_port": port}), flush=True)


def _many(processes: int, settings: Settings, *, until_idle: bool, verbose: bool) -> None:
    """Runs each worker in a process of its own, in a folder and under a name of its own; one that fails ends them all."""
    options = ["--until-idle"] * until_idle + ["--verbose"] * verbose
    running: list[subprocess.Popen[bytes]] = []

    told = threading.Event()

    def end(*_: Any, by: int = signal.SIGTERM) -> None:
        told.set()
        for process in running:
            if process.returncode is None:
                os.kill(process.pid, by)  # its number is its own until the loop below has collected it
        signal.alarm(STOP_WITHIN)

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGALRM, lambda *_: end(by=signal.SIGKILL))
    for number in range(processes):
        running.append(subprocess.Popen([*_command(settings, number), *options]))  # noqa: PERF401, S603 (our own command; whoever is told to stop meanwhile finds it)
    if told.is_set():
        end()  # also those that were started meanwhile
    while waiting := [process for process in running if process.returncode is None]:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)  # until any of them has ended
        for process in waiting:
            if process.poll():
                end()
    signal.alarm(0)
    failed = sum(process.returncode != 0 for process in running)
    if failed:
        raise LaurelError(f"{failed} of {processes} worker processes failed; their messages are above")


def _command(settings: Settings, number: int) -> list[str]:
    """The command of one of several workers."""
    port = settings.metrics_port + number if settings.metrics_port else 0
    place = ["--bootstrap", settings.servers, "--state", str(settings.state / str(number)), "--metrics-port", str(port)]
    name = [] if settings.instance is None else ["--instance", f"{settings.instance}-{number}"]
    return [sys.executable, "-m", "laurel", "worker", *place, *name]
