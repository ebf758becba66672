"""Dead letters: the record's own bytes, and headers that say where they came from and why."""

from dataclasses import fields

from laurel.streams.codec import Codec
from laurel.streams.dead_letters import DeadLetter, headers

LETTER = DeadLetter(
    "engagements",
    3,
    41,
    b"key",
    b"\xff\x00",
    [("trace", b"1"), ("trace", None)],
    "wrong_magic_byte",
    "it begins with 255",
)


def test_a_letter_keeps_the_record_s_own_headers_first():
    assert headers(LETTER)[:2] == LETTER.headers


def test_a_letter_says_where_the_record_came_from_and_why_it_was_refused():
    told = {name.removeprefix("__connect.errors."): value for name, value in headers(LETTER)[2:]}
    assert (told["topic"], told["partition"], told["offset"]) == (b"engagements", b"3", b"41")
    assert told["exception.class.name"] == b"wrong_magic_byte"
    assert told["exception.message"] == b"it begins with 255"


def test_the_contract_describes_what_a_letter_says():
    names = Codec().arrow("DeadLetter").names
    own = {"key", "value", "headers"}
    assert set(names) == {field.name for field in fields(DeadLetter)} - own
