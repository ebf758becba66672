"""Dead letters on the screen: the overview, and one letter with all there is to know of it."""

from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from laurel.cli.mending import mending
from laurel.cli.show import heading, plain
from laurel.streams.dissect import Dissected, dissect, hex_lines
from laurel.streams.letters import Letter
from laurel.streams.letters_overview import Overview
from laurel.streams.letters_replay import Replayed
from laurel.streams.readable import moment
from laurel.streams.schemas import Schemas

SHOWN = 512  # bytes of a value in a hex dump
TEXT = 200  # characters of a field or header shown


def overview_data(found: Overview) -> dict[str, Any]:
    """The overview as JSON holds it."""
    total = found.total
    return {
        "letters": total.letters,
        "replayed": total.replayed,
        "summary": [
            {"reason": reason, "topic": topic, "letters": count.letters, "replayed": count.replayed}
            for (reason, topic), count in _by_number(found)
        ],
        "newest": [letter_data(letter) for letter in found.newest],
    }


def letter_data(letter: Letter) -> dict[str, Any]:
    """What identifies a letter, as JSON holds it."""
    refused = letter.refused
    return {
        "id": letter.id,
        "at": _moment(letter.at),
        "origin": refused.origin,
        "first_origin": refused.first_origin,
        "reason": refused.reason,
        "message": refused.message,
        "replayed": letter.replayed,
    }


def overview_table(found: Overview) -> RenderableType:
    """The overview for people: counts by reason and origin, then the newest letters."""
    total = found.total
    if not total.letters:
        return Text("no dead letters")
    kinds = _table("reason", "origin", "letters", "replayed", right=(2, 3))
    for (reason, topic), count in _by_number(found):
        kinds.add_row(plain(reason), plain(topic), f"{count.letters:,}", f"{count.replayed:,}")
    title = heading(f"{total.letters:,} dead letters", f"{total.replayed:,} of them replayed")
    if not found.newest:
        return Group(title, kinds)
    widths = [max(len(cell) for cell in column) for column in zip(*map(_cells, found.newest), strict=True)]
    lines = [_line(letter, widths) for letter in found.newest]
    return Group(title, kinds, Text(), heading(f"the newest {len(found.newest):,}"), *lines)


def _cells(letter: Letter) -> tuple[str, ...]:
    return letter.id, _moment(letter.at), plain(letter.refused.origin), plain(letter.refused.reason)


def _line(letter: Letter, widths: Sequence[int]) -> Text:
    """One letter in one line, its columns as wide as those of the others."""
    line = Text("  ".join(cell.ljust(width) for cell, width in zip(_cells(letter), widths, strict=True)) + "  ")
    if letter.replayed:
        line.append("replayed  ", style="green")
    return line.append(plain(letter.refused.message), style="dim")


def letter_whole(letter: Letter, schemas: Schemas) -> dict[str, Any]:
    """All of a letter as JSON holds it: bytes in hexadecimal, the value's fields as far as they can be read."""
    refused, parts = letter.refused, _parts(letter, schemas)
    return {
        **letter_data(letter),
        "mending": mending(refused.reason),
        "key": None if refused.key is None else refused.key.hex(),
        "headers": [{"name": name, "value": None if value is None else value.hex()} for name, value in refused.headers],
        "value": None if refused.value is None else refused.value.hex(),
        "record": parts.record,
        "fields": parts.fields,
        "stopped_at": parts.stopped_at,
        "problem": parts.problem,
    }


def letter_page(letter: Letter, schemas: Schemas) -> RenderableType:
    """All of a letter for people."""
    refused, parts = letter.refused, _parts(letter, schemas)
    facts = _table("", "")
    facts.show_header = False
    facts.add_row("refused", f"{_moment(letter.at)}, at {plain(refused.origin)}")
    if refused.first_origin != refused.origin:
        facts.add_row("first refused", f"at {plain(refused.first_origin)}; it was replayed since")
    facts.add_row("what is wrong", f"{plain(refused.reason)}: {plain(refused.message)}")
    facts.add_row("mending", mending(refused.reason))
    facts.add_row("replayed", "yes" if letter.replayed else "no")
    facts.add_row("key", _bytes(refused.key))
    for name, value in refused.headers:
        facts.add_row("header", f"{plain(name)} = {_bytes(value)}")
    blocks: list[RenderableType] = [heading(f"dead letter {letter.id}"), facts]
    if refused.value:
        blocks += [Text(), heading(f"value, {len(refused.value):,} bytes", parts.record or "no record"), *_value(parts)]
        blocks += [Text(line, style="dim") for line in hex_lines(refused.value, SHOWN)]
    return Group(*blocks)


def _moment(milliseconds: int) -> str:
    """A moment, or the number where no calendar has it: whoever writes to the topic may write any."""
    try:
        return moment(milliseconds)
    except (ValueError, OverflowError, OSError):
        return str(milliseconds)


def replayed_data(done: Replayed, *, dry_run: bool) -> dict[str, Any]:
    """What came of a replay, as JSON holds it."""
    left = [{"id": name, "why": why} for name, why in done.named]
    return {"sent": dict(done.sent), "already": done.already, "left": done.left, "named": left, "dry_run": dry_run}


def replayed_words(done: Replayed, *, dry_run: bool) -> str:
    """What came of a replay, for people."""
    verb = "would be sent" if dry_run else "sent"
    lines = [f"{count:,} letters {verb} to {plain(topic)} again" for topic, count in done.sent.most_common()]
    if done.already:
        lines.append(f"{done.already:,} were replayed before")
    return "\n".join(lines) or "nothing to send"


def _value(parts: Dissected) -> Iterable[RenderableType]:
    if parts.record is not None:
        fields = _table("", "")
        fields.show_header = False
        for name, value in parts.fields.items():
            fields.add_row(name, _short(plain(str(value))))
        yield fields
    if parts.problem:
        yield Text(f"at byte {parts.stopped_at}: {plain(parts.problem)}", style="yellow")


def _parts(letter: Letter, schemas: Schemas) -> Dissected:
    value = letter.refused.value
    return Dissected(None, {}, 0, "there is no value") if not value else dissect(value, schemas)


def _bytes(data: bytes | None) -> str:
    """Text as text, anything else in hexadecimal."""
    if data is None:
        return "(none)"
    try:
        return _short(plain(data.decode()))
    except UnicodeDecodeError:
        return _short("0x" + data.hex())


def _short(text: str) -> str:
    return text if len(text) <= TEXT else f"{text[:TEXT]}... and {len(text) - TEXT:,} more"


def _by_number(found: Overview) -> list[tuple[tuple[str, str], Any]]:
    return sorted(found.kinds.items(), key=lambda kind: (-kind[1].letters, kind[0]))


def _table(*names: str, right: tuple[int, ...] = ()) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for at, name in enumerate(names):
        last = at == len(names) - 1
        table.add_column(name, justify="right" if at in right else "left", overflow="fold", no_wrap=not last)
    return table
