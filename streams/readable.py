"""Messages as people and scripts read them: decoded, days and moments as text, refusals with their reason."""

import json
from base64 import b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, Message

from laurel.streams.calendar import iso
from laurel.streams.codec import Codec
from laurel.streams.dead_letters import PREFIX

Line = dict[str, Any]


class Readable:
    """Turns messages into lines. A line has `topic`, `partition`, `offset`, `at` (RFC 3339), `key`, `record` (the name of the
    record, null for a value that is none), `value` (its fields, null for a forgotten key), and where they apply `bytes` (a value
    that is no record, base64) and `refused` (a dead letter's `reason`, `message` and origin)."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._logical = {
            schema.name: {field["name"]: _logical(field["type"]) for field in json.loads(schema.text)["fields"]}
            for schema in codec.schemas
            if schema.newest
        }

    def lines(self, messages: Sequence[Message]) -> list[Line]:
        """One line for each message, in their order."""
        decoded = self._codec.decode([message.value() for message in messages])
        lines = [_envelope(message) for message in messages]
        for name, rows in decoded.batches.items():
            logical = self._logical[name]
            for position, record in zip(rows.positions.tolist(), rows.table.to_pylist(), strict=True):
                fields = {field: _text(value, logical.get(field)) for field, value in record.items()}
                lines[position] |= {"record": name, "value": fields}
        for bad in decoded.errors:
            value = messages[bad.position].value()
            if value is not None:
                lines[bad.position]["bytes"] = b64encode(value).decode()
        return lines


def _envelope(message: Message) -> Line:
    kind, at = message.timestamp()
    key: Any = message.key()
    line: Line = {
        "topic": message.topic(),
        "partition": message.partition(),
        "offset": message.offset(),
        "at": None if kind == TIMESTAMP_NOT_AVAILABLE else moment(at),
        "key": None if key is None else key.decode(errors="replace"),
        "record": None,
        "value": None,
    }
    refused = {
        name.removeprefix(PREFIX): value.decode(errors="replace")
        for name, value in dict(message.headers() or []).items()
        if name.startswith(PREFIX) and isinstance(value, bytes)
    }
    if refused:
        line["refused"] = {
            "reason": refused.get("exception.class.name"),
            "message": refused.get("exception.message"),
            **{name: refused[name] for name in ("topic", "partition", "offset") if name in refused},
        }
    return line


def _logical(kind: Any) -> str | None:
    """The logical type of a field's type, or of the one type beside null."""
    if isinstance(kind, list):
        return next((_logical(branch) for branch in kind if branch != "null"), None)
    return kind.get("logicalType") if isinstance(kind, dict) else None


def _text(value: Any, logical: str | None) -> Any:
    """A value as JSON shows it; days and moments that no calendar has stay numbers."""
    if value is None or logical is None:
        return value
    try:
        return iso(value) if logical == "date" else moment(value)
    except (ValueError, OverflowError, OSError):
        return value


def moment(milliseconds: int) -> str:
    """Milliseconds since 1970-01-01 UTC as RFC 3339."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
