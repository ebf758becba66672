r"""Texts brought into one form, in which names are told apart by plain comparison: a whole batch as one string.

Compatibility forms are one (NFKC), and so are cases (case folding). What is invisible goes. Every word has a space before and
behind it, so that what is looked for as " word " is found as a whole word only:

* between words that belong together there is one space: for blanks, and for . ' - and the like between two words
* between others " \x01 ", which no name has in it; a URL is one of these from its :// on
* where the script changes within a word, between katakana, the scripts that are written without spaces (Han, hiragana, Thai, Lao,
  Khmer, Burmese) and all others, " \x02 ": in the first a name is a word by itself, in the second it may begin and end anywhere
* " \x00 " between the texts

& + # @ and _ stay where they are and belong to the word: c++ is not c, nor @python python.
"""

import sys
import unicodedata
from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Codes = npt.NDArray[np.uint32]
Kinds = npt.NDArray[np.uint8]

BETWEEN, BREAK, TURN = (
    0,
    1,
    2,
)  # the characters that stand for the end of a text, for a break, and where the script changes
SPACE = 32
MARKS = 30  # on one letter: Unicode's stream-safe text has no more (UAX #15)

# What a character does. From MARK on: it is part of a word.
_END, _BLANK, _INNER, _OTHER, _UNSEEN, _MARK, _SYMBOL, _WORD, _KATAKANA, _FREE = range(10)
_SYMBOLS = "&+#@_"
_INNERS = ".'-\u2019\u2010\u2011\u00b7\u30fb"  # apostrophes, hyphens, and dots between words
_FREE_BLOCKS = (
    *((0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x3005, 0x3007), (0x3040, 0x309F)),
    *((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF)),
)
_VARIANTS = ((0xFE00, 0xFE0F), (0xE0100, 0xE01EF))  # choose between forms of the character before them
_KATAKANA_BLOCKS = ((0x30A0, 0x30FF), (0x31F0, 0x31FF))


def fold(texts: pa.StringArray) -> Codes:
    """All texts (string[n], null ones are empty) in the form above, one after the other, as code points, uint32[m].

    There are n - 1 times BETWEEN, and a space at both ends. What becomes of a text doesn't depend on those beside it.
    """
    texts = pc.fill_null(texts, "")
    if pc.any(pc.match_substring(texts, "\0")).as_py():
        texts = pc.replace_substring(texts, "\0", " ")
    joined = pc.binary_join(pa.ListArray.from_arrays(pa.array([0, len(texts)], pa.int32()), texts), "\0")[0].as_py()
    return _spaced(_codes(_one_form(joined)))


def folded(texts: Sequence[str]) -> list[str]:
    """Each of some texts in the form above, without what is at its ends."""
    if not texts:
        return []
    return [text.strip(" \1\2") for text in text_of(fold(pa.array(texts, pa.string()))).split("\0")]


def text_of(codes: Codes) -> str:
    """Code points as a string."""
    return codes.astype("<u4", copy=False).tobytes().decode("utf-32-le")


def is_free(character: str) -> bool:
    """Whether it is of a script that is written without spaces."""
    return bool(_kinds()[ord(character)] == _FREE)


def are_marks(codes: Codes) -> npt.NDArray[np.bool_]:
    """Whether each is a combining mark, bool[m]: part of the letter before it."""
    return _marks()[codes]


def _one_form(text: str) -> str:
    return text.lower() if text.isascii() else unicodedata.normalize("NFKC", _without_piles(text)).casefold()


def _without_piles(text: str) -> str:
    """The text with MARKS marks on a letter at most: what normalizing a letter takes grows with the square of its marks."""
    codes = _codes(text)
    marks = are_marks(codes)
    places = np.arange(len(codes))
    kept = places - np.maximum.accumulate(np.where(marks, -1, places)) <= MARKS
    return text if kept.all() else text_of(codes[kept])


def _codes(text: str) -> Codes:
    return np.frombuffer(text.encode("utf-32-le"), "<u4")


def _spaced(codes: Codes) -> Codes:
    kinds = _kinds()[codes]
    if (kinds == _UNSEEN).any():
        seen = kinds != _UNSEEN
        codes, kinds = codes[seen], kinds[seen]
    codes, kinds = np.pad(codes, 1, constant_values=SPACE), np.pad(kinds, 1, constant_values=_BLANK)
    _break_urls(codes, kinds)
    word = kinds >= _MARK
    inner = np.flatnonzero(kinds == _INNER)
    kinds[inner] = np.where(word[inner - 1] & word[inner + 1], _BLANK, _OTHER)

    # What lies between two words is a run of which one sign is left; the end of a text is a run of its own.
    between = np.flatnonzero(~word)
    kind = kinds[between]
    begins = np.ones(len(between), np.bool_)
    begins[1:] = (np.diff(between) > 1) | (kind[1:] == _END) | (kind[:-1] == _END)
    head = between[begins]
    run = np.cumsum(begins) - 1
    sign = np.full(len(head), SPACE, np.uint32)
    sign[run[kind == _OTHER]] = BREAK
    sign[run[kind == _END]] = BETWEEN

    turn = 1 + np.flatnonzero(_turns(kinds[:-1], kinds[1:]))

    # A word's characters stay, a run is one character or three, and three more come where the script turns.
    size = word.astype(np.int32)
    size[head] = np.where(sign == SPACE, 1, 3)
    size[turn] += 3
    ends = np.cumsum(size, dtype=np.int32)
    spaced = np.full(int(ends[-1]), SPACE, np.uint32)
    spaced[ends[word] - 1] = codes[word]
    spaced[ends[turn] - 3] = TURN
    three = sign != SPACE
    spaced[ends[head[three]] - 2] = sign[three]
    return spaced


def _turns(before: Kinds, after: Kinds) -> npt.NDArray[np.bool_]:
    """Where one character of a word is of another script than the next, bool[m]; a symbol goes on in any but those two."""
    special = np.maximum(before, after) >= _KATAKANA
    turns: npt.NDArray[np.bool_] = special & (before != after) & (before >= _WORD) & (after >= _SYMBOL)
    return turns


def _break_urls(codes: Codes, kinds: Kinds) -> None:
    """Makes URLs something that is no word: from :// to a blank, the text's end, or what isn't ASCII."""
    colons = np.flatnonzero(codes[:-2] == ord(":"))
    begins = colons[(codes[colons + 1] == ord("/")) & (codes[colons + 2] == ord("/"))]
    if len(begins):
        over = np.flatnonzero((kinds == _BLANK) | (kinds == _END) | (codes > 127))  # the last is a blank
        ends = over[np.searchsorted(over, begins)]
        change = np.zeros(len(codes), np.int32)
        np.add.at(change, begins, 1)
        np.add.at(change, ends, -1)
        kinds[np.cumsum(change) > 0] = _OTHER


@cache
def _categories() -> npt.NDArray[np.str_]:
    """The general category of every code point, its two letters."""
    return np.array([unicodedata.category(chr(code)) for code in range(sys.maxunicode + 1)], "U2")


@cache
def _marks() -> npt.NDArray[np.bool_]:
    return np.char.startswith(_categories(), "M")


@cache
def _kinds() -> Kinds:
    """What each code point does, uint8[1114112]."""
    categories = _categories()
    major = categories.astype("U1")
    kinds = np.full(len(categories), _OTHER, np.uint8)
    lettered = np.isin(major, ["L", "M", "N"])
    kinds[lettered] = _WORD
    kinds[major == "M"] = _MARK
    for blocks, kind in ((_FREE_BLOCKS, _FREE), (_KATAKANA_BLOCKS, _KATAKANA)):
        for first, last in blocks:
            kinds[first : last + 1][lettered[first : last + 1]] = kind
    kinds[major == "Z"] = _BLANK
    kinds[categories == "Cf"] = _UNSEEN
    for first, last in _VARIANTS:
        kinds[first : last + 1] = _UNSEEN
    for characters, kind in (("\t\n\v\f\r\x85", _BLANK), (_SYMBOLS, _SYMBOL), (_INNERS, _INNER), ("\0", _END)):
        kinds[[ord(character) for character in characters]] = kind
    return kinds
