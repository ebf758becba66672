"""Holds what a pipeline published against what the oracle says it must."""

from collections import Counter

from tests.integration.pipeline import Pipeline
from tests.oracle.oracle import OracleResult

TOLERANCE = 1e-9  # points: the oracle adds floats in another order
STRENGTH_UNIT = 65_536 * 1_000_000  # the oracle's whole numbers in a point


def assert_same(pipeline: Pipeline, expected: OracleResult) -> None:
    """Every score, contribution, sash, board, calendar entry and dead letter is there and right, and nothing else is.

    A record that was sent again after a crash counts as one.
    """
    _same_scores(pipeline, expected)
    _same_contributions(pipeline, expected)
    _same_sashes(pipeline, expected)
    _same_boards(pipeline, expected)
    _same_calendar(pipeline, expected)
    _same_dead_letters(pipeline, expected)


def _updates(pipeline: Pipeline) -> dict:
    found: dict = {}
    for row in pipeline.records("score-updates", "ScoreUpdate"):
        key = (row["day"], row["person"])
        assert found.setdefault(key, row) == row, f"{key} was published twice, differently"
    return found


def _same_scores(pipeline: Pipeline, expected: OracleResult) -> None:
    found = _updates(pipeline)
    wanted = {(row["day"], row["account"]): row for row in expected.scores.to_pylist()}
    assert found.keys() == wanted.keys()
    for key, row in wanted.items():
        update = found[key]
        assert abs(update["score"] - row["score"]) < TOLERANCE, key
        assert abs(update["percentile"] - row["percentile"]) < 1e-6, key
        assert (update["previous"] is None) == (row["previous"] is None), key
        assert update["previous"] is None or abs(update["previous"] - row["previous"]) < TOLERANCE, key


def _same_contributions(pipeline: Pipeline, expected: OracleResult) -> None:
    found = {
        (day, person, part["network"], part["action"]): part["points"]
        for (day, person), row in _updates(pipeline).items()
        for part in row["contributions"]
    }
    wanted = {
        (row["day"], row["account"], row["network"], row["action"]): row["points"]
        for row in expected.contributions.to_pylist()
    }
    assert found.keys() == wanted.keys()
    assert all(abs(found[key] - points) < TOLERANCE for key, points in wanted.items())


def _same_sashes(pipeline: Pipeline, expected: OracleResult) -> None:
    found = {
        (row["day"], row["person"], row["topic"]): (row["sash"], row["change"])
        for row in pipeline.records("sash-events", "SashEvent")
    }
    wanted = {
        (row["day"], row["person"], row["topic"]): (row["sash"], row["change"]) for row in expected.sashes.to_pylist()
    }
    assert found == wanted


def _same_boards(pipeline: Pipeline, expected: OracleResult) -> None:
    kept = 50  # the blue sash reaches no further down
    found = {
        (row["day"], row["topic"], kind, place["rank"]): (place["person"], place["strength"], place["plus_k"])
        for row in pipeline.records("leaderboards", "Leaderboard")
        for kind, column in (("influencers", "influencers"), ("plus_k", "plus_k_leaders"))
        for place in row[column]
        if place["rank"] <= kept
    }
    wanted = {
        (row["day"], row["topic"], _kind(row["kind"]), row["rank"]): (
            row["person"],
            row["strength"] / STRENGTH_UNIT,
            row["plus_k"],
        )
        for row in expected.leaderboards.to_pylist()
        if row["rank"] <= kept
    }
    assert found == wanted


def _kind(name: str) -> str:
    return "plus_k" if "plus_k" in name else "influencers"


def _same_calendar(pipeline: Pipeline, expected: OracleResult) -> None:
    found = {row["day"]: row for row in pipeline.records("calendar", "Calendar") if row["status"] == "closed"}
    wanted = {row["day"]: row for row in expected.calendar.to_pylist()}
    assert found.keys() == wanted.keys()
    for day, row in wanted.items():
        assert found[day]["people"] == row["people"], day
        assert abs(found[day]["r0"] / row["r0"] - 1) < TOLERANCE, day
        assert sum(found[day]["histogram"]) == row["people"], day


def _same_dead_letters(pipeline: Pipeline, expected: OracleResult) -> None:
    found = {}
    for letter in pipeline.read("dead-letters"):
        headers = {name.removeprefix("__connect.errors."): (text or b"").decode() for name, text in letter.headers}
        _, record = pipeline.codec.decode_one(letter.value)
        found[headers["topic"], headers["partition"], headers["offset"]] = (
            record["event_id"],
            headers["exception.class.name"],
        )
    wanted = Counter((row["event_id"], row["reason"]) for row in expected.dead_letters.to_pylist())
    assert Counter(found.values()) == wanted
