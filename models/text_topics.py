"""Topics of texts: hashtags, and the names of an ontology's topics, in all languages at once (docs/topics.md has the rule).

A whole batch of texts is searched in one call of an Aho-Corasick automaton; what it finds is sorted out in columns.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import ahocorasick_rs
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from laurel.models import ragged
from laurel.models.ancestry import Runs, runs
from laurel.models.folding import (
    BETWEEN,
    BREAK,
    SPACE,
    TURN,
    Codes,
    are_marks,
    fold,
    folded,
    is_free,
    text_of,
)
from laurel.models.ontology import Ontology, Topic

Int = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

SHORT = 3  # letters and digits of a name that says little by itself; of a script without spaces, a single one
BYTES = 1 << 17  # of text that are searched at a time: what is made of them stays in a processor's cache
HASH = ord("#")


@dataclass(frozen=True)
class Found:
    """Topics of n texts: text i has `topics[offsets[i]:offsets[i + 1]]` (numbers of the ontology), each once, by where they first
    appear."""

    offsets: Int
    topics: Int

    def of(self, text: int) -> list[int]:
        """The topics of one text."""
        return list(self.topics[self.offsets[text] : self.offsets[text + 1]].tolist())


@dataclass(frozen=True)
class _Names:
    """What is looked for: `texts`, each once. `weak`: says little by itself; `tag`: is a hashtag; `free`: may end within a word."""

    texts: list[str]
    topics: Runs
    weak: Flags
    tag: Flags
    free: Flags


class TextTopics:
    """Finds the topics of an ontology in texts."""

    def __init__(self, ontology: Ontology) -> None:
        self._size = len(ontology)
        self._names = _names(ontology)
        self._automaton = ahocorasick_rs.AhoCorasick(
            self._names.texts, store_patterns=False, implementation=ahocorasick_rs.Implementation.ContiguousNFA
        )
        everyone = np.arange(len(ontology))
        owner, above = ontology.ancestors.spread(everyone)
        self._upwards = runs(len(ontology), np.concatenate((everyone, owner)), np.concatenate((everyone, above)))
        self._branch = ontology.branch

    def find(self, texts: pa.StringArray, known: tuple[Int, Int] | None = None) -> Found:
        """The topics of n texts, null ones have none. `known`: topics that are known otherwise (text int64[k], topic int64[k]); they
        speak for others of their branch, and are not in the result unless the text has them, too."""
        n = len(texts)
        rows = (np.empty(0, np.int64), np.empty(0, np.int64)) if known is None else known
        owners, topics = [], []
        for first, last in _cuts(texts):
            mine = (rows[0] >= first) & (rows[0] < last)
            owner, topic = self._search(texts.slice(first, last - first), rows[0][mine] - first, rows[1][mine])
            owners.append(owner + first)
            topics.append(topic)
        owner = np.concatenate([np.empty(0, np.int64), *owners])
        return Found(np.searchsorted(owner, np.arange(n + 1)), np.concatenate([np.empty(0, np.int64), *topics]))

    def _search(self, texts: pa.StringArray, known_text: Int, known_topic: Int) -> tuple[Int, Int]:
        """Text and topic of all that is found, by text and place."""
        names, codes = self._names, fold(texts)
        found = self._automaton.find_matches_as_indexes(text_of(codes), overlapping=True)
        name, begin, end = np.array(found, np.int64).reshape(-1, 3).T
        possible = self._possible(codes, name, end)
        name, begin, end = name[possible], begin[possible], end[possible]
        longest = _longest(begin, end)
        name, begin = name[longest], begin[longest]
        text = np.searchsorted(np.flatnonzero(codes == BETWEEN), begin)

        row, topic = names.topics.spread(name)
        text, begin, weak = text[row], begin[row], names.weak[name][row]
        strong = ~weak
        supported = self._supported(
            text[weak],
            topic[weak],
            np.concatenate((text[strong], known_text)),
            np.concatenate((topic[strong], known_topic)),
        )
        kept = strong
        kept[np.flatnonzero(weak)[supported]] = True
        text, topic, begin = text[kept], topic[kept], begin[kept]
        order = np.lexsort((begin, topic, text))
        order = order[ragged.starts(text[order], topic[order])]
        order = order[np.lexsort((topic[order], begin[order], text[order]))]
        return text[order], topic[order]

    def _possible(self, codes: Codes, name: Int, end: Int) -> Flags:
        """Which matches (name int64[m], what follows them at `end`) end where a name may end.

        A hashtag ends where its word does, so not where only the script changes. A name that may end anywhere must not take half a letter.
        """
        names = self._names
        at = np.minimum(end, len(codes) - 1)
        tag, free = names.tag[name], names.free[name]
        over = (codes[at] == HASH) | ((codes[at] == SPACE) & (codes[np.minimum(end + 1, len(codes) - 1)] != TURN))
        possible: Flags = np.where(tag, over, ~free | ~are_marks(codes[at]))
        return possible

    def _supported(self, text: Int, topic: Int, other_text: Int, other_topic: Int) -> Flags:
        """Which of k topics of texts have another in the same text that is of their branch, bool[k]."""
        if not len(text) or not len(other_text):
            return np.zeros(len(text), np.bool_)
        row, above = self._upwards.spread(other_topic)
        signs = np.sort(other_text[row] * self._size + above)
        row, branch = self._branch.spread(topic)
        sought = text[row] * self._size + branch
        there = signs[np.minimum(np.searchsorted(signs, sought), len(signs) - 1)] == sought
        supported = np.zeros(len(text), np.bool_)
        supported[row[there]] = True
        return supported


def _longest(begin: Int, end: Int) -> Int:
    """Rows of the matches that aren't within a longer one, int64[k]."""
    order = np.lexsort((-end, begin))
    reach = np.maximum.accumulate(end[order])
    within = np.zeros(len(order), np.bool_)
    within[1:] = end[order][1:] <= reach[:-1]
    return order[~within]


def _cuts(texts: pa.StringArray) -> Iterator[tuple[int, int]]:
    """Runs of texts of BYTES at most, or a single larger one."""
    sizes = pc.fill_null(pc.binary_length(texts), 0).to_numpy(zero_copy_only=False)
    ends = np.cumsum(sizes + 1, dtype=np.int64)
    first = 0
    while first < len(texts):
        before = int(ends[first - 1]) if first else 0
        last = max(first + 1, int(np.searchsorted(ends, before + BYTES, side="right")))
        yield first, last
        first = last


def _names(ontology: Ontology) -> _Names:
    phrases, common = defaultdict[str, set[int]](set), set[str]()
    own_tags, tags = defaultdict[str, set[int]](set), defaultdict[str, set[int]](set)
    called = [(at, name, name in topic.common) for at, topic in enumerate(ontology.topics) for name in _every(topic)]
    for phrase, (number, _, is_common) in zip(folded([name for _, name, _ in called]), called, strict=True):
        phrases[phrase].add(number)
        if is_common:
            common.add(phrase)
    for number, tag in _tags([(number, name) for number, name, _ in called]):
        tags[tag].add(number)
    for number, tag in _tags(
        [(at, name) for at, topic in enumerate(ontology.topics) for name in (topic.id, topic.slug)]
    ):
        own_tags[tag].add(number)
    tags |= own_tags  # ids and slugs come before others' names
    for phrase in [phrase for phrase in phrases if not any(map(str.isalnum, phrase))]:
        del phrases[phrase]

    texts = [*map(_edged, phrases), *(f" {tag}" for tag in tags)]
    topics = [*phrases.values(), *tags.values()]
    weak = [phrase in common or _is_short(phrase) or len(found) > 1 for phrase, found in phrases.items()]
    weak += [len(found) > 1 for found in tags.values()]
    pairs = [(at, number) for at, found in enumerate(topics) for number in found]
    owner, number_of = np.array(pairs, np.int64).reshape(-1, 2).T
    return _Names(
        texts,
        Runs(np.searchsorted(owner, np.arange(len(texts) + 1)), number_of.copy()),
        np.array(weak, np.bool_),
        np.arange(len(texts)) >= len(phrases),
        np.array([is_free(phrase[-1]) for phrase in phrases] + [False] * len(tags), np.bool_),
    )


def _every(topic: Topic) -> set[str]:
    return {name for names in topic.names.values() for name in names}


def _tags(names: Sequence[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Hashtags of topics' names: their words together, and with _ between them."""
    found = []
    for (number, _), phrase in zip(names, folded([name for _, name in names]), strict=True):
        words = phrase.replace(f" {chr(TURN)} ", "").replace(chr(BREAK), " ").split()
        if words:
            found += [(number, "#" + "".join(words)), (number, "#" + "_".join(words))]
    again = folded([tag for _, tag in found])  # what was told apart may now belong together
    yield from zip([number for number, _ in found], again, strict=True)


def _edged(phrase: str) -> str:
    """A name with the spaces that words have around them."""
    return f"{'' if is_free(phrase[0]) else ' '}{phrase}{'' if is_free(phrase[-1]) else ' '}"


def _is_short(phrase: str) -> bool:
    """Whether a name is of so few letters that many things may be called that; an ideograph or a syllable is two."""
    return sum(2 if unicodedata.east_asian_width(letter) == "W" else letter > " " for letter in phrase) <= SHORT
