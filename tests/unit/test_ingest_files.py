"""The formats of real data sets, and several files as one stream."""

import gzip
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laurel.ingest import datasets
from laurel.ingest.arrow import concatenate, tally
from laurel.ingest.errors import DataError
from laurel.ingest.files import Format, detect, read
from laurel.ingest.lines import Reject
from laurel.ingest.merge import merge
from laurel.ingest.ndjson_writer import lines
from laurel.ingest.records import SCHEMA, check
from laurel.streams.settings import Settings, load
from tests.oracle import datasets as oracle

HEADER = "ts,action,actor_id,target_id,post_id,topics\n"


def records(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = concatenate([chunk.records for chunk in read(path)], SCHEMA).to_pylist()
    return found


def rejects(path: Path) -> list[Reject]:
    return [reject for chunk in read(path) for reject in chunk.rejects]


def brief(path: Path) -> list[tuple[object, ...]]:
    return [tuple(r[n] for n in ("event_id", "network", "action", "actor", "target", "topics")) for r in records(path)]


def test_a_higgs_row_is_what_the_actor_did_to_the_target(tmp_path: Path) -> None:
    path = tmp_path / "higgs.txt"
    path.write_text("1 2 1341100972 RT\n3 4 1341100973 MT\n5 5 1341100974 RE\n")
    assert brief(path) == [
        ("higgs:1", "twitter", "retweet", "twitter:1", "twitter:2", []),
        ("higgs:2", "twitter", "mention", "twitter:3", "twitter:4", []),
        ("higgs:3", "twitter", "reply", "twitter:5", "twitter:5", []),
    ]
    assert [record["occurred_at"] for record in records(path)] == [1341100972000, 1341100973000, 1341100974000]


def test_a_higgs_row_of_another_form_is_refused_by_line(tmp_path: Path) -> None:
    path = tmp_path / "higgs.txt"
    path.write_text("1 2 1341100972 RT\n1 2 3\n1 2 1341100972 XX\n1 2 1341100972 RE\n")
    assert [reject.line for reject in rejects(path)] == [2, 3]
    assert [record["event_id"] for record in records(path)] == ["higgs:1", "higgs:4"]


def test_an_answer_is_a_reply_to_the_asker_and_a_post_of_the_answerer(tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_text(f"{HEADER}1,answer,29,7,5,qubit|gate\n")
    assert brief(path) == [
        ("stackexchange:1", "stackexchange", "reply", "stackexchange:29", "stackexchange:7", ["qubit", "gate"]),
        ("stackexchange:1/2", "stackexchange", "post", "stackexchange:29", "stackexchange:29", ["qubit", "gate"]),
    ]


def test_an_accepted_answer_is_a_plus_k_on_each_tag(tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_text(f"{HEADER}1,accept,1,2,5,a|b|c\n2,accept,1,2,5,\n")
    assert brief(path) == [
        ("stackexchange:1", "laurel", "plus_k", "stackexchange:1", "stackexchange:2", ["a"]),
        ("stackexchange:1/2", "laurel", "plus_k", "stackexchange:1", "stackexchange:2", ["b"]),
        ("stackexchange:1/3", "laurel", "plus_k", "stackexchange:1", "stackexchange:2", ["c"]),
        ("stackexchange:2", "laurel", "plus_k", "stackexchange:1", "stackexchange:2", []),
    ]


def test_an_upvote_is_a_like_by_nobody_and_a_question_a_post(tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_text(f"{HEADER}1,upvote,,2,5,a\n2,question,7,,6,\n3,comment,4,2,6,a\n4,favorite,4,2,6,a\n")
    assert brief(path) == [
        ("stackexchange:1", "stackexchange", "like", None, "stackexchange:2", ["a"]),
        ("stackexchange:2", "stackexchange", "post", "stackexchange:7", "stackexchange:7", []),
        ("stackexchange:3", "stackexchange", "comment", "stackexchange:4", "stackexchange:2", ["a"]),
        ("stackexchange:4", "stackexchange", "favorite", "stackexchange:4", "stackexchange:2", ["a"]),
    ]


def test_what_laurel_does_not_count_is_published_under_its_own_name(tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_text(f"{HEADER}1,downvote,,2,5,a\n2,bounty_start,1,2,5,a\n3,comment,1,,5,a\n")
    assert [record[2:5] for record in brief(path)] == [
        ("downvote", None, "stackexchange:2"),
        ("bounty_start", "stackexchange:1", "stackexchange:2"),
        ("comment", "stackexchange:1", ""),
    ]


def test_a_stack_exchange_file_without_its_header_has_a_bad_first_line(tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_text("1,upvote,,2,5,a\n1,upvote,,2,5,a\n1,upvote,x,2,5,a\n")
    found = [reject for chunk in read(path, Format.STACKEXCHANGE) for reject in chunk.rejects]
    assert [reject.line for reject in found] == [1, 3]


@pytest.mark.parametrize(
    ("content", "form"),
    [
        (b'{"event_id":"a"}\n', Format.NDJSON),
        (b"", Format.NDJSON),
        (b"\n1 2 1341100972 RT\n", Format.HIGGS),
        (HEADER.encode(), Format.STACKEXCHANGE),
    ],
)
def test_a_format_is_known_by_its_first_line_packed_or_not(content: bytes, form: Format, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    assert detect(path) == form
    path.write_bytes(gzip.compress(content))
    assert detect(path) == form


def test_a_file_of_no_format_is_an_error_that_says_how_to_name_one(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("hello\n")
    with pytest.raises(DataError, match="--format"):
        detect(path)


def merges(folder: Path, files: Sequence[Sequence[int]]) -> None:
    """The merged stream is sorted by the newest time each file has reached, then by file, then by row."""
    paths = [folder / f"{index}.ndjson" for index in range(len(files))]
    expected: list[tuple[int, int, int]] = []
    for index, (path, times) in enumerate(zip(paths, files, strict=True)):
        path.write_bytes(_written([f"{index}/{place}" for place in range(len(times))], times))
        reached = np.maximum.accumulate(times).tolist() if len(times) else []
        expected += [(key, index, place) for place, key in enumerate(reached)]
    merged = list(merge(paths))
    found = [event for part in merged for event in part.records["event_id"].to_pylist()]
    assert found == [f"{index}/{place}" for _, index, place in sorted(expected)]
    assert sum(part.rows for part in merged) == len(expected)


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 50), max_size=40), min_size=1, max_size=4))
def test_several_files_become_one_stream_in_which_each_keeps_its_order(
    tmp_path_factory: pytest.TempPathFactory, files: list[list[int]]
) -> None:
    merges(tmp_path_factory.mktemp("merge"), files)


@pytest.mark.parametrize(
    "files",
    [
        pytest.param([range(0, 180_000, 3), range(1, 180_000, 3), range(2, 180_000, 3)], id="taking turns"),
        pytest.param([[7] * 60_000, [7] * 60_000], id="all at once"),
        pytest.param([[5] + [3] * 60_000, [4] * 60_000, [5] * 10], id="one ahead of its file"),
    ],
)
def test_files_longer_than_a_block_are_merged_across_blocks(tmp_path: Path, files: list[Sequence[int]]) -> None:
    merges(tmp_path, files)


def _written(ids: Sequence[str], times: Sequence[int]) -> bytes:
    count = len(ids)
    columns: dict[str, Any] = {name: pa.array(["x"] * count, pa.string()) for name in ("network", "action", "target")}
    columns |= {name: pa.nulls(count, pa.string()) for name in ("actor", "content_id", "text", "retracts")}
    columns["event_id"] = pa.array(list(ids), pa.string())
    columns["topics"] = pa.array([[]] * count, pa.list_(pa.string()))
    columns["occurred_at"] = pa.array(list(times), pa.int64())
    columns["private"] = pa.array([False] * count, pa.bool_())
    return lines(pa.RecordBatch.from_arrays([columns[name] for name in SCHEMA.names], schema=SCHEMA))


@pytest.fixture(scope="module")
def data() -> Settings:
    if not os.environ.get("LAUREL_DATA_DIR"):
        pytest.skip("LAUREL_DATA_DIR doesn't name a folder with the real data sets")
    return load()


def test_every_row_of_the_real_stack_exchange_file_is_at_least_one_engagement(data: Settings) -> None:
    path = datasets.find("stackexchange", data)
    found = records(path)
    assert rejects(path) == []
    assert len({str(record["event_id"]).split("/")[0] for record in found}) == 16_597
    table = oracle.stackexchange(path)
    for name in ("event_id", "network", "action", "actor", "target", "topics", "occurred_at"):
        assert [record[name] for record in found] == table[name].to_pylist()


def test_the_real_higgs_file_is_read_whole(data: Settings) -> None:
    counts: Counter[str] = Counter()
    for chunk in read(datasets.find("higgs", data)):
        check(chunk.records)
        assert chunk.rejects == []
        counts.update(tally(chunk.records["action"]))
    assert counts == {"retweet": 354_930, "mention": 171_237, "reply": 36_902}


def test_a_data_set_that_is_missing_is_an_error_that_says_where_it_belongs(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="set LAUREL_DATA_DIR to a folder with stackexchange-quantum"):
        datasets.find("stackexchange", load(data_dir=tmp_path))
    with pytest.raises(DataError, match="known are higgs, stackexchange"):
        datasets.find("klout", load(data_dir=tmp_path))
