"""Dead letters looked at on the command line: counted, named, and one with all there is to know of it."""

import json
from typing import Any

import pytest

from laurel.cli.mending import MENDING
from laurel.models.refusals import REASONS
from laurel.streams.letters import MARK, MARK_RECORD
from laurel.streams.settings import Settings, load
from laurel.streams.topics import apply
from tests.integration.bad_records import engagement, sent
from tests.integration.letter_box import CODEC, Box, Commands

[(_, GOOD)] = sent(engagement())


@pytest.fixture
def settings(kafka: str, prefix: str) -> Settings:
    settings = load(bootstrap=kafka, topic_prefix=prefix, partitions=2)
    apply(settings)
    return settings


@pytest.fixture
def laurel(settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Commands:
    return Commands(settings, monkeypatch, capsys)


@pytest.fixture
def box(settings: Settings) -> Box:
    return Box(settings)


def listed(laurel: Commands, *options: str) -> dict[str, Any]:
    return laurel.data("list", *options)


def test_every_reason_has_a_sentence_on_how_to_mend_it() -> None:
    assert set(MENDING) == set(REASONS)


def test_letters_are_counted_by_reason_and_origin_and_the_newest_are_named(
    settings: Settings, laurel: Commands, box: Box
) -> None:
    assert listed(laurel) == {"letters": 0, "replayed": 0, "summary": [], "newest": []}
    assert "no dead letters" in laurel("list")[1]
    for number in range(3):
        box.put("unknown_network", GOOD, key=b"a%d" % number)
    box.put("wrong_magic_byte", b"\x01", "influence")
    found = listed(laurel, "--limit", "2")
    counted = [(row["reason"], row["topic"], row["letters"], row["replayed"]) for row in found["summary"]]
    topic = settings.topic("engagements")
    assert counted == [
        ("unknown_network", topic, 3, 0),
        ("wrong_magic_byte", settings.topic("influence"), 1, 0),
    ]
    assert [row["origin"] for row in found["newest"]] == [f"{settings.topic('influence')}/0/3", f"{topic}/0/2"]
    text = laurel("list")[1]
    assert "4 dead letters" in text
    assert f"{topic}/0/2" in text


def test_letters_are_chosen_by_reason_by_origin_and_by_when_they_were_refused(laurel: Commands, box: Box) -> None:
    box.put("unknown_network", GOOD)
    box.put("unknown_action", GOOD)
    box.put("unknown_action", GOOD, "influence")
    assert listed(laurel, "--reason", "unknown_action")["letters"] == 2
    assert listed(laurel, "--reason", "unknown_action", "--topic", "influence")["letters"] == 1
    [newest] = listed(laurel, "--limit", "1")["newest"]
    at = newest["at"]
    assert listed(laurel, "--from", at)["letters"] >= 1
    assert listed(laurel, "--to", at)["letters"] <= 2
    assert listed(laurel, "--from", at[:10])["letters"] == 3
    assert listed(laurel, "--to", "2001-01-01")["letters"] == 0
    assert laurel("list", "--from", "yesterday")[0] == 2


def test_a_letter_is_shown_with_its_bytes_and_its_fields_as_far_as_they_can_be_read(laurel: Commands, box: Box) -> None:
    value = GOOD.replace(b"retweet", b"\xff\xfe\xfdweet") if GOOD else b""
    letter = box.put(
        "malformed_avro", value, key=b"\xff", headers=[("trace", b"1"), ("trace", None), ("bytes", b"\xff")]
    )
    [row] = listed(laurel)["newest"]
    status, out, _ = laurel("show", row["id"], "--json")
    shown = json.loads(out)
    assert status == 0
    assert (bytes.fromhex(shown["key"]), bytes.fromhex(shown["value"])) == (letter.key, letter.value)
    assert [(each["name"], each["value"]) for each in shown["headers"]] == [
        ("trace", "31"), ("trace", None), ("bytes", "ff"),
    ]  # fmt: skip
    assert (shown["record"], shown["fields"]) == ("Engagement", {"event_id": "event", "network": "twitter"})
    assert "field action" in shown["problem"]
    assert shown["mending"] == MENDING["malformed_avro"]
    text = laurel("show", row["id"])[1]
    assert "0xff" in text
    assert "00000000  00 00 00 00 01" in text


def test_a_letter_that_is_not_there_is_an_error_that_says_where_to_look(laurel: Commands, box: Box) -> None:
    box.mark(0, 3)
    for name in ("0/123", "0/0", "9/0"):
        status, _, err = laurel("show", name)
        assert status == 1
        assert f"no dead letter {name}" in err
    assert "no letter's id" in laurel("show", "five")[2]


def test_what_was_replayed_is_told_and_only_of_the_letters_that_were(laurel: Commands, box: Box) -> None:
    for _ in range(4):
        box.put("unknown_network", GOOD)
    newest = listed(laurel)["newest"]
    partition = int(newest[0]["id"].split("/")[0])
    box.mark(partition, 1, 3)
    assert {row["id"]: row["replayed"] for row in listed(laurel)["newest"]} == {
        f"{partition}/{offset}": offset in (1, 3) for offset in range(4)
    }
    assert (listed(laurel)["letters"], listed(laurel)["replayed"]) == (4, 2)
    assert "2 of them replayed" in laurel("list")[1]


def test_what_a_record_says_of_itself_is_neither_believed_nor_lost(
    settings: Settings, laurel: Commands, box: Box
) -> None:
    forged = [("__connect.errors.topic", b"nowhere"), ("__connect.errors.exception.class.name", b"bored")]
    mark = CODEC.encode_one(MARK_RECORD, {"offsets": [0, 1, 2]})
    box.put("unexpected_record", mark, key=MARK, headers=forged)
    [row] = listed(laurel)["newest"]
    assert (row["reason"], row["origin"], row["replayed"]) == (
        "unexpected_record", f"{settings.topic('engagements')}/0/0", False,
    )  # fmt: skip
    shown = json.loads(laurel("show", row["id"], "--json")[1])
    assert [(each["name"], bytes.fromhex(each["value"])) for each in shown["headers"]] == forged


def test_records_that_are_no_letters_of_ours_are_passed_over(laurel: Commands, box: Box) -> None:
    box.put_raw(None, b"hello", [])
    box.put_raw(MARK, b"no mark", [("__connect.errors.topic", b"engagements")])
    box.put("empty_value", None)
    assert listed(laurel)["letters"] == 1
