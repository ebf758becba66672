"""Topics of texts found the slow way, a letter at a time: what the automaton is held against. Shares no code with it."""

import unicodedata
from dataclasses import dataclass

from laurel.models.ontology import Ontology

BLANK, BREAK, TURN = "<blank>", "<break>", "<turn>"
SIGNS = (BLANK, BREAK, TURN)
FREE_SCRIPTS = ("CJK UNIFIED", "CJK COMPAT", "HIRAGANA", "THAI", "LAO", "MYANMAR", "KHMER", "IDEOGRAPHIC ITERATION")


def kind(character: str) -> str:
    category, name = unicodedata.category(character), unicodedata.name(character, "")
    if character in "&+#@_":
        found = "symbol"
    elif character in ".'-\u2019\u2010\u2011\u00b7\u30fb":
        found = "inner"
    elif category == "Cf" or name.startswith("VARIATION SELECTOR"):
        found = "unseen"
    elif category[0] in "LMN" and name.startswith(FREE_SCRIPTS):
        found = "free"
    elif category[0] in "LMN" and name.startswith(("KATAKANA", "COMBINING KATAKANA")):
        found = "katakana"
    else:
        found = {"L": "word", "N": "word", "M": "mark"}.get(category[0], "other")
    return "blank" if character.isspace() else found


def without_piles(text: str) -> str:
    """At most 30 marks on a letter."""
    kept, pile = "", 0
    for character in text:
        pile = pile + 1 if unicodedata.category(character)[0] == "M" else 0
        kept += character if pile <= 30 else ""
    return kept


def elements(text: str) -> list[str]:
    """Letters, with BLANK, BREAK and TURN between words."""
    text = unicodedata.normalize("NFKC", without_piles(text.replace("\0", " "))).casefold()
    text = "".join(character for character in text if kind(character) != "unseen")
    kinds, in_url = [], False
    for at, character in enumerate(text):
        if text.startswith("://", at):
            in_url = True
        elif in_url and (character.isspace() or ord(character) > 127):
            in_url = False
        kinds.append("other" if in_url else kind(character))
    of_words = ("word", "katakana", "free", "mark", "symbol")
    around = ["blank", *kinds, "blank"]
    found: list[str] = []
    for at, (character, is_a) in enumerate(zip(text, kinds, strict=True)):
        before, after = around[at], around[at + 2]
        if is_a in of_words:
            turns = before in ("word", "katakana", "free") and is_a in ("word", "katakana", "free", "symbol")
            if turns and before != is_a and {before, is_a} & {"katakana", "free"}:
                found.append(TURN)
            found.append(character)
            continue
        sign = BLANK if is_a == "blank" or (is_a == "inner" and before in of_words and after in of_words) else BREAK
        if found and found[-1] in (BLANK, BREAK):
            sign = BREAK if BREAK in (found.pop(), sign) else BLANK
        found.append(sign)
    return found


def trimmed(found: list[str]) -> list[str]:
    while found and found[0] in SIGNS:
        found = found[1:]
    while found and found[-1] in SIGNS:
        found = found[:-1]
    return found


def words(name: str) -> list[str]:
    joined = "".join({BLANK: " ", BREAK: " ", TURN: ""}.get(element, element) for element in trimmed(elements(name)))
    return joined.split()


def tags(name: str) -> list[list[str]]:
    return [elements("#" + "".join(words(name))), elements("#" + "_".join(words(name)))] if words(name) else []


@dataclass(frozen=True)
class Sought:
    letters: tuple[str, ...]
    is_tag: bool


def dictionary(ontology: Ontology) -> dict[Sought, tuple[set[int], bool]]:
    """What is looked for: its topics, and whether it says little by itself."""
    phrases: dict[Sought, set[int]] = {}
    own: dict[Sought, set[int]] = {}
    named: dict[Sought, set[int]] = {}
    common = set()
    for number, topic in enumerate(ontology.topics):
        for text in (topic.id, topic.slug):
            for tag in tags(text):
                own.setdefault(Sought(tuple(tag), is_tag=True), set()).add(number)
        for name in {name for names in topic.names.values() for name in names}:
            for tag in tags(name):
                named.setdefault(Sought(tuple(tag), is_tag=True), set()).add(number)
            phrase = tuple(trimmed(elements(name)))
            if any(len(element) == 1 and element.isalnum() for element in phrase):
                phrases.setdefault(Sought(phrase, is_tag=False), set()).add(number)
            if name in topic.common:
                common.add(phrase)
    found = {}
    for sought, topics in phrases.items():
        letters = [element for element in sought.letters if element not in SIGNS]
        size = sum(2 if unicodedata.east_asian_width(letter) == "W" else 1 for letter in letters)
        found[sought] = (topics, len(topics) > 1 or sought.letters in common or size <= 3)
    for sought, topics in {**named, **own}.items():
        found[sought] = (topics, len(topics) > 1)
    return found


def fits(text: list[str], at: int, sought: Sought) -> bool:
    size = len(sought.letters)
    if tuple(text[at : at + size]) != sought.letters:
        return False
    before = text[at - 1] if at else BREAK
    after = text[at + size] if at + size < len(text) else BREAK
    if sought.is_tag:
        return before in SIGNS and (after in (BLANK, BREAK) or after == "#")
    begins = kind(sought.letters[0]) == "free" or before in SIGNS
    if kind(sought.letters[-1]) == "free":
        return begins and not (after not in SIGNS and unicodedata.category(after)[0] == "M")
    return begins and after in SIGNS


def topics_of(
    ontology: Ontology, dictionary: dict[Sought, tuple[set[int], bool]], text: str, known: set[int]
) -> list[int]:
    """The topics of a text in the order of their first places, and by number at the same place."""
    found = elements(text)
    matches = [
        (at, at + len(sought.letters), topics, weak)
        for at in range(len(found))
        for sought, (topics, weak) in dictionary.items()
        if fits(found, at, sought)
    ]
    matches = [
        (begin, topics, weak)
        for begin, end, topics, weak in matches
        if not any(b <= begin and end <= e and (b, e) != (begin, end) for b, e, _, _ in matches)
    ]
    above = [{at, *ontology.ancestors.of(at).tolist()} for at in range(len(ontology))]
    speak = known | {topic for _, topics, weak in matches if not weak for topic in topics}
    told = {ancestor for topic in speak for ancestor in above[topic]}
    first: dict[int, int] = {}
    for begin, topics, weak in sorted(matches, key=lambda match: match[0]):
        for topic in topics:
            if not weak or told & set(ontology.branch.of(topic).tolist()):
                first.setdefault(topic, begin)
    return [topic for topic, _ in sorted(first.items(), key=lambda item: (item[1], item[0]))]
