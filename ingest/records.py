"""An engagement on its way in: one at a time or in columns, and the checks a producer makes.

Only the *form* is checked here: types, required values, `network:id` accounts. What an engagement means (an unknown
action, a private one, one too old to count) is judged in one place, the actors stage, which sends refused ones to the
dead letters.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import numpy as np
import pyarrow as pa

from laurel.ingest import arrow, moments
from laurel.ingest.arrow import Column, Mask
from laurel.ingest.errors import EngagementError
from laurel.streams.schemas import Schemas

_CONTRACT = Schemas().by_name("Engagement")

SCHEMA = _CONTRACT.arrow
"""The columns of an engagement, from avro/Engagement.avsc; `occurred_at` is int64 milliseconds since 1970-01-01 UTC."""

DEFAULTS: dict[str, Any] = {field.name: None for field in SCHEMA if field.nullable} | _CONTRACT.defaults
REQUIRED = tuple(name for name in SCHEMA.names if name not in DEFAULTS)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_INT64 = range(-(1 << 63), 1 << 63)
_FILLED = ("event_id", "network", "action")
_ACCOUNT = r"[^:\s]+:\S+"


@dataclass(frozen=True)
class Engagement:
    """Somebody (`actor`, None if anonymous) did something (`action`) to somebody's (`target`) content on a network.

    Accounts are `network:id`. `occurred_at` is an aware datetime or whole milliseconds since 1970-01-01 UTC. A +K is
    network `laurel`, action `plus_k`, with exactly one topic. `retracts` names the `event_id` taken back.
    """

    event_id: str
    network: str
    action: str
    target: str
    occurred_at: datetime | int
    actor: str | None = None
    content_id: str | None = None
    topics: tuple[str, ...] = ()
    text: str | None = None
    private: bool = False
    retracts: str | None = None

    def row(self) -> dict[str, Any]:
        """The fields as a row of SCHEMA; EngagementError names the one whose type or form is wrong."""
        topics = list(self.topics) if isinstance(self.topics, tuple) else self.topics
        found = row(asdict(self) | {"topics": topics})
        for name in _FILLED:
            if not found[name]:
                raise EngagementError(f"{name}: is empty")
        for name in ("actor", "target"):
            if found[name] is not None and not re.fullmatch(_ACCOUNT, found[name]):
                raise EngagementError(f"{name}: {found[name]!r} is not an account, network:id")
        return found


def row(values: Mapping[str, Any]) -> dict[str, Any]:
    """A row of SCHEMA from named values; None counts as left out.

    EngagementError names what is missing, unknown or of a wrong type.
    """
    for name in values:
        if name not in SCHEMA.names:
            raise EngagementError(f"{name!r}: an engagement has no such field")
    given = {name: value for name, value in values.items() if value is not None}
    for name in REQUIRED:
        if name not in given:
            raise EngagementError(f"{name}: missing")
    return DEFAULTS | {name: _value(name, value) for name, value in given.items()}


def conform(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with SCHEMA's columns in SCHEMA's order; optional columns may be left out, others are an error.

    A `timestamp` column becomes milliseconds. Raises EngagementError naming a column that is missing, unknown, of a
    wrong type, or null where it mustn't be.
    """
    for name in batch.schema.names:
        if name not in SCHEMA.names:
            raise EngagementError(f"{name!r}: an engagement has no such field")
    return pa.RecordBatch.from_arrays([_column(batch, field) for field in SCHEMA], schema=SCHEMA)


def check(batch: pa.RecordBatch) -> None:
    """Raises EngagementError, naming field, value and event, unless every row has the form of an engagement.

    `batch` has SCHEMA. Checked: `event_id`, `network` and `action` are filled, accounts are `network:id`.
    """
    for name in _FILLED:
        _demand(batch, name, ~arrow.equals(batch[name], ""), "is empty")
    for name in ("actor", "target"):
        _demand(batch, name, arrow.matches(batch[name], f"^{_ACCOUNT}$"), "is not an account, network:id")


def keys(batch: pa.RecordBatch) -> list[bytes]:
    """The record keys, UTF-8: the actor, or the target if there is none (an empty actor is nobody, as null is)."""
    actor = arrow.filled(batch["actor"], "")
    found = arrow.choose(arrow.equals(actor, ""), batch["target"], actor)
    return cast("list[bytes]", found.cast(pa.binary()).to_pylist())


def _value(name: str, value: Any) -> Any:
    if name == "occurred_at":
        return _milliseconds(value)
    if name == "topics":
        if not isinstance(value, list) or not all(isinstance(topic, str) for topic in value):
            raise EngagementError("topics: not a list of strings")
        _encodable(name, "".join(value))
    elif name == "private":
        if not isinstance(value, bool):
            raise EngagementError("private: not true or false")
    elif not isinstance(value, str):
        raise EngagementError(f"{name}: not a string")
    else:
        _encodable(name, value)
    return value


def _milliseconds(value: Any) -> int:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise EngagementError(f"occurred_at: {value} has no time zone; give it one, such as datetime.UTC")
        return (value - _EPOCH) // _MILLISECOND
    if isinstance(value, bool) or not isinstance(value, int) or value not in _INT64:
        raise EngagementError(f"occurred_at: {value!r} is neither a moment nor whole milliseconds since 1970")
    return value


def _encodable(name: str, text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise EngagementError(f"{name}: half of a surrogate pair is no text") from None


def _column(batch: pa.RecordBatch, field: "pa.Field[Any]") -> Column:
    if field.name not in batch.schema.names:
        if field.name in REQUIRED:
            raise EngagementError(f"{field.name}: the column is missing")
        return cast("Column", pa.array([DEFAULTS[field.name]] * batch.num_rows, field.type))
    column: Column = batch[field.name]
    if field.name == "occurred_at" and isinstance(column.type, pa.TimestampType):
        if column.type.tz is None:
            raise EngagementError("occurred_at: timestamps without a time zone; give the column one")
        column = moments.milliseconds(column)
    elif not _alike(column.type, field.type):
        raise EngagementError(f"{field.name}: a column of {column.type}, where {field.type} is expected")
    if not field.nullable and column.null_count:
        raise EngagementError(f"{field.name}: null in row {int(np.argmax(arrow.mask(column.is_null())))}")
    if field.name == "topics" and arrow.flat(column).null_count:
        raise EngagementError("topics: one of the topics is null")
    try:
        converted = cast("Column", column.cast(field.type))
    except pa.ArrowException as error:
        raise EngagementError(f"{field.name}: {error}") from None
    return converted


def _alike(given: Any, wanted: Any) -> bool:
    """Whether a column's type holds the same kind of value, so that a cast can't change its meaning."""
    if pa.types.is_dictionary(given):
        return _alike(given.value_type, wanted)
    if pa.types.is_list(wanted):
        lists = pa.types.is_list(given) or pa.types.is_large_list(given)
        return bool(lists) and _alike(given.value_type, wanted.value_type)
    if pa.types.is_string(wanted):
        return bool(pa.types.is_string(given) or pa.types.is_large_string(given) or pa.types.is_null(given))
    if pa.types.is_int64(wanted):
        return bool(pa.types.is_integer(given))
    return bool(given == wanted)


def _demand(batch: pa.RecordBatch, name: str, holds: Mask, complaint: str) -> None:
    if not holds.all():
        place = int(np.argmin(holds))
        value, event = batch[name][place].as_py(), batch["event_id"][place].as_py()
        raise EngagementError(f"{name}: {value!r} {complaint} (event {event!r})")
