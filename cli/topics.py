"""`laurel topics`: creates the topics and keeps their settings, or says what topics there are."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from laurel.streams import settings as setting
from laurel.streams import topics
from laurel.streams.topic_table import DAY, TOPICS, Topic

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.callback()
def about() -> None:
    """Create and check the topics."""


@app.command("apply")
def apply_topics(
    bootstrap: Annotated[str | None, typer.Option(help="Kafka bootstrap servers.", metavar="HOST:PORT")] = None,
    partitions: Annotated[int | None, typer.Option(min=1, help="Partitions of the keyed topics, for good.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what differs.")] = False,
    as_json: AsJson = False,
) -> None:
    """Create missing topics and put right settings that differ, printing each difference."""
    settings = setting.load(bootstrap=bootstrap, partitions=partitions)
    differences = topics.apply(settings, partitions=partitions, dry_run=dry_run)
    if as_json:
        print(json.dumps({"applied": not dry_run, "differences": [asdict(difference) for difference in differences]}))
        return
    for difference in differences:
        print(_sentence(difference, dry_run=dry_run))
    if not differences:
        print(f"all {len(TOPICS)} topics are as they should be")


@app.command("list")
def list_topics(as_json: AsJson = False) -> None:
    """What topics there are: their names, keys, values, partitions and how long they are kept."""
    settings = setting.load()
    rows = [
        {
            "topic": settings.topic(topic.name),
            "key": topic.key,
            "values": topic.values,
            "partitions": "P" if topic.keyed else "1",
            "kept": _kept(topic),
        }
        for topic in TOPICS
    ]
    if as_json:
        print(json.dumps(rows))
        return
    rows.insert(0, {name: name for name in rows[0]})
    widths = {name: max(len(row[name]) for row in rows) for name in rows[0]}
    for row in rows:
        print("  ".join(text.ljust(widths[name]) for name, text in row.items()).rstrip())


def _sentence(difference: topics.Difference, *, dry_run: bool) -> str:
    if difference.found is None and difference.setting == "topic":
        done = "would be created" if dry_run else "created"
        return f"{difference.topic}: {done}, partitions {difference.wanted}"
    done = "would become" if dry_run else "is now"
    return f"{difference.topic}: {difference.setting} was {difference.found}, {done} {difference.wanted}"


def _kept(topic: Topic) -> str:
    newest = ["newest of each key"] if "compact" in topic.settings["cleanup.policy"] else []
    days = (
        [f"{int(topic.settings['retention.ms']) // DAY} days"] if "delete" in topic.settings["cleanup.policy"] else []
    )
    return ", ".join(newest + days)
