"""`laurel dead-letters`: what was refused, one by one or at a glance, and how it is sent again."""

import json
import sys
from typing import Annotated

import typer

from laurel.cli.days import parse_day
from laurel.cli.letters_progress import LettersProgress
from laurel.cli.show import console, plain
from laurel.cli.show_letters import (
    letter_page,
    letter_whole,
    overview_data,
    overview_table,
    replayed_data,
    replayed_words,
)
from laurel.ingest import moments
from laurel.streams import settings as setting
from laurel.streams.codec import Codec
from laurel.streams.letters import Letter, Letters, LettersError, Selection, parse_id
from laurel.streams.letters_overview import overview
from laurel.streams.letters_replay import replay
from laurel.streams.settings import Settings
from laurel.streams.topic_table import DAY

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)

Bootstrap = Annotated[str | None, typer.Option(help="Kafka, host:port")]
Reason = Annotated[str | None, typer.Option(help="only those refused for this reason, such as unknown_network")]
Topic = Annotated[str | None, typer.Option(help="only those from this topic, such as engagements")]
From = Annotated[str | None, typer.Option("--from", help="only those refused since, YYYY-MM-DD or RFC 3339 (UTC)")]
To = Annotated[str | None, typer.Option("--to", help="only those refused until: the day included, the moment excluded")]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]


@app.callback()
def about() -> None:
    """What was refused: look at it, and send it again."""


@app.command("list")
def list_letters(
    reason: Reason = None,
    topic: Topic = None,
    since: From = None,
    until: To = None,
    limit: Annotated[int, typer.Option(min=0, max=100_000, help="how many of the newest to name")] = 20,
    bootstrap: Bootstrap = None,
    as_json: AsJson = False,
) -> None:
    """Count the dead letters by reason and origin, and name the newest of them."""
    settings = setting.load(bootstrap=bootstrap)
    wanted = selection(settings, reason, topic, since, until)
    found = overview(Letters(settings, Codec()).among(wanted), limit)
    if as_json:
        print(json.dumps(overview_data(found)))
    else:
        console().print(overview_table(found), soft_wrap=True)


@app.command("show")
def show_letter(
    letter: Annotated[str, typer.Argument(metavar="ID", help="partition/offset, as `list` names it")],
    bootstrap: Bootstrap = None,
    as_json: AsJson = False,
) -> None:
    """All of one letter: its headers, key and value as far as they can be read, what is wrong, and how to mend it."""
    settings, codec = setting.load(bootstrap=bootstrap), Codec()
    found = _one(settings, codec, letter)
    if as_json:
        print(json.dumps(letter_whole(found, codec.schemas)))
    else:
        console().print(letter_page(found, codec.schemas), soft_wrap=True)


@app.command("replay")
def replay_letters(
    letters: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="letters, as `list` names them")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="all that were not replayed yet")] = False,
    reason: Reason = None,
    topic: Topic = None,
    since: From = None,
    until: To = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only say what would be sent")] = False,
    bootstrap: Bootstrap = None,
    as_json: AsJson = False,
) -> None:
    """Send letters again to the topics they came from, once their cause is mended.

    Key, value and headers are as they were. A letter is sent once: what was replayed before is passed over, and what is
    interrupted can be asked for again. One that is refused again is a new letter. What can't be sent is named on stderr, and the
    exit status is then 1.
    """
    if not (letters or everything or reason or topic or since or until):
        raise typer.BadParameter("say which: name letters, choose by --reason, --topic, --from or --to, or give --all")
    settings = setting.load(bootstrap=bootstrap)
    wanted = selection(settings, reason, topic, since, until, letters)
    with LettersProgress(console(stderr=True)) as progress:
        done = replay(settings, Codec(), wanted, dry_run=dry_run, progress=progress.show)
    for name, why in done.named:
        print(f"{plain(name)}: {plain(why)}", file=sys.stderr)
    if done.left > len(done.named):
        print(f"... and {done.left - len(done.named):,} more that can't be sent", file=sys.stderr)
    print(json.dumps(replayed_data(done, dry_run=dry_run)) if as_json else replayed_words(done, dry_run=dry_run))
    if done.left:
        raise typer.Exit(1)


def selection(
    settings: Settings,
    reason: str | None,
    topic: str | None,
    since: str | None,
    until: str | None,
    ids: list[str] | None = None,
) -> Selection:
    """What the options of a command mean. Raises typer.BadParameter (exit status 2) and LettersError."""
    places: dict[int, set[int]] = {}
    for partition, offset in map(parse_id, ids or ()):
        places.setdefault(partition, set()).add(offset)
    return Selection(
        reason,
        None if topic is None else _full_name(settings, topic),
        _moment(since, "--from"),
        _moment(until, "--to", whole_day=True),
        {partition: frozenset(offsets) for partition, offsets in places.items()} if ids else None,
    )


def _one(settings: Settings, codec: Codec, text: str) -> Letter:
    wanted = selection(settings, None, None, None, None, [text])
    for [found] in Letters(settings, codec).among(wanted):
        return found
    raise LettersError(
        f"there is no dead letter {text}: they are kept for 30 days, and `laurel dead-letters list` names them"
    )


def _full_name(settings: Settings, topic: str) -> str:
    return topic if settings.topic_prefix and topic.startswith(settings.topic_prefix) else settings.topic(topic)


def _moment(text: str | None, option: str, *, whole_day: bool = False) -> int | None:
    """Milliseconds since 1970; of a day its beginning or, with `whole_day`, its end."""
    if text is None:
        return None
    if len(text) <= len("2012-07-04"):
        day = parse_day(text, option)
        return None if day is None else (day + whole_day) * DAY
    try:
        return moments.parse(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None
