"""What can't be read or is refused goes to the dead letters as it came, and everything else goes on."""

import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from laurel.models.refusals import REASONS
from laurel.streams.settings import load
from tests.integration.bad_records import CASES, CODEC, OPEN_DAY, Sent, engagement, sent
from tests.integration.pipeline import Pipeline, Record, Worker, eventually


@pytest.fixture(scope="module")
def pipeline(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    settings = load(bootstrap=kafka, topic_prefix=f"t{uuid.uuid4().hex[:12]}.", partitions=2)
    with Pipeline(settings, tmp_path_factory.mktemp("bad-input")) as running:
        running.start()
        running.close_day("2024-05-01")
        yield running


@pytest.fixture(scope="module")
def letters(pipeline: Pipeline) -> dict[str, list[Record]]:
    """Dead letters of each case, after good events were sent before, between and after them."""
    for number, (name, (_, make)) in enumerate(CASES.items()):
        records = make(name)
        pipeline.produce("engagements", records[:-1])
        pipeline.produce("engagements", [(*records[-1], headers(name))])
        pipeline.produce("engagements", good(f"after-{number}"))
    found = eventually(lambda: all_letters(pipeline, len(CASES)))
    return {name: [letter for letter in found if ("case", name.encode()) in letter.headers] for name in CASES}


def headers(name: str) -> list[tuple[str, bytes | None]]:
    return [("traceparent", b"\x00\xff"), ("case", name.encode()), ("none", None), ("traceparent", b"twice")]


def good(name: str) -> Sent:
    return sent(engagement(event_id=name, actor=f"twitter:{name}", target="twitter:well-known"))


def all_letters(pipeline: Pipeline, count: int) -> list[Record]:
    found = pipeline.read("dead-letters")
    return found if len(found) >= count else []


def told(letter: Record, name: str) -> str:
    return dict(letter.headers)[f"__connect.errors.{name}"].decode()


def alive(pipeline: Pipeline) -> Worker:
    [worker] = pipeline.workers
    assert worker.alive, worker.log.read_text()
    return worker


def test_every_reason_has_a_case() -> None:
    assert {reason for reason, _ in CASES.values()} == set(REASONS)


@pytest.mark.parametrize("name", CASES)
def test_a_refused_record_becomes_one_dead_letter_as_it_came(
    name: str, pipeline: Pipeline, letters: dict[str, list[Record]]
) -> None:
    reason, make = CASES[name]
    [letter] = letters[name]
    assert (letter.key, letter.value) == make(name)[-1]
    assert letter.headers[: len(headers(name))] == headers(name)
    assert told(letter, "exception.class.name") == reason
    assert told(letter, "exception.message")
    [origin] = [
        record
        for record in pipeline.read("engagements")
        if record.partition == int(told(letter, "partition")) and record.offset == int(told(letter, "offset"))
    ]
    assert told(letter, "topic") == origin.topic
    assert (origin.key, origin.value, origin.headers) == (letter.key, letter.value, headers(name))


def test_nothing_but_what_was_refused_is_among_the_dead_letters(
    pipeline: Pipeline, letters: dict[str, list[Record]]
) -> None:
    assert sum(len(found) for found in letters.values()) == len(CASES)
    counted = Counter(reason for reason, _ in CASES.values())
    worker = alive(pipeline)
    assert {reason: worker.metric("laurel_dead_letters_total", reason=reason) for reason in counted} == counted


def test_the_day_closes_and_what_came_among_the_refused_is_scored(
    pipeline: Pipeline, letters: dict[str, list[Record]]
) -> None:
    pipeline.close_day(OPEN_DAY.isoformat())
    [update] = [
        row for row in pipeline.records("score-updates", "ScoreUpdate") if row["person"] == "twitter:well-known"
    ]
    assert update["score"] > 1
    pairs = {(part["network"], part["action"]) for part in update["contributions"]}
    assert pairs == {("laurel", "base"), ("twitter", "retweet")}
    assert len(CASES) == len(pipeline.read("dead-letters"))


def influence(**fields: object) -> bytes:
    record = {
        "target": "twitter:1",
        "upstream": 0,
        "upstream_offset": 1 << 40,
        "index": 0,
        "admit": 19_845,
        "day": 19_845,
    }
    record |= {"network": "twitter", "action": "retweet", "weight": 1, "count": 1, "plus_k": 0, "topics": []}
    return CODEC.encode_one("Influence", record | {"engager": None} | fields)


def marker(upstream: int) -> bytes:
    return CODEC.encode_one("DayMarker", {"day": 19_845, "upstream": upstream, "upstream_offset": 0, "model": "v1"})


def test_bad_records_between_the_stages_are_dead_letters_too(kafka: str, prefix: str, tmp_path: Path) -> None:
    with Pipeline(load(bootstrap=kafka, topic_prefix=prefix, partitions=2), tmp_path) as pipeline:
        worker = pipeline.start()
        stray = CODEC.encode_one("AccountScore", {"account": "twitter:1", "day": 1, "score": 2.0})
        both = {b"garbage": "wrong_magic_byte", b"": "empty_value", b"\x00\x00\x00\x00\x07\xff": "malformed_avro"}
        both |= {stray: "unexpected_record", marker(2): "unexpected_record", marker(-1): "unexpected_record"}
        bad = {
            "influence": both
            | {influence(upstream=2): "unexpected_record", influence(upstream=-1): "unexpected_record"}
            | {influence(network="myspace"): "unknown_network", influence(action="poke"): "unknown_action"},
            "topic-candidates": both,
        }
        for topic, records in bad.items():
            pipeline.produce(topic, [(b"k", value) for value in records])
        count = sum(map(len, bad.values()))
        found = eventually(lambda: all_letters(pipeline, count))
        assert len(found) == count
        for topic, records in bad.items():
            name = pipeline.settings.topic(topic)
            of = {
                letter.value or b"": told(letter, "exception.class.name")
                for letter in found
                if told(letter, "topic") == name
            }
            assert of == records
        pipeline.produce("engagements", good("good"))
        pipeline.close_day("2024-05-02")
        assert [row["person"] for row in pipeline.records("score-updates", "ScoreUpdate")] == ["twitter:well-known"]
        assert worker.metric("laurel_dead_letters_total", stage="targets") == len(bad["influence"])
        assert worker.stop() == 0
