"""Dead letters: the record's own bytes, and headers that say where they came from and why."""

from dataclasses import fields

from hypothesis import given
from hypothesis import strategies as st

from laurel.streams.codec import Codec
from laurel.streams.dead_letters import FIRST_ORIGIN, DeadLetter, headers, is_sent_again, read_back, send

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


class Sent:
    """A record on its way to `dead-letters`, read where it arrives."""

    def send_raw(self, topic, key, value, headers):
        self._fields = {"topic": topic, "key": key, "value": value, "headers": headers}

    def __getattr__(self, name):
        return lambda: self._fields[name]


texts = st.text(st.characters(codec="utf-8"), max_size=20)
names = st.one_of(texts, st.sampled_from([name for name, _ in headers(LETTER)]), st.just(FIRST_ORIGIN))
data = st.one_of(st.none(), st.binary(max_size=20))
letters = st.builds(
    DeadLetter,
    topic=texts,
    partition=st.integers(0, 2**31 - 1),
    offset=st.integers(0, 2**63 - 1),
    key=data,
    value=data,
    headers=st.lists(st.tuples(names, data), max_size=12),
    reason=texts,
    message=texts,
)


@given(letters)
def test_what_is_sent_is_read_back_whatever_the_record_says_of_itself(letter):
    sent = Sent()
    send(sent, "dead-letters", letter)
    assert read_back(sent) == letter


@given(letters, st.integers(1, 8))
def test_a_record_without_all_our_headers_at_its_end_is_no_letter(letter, missing):
    sent = Sent()
    sent.send_raw("dead-letters", letter.key, letter.value, [*headers(letter)[:-missing], ("trace", b"1")])
    assert read_back(sent) is None


@given(letters)
def test_the_first_origin_is_the_one_it_was_sent_again_from_or_its_own(letter):
    told = [value for name, value in letter.headers if name == FIRST_ORIGIN]
    own = f"{letter.topic}/{letter.partition}/{letter.offset}"
    assert letter.first_origin == (told[-1].decode(errors="replace") if told and told[-1] is not None else own)
    assert is_sent_again(letter) == bool(told)
