"""The form of an engagement, alone and in columns, and the synthetic ones."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laurel import Engagement
from laurel.ingest import generate
from laurel.ingest.arrow import concatenate, tally
from laurel.ingest.errors import DataError, EngagementError
from laurel.ingest.files import read
from laurel.ingest.records import SCHEMA, check, conform, keys

GOOD = Engagement("e1", "twitter", "like", "twitter:1", 1_341_100_800_000, actor="twitter:2", topics=("python",))

WRONG: list[tuple[str, Any, str]] = [
    ("event_id", "", "event_id: is empty"),
    ("event_id", 7, "event_id: not a string"),
    ("network", None, "network: missing"),
    ("target", "somebody", "target: 'somebody' is not an account, network:id"),
    ("target", "", "target: '' is not an account, network:id"),
    ("actor", "twitter: 1", "actor: 'twitter: 1' is not an account, network:id"),
    ("topics", "python", "topics: not a list of strings"),
    ("topics", (1,), "topics: not a list of strings"),
    ("occurred_at", "now", "occurred_at: 'now' is neither a moment nor whole milliseconds since 1970"),
    ("occurred_at", True, "occurred_at: True is neither a moment nor whole milliseconds since 1970"),
    (
        "occurred_at",
        datetime(2012, 7, 1, tzinfo=UTC).replace(tzinfo=None),
        "occurred_at: 2012-07-01 00:00:00 has no time zone",
    ),
    ("private", "no", "private: not true or false"),
]


@pytest.mark.parametrize(("name", "value", "message"), WRONG)
def test_an_engagement_of_the_wrong_form_is_refused_by_field(name: str, value: Any, message: str) -> None:
    with pytest.raises(EngagementError) as refusal:
        replace(GOOD, **{name: value}).row()
    assert str(refusal.value).startswith(message)


def test_a_moment_becomes_its_millisecond() -> None:
    assert replace(GOOD, occurred_at=datetime(2012, 7, 1, 0, 0, 0, 1999, UTC)).row()["occurred_at"] == 1_341_100_800_001
    assert GOOD.row()["occurred_at"] == 1_341_100_800_000


def batch(**columns: Any) -> pa.RecordBatch:
    found: dict[str, Any] = {
        "event_id": ["e"],
        "network": ["twitter"],
        "action": ["like"],
        "target": ["twitter:1"],
        "occurred_at": [1],
    }
    return pa.RecordBatch.from_pydict(found | columns)


def test_columns_that_may_be_left_out_get_their_defaults() -> None:
    row = conform(batch()).to_pylist()[0]
    assert (row["actor"], row["topics"], row["private"], row["retracts"]) == (None, [], False, None)


def test_columns_of_other_types_with_the_same_meaning_are_taken() -> None:
    given_columns = batch(
        network=pa.array(["twitter"]).dictionary_encode(),
        topics=pa.array([["a"]], pa.large_list(pa.large_string())),
        occurred_at=pa.array([datetime(2012, 7, 1, 2, tzinfo=UTC)], pa.timestamp("us", "Europe/Berlin")),
        actor=pa.nulls(1),
    )
    row = conform(given_columns).to_pylist()[0]
    assert (row["network"], row["topics"], row["occurred_at"], row["actor"]) == (
        "twitter",
        ["a"],
        1_341_108_000_000,
        None,
    )


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"followers": [3]}, "'followers': an engagement has no such field"),
        ({"occurred_at": [1.5]}, "occurred_at: a column of double, where int64 is expected"),
        ({"occurred_at": pa.array([0], pa.timestamp("ms"))}, "occurred_at: timestamps without a time zone"),
        ({"occurred_at": pa.array([2**63], pa.uint64())}, "occurred_at: "),
        ({"actor": [7]}, "actor: a column of int64, where string is expected"),
        ({"network": pa.array([None], pa.string())}, "network: null in row 0"),
        ({"topics": [["a", None]]}, "topics: one of the topics is null"),
        ({"private": [0]}, "private: a column of int64, where bool is expected"),
    ],
)
def test_columns_of_the_wrong_form_are_refused_by_name(columns: dict[str, Any], message: str) -> None:
    with pytest.raises(EngagementError) as refusal:
        conform(batch(**columns))
    assert str(refusal.value).startswith(message)


def test_a_missing_column_is_refused_by_name() -> None:
    with pytest.raises(EngagementError, match="target: the column is missing"):
        conform(batch().drop_columns(["target"]))


TEXTS = st.sampled_from(["", "a", "a:b", "a:", ":b", "a:b:c", "a b:c", "a:b c", "twitter:1\n", "ä:ö"])


@settings(deadline=None)
@given(st.lists(st.tuples(TEXTS, TEXTS, st.none() | TEXTS), min_size=1, max_size=4))
def test_columns_are_refused_exactly_when_one_of_their_rows_is(rows: list[tuple[str, str, str | None]]) -> None:
    engagements = [replace(GOOD, event_id=event, target=target, actor=actor) for event, target, actor in rows]
    columns = [{**GOOD.row(), "event_id": event, "target": target, "actor": actor} for event, target, actor in rows]

    def refused(attempt: Any) -> bool:
        try:
            attempt()
        except EngagementError:
            return True
        return False

    alone = any(refused(engagement.row) for engagement in engagements)
    assert refused(lambda: check(pa.RecordBatch.from_pylist(columns, SCHEMA))) == alone


def test_the_key_is_the_actor_or_the_target_of_an_anonymous_one() -> None:
    rows = [{**GOOD.row(), "actor": actor} for actor in ("twitter:2", None, "")]
    assert keys(pa.RecordBatch.from_pylist(rows, SCHEMA)) == [b"twitter:2", b"twitter:1", b"twitter:1"]


def generated(plan: generate.Plan) -> pa.RecordBatch:
    return concatenate(list(generate.batches(plan)), SCHEMA)


@settings(deadline=None)
@given(
    st.builds(
        generate.Plan, st.integers(0, 300), st.integers(2, 40), st.floats(0, 3), st.integers(1, 5), st.integers(0, 9)
    )
)
def test_synthetic_events_are_engagements_in_time_order_within_their_days(plan: generate.Plan) -> None:
    events = generated(plan)
    check(events)
    assert events.num_rows == plan.events
    times = events["occurred_at"].to_numpy()
    assert np.array_equal(times, np.sort(times))
    assert ((times // generate.DAY >= plan.start) & (times // generate.DAY < plan.start + plan.days)).all()
    for event in events.to_pylist():
        assert event["event_id"].startswith("synthetic:")
        assert (event["action"] == "post") == (event["actor"] == event["target"]) or event["actor"] is None
        assert event["action"] != "plus_k" or len(event["topics"]) == 1
        assert len(set(event["topics"])) == len(event["topics"])


def test_one_seed_gives_one_file_and_another_seed_another(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a.ndjson.gz", "b.ndjson.gz", "c.ndjson.gz")]
    for path, seed in zip(paths, (1, 1, 2), strict=True):
        assert list(generate.write(generate.Plan(60_000, 100, 1.2, 3, seed), path)) == [50_000, 60_000]
    assert paths[0].read_bytes() == paths[1].read_bytes() != paths[2].read_bytes()
    found = concatenate([chunk.records for chunk in read(paths[0])], SCHEMA)
    assert found.equals(generated(generate.Plan(60_000, 100, 1.2, 3, 1)))


def test_more_skew_gives_the_first_account_a_larger_share() -> None:
    shares = []
    for skew in (0.0, 1.0, 2.0):
        counts = tally(generated(generate.Plan(20_000, 1_000, skew, 1))["target"])
        shares.append(max(counts.values()) / 20_000)
    assert shares[0] < 0.005
    assert 0.1 < shares[1] < 0.2
    assert shares[2] > 0.5


@pytest.mark.parametrize(
    "numbers", [(-1, 2, 1.0, 1), (1, 1, 1.0, 1), (1, 2, 6.0, 1), (1, 2, 1.0, 0), (1, 2, 1.0, 1, -1)]
)
def test_an_impossible_plan_is_refused(numbers: tuple[Any, ...]) -> None:
    with pytest.raises(DataError, match="--"):
        generate.Plan(*numbers)


def test_a_folder_that_is_not_there_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="can't be written: No such file"):
        list(generate.write(generate.Plan(1, 2, 1.0, 1), tmp_path / "none" / "file"))
