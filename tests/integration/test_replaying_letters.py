"""Dead letters sent again: as they were, to where they came from, and each once, whatever happens to whoever sends them."""

import json
import random
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from confluent_kafka import Producer

from laurel.streams.dead_letters import FIRST_ORIGIN, DeadLetter
from laurel.streams.dead_letters import headers as letter_headers
from laurel.streams.ends import Ends
from laurel.streams.letters import LettersError, Selection, settle
from laurel.streams.letters_replay import BATCH
from laurel.streams.letters_replay import replay as replay_letters
from laurel.streams.settings import load
from laurel.streams.settling import settled
from tests.integration.bad_records import CODEC, engagement, sent
from tests.integration.letter_box import Box, Commands
from tests.integration.pipeline import WITHIN, Pipeline, Record, eventually

DAY = 19_845  # 2024-05-02
MYSPACE = '[myspace]\nwave = { kind = "reaction", weight = 1.0 }\n'
[(KEY, GOOD)] = sent(engagement())


@pytest.fixture
def pipeline(kafka: str, prefix: str, tmp_path: Path) -> Any:
    with Pipeline(load(bootstrap=kafka, topic_prefix=prefix, partitions=2), tmp_path) as pipeline:
        yield pipeline


@pytest.fixture
def box(pipeline: Pipeline) -> Box:
    return Box(pipeline.settings)


@pytest.fixture
def laurel(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Commands:
    return Commands(pipeline.settings, monkeypatch, capsys)


def replay(laurel: Commands, *arguments: str, status: int = 0) -> dict[str, Any]:
    return laurel.data("replay", *arguments, status=status)


def listed(laurel: Commands, *arguments: str) -> dict[str, Any]:
    settle(laurel.settings)
    return laurel.data("list", *arguments)


def arrived(pipeline: Pipeline, topic: str) -> list[Record]:
    """All records of a topic, once what was committed can be read: Kafka ends a transaction a moment after it agrees to it."""
    places = [(pipeline.settings.topic(topic), partition) for partition in range(pipeline.settings.partitions)]
    settled(Ends(pipeline.settings.servers), places, Event())
    return pipeline.read(topic)


def whole(record: Record | DeadLetter, origin: str | None = None) -> str:
    """Key, value and headers, with the header of a first origin if one is given."""
    own = list(record.headers) + ([(FIRST_ORIGIN, origin.encode())] if origin else [])
    return repr((record.key, record.value, own))


def test_a_replay_sends_key_value_and_headers_as_they_were_and_only_once(
    pipeline: Pipeline, box: Box, laurel: Commands
) -> None:
    headers = [("trace", b"1"), ("trace", None), ("__connect.errors.topic", b"x"), ("", b"\xff")]
    letters = [
        box.put("unknown_network", GOOD, key=key, headers=own)
        for key, own in ((b"a", headers), (b"", []), (None, headers[:1]), (b"\xff", []))
    ]
    letters += [box.put("empty_value", None), box.put("wrong_magic_byte", b"\x01" * 1_000)]
    letters += [box.put("malformed_avro", b"\x00\x00", "influence")]
    topics = {name: pipeline.settings.topic(name) for name in ("engagements", "influence")}
    expected = {topics["engagements"]: 6, topics["influence"]: 1}
    assert replay(laurel, "--all", "--dry-run")["sent"] == expected
    assert not arrived(pipeline, "engagements")
    done = replay(laurel, "--all")
    assert (done["sent"], done["already"], done["left"]) == (expected, 0, 0)
    for topic, name in topics.items():
        wanted = [whole(letter, letter.origin) for letter in letters if letter.topic == name]
        assert sorted(map(whole, arrived(pipeline, topic))) == sorted(wanted)
    assert (listed(laurel)["letters"], listed(laurel)["replayed"]) == (7, 7)
    again = replay(laurel, "--all")
    assert (again["sent"], again["already"]) == ({}, 7)
    assert len(arrived(pipeline, "engagements")) == 6


def test_only_what_is_named_or_chosen_is_sent(pipeline: Pipeline, box: Box, laurel: Commands) -> None:
    for reason in ("unknown_network", "unknown_action", "future"):
        box.put(reason, reason.encode())
    [first, *_] = [row["id"] for row in listed(laurel, "--reason", "future")["newest"]]
    assert sum(replay(laurel, first)["sent"].values()) == 1
    assert sum(replay(laurel, "--reason", "unknown_action", "--topic", "engagements")["sent"].values()) == 1
    assert [record.value for record in arrived(pipeline, "engagements")] == [b"future", b"unknown_action"]
    assert replay(laurel, "--to", "2001-01-01")["sent"] == {}
    assert laurel("replay")[0] == 2


def test_what_can_not_be_sent_is_named_and_the_rest_is_sent(pipeline: Pipeline, box: Box, laurel: Commands) -> None:
    box.put("malformed_avro", b"x", "person-parts")
    box.put("malformed_avro", b"x", topic="elsewhere")
    box.put("unknown_network", GOOD)
    lines = {row["origin"].split("/")[0]: row["id"] for row in listed(laurel)["newest"]}
    status, out, err = laurel("replay", *lines.values(), "1/12345", "--json")
    assert status == 1
    assert sum(json.loads(out)["sent"].values()) == 1
    for name in ("person-parts", "elsewhere"):
        topic = pipeline.settings.topic(name)
        assert f"{lines[topic]}: it came from {topic}, and only" in err
    assert "1/12345: there is no such dead letter" in err
    assert not pipeline.read("person-parts")


def largest_taken(pipeline: Pipeline) -> bytes:
    """A value of which one byte more is too large for `engagements`, when it is sent alone."""
    noise = random.Random(1).randbytes(1 << 20)
    producer = Producer({"bootstrap.servers": pipeline.settings.servers, "message.max.bytes": 10 << 20, "linger.ms": 0})

    def taken(size: int) -> bool:
        told: list[bool] = []
        topic = pipeline.settings.topic("engagements")
        producer.produce(topic, noise[:size], b"k", on_delivery=lambda error, _: told.append(error is None))
        assert producer.flush(WITHIN) == 0
        return told == [True]

    low, high = (1 << 20) - 4_096, 1 << 20
    assert taken(low)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if taken(middle) else (low, middle)
    return noise[:low]


def sizes(pipeline: Pipeline) -> Counter[int]:
    return Counter(len(record.value or b"") for record in arrived(pipeline, "engagements"))


def test_a_letter_that_is_as_large_as_can_be_is_sent_and_one_that_is_larger_is_named(
    pipeline: Pipeline, box: Box, laurel: Commands
) -> None:
    value = largest_taken(pipeline)
    before = sizes(pipeline)
    box.put("malformed_avro", value)
    box.put("malformed_avro", value + bytes(1 << 20) + value)
    box.put("unknown_network", GOOD)
    done = replay(laurel, "--all", status=1)
    assert (sum(done["sent"].values()), done["left"]) == (2, 1)
    assert sizes(pipeline) - before == Counter([len(GOOD or b""), len(value)])
    assert sum(replay(laurel, "--all", status=1)["sent"].values()) == 0


def many(pipeline: Pipeline, count: int) -> list[DeadLetter]:
    topic = pipeline.settings.topic("engagements")
    return [
        DeadLetter(topic, 0, number, b"k%d" % number, GOOD, [], "unknown_network", "because") for number in range(count)
    ]


def sent_again(pipeline: Pipeline) -> Counter[bytes | None]:
    return Counter(record.key for record in arrived(pipeline, "engagements"))


def begin(pipeline: Pipeline) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "laurel", "dead-letters", "replay", "--all", "--json"]
    return subprocess.Popen(
        command,
        env=pipeline.environment,
        cwd=pipeline.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_who_begins_a_replay_ends_the_one_under_way_and_each_letter_is_sent_once(pipeline: Pipeline, box: Box) -> None:
    settings, others = pipeline.settings, []
    box.put_all(many(pipeline, 3 * BATCH))

    def begin_another(_sent: int) -> None:
        others.append(replay_letters(settings, CODEC, Selection(), dry_run=False))

    with pytest.raises(LettersError, match="another replay has begun meanwhile"):
        replay_letters(settings, CODEC, Selection(), dry_run=False, progress=begin_another)
    [other] = others
    assert 0 < other.already < other.already + other.sent.total() == 3 * BATCH
    counts = sent_again(pipeline)
    assert (len(counts), set(counts.values())) == (3 * BATCH, {1})


def test_what_was_replayed_is_known_even_while_a_transaction_hides_it(pipeline: Pipeline, box: Box) -> None:
    settings, topic = pipeline.settings, pipeline.settings.topic("dead-letters")
    box.put_all([replace(letter, key=b"k") for letter in many(pipeline, 2 * BATCH)])
    stage = Producer(
        {
            "bootstrap.servers": settings.servers,
            "transactional.id": f"{settings.topic_prefix}stage",
            "partitioner": "murmur2_random",
        }
    )
    stage.init_transactions(WITHIN)
    stage.begin_transaction()

    def write_a_letter(_sent: int) -> None:
        if not written:
            written.append(True)
            stage.produce(topic, GOOD, b"k", headers=letter_headers(many(pipeline, 1)[0]))
            stage.flush(WITHIN)

    written: list[bool] = []
    replay_letters(settings, CODEC, Selection(), dry_run=False, progress=write_a_letter)
    with ThreadPoolExecutor(1) as thread:
        again = thread.submit(replay_letters, settings, CODEC, Selection(), dry_run=False)
        stage.commit_transaction(WITHIN)
        done = again.result(WITHIN)
    assert (done.already, done.sent.total()) == (2 * BATCH, 1)
    assert sent_again(pipeline) == {b"k": 2 * BATCH + 1}


def test_one_who_is_killed_on_the_way_has_sent_nothing_twice(pipeline: Pipeline, box: Box, laurel: Commands) -> None:
    box.put_all(many(pipeline, 4 * BATCH))
    one = begin(pipeline)
    eventually(lambda: one.poll() is not None or listed(laurel, "--limit", "0")["replayed"])
    one.kill()
    one.communicate()
    replay(laurel, "--all")
    counts = sent_again(pipeline)
    assert (len(counts), set(counts.values())) == (4 * BATCH, {1})
    assert listed(laurel, "--limit", "0")["replayed"] == 4 * BATCH


def test_after_its_cause_is_mended_a_letter_counts_and_one_refused_again_names_its_first_origin(
    pipeline: Pipeline, laurel: Commands
) -> None:
    worker = pipeline.start()
    waves = [
        engagement(event_id=f"w{n}", network="myspace", action=action, actor=f"myspace:{n}", target="myspace:tom")
        for n, action in enumerate(("wave", "wave", "poke"))
    ]
    pipeline.produce("engagements", sent(*waves))
    eventually(lambda: worker.metric("laurel_dead_letters_total") == 3)
    pipeline.close_day("2024-05-01")
    assert worker.stop() == 0
    networks = pipeline.folder / "networks.toml"
    networks.write_text(MYSPACE)
    worker = pipeline.start(0, LAUREL_NETWORKS=str(networks))
    assert sum(replay(laurel, "--reason", "unknown_network")["sent"].values()) == 3
    eventually(lambda: worker.metric("laurel_events_weighed_total", outcome="counted") == 2)
    eventually(lambda: worker.metric("laurel_dead_letters_total", reason="unknown_action") == 1)
    [refused] = listed(laurel, "--reason", "unknown_action")["newest"]
    first = {row["id"]: row["origin"] for row in listed(laurel, "--reason", "unknown_network")["newest"]}
    assert refused["first_origin"] in first.values()
    assert refused["origin"] != refused["first_origin"]
    pipeline.close_day("2024-05-02")
    [update] = [row for row in pipeline.records("score-updates", "ScoreUpdate") if row["person"] == "myspace:tom"]
    assert update["score"] > 1
    assert replay(laurel, "--all")["already"] == 3
    [again] = [record for record in arrived(pipeline, "engagements") if record.key == b"myspace:2"][2:]
    assert [name for name, _ in again.headers] == [FIRST_ORIGIN]
    assert worker.stop() == 0


def test_influence_that_was_refused_counts_from_the_next_close_on_though_its_place_was_passed(
    pipeline: Pipeline, laurel: Commands
) -> None:
    worker = pipeline.start()
    record = {
        "target": "myspace:tom", "upstream": 0, "upstream_offset": -1, "index": 0, "admit": DAY, "day": DAY,
        "network": "myspace", "action": "wave", "weight": 5_000_000, "count": 1, "plus_k": 0, "topics": [], "engager": None,
    }  # fmt: skip
    pipeline.produce("influence", [(b"myspace:tom", CODEC.encode_one("Influence", record))])
    pipeline.produce("engagements", sent(*(engagement(event_id=f"e{n}", actor=f"twitter:{n}") for n in range(20))))
    eventually(lambda: worker.metric("laurel_dead_letters_total", stage="targets") == 1)
    pipeline.close_day("2024-05-02")
    assert worker.stop() == 0
    networks = pipeline.folder / "networks.toml"
    networks.write_text(MYSPACE)
    worker = pipeline.start(0, LAUREL_NETWORKS=str(networks))
    assert sum(replay(laurel, "--topic", "influence")["sent"].values()) == 1
    assert replay(laurel, "--topic", "influence")["already"] == 1
    pipeline.close_day("2024-05-03")
    days = [row["day"] for row in pipeline.records("score-updates", "ScoreUpdate") if row["person"] == "myspace:tom"]
    assert days == [DAY + 1]
    assert worker.stop() == 0


def test_what_is_sent_again_has_the_time_of_its_sending(pipeline: Pipeline, box: Box, laurel: Commands) -> None:
    [before] = many(pipeline, 1)
    box.put_all([replace(before, topic=pipeline.settings.topic("influence"))])
    [letter] = pipeline.read("dead-letters")
    replay(laurel, "--all")
    [record] = arrived(pipeline, "influence")
    assert record.timestamp >= letter.timestamp
