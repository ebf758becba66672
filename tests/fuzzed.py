"""Messages as hostile and broken programs send them, made from a seed: the same seed and number, the same message.

Each has a header `fuzz` with its number, at a place of its own among others.
"""

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.integration.bad_records import CODEC, NOON, engagement

BLOCK = 1_000  # messages made from one state of the generator
TARGETS, TOPIC = 20, "fuzz-counted"  # whom the good ones are on, and in which topic
PARTITIONS = 4
TODAY = int(time.time()) // 86_400
EDGES = (0, -1, 1, 63, 64, 2**31 - 1, -(2**31), 2**32, 2**53, 2**63 - 1, -(2**63))
SCHEMA_IDS = [*range(1, 20), 255, 256, 2**31 - 1, 2**31, 2**32 - 1]

Headers = list[tuple[str, bytes | None]]


@dataclass(frozen=True)
class Fuzzed:
    """One message. `counts` is the target that a good one is on, -1 for all others."""

    number: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    counts: int = -1


def messages(seed: int, begin: int, end: int, *, good: bool = True) -> Iterator[Fuzzed]:
    """Messages `begin` to `end`, excluded; both multiples of BLOCK. Without `good`, none that any topic would take."""
    for block in range(begin // BLOCK, end // BLOCK):
        choose = random.Random(f"{seed}/{block}")
        for number in range(block * BLOCK, (block + 1) * BLOCK):
            yield _message(number, choose, good=good)


def _message(number: int, choose: random.Random, *, good: bool) -> Fuzzed:
    if good and choose.random() < 0.1:
        target = choose.randrange(TARGETS)
        event = engagement(
            event_id=f"good-{number}", actor=f"twitter:good-{number}", target=f"twitter:loved-{target}", topics=[TOPIC]
        )
        return Fuzzed(number, event["actor"].encode(), _engagement(**event), _headers(number, choose), target)
    make = choose.choice(BAD)
    return Fuzzed(number, _key(number, choose), make(number, choose), _headers(number, choose))


def _engagement(**fields: object) -> bytes:
    return CODEC.encode_one("Engagement", engagement(**fields))


def _base(number: int) -> bytes:
    return _engagement(event_id=f"e{number}", actor=f"twitter:m{number}", target="twitter:mutant", topics=["a", "b"])


def _nothing(_number: int, choose: random.Random) -> bytes | None:
    return choose.choice((None, b"", b"\x00", b"\x00\x00\x00\x00", b"\x00\x00\x00\x00\x01"))


def _noise(_number: int, choose: random.Random) -> bytes:
    return choose.randbytes(choose.randrange(1, 300))


def _noise_with_header(_number: int, choose: random.Random) -> bytes:
    return b"\x00" + choose.choice(SCHEMA_IDS).to_bytes(4, "big") + choose.randbytes(choose.randrange(100))


def _cut(number: int, choose: random.Random) -> bytes:
    whole = _base(number)
    return whole[: choose.randrange(len(whole))]


def _lengthened(number: int, choose: random.Random) -> bytes:
    whole = _base(number)
    at = choose.randrange(len(whole) + 1)
    return whole[:at] + choose.randbytes(choose.randrange(1, 4)) + whole[at:]


def _flipped(number: int, choose: random.Random) -> bytes:
    changed = bytearray(_base(number))
    for _ in range(choose.randrange(1, 4)):
        changed[choose.randrange(len(changed))] ^= 1 << choose.randrange(8)
    return bytes(changed)


def _wrong_id(number: int, choose: random.Random) -> bytes:
    return b"\x00" + choose.choice(SCHEMA_IDS[1:]).to_bytes(4, "big") + _base(number)[5:]


def _no_text(number: int, choose: random.Random) -> bytes:
    """An engagement with bytes that are no UTF-8 in one of its strings."""
    bad = choose.choice((b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80", b"\x80"))
    return _base(number).replace(b"mutant", (bad * 6)[:6])


def _claims(_number: int, choose: random.Random) -> bytes:
    """A string or an array that says it is far longer than the value."""
    size = choose.choice((2**20, 2**31 - 1, 2**31, 2**40, 2**62, -1, -(2**31), -(2**62), -(2**63)))
    start = b"\x00\x00\x00\x00\x01"
    if choose.random() < 0.5:
        return start + _long(size) + choose.randbytes(choose.randrange(20))
    strings = b"".join(_long(len(text)) + text for text in (b"e", b"twitter", b"like"))
    return start + strings + b"\x00" + _long(9) + b"twitter:x" + b"\x00" + _long(size) + choose.randbytes(8)


def _large(number: int, choose: random.Random) -> bytes:
    """Now and then a string of up to 900 kB or thousands of topics; mostly just too large."""
    if choose.random() < 0.002:
        return _engagement(event_id="x" * choose.randrange(1 << 16, 900_000))
    if choose.random() < 0.01:
        return _engagement(event_id=f"e{number}", topics=["t" * 10] * choose.randrange(1_000, 50_000))
    if choose.random() < 0.5:
        return _engagement(event_id=f"e{number}", topics=[f"t{at}" for at in range(choose.randrange(21, 40))])
    return _engagement(event_id=f"e{number}", topics=["t" * choose.randrange(257, 2_000)])


def _numbers(number: int, choose: random.Random) -> bytes:
    """Times at the edges of what there is, none of which is within the window."""
    at = choose.choice(
        (*(edge for edge in EDGES if edge != 2**32), NOON + 10**12, -NOON, 2**62, NOON - 90 * 86_400_000)
    )
    return _engagement(event_id=f"e{number}", actor=f"twitter:m{number}", target="twitter:mutant", occurred_at=at)


def _words(number: int, choose: random.Random) -> bytes:
    """Well-formed, and nonsense: accounts, networks and actions that are none."""
    field, value = choose.choice(
        (
            ("target", ""), ("target", ":"), ("target", "twitter:"), ("target", "x" * 300), ("actor", "nobody"),
            ("network", ""), ("network", "\0"), ("network", "Twitter"), ("action", ""), ("action", "retweet "),
            ("actor", "twitter:mutant"), ("private", True), ("action", "post"), ("network", "🏅" * 50),
        )
    )  # fmt: skip
    fields = {"event_id": f"e{number}", "actor": f"twitter:m{number}", "target": "twitter:mutant"}
    return _engagement(**(fields | {field: value}))


def _marker(_number: int, choose: random.Random) -> bytes:
    """A day marker that nobody of ours writes: an absurd day, or an upstream that is none."""
    far = choose.choice(
        (-1, -(2**31), 2**31 - 1, 2_000_000, TODAY + choose.randrange(3, 10**6), -choose.randrange(1, 10**6))
    )
    stranger = choose.choice((-2, -(2**31), 2**31 - 1, PARTITIONS, PARTITIONS + 1, 10**6))
    day, upstream = (far, choose.choice((-1, stranger))) if choose.random() < 0.7 else (19_845, stranger)
    ends = [choose.choice(EDGES) for _ in range(choose.randrange(6))]
    marker = {"day": day, "upstream": upstream, "upstream_offset": choose.choice(EDGES), "model": "", "profiles": ends}
    return CODEC.encode_one("DayMarker", marker)


def _other_record(_number: int, choose: random.Random) -> bytes:
    if choose.random() < 0.5:
        score = choose.choice((float("nan"), float("inf"), -1e308, 0.0, 5e-324))
        return CODEC.encode_one("AccountScore", {"account": "twitter:1", "day": choose.choice((0, -1)), "score": score})
    return CODEC.encode_one("LettersReplayed", {"offsets": [choose.choice(EDGES) for _ in range(choose.randrange(4))]})


def _text(_number: int, choose: random.Random) -> bytes:
    return choose.choice(
        (b'{"event_id": "a"}', b"null", b"[" * 500, b"\xef\xbb\xbf<xml/>", "ëngagement".encode("utf-16"))
    )


def _long(number: int) -> bytes:
    """An Avro long: zigzag, seven bits a byte."""
    left = (number << 1) ^ (number >> 63) if number >= 0 else ((-number) << 1) - 1
    out = bytearray()
    while left > 127:
        out.append(left & 127 | 128)
        left >>= 7
    return bytes([*out, left])


def _key(number: int, choose: random.Random) -> bytes | None:
    keys = (
        None,
        b"",
        b"\xff\xfe",
        b"laurel-replayed",
        b"k" * choose.randrange(1, 2_000),
        b"twitter:%d" % (number % 97),
    )
    return choose.choice(keys)


def _headers(number: int, choose: random.Random) -> Headers:
    extra: Headers = [
        ("traceparent", choose.randbytes(8)),
        ("traceparent", None),
        ("", b""),
        ("__connect.errors.topic", b"nowhere"),
        ("__connect.errors.exception.message", None),
        ("laurel.first-origin", b"engagements/0/0"),
        ("ü" * 20, b"\xff" * choose.randrange(100)),
    ]
    found: Headers = [choose.choice(extra) for _ in range(choose.randrange(4))]
    found.insert(choose.randrange(len(found) + 1), ("fuzz", b"%d" % number))
    return found


BAD: tuple[Callable[[int, random.Random], bytes | None], ...] = (
    _nothing, _noise, _noise_with_header, _cut, _lengthened, _flipped, _wrong_id, _no_text,
    _claims, _large, _numbers, _words, _marker, _other_record, _text,
)  # fmt: skip
