"""`laurel up`: a real Kafka broker in the foreground."""

import json
import signal
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from laurel.streams.broker import EmbeddedBroker

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def up(
    port: Annotated[int, typer.Option(min=0, max=65_535, help="port to listen on; 0 takes a free one")] = 0,
    data: Annotated[Path, typer.Option(help="folder of the broker's records, kept when it stops")] = Path(
        ".laurel/broker"
    ),
    clean: Annotated[
        bool, typer.Option("--clean", help="first delete what an earlier broker left in that folder")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print the address as JSON")] = False,
) -> None:
    """Run a real Kafka broker here until Ctrl-C, and say when it is ready.

    The first run downloads Apache Kafka (39 MB) and checks every file's SHA-256; later ones need no network. Clients
    on this machine reach the broker without a password, others not at all.
    """
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell starts background jobs with SIGINT ignored
        signal.signal(number, _interrupt)
    try:
        with EmbeddedBroker(data, port, clean=clean) as broker:
            print(json.dumps({"bootstrap": broker.bootstrap}) if as_json else f"ready {broker.bootstrap}", flush=True)
            broker.wait()
    except KeyboardInterrupt:
        return


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
