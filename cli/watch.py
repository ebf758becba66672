"""`laurel watch`: a topic as records arrive."""

import json
import signal
import sys
from collections.abc import Mapping
from types import FrameType
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from laurel.cli.show import console, end_quietly, plain
from laurel.streams import settings as setting
from laurel.streams.codec import Codec
from laurel.streams.readable import Readable
from laurel.streams.tail import Tail
from laurel.streams.topic_table import TOPICS

app = typer.Typer(add_completion=False, rich_markup_mode=None)

READABLE = [topic.name for topic in TOPICS if not topic.name.startswith("changelog-")]
SHOWN = 6  # entries of a list printed before the rest is counted


@app.command()
def watch(
    topic: Annotated[str, typer.Argument(help=f"one of {', '.join(READABLE)}")],
    bootstrap: Annotated[str | None, typer.Option(help="Kafka, host:port")] = None,
    from_beginning: Annotated[bool, typer.Option("--from-beginning", help="what the topic still holds, too")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="stop after this many records")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON document a line")] = False,
) -> None:
    """Print the records of a topic as they arrive, decoded, one a line, until Ctrl-C."""
    if topic not in READABLE:
        raise typer.BadParameter(f"{topic!r} is none of {', '.join(READABLE)}", param_hint="TOPIC")
    settings = setting.load(bootstrap=bootstrap)
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell starts background jobs with SIGINT ignored
        signal.signal(number, _interrupt)
    screen = console()
    readable = Readable(Codec())
    left = limit
    try:
        with Tail(settings, topic, from_beginning=from_beginning) as tail:
            for messages in tail.batches():
                for line in readable.lines(messages[:left]):
                    _print(line, screen, as_json=as_json)
                sys.stdout.flush()
                if left is not None:
                    left -= min(left, len(messages))
                    if not left:
                        return
    except KeyboardInterrupt:
        return
    except BrokenPipeError:
        end_quietly(sys.stdout)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _print(line: Mapping[str, Any], screen: Console, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(line))
    else:
        screen.print(in_words(line), soft_wrap=True)


def in_words(line: Mapping[str, Any]) -> Text:
    """One record in one line: where it is, its key, and its fields."""
    text = Text(f"{line['partition']}/{line['offset']:<7} ", style="dim")
    key = "(no key)" if line["key"] is None else plain(line["key"])
    text.append(key, style="not dim bold").append("  ")
    if "refused" in line:
        refused = line["refused"]
        text.append(plain(str(refused["reason"])), style="not dim yellow")
        text.append(f" from {plain(str(refused.get('topic')))}/{refused.get('partition')}/{refused.get('offset')}  ")
    if line["value"] is not None:
        text.append(f"{line['record']}  ", style="not dim cyan")
        text.append(_fields(line["value"], line["key"]), style="not dim")
    elif "bytes" in line:
        text.append(f"no record: {line['bytes'][:60]}", style="not dim")
    else:
        text.append("forgotten", style="not dim magenta")
    return text


def _fields(fields: Mapping[str, Any], key: str | None) -> str:
    """What is said: not what the key says already, and nothing that is null, false or empty."""
    told = {
        name: value for name, value in fields.items() if not (value is None or value is False or value in ("", [], key))
    }
    return " ".join(f"{name}={_value(value)}" for name, value in told.items())


def _value(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1000 else f"{value:.0f}"
    if isinstance(value, list):
        more = f", and {len(value) - SHOWN} more" if len(value) > SHOWN else ""
        return f"[{', '.join(_value(entry) for entry in value[:SHOWN])}{more}]"
    if isinstance(value, dict):
        return " ".join(_value(entry) for entry in value.values())
    return plain(str(value))
