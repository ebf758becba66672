"""Moments in text: RFC 3339 to milliseconds since 1970-01-01 UTC."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from laurel.ingest import arrow
from laurel.ingest.arrow import Column
from laurel.ingest.errors import DataError

MOST_DAYS = 20 * 366
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RFC3339 = r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)"
_COMMON = r"^(1[789]|2[01])\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$"


def check_span(name: str, first: int, last: int) -> None:
    """Raises DataError if days (since 1970-01-01) lie too far apart to be gone through one by one: a moment must be wrong."""
    if last - first > MOST_DAYS:
        raise DataError(
            f"{name}: there are {last - first:,} days between its engagements, from {told(first)} to {told(last)}: "
            "is a moment in seconds that should be in milliseconds?"
        )


def told(day: int) -> str:
    """A day since 1970-01-01 as YYYY-MM-DD, or by its number where no calendar has it."""
    try:
        return (_EPOCH + timedelta(days=day)).date().isoformat()
    except OverflowError:
        return f"day {day:,} since 1970"


def parse(text: str) -> int:
    """Milliseconds (finer parts cut off); ValueError with a sentence if `text` isn't RFC 3339 or names no moment."""
    match = re.fullmatch(_RFC3339, text, re.ASCII)
    if not match:
        raise ValueError(f"{text!r} is not RFC 3339, such as 2012-07-01T12:00:00Z")
    fraction, zone = match[1] or ".0", match[2].upper().replace("Z", "+00:00")
    try:
        whole = datetime.fromisoformat(text[:10] + "T" + text[11:19] + zone)
        milliseconds = (whole - _EPOCH) // timedelta(milliseconds=1)
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is no moment of the calendar") from None
    return milliseconds + int((fraction[1:] + "00")[:3])


def parse_column(texts: Column) -> Column | None:
    """`parse` over a column at once; None if some row needs `parse` itself (a rare form, or an error)."""
    if not arrow.matches(texts, _COMMON).all():
        return None
    try:
        return milliseconds(texts.cast(pa.timestamp("ns", "UTC")))
    except pa.ArrowInvalid:
        return None


def milliseconds(moments: Column) -> Column:
    """A column of timestamps, of any unit, as int64 milliseconds since 1970-01-01 UTC; finer parts are cut off."""
    floor: Callable[..., Column] = pc.floor_temporal
    return floor(moments, unit="millisecond").cast(pa.timestamp("ms", "UTC")).cast(pa.int64())
