"""`laurel top`: the most influential, of all people or in a topic."""

import json
from contextlib import suppress
from typing import Annotated

import typer

from laurel.cli.show import console, plain
from laurel.cli.show_results import board as board_table
from laurel.cli.show_results import leaders as leaders_table
from laurel.models.ontology import UnknownTopicError
from laurel.streams import ontology_file
from laurel.streams import settings as setting
from laurel.streams.calendar import iso
from laurel.streams.days import Record
from laurel.streams.results import Results, ResultsError
from laurel.streams.settings import Settings

app = typer.Typer(add_completion=False, rich_markup_mode=None)

LARGEST = 5  # topics named where the one asked for isn't there


@app.command()
def top(
    topic: Annotated[str | None, typer.Argument(help="a topic; without one, all people by score")] = None,
    n: Annotated[int, typer.Option("--n", "-n", min=1, max=10_000, help="how many")] = 10,
    plus_k: Annotated[bool, typer.Option("--plus-k", help="in a topic: who got most +Ks")] = False,
    bootstrap: Annotated[str | None, typer.Option(help="Kafka, host:port")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print the list as JSON")] = False,
) -> None:
    """The people with the highest scores of the newest closed day, or the leaders of a topic."""
    if plus_k and topic is None:
        raise typer.BadParameter("+Ks are given in a topic: name one, as in `laurel top TOPIC --plus-k`")
    settings = setting.load(bootstrap=bootstrap)
    results = Results(settings)
    last = results.last_day()
    if topic is None:
        rows = results.leaders(last["day"], n)
        if as_json:
            listed = [{"rank": rank, **row} for rank, row in enumerate(rows, 1)]
            print(json.dumps({"topic": None, "day": iso(last["day"]), "people": last["people"], "leaders": listed}))
        else:
            console().print(leaders_table(f"highest of {last['people']:,} scores on {iso(last['day'])}", rows))
        return
    topic, found = _board(results, topic, settings)
    rows = found["plus_k_leaders" if plus_k else "influencers"][:n]
    if as_json:
        by = "plus_k" if plus_k else "strength"
        print(json.dumps({"topic": topic, "day": iso(found["day"]), "by": by, "leaders": rows}))
        return
    what = "most +Ks received" if plus_k else "influencers"
    nobody = "" if rows else ": nobody"
    console().print(board_table(f"{plain(topic)}, {what} on {iso(found['day'])}{nobody}", rows, plus_k=plus_k))


def _board(results: Results, topic: str, settings: Settings) -> tuple[str, Record]:
    """The board of a topic, and its id: of what is named, or of the only topic of the ontology that is called so."""
    found = results.board(topic)
    if found is not None:
        return topic, found
    with suppress(UnknownTopicError):
        ontology = ontology_file.load(settings.ontology)
        numbers = ontology.find(topic)
        meant = ontology.ids[numbers[0]] if len(numbers) == 1 else topic
        found = results.board(meant) if meant != topic else None
        if found is not None:
            return meant, found
    raise ResultsError(_unknown(results, topic))


def _unknown(results: Results, topic: str) -> str:
    names = results.near("leaderboards", topic) or [board.topic for board in results.boards(LARGEST)]
    known = f"; there is {', '.join(plain(name) for name in names)}" if names else "; no event has named a topic yet"
    return f"the topic {plain(topic)} has no leaders{known}"
