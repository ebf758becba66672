"""`laurel network`: whom an account influences, and who influences it."""

import json
from typing import Annotated

import typer

from laurel.cli.show import console, plain
from laurel.cli.show_network import as_data, network_lines
from laurel.streams import settings as setting
from laurel.streams.network_results import read_network
from laurel.streams.results import Results, ResultsError

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def network(
    account: Annotated[str, typer.Argument(help="network:id, such as twitter:42, or the id of a member")],
    bootstrap: Annotated[str | None, typer.Option(help="Kafka, host:port")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print both lists as JSON")] = False,
) -> None:
    """The accounts that act the most on what an account does, whom it influences, and those it acts on the most, who influence it.

    As of the last close that changed each list, 20 at most. Nobody is shown who has opted out.
    """
    settings = setting.load(bootstrap=bootstrap)
    results = Results(settings)
    results.last_day()
    found = read_network(settings, account)
    if found.influences is None and found.influenced_by is None:
        meant = results.near("score-updates", account)
        hint = f"; did you mean {' or '.join(plain(name) for name in meant)}?" if meant else ""
        raise ResultsError(
            f"{plain(account)} has no influence network: in the 90 days up to the last close nobody acted on it, and it on nobody, as far as "
            f"may be shown{hint}"
        )
    if as_json:
        print(json.dumps(as_data(account, found)))
    else:
        console().print(network_lines(account, found))
