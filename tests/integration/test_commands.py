"""Results read back on the command line, from a real broker."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from laurel.cli.main import run
from laurel.streams import topics
from laurel.streams.calendar import requested
from laurel.streams.codec import Codec
from laurel.streams.days import CLOSED
from laurel.streams.outbox import Outbox, Output
from laurel.streams.reader import ReadError, ends
from laurel.streams.results import Results
from laurel.streams.scan import messages, partition_of
from laurel.streams.settings import Settings, load

DAY = 15_500
CODEC = Codec()

Laurel = Callable[..., tuple[int, str, str]]


@pytest.fixture
def settings(kafka: str, prefix: str) -> Settings:
    settings = load(bootstrap=kafka, topic_prefix=prefix, partitions=3)
    topics.apply(settings)
    deadline = time.monotonic() + 30
    while not led(settings):  # a broker needs a moment to lead what it has created
        assert time.monotonic() < deadline
    return settings


def led(settings: Settings) -> bool:
    try:
        for name, partitions in (("calendar", 1), ("score-updates", 3), ("leaderboards", 3), ("sash-events", 3)):
            for partition in range(partitions):
                ends(settings.servers, settings.topic(name), partition)
    except ReadError:
        return False
    return True


@pytest.fixture
def laurel(settings, monkeypatch, capsys) -> Laurel:
    """Runs a command in this process: exit status, stdout, stderr."""
    monkeypatch.setenv("LAUREL_TOPIC_PREFIX", settings.topic_prefix)
    monkeypatch.setenv("LAUREL_BOOTSTRAP", settings.servers)

    def laurel(*arguments: str) -> tuple[int, str, str]:
        handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        monkeypatch.setattr(sys, "argv", ["laurel", *arguments])
        try:
            with pytest.raises(SystemExit) as ended:
                run()
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return laurel


@cache
def outbox_to(servers: str) -> Outbox:
    return Outbox(servers)


def publish(settings: Settings, topic: str, key: str, record: str, /, **fields: Any) -> None:
    outbox = outbox_to(settings.servers)
    outbox.send(Output(settings.topic(topic), [key.encode()], [CODEC.encode_one(record, fields) if fields else None]))
    outbox.flush()


def close(settings: Settings, day: int = DAY, **fields: Any) -> None:
    record = requested(day, "v1") | {"status": CLOSED, "people": 3, "mean": 20.0} | fields
    publish(settings, "calendar", str(day), "Calendar", **record)


def update(
    settings: Settings, person: str, score: float, day: int = DAY, previous: float | None = None, **more: Any
) -> None:
    publish(
        settings, "score-updates", person, "ScoreUpdate",
        person=person, day=day, score=score, previous=previous, percentile=score, model="v1",
        contributions=[
            {"network": "laurel", "action": "base", "points": 1.0},
            {"network": "twitter", "action": "retweet", "points": score - 1.0},
        ],
        **more,
    )  # fmt: skip


def sash(settings: Settings, person: str, topic: str, sash: str, change: str, day: int = DAY) -> None:
    publish(
        settings, "sash-events", person, "SashEvent",
        person=person, topic=topic, day=day, sash=sash, change=change, influencer_rank=1, plus_k_rank=None,
    )  # fmt: skip


def board(settings: Settings, topic: str, *persons: str, day: int = DAY) -> None:
    places = [
        {"rank": rank, "person": person, "strength": 10.0 / rank, "plus_k": 0.0}
        for rank, person in enumerate(persons, 1)
    ]
    publish(
        settings, "leaderboards", topic, "Leaderboard",
        topic=topic, day=day, influencers=places, plus_k_leaders=places[:1],
    )  # fmt: skip


def test_a_score_is_the_newest_one_with_its_change(settings, laurel):
    close(settings)
    update(settings, "twitter:1", 40.0, DAY - 1)
    update(settings, "twitter:1", 42.5, previous=40.0)
    status, out, _ = laurel("score", "twitter:1", "--json")
    found = json.loads(out)
    assert (status, found["score"], found["change"], found["day"]) == (0, 42.5, 2.5, "2012-06-09")
    assert laurel("score", "twitter:1")[1] == "twitter:1  42.50  on 2012-06-09, up 2.50 from 40.00, above 42.5 %\n"


def test_an_unknown_account_is_said_to_be_unknown_and_others_like_it_are_named(settings, laurel):
    close(settings)
    update(settings, "twitter:anna", 40.0)
    status, out, err = laurel("score", "twitter:ana")
    assert (status, out) == (1, "")
    assert "twitter:ana has no score" in err
    assert "did you mean twitter:anna?" in err
    assert "did you mean twitter:anna?" in laurel("explain", "anna")[2]
    assert "network:id" in laurel("score", "bob")[2]


def test_before_any_day_is_closed_every_command_says_what_to_do(settings, laurel):
    for arguments in (["score", "twitter:1"], ["explain", "twitter:1"], ["top"], ["top", "jazz"]):
        status, out, err = laurel(*arguments)
        assert (status, out) == (1, "")
        assert "no day is closed yet" in err
        assert "laurel close-day" in err


def test_without_topics_or_without_kafka_the_error_is_a_sentence(kafka, laurel, monkeypatch):
    monkeypatch.setenv("LAUREL_TOPIC_PREFIX", "nothing-here.")
    assert "create the topics" in laurel("top")[2]
    monkeypatch.delenv("LAUREL_BOOTSTRAP")
    status, _, err = laurel("top")
    assert status == 1
    assert "--bootstrap" in err


def test_a_forgotten_person_has_no_score_and_no_place(settings, laurel):
    close(settings)
    for person, score in (("twitter:1", 50.0), ("twitter:2", 40.0), ("twitter:3", 30.0)):
        update(settings, person, score)
    publish(settings, "score-updates", "twitter:1", "ScoreUpdate")
    assert laurel("score", "twitter:1")[0] == 1
    shown = json.loads(laurel("top", "-n", "2", "--json")[1])["leaders"]
    assert [(row["rank"], row["person"]) for row in shown] == [(1, "twitter:2"), (2, "twitter:3")]


def test_leaders_are_of_the_last_closed_day_each_person_once(settings, laurel):
    close(settings)
    close(settings, DAY - 1)
    update(settings, "twitter:9", 99.0, DAY - 1)
    for person, score in (("twitter:1", 50.0), ("twitter:2", 60.0), ("twitter:3", 50.0), ("twitter:2", 60.0)):
        update(settings, person, score)
    shown = json.loads(laurel("top", "--json")[1])
    assert [row["person"] for row in shown["leaders"]] == ["twitter:2", "twitter:1", "twitter:3"]
    assert (shown["day"], shown["people"]) == ("2012-06-09", 3)


def test_a_topic_has_the_leaders_of_its_newest_board(settings, laurel):
    close(settings)
    board(settings, "jazz", "twitter:1", day=DAY - 1)
    board(settings, "jazz", "twitter:2", "twitter:1")
    board(settings, "blues", "twitter:3")
    shown = json.loads(laurel("top", "jazz", "--json")[1])
    assert [row["person"] for row in shown["leaders"]] == ["twitter:2", "twitter:1"]
    shown = json.loads(laurel("top", "jazz", "--plus-k", "--json")[1])
    assert [row["person"] for row in shown["leaders"]] == ["twitter:2"]
    assert json.loads(laurel("top", "ジャズ", "--json")[1])["topic"] == "jazz"
    assert "jaz has no leaders; there is jazz" in laurel("top", "jaz")[2]
    assert "there is jazz, blues" in laurel("top", "opera")[2]
    assert laurel("top", "--plus-k")[0] == 2


def test_an_explanation_has_the_sashes_that_are_still_worn(settings, laurel):
    close(settings)
    change = {"reactions": 3.0, "fading": -0.5, "posts": 0.0, "networks": 0.0, "calibration": 0.0, "model": 0.0}
    update(settings, "twitter:1", 42.5, previous=40.0, change=change)
    sash(settings, "twitter:1", "jazz", "gold", "awarded", DAY - 1)
    sash(settings, "twitter:1", "blues", "gold", "awarded", DAY - 1)
    sash(settings, "twitter:1", "jazz", "blue_and_gold", "upgraded")
    sash(settings, "twitter:1", "blues", "none", "lost")
    sash(settings, "twitter:2", "opera", "gold", "awarded")
    found = json.loads(laurel("explain", "twitter:1", "--json")[1])
    assert [(event["topic"], event["sash"]) for event in found["sashes"]] == [("jazz", "blue_and_gold")]
    assert sum(part["points"] for part in found["contributions"]) == pytest.approx(found["score"])
    assert (found["change"], found["changed_by"]) == (2.5, change)
    assert found["sentences"][:2] == [
        "Your score is 42.5, up 2.5 points from the day before.",
        "New reactions bring 3 points.",
    ]
    text = laurel("explain", "twitter:1")[1]
    assert "new reactions        +3.00" in text
    assert "twitter retweet" in text
    assert "blue and gold  jazz" in text
    assert Results(settings).sash_counts() == {"jazz": {"blue_and_gold": 1}, "opera": {"gold": 1}}


def test_boards_come_strongest_first_and_an_emptied_one_not_at_all(settings):
    board(settings, "jazz", "twitter:1", "twitter:2")
    board(settings, "blues", "twitter:3")
    board(settings, "opera", "twitter:4")
    board(settings, "opera")
    boards = Results(settings).boards(5)
    assert [(board.topic, board.leader, board.influencers, board.strength) for board in boards] == [
        ("jazz", "twitter:1", 2, 15.0),
        ("blues", "twitter:3", 1, 10.0),
    ]


def test_a_key_is_looked_for_where_producers_put_it(settings):
    keys = [f"twitter:{number}ü".encode() for number in range(500)]
    outbox = Outbox(settings.servers)
    outbox.send(Output(settings.topic("score-updates"), keys, [b"x"] * len(keys)))
    outbox.flush()
    found = [message for batch in messages(settings, "score-updates") for message in batch]
    assert len(found) == len(keys)
    assert all(message.partition() == partition_of(message.key(), 3) for message in found)
    [[only]] = messages(settings, "score-updates", [keys[7]])
    assert only.key() == keys[7]


def test_watching_prints_what_is_there_and_stops_at_the_limit(settings, laurel):
    update(settings, "twitter:1", 42.5)
    publish(settings, "score-updates", "twitter:1", "ScoreUpdate")
    status, out, _ = laurel("watch", "score-updates", "--from-beginning", "--limit", "2", "--json")
    first, second = map(json.loads, out.splitlines())
    assert status == 0
    assert (first["record"], first["value"]["day"], first["key"]) == ("ScoreUpdate", "2012-06-09", "twitter:1")
    assert (second["record"], second["value"]) == (None, None)


def test_watching_a_topic_that_is_no_records_is_wrong_usage(laurel):
    assert laurel("watch", "changelog-actors")[0] == 2


def test_dead_letters_are_watched_with_their_reason_whatever_they_hold(settings, laurel):
    outbox = Outbox(settings.servers)
    headers = [
        ("__connect.errors.exception.class.name", b"wrong_magic_byte"),
        ("__connect.errors.topic", b"engagements"),
    ]
    outbox.send_raw(settings.topic("dead-letters"), b"\xff", b"\x1b[2J", headers)
    outbox.flush()
    _, out, _ = laurel("watch", "dead-letters", "--from-beginning", "--limit", "1", "--json")
    line = json.loads(out)
    assert (line["refused"]["reason"], line["bytes"], line["value"]) == ("wrong_magic_byte", "G1sySg==", None)
    assert "\x1b" not in laurel("watch", "dead-letters", "--from-beginning", "--limit", "1")[1]
    assert Results(settings).refusals() == {"wrong_magic_byte": 1}


def test_watching_goes_on_with_what_arrives_until_it_is_interrupted(settings):
    command = [sys.executable, "-m", "laurel", "watch", "score-updates", "--json", "--bootstrap", settings.servers]
    update(settings, "twitter:1", 10.0)
    environment = os.environ | {"LAUREL_TOPIC_PREFIX": settings.topic_prefix}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as watch:
        try:
            assert watch.stdout is not None
            os.set_blocking(watch.stdout.fileno(), False)
            lines: list[str] = []
            deadline = time.monotonic() + 60
            while not lines:  # what comes before it has begun is not its business, so say it until it has
                assert time.monotonic() < deadline
                update(settings, "twitter:2", 20.0)
                lines = watch.stdout.readlines()
            assert json.loads(lines[0])["key"] == "twitter:2"
            watch.send_signal(signal.SIGINT)
            assert watch.wait(30) == 0
        finally:
            watch.kill()


@pytest.mark.parametrize("module", ["laurel", "laurel.cli.main"])
def test_a_module_that_is_run_as_the_command_is_the_command(module: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", module, "topics", "list"], capture_output=True, text=True, timeout=60, check=True
    )
    assert "engagements" in done.stdout
    assert not done.stderr
