"""`laurel explain`: why an account has its score."""

import json
from typing import Annotated

import typer

from laurel.cli.score import as_data, history_of
from laurel.cli.show import console
from laurel.cli.show_change import sentences_of
from laurel.cli.show_results import explanation
from laurel.streams import settings as setting
from laurel.streams.calendar import iso
from laurel.streams.results import Results

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def explain(
    account: Annotated[str, typer.Argument(help="network:id, such as twitter:42")],
    bootstrap: Annotated[str | None, typer.Option(help="Kafka, host:port")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print all of it as JSON")] = False,
) -> None:
    """What an account's newest score is made of, line by line, why it moved since the day before, in parts and in words, and its sashes.

    The lines sum to the score, and their changes to its change (which needs the day before to be still in the topic).
    """
    results = Results(setting.load(bootstrap=bootstrap))
    last = results.last_day()
    history = history_of(results, account)
    worn = results.sashes(account)
    if as_json:
        past = [{"day": iso(record["day"]), "score": record["score"]} for record in history]
        sashes = [{**event, "day": iso(event["day"])} for event in worn]
        told = {"sentences": sentences_of(history[-1]), "sashes": sashes, "history": past, "people": last["people"]}
        print(json.dumps(as_data(history[-1]) | told))
    else:
        console().print(explanation(history[-1], history, worn, last["people"]))
