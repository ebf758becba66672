"""JSON lines: what is written is read back, and a bad line costs nobody else anything."""

import gzip
import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laurel.ingest import moments, ndjson
from laurel.ingest.arrow import concatenate
from laurel.ingest.errors import DataError, EngagementError
from laurel.ingest.lines import Block, Chunk, blocks
from laurel.ingest.ndjson_writer import lines
from laurel.ingest.records import SCHEMA

TEXTS = st.text(st.characters(codec="utf-8"), max_size=12)
ROWS = st.fixed_dictionaries(
    {
        "event_id": TEXTS,
        "network": TEXTS,
        "action": TEXTS,
        "actor": st.none() | TEXTS,
        "target": TEXTS,
        "content_id": st.none() | TEXTS,
        "topics": st.lists(TEXTS, max_size=3),
        "text": st.none() | TEXTS,
        "occurred_at": st.integers(-(2**63), 2**63 - 1),
        "private": st.booleans(),
        "retracts": st.none() | TEXTS,
    }
)
ZONES = st.sampled_from([UTC, timezone(-timedelta(hours=3, minutes=30))])
MOMENTS = st.builds(
    lambda zone, micros: (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)).astimezone(zone),
    ZONES,
    st.integers(-8_520_000_000_000_000, 7_258_000_000_000_000),
)
VALUES = st.one_of(
    TEXTS,
    st.none(),
    st.booleans(),
    st.integers(-(2**64), 2**64),
    st.floats(),
    st.lists(TEXTS | st.none() | st.integers(), max_size=2),
    st.dictionaries(TEXTS, TEXTS, max_size=1),
    MOMENTS.map(datetime.isoformat),
    st.sampled_from(
        ["\ud800", "2012-07-01", "2012-07-01T00:00:60Z", "2012-07-01t00:00:00.1234567891z", "0001-01-01T00:00:00+10:00"]
    ),
)
GOOD = {"event_id": "e", "network": "twitter", "action": "like", "target": "twitter:1", "occurred_at": 1}
LINES = st.builds(
    lambda base, change, spoil, at: _spoilt(json.dumps({**base, **change}, ensure_ascii=True), spoil, at),
    ROWS.map(lambda row: {**GOOD, **{name: value for name, value in row.items() if value is not None}}),
    st.dictionaries(st.sampled_from([*SCHEMA.names, "followers"]), VALUES, max_size=2),
    st.sampled_from(["", "", "", "{", "}", '"', "{}", ",", "x", "1", "\\", '{"event_id":"a"}', ' "private":true,']),
    st.integers(0, 400),
)


def _spoilt(text: str, spoil: str, at: int) -> str:
    at = min(at, len(text))
    return text[:at] + spoil + text[at:]


def block(texts: list[str]) -> Block:
    return Block(np.arange(1, len(texts) + 1), pa.array(texts, pa.string()), [], 1.0)


def carefully(texts: list[str]) -> tuple[list[dict[str, Any]], list[int]]:
    rows, refused = [], []
    for number, text in enumerate(texts, start=1):
        try:
            rows.append(ndjson.record(text))
        except EngagementError:
            refused.append(number)
    return rows, refused


def read(path: Path) -> Chunk:
    chunks = list(ndjson.read(path))
    records = concatenate([chunk.records for chunk in chunks], SCHEMA)
    return Chunk(sum(chunk.rows for chunk in chunks), records, [r for chunk in chunks for r in chunk.rejects], 1.0)


@settings(deadline=None)
@given(st.lists(ROWS, max_size=20))
def test_engagements_written_as_lines_are_read_back_unchanged(rows: list[dict[str, Any]]) -> None:
    batch = pa.RecordBatch.from_pylist(rows, SCHEMA)
    texts = lines(batch).decode().split("\n")
    assert texts.pop() == ""
    chunk = ndjson.parse(block(texts))
    assert chunk.rejects == []
    assert chunk.records.equals(batch)


@settings(max_examples=300, deadline=None)
@given(st.lists(LINES, max_size=8))
def test_reading_lines_together_gives_what_reading_each_alone_gives(texts: list[str]) -> None:
    chunk = ndjson.parse(block(texts))
    rows, refused = carefully(texts)
    assert chunk.records.to_pylist() == rows
    assert [reject.line for reject in chunk.rejects] == refused


@settings(deadline=None)
@given(LINES)
def test_no_line_is_accepted_in_columns_that_is_refused_alone(text: str) -> None:
    fast = ndjson._by_arrow(pa.array([text]), SCHEMA if '"occurred_at":1' in text else ndjson._TEXT_TIME)
    if fast is not None:
        assert fast.to_pylist() == [ndjson.record(text)]


@settings(deadline=None)
@given(MOMENTS)
def test_a_moment_in_text_is_the_millisecond_it_names(moment: datetime) -> None:
    wanted = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    assert moments.parse(moment.isoformat()) == wanted
    column = moments.parse_column(pa.array([moment.isoformat()]))
    assert column is not None
    assert column.to_pylist() == [wanted]


@pytest.mark.parametrize(
    "text",
    ["2012-07-01", "2012-07-01T12:00:00", "2012-07-01T24:00:00Z", "2012-02-30T12:00:00Z", "2012-07-01T12:00Z", ""],
)
def test_what_names_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not RFC 3339|no moment of the calendar"):
        moments.parse(text)
    assert moments.parse_column(pa.array([text])) is None


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("nope", "not JSON: Expecting value at column 1"),
        ("[1]", "not a JSON object"),
        ('{"topics":' * 100_000, "not JSON: nested too deeply"),
        (json.dumps(GOOD | {"followers": 3}), "'followers': an engagement has no such field"),
        (json.dumps({name: GOOD[name] for name in GOOD if name != "target"}), "target: missing"),
        (
            json.dumps(GOOD | {"occurred_at": 1.5}),
            "occurred_at: 1.5 is neither a moment nor whole milliseconds since 1970",
        ),
        (
            json.dumps(GOOD | {"occurred_at": "yesterday"}),
            "occurred_at: 'yesterday' is not RFC 3339, such as 2012-07-01T12:00:00Z",
        ),
        (json.dumps(GOOD | {"topics": "python"}), "topics: not a list of strings"),
        (json.dumps(GOOD | {"topics": ["a", None]}), "topics: not a list of strings"),
        (json.dumps(GOOD) + json.dumps(GOOD), "not JSON: Extra data at column 99"),
        (json.dumps(GOOD | {"private": 0}), "private: not true or false"),
        (json.dumps(GOOD | {"actor": 7}), "actor: not a string"),
        (json.dumps(GOOD | {"actor": "\ud800"}), "actor: half of a surrogate pair is no text"),
        ('{"event_id":"a","event_id":"b"}', "'event_id': given twice"),
    ],
)
def test_a_bad_line_is_named_by_number_and_reason_and_the_rest_goes_on(line: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson"
    good = json.dumps(GOOD)
    path.write_text(f"{good}\n{line}\n\n{good}\n")
    chunk = read(path)
    assert chunk.records.num_rows == 2
    assert [(reject.line, reject.reason) for reject in chunk.rejects] == [(2, reason)]
    assert chunk.rows == 3


def test_lines_with_either_kind_of_time_keep_their_order(tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson"
    times: list[int | str] = [2, "1970-01-01T00:00:00.003Z", 4, "1970-01-01T01:00:00.005+01:00", 6]
    path.write_text("".join(json.dumps(GOOD | {"occurred_at": time}) + "\n" for time in times))
    assert read(path).records["occurred_at"].to_pylist() == [2, 3, 4, 5, 6]


def test_lines_may_end_as_on_windows_begin_with_a_mark_and_lack_the_last_end(tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(GOOD).encode() + b"\r\n" + json.dumps(GOOD).encode())
    assert read(path).records.num_rows == 2


def test_a_line_that_is_not_utf8_is_refused_alone(tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson"
    path.write_bytes(json.dumps(GOOD).encode() + b"\n\xff\xfe\n" + json.dumps(GOOD).encode() + b"\n")
    chunk = read(path)
    assert chunk.records.num_rows == 2
    assert [(reject.line, reject.reason) for reject in chunk.rejects] == [(2, "not UTF-8 text")]


@settings(deadline=None)
@given(st.lists(st.integers(0, 40), min_size=1, max_size=30), st.integers(1, 50))
def test_blocks_of_any_size_give_the_same_lines_and_refuse_only_the_long_ones(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], size: int
) -> None:
    path = tmp_path_factory.mktemp("lines") / "text"
    texts = ["x" * length for length in sizes]
    path.write_text("\n".join(texts))
    found = list(blocks(path, size, 20))
    numbers = [int(number) for block in found for number in block.numbers]
    assert numbers == [number for number, text in enumerate(texts, start=1) if 0 < len(text) <= 20]
    assert [text for block in found for text in block.texts.to_pylist()] == [t for t in texts if 0 < len(t) <= 20]
    assert [r.line for block in found for r in block.rejects] == [n for n, t in enumerate(texts, 1) if len(t) > 20]


def test_a_packed_file_is_unpacked_whatever_its_name(tmp_path: Path) -> None:
    path = tmp_path / "events"
    path.write_bytes(gzip.compress(json.dumps(GOOD).encode()))
    assert read(path).records.num_rows == 1


def test_a_broken_packed_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson.gz"
    path.write_bytes(gzip.compress(json.dumps(GOOD).encode() * 1000)[:-20])
    with pytest.raises(DataError, match=r"events\.ndjson\.gz is broken"):
        read(path)


def test_a_file_that_is_not_there_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nothing\.ndjson can't be read: No such file"):
        read(tmp_path / "nothing.ndjson")
