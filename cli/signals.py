"""`laurel signals`: what looks like gaming, of one account or of the most suspicious."""

import json
from typing import Annotated, Any

import typer

from laurel.cli.score import history_of
from laurel.cli.show import console
from laurel.cli.show_signals import nothing_found, of_many, of_one
from laurel.streams import settings as setting
from laurel.streams.calendar import iso
from laurel.streams.codec import Codec
from laurel.streams.days import Record
from laurel.streams.results import Results
from laurel.streams.signal_results import most_suspicious, of_person

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def signals(
    account: Annotated[
        str | None, typer.Argument(help="network:id or member id; without one, the most suspicious of all people")
    ] = None,
    n: Annotated[int, typer.Option("--n", "-n", min=1, max=10_000, help="how many")] = 10,
    bootstrap: Annotated[str | None, typer.Option(help="Kafka, host:port")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print them as JSON")] = False,
) -> None:
    """What looks like gaming about the reactions that people got, apart from their scores, which it never moves.

    None of it proves anything: it says where to look. Whoever opted out is not shown.
    """
    settings, codec = setting.load(bootstrap=bootstrap), Codec()
    results = Results(settings, codec)
    last = results.last_day()["day"]
    if account is None:
        rows = most_suspicious(settings, codec, n, last)
        if as_json:
            print(json.dumps({"day": iso(last), "people": [_as_data(row) for row in rows]}))
        else:
            console().print(of_many(rows, last))
        return
    found = of_person(settings, codec, account, last)
    if found is None:
        history_of(results, account)  # raises for an account that nobody knows
    if as_json:
        print(json.dumps({"day": iso(last), "person": account, "signals": None if found is None else _as_data(found)}))
    else:
        console().print(nothing_found(account, last) if found is None else of_one(found))


def _as_data(record: Record) -> dict[str, Any]:
    return {**record, "day": iso(record["day"])}
