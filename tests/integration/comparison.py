"""Holds what a pipeline published against what the oracle says it must."""

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from tests.integration.pipeline import Pipeline, Record
from tests.oracle.oracle import OracleResult

TOLERANCE = 1e-9  # points: the oracle adds floats in another order
STRENGTH_UNIT = 65_536 * 1_000_000  # the oracle's whole numbers in a point
SHOWN = 5  # of what differs

Place = tuple[str, int, int]
"""Topic, partition and offset of a record."""


def assert_same(pipeline: Pipeline, expected: OracleResult, letters: Mapping[Place, str] | None = None) -> Counter[str]:
    """Every score, contribution, sash, board, calendar entry and dead letter is there once and right, and nothing else is.

    `letters` are the dead letters' origins and reasons where records are among them that the oracle doesn't know. Returns
    how many records of each topic were compared.
    """
    updates = _once(pipeline.records("score-updates", "ScoreUpdate"), lambda row: (row["day"], row["person"]))
    _same_scores(updates, expected)
    _same_contributions(updates, expected)
    _same_changes(updates, expected)
    _same_classic_parts(updates, expected)
    return Counter(
        {
            "score-updates": len(updates),
            "signals": _same_signals(pipeline, expected),
            "sash-events": _same_sashes(pipeline, expected),
            "leaderboards": _same_boards(pipeline, expected),
            "calendar": _same_calendar(pipeline, expected),
            "dead-letters": _same_dead_letters(pipeline, expected, letters),
        }
    )


def assert_influence_once(pipeline: Pipeline, counted: AbstractSet[Place]) -> int:
    """Each event that counts has brought influence, and no event has twice; returns how many records brought it."""
    rows = pipeline.records("influence", "Influence")
    found = _once(rows, lambda row: (row["upstream"], row["upstream_offset"], row["index"]))
    topic = pipeline.settings.topic("engagements")
    _no_difference({(topic, partition, offset) for partition, offset, _ in found} & counted, counted)
    return len(rows)


def _once(rows: Iterable[Any], key: Callable[[Any], Any]) -> dict[Any, Any]:
    """The rows by their keys, each of which there is once."""
    found: dict[Any, Any] = {}
    for row in rows:
        known = found.setdefault(key(row), row)
        assert known is row, f"{key(row)} was published twice: {known} and {row}"
    return found


def _no_difference(found: AbstractSet[Any], wanted: AbstractSet[Any]) -> None:
    missing, extra = wanted - found, found - wanted
    told = f"{sorted(missing)[:SHOWN]} of {len(missing)} missing, {sorted(extra)[:SHOWN]} of {len(extra)} too many"
    assert not missing | extra, told


def _same_scores(found: Mapping[Any, Any], expected: OracleResult) -> None:
    wanted = {(row["day"], row["account"]): row for row in expected.scores.to_pylist()}
    _no_difference(found.keys(), wanted.keys())
    for key, row in wanted.items():
        update = found[key]
        assert abs(update["score"] - row["score"]) < TOLERANCE, key
        assert abs(update["percentile"] - row["percentile"]) < 1e-6, key
        assert (update["previous"] is None) == (row["previous"] is None), key
        assert update["previous"] is None or abs(update["previous"] - row["previous"]) < TOLERANCE, key


def _same_contributions(updates: Mapping[Any, Any], expected: OracleResult) -> None:
    found = {
        (day, person, part["network"], part["action"]): part["points"]
        for (day, person), row in updates.items()
        for part in row["contributions"]
    }
    wanted = {
        (row["day"], row["account"], row["network"], row["action"]): row["points"]
        for row in expected.contributions.to_pylist()
    }
    _no_difference(found.keys(), wanted.keys())
    assert all(abs(found[key] - points) < TOLERANCE for key, points in wanted.items())


def _same_changes(updates: Mapping[Any, Any], expected: OracleResult) -> None:
    """Each part of each change, and that they sum to it."""
    found = {key: row["change"] for key, row in updates.items() if row["change"] is not None}
    wanted = {(row.pop("day"), row.pop("account")): row for row in expected.changes.to_pylist()}
    _no_difference(found.keys(), wanted.keys())
    for key, parts in wanted.items():
        assert all(abs(found[key][name] - points) < TOLERANCE for name, points in parts.items()), (
            key,
            found[key],
            parts,
        )
        assert found[key]["networks"] == found[key]["model"] == 0, key
        difference = updates[key]["score"] - updates[key]["previous"]
        assert abs(sum(found[key].values()) - difference) < TOLERANCE, key


def _same_classic_parts(updates: Mapping[Any, Any], expected: OracleResult) -> None:
    """People and what these earned to the last bit, as they are counted and not estimated."""
    wanted = {(row["day"], row["account"]): row for row in expected.reach.to_pylist()}
    _no_difference(updates.keys(), wanted.keys())
    for key, row in wanted.items():
        found = updates[key]
        assert found["true_reach"] == row["true_reach"], (key, found, row)
        assert found["network_influence"] == row["network_influence"], (key, found, row)
        assert (found["amplification"] is None) == (row["amplification"] is None), (key, found, row)
        if row["amplification"] is not None:
            assert abs(found["amplification"] - row["amplification"]) <= TOLERANCE * row["amplification"], (
                key,
                found,
                row,
            )


def _tombstones(records: Iterable[Any]) -> Counter[bytes]:
    """How often each key is forgotten that something was told of; whoever is newly linked is forgotten whatever there was."""
    told: dict[bytes, bool] = {}
    found = Counter[bytes]()
    for record in records:
        if record.value is None and told.get(record.key):
            found[record.key] += 1
        told[record.key] = record.value is not None
    return found


def _same_signals(pipeline: Pipeline, expected: OracleResult) -> int:
    """Each person's, and a tombstone at the first close that finds nothing suspicious any more."""
    found = _once(pipeline.records("signals", "Signals"), lambda row: (row["day"], row["person"]))
    wanted = {(row["day"], row["account"]): row for row in expected.signals.to_pylist()}
    _no_difference(found.keys(), wanted.keys())
    for key, row in wanted.items():
        for name in ("reactions", "named", "flagged"):
            assert found[key][name] == row[name], (key, found[key], row)
        for name in ("burst", "concentration", "youth"):
            assert abs(found[key][name] - row[name]) < TOLERANCE, (key, found[key], row)
    days = [row["day"] for row in expected.calendar.to_pylist()]
    cleared = Counter(
        person.encode()
        for before, day in itertools.pairwise(sorted(days))
        for of, person in wanted
        if of == before and (day, person) not in wanted
    )
    assert _tombstones(pipeline.read("signals")) == cleared
    return len(found)


def _same_sashes(pipeline: Pipeline, expected: OracleResult) -> int:
    rows = pipeline.records("sash-events", "SashEvent")
    _no_difference(
        {(*key, row["sash"], row["change"]) for key, row in _once(rows, _sash).items()},
        {(*_sash(row), row["sash"], row["change"]) for row in expected.sashes.to_pylist()},
    )
    return len(rows)


def _sash(row: Mapping[str, Any]) -> tuple[int, str, str]:
    return row["day"], row["person"], row["topic"]


def _same_boards(pipeline: Pipeline, expected: OracleResult) -> int:
    kept = 50  # the blue sash reaches no further down
    boards = _once(pipeline.records("leaderboards", "Leaderboard"), lambda row: (row["day"], row["topic"]))
    found = {
        (*key, kind, place["rank"], place["person"], place["strength"], place["plus_k"])
        for key, row in boards.items()
        for kind, column in (("influencers", "influencers"), ("plus_k", "plus_k_leaders"))
        for place in row[column]
        if place["rank"] <= kept
    }
    wanted = {
        (
            row["day"],
            row["topic"],
            _kind(row["kind"]),
            row["rank"],
            row["person"],
            row["strength"] / STRENGTH_UNIT,
            row["plus_k"],
        )
        for row in expected.leaderboards.to_pylist()
        if row["rank"] <= kept
    }
    _no_difference(found, wanted)
    return len(boards)


def _kind(name: str) -> str:
    return "plus_k" if "plus_k" in name else "influencers"


def _same_calendar(pipeline: Pipeline, expected: OracleResult) -> int:
    rows = [row for row in pipeline.records("calendar", "Calendar") if row["status"] == "closed"]
    found = _once(rows, lambda row: row["day"])
    wanted = {row["day"]: row for row in expected.calendar.to_pylist()}
    _no_difference(found.keys(), wanted.keys())
    for day, row in wanted.items():
        assert found[day]["people"] == row["people"], day
        assert abs(found[day]["r0"] / row["r0"] - 1) < TOLERANCE, day
        assert sum(found[day]["histogram"]) == row["people"], day
    return len(rows)


def _same_dead_letters(pipeline: Pipeline, expected: OracleResult, letters: Mapping[Place, str] | None) -> int:
    found = _once(pipeline.read("dead-letters"), _origin)
    reasons = {place: _header(letter, "exception.class.name") for place, letter in found.items()}
    if letters is None:
        events = Counter(
            (pipeline.codec.decode_one(letter.value)[1]["event_id"], reasons[place]) for place, letter in found.items()
        )
        assert events == Counter((row["event_id"], row["reason"]) for row in expected.dead_letters.to_pylist())
    else:
        _no_difference(set(reasons.items()), set(letters.items()))
    return len(found)


def _origin(letter: Record) -> Place:
    return _header(letter, "topic"), int(_header(letter, "partition")), int(_header(letter, "offset"))


def _header(letter: Record, name: str) -> str:
    return (dict(letter.headers)[f"__connect.errors.{name}"] or b"").decode()
