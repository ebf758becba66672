"""`laurel score`: one account's score."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from laurel.cli.show import console, plain
from laurel.cli.show_results import score_line
from laurel.streams import settings as setting
from laurel.streams.calendar import iso
from laurel.streams.results import Results, ResultsError

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def score(
    account: Annotated[str, typer.Argument(help="network:id, such as twitter:42")],
    bootstrap: Annotated[str | None, typer.Option(help="Kafka, host:port")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print the score update as JSON")] = False,
) -> None:
    """The newest score of an account, what it moved by, and where it stands among all people."""
    results = Results(setting.load(bootstrap=bootstrap))
    last = results.last_day()
    update = history_of(results, account)[-1]
    if as_json:
        print(json.dumps(as_data(update)))
    else:
        console().print(score_line(update, last["day"]))


def history_of(results: Results, account: str) -> list[dict[str, Any]]:
    """The account's score updates by day, at least one; ResultsError that names accounts like it if there is none."""
    history = results.history([account])[account]
    if history:
        return history
    meant = results.near("score-updates", account)
    hint = f"; did you mean {' or '.join(plain(name) for name in meant)}?" if meant else ""
    form = "" if ":" in account or meant else " (accounts are network:id, such as twitter:42)"
    raise ResultsError(f"{plain(account)} has no score: nobody has acted on it in a day that is closed{form}{hint}")


def as_data(update: Mapping[str, Any]) -> dict[str, Any]:
    """A score update as JSON holds it: the day as YYYY-MM-DD, the change since the day before, and the parts of that as `changed_by`."""
    previous = update["previous"]
    change = None if previous is None else update["score"] - previous
    return {**update, "day": iso(update["day"]), "change": change, "changed_by": update["change"]}
