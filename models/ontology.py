"""Topics, what they are called in which language, and which of them are part of which: a directed acyclic graph.

What a topic collects, its parents collect too, once each, however many paths lead up (docs/topics.md).
"""

import difflib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from laurel.models.ancestry import Runs, ancestors, cycle, runs
from laurel.models.errors import LaurelError

Int = npt.NDArray[np.int64]

LENGTH = 256  # characters of an id, slug or name: no longer topic is accepted in an engagement
TOPICS_MOST = 100_000
TOLD = 10  # problems that one error tells
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")  # as in BCP 47
_UNFIT = f"it must not be over {LENGTH} characters, nor have control characters in it"
_UNPRINTED = {"Cc", "Cs", "Zl", "Zp"}  # controls, halves of characters, separators of lines


class OntologyError(LaurelError):
    """An ontology can't be used: one line for each problem, naming file, line and topic as far as known."""


class UnknownTopicError(LaurelError):
    """There is no such topic; the message suggests some."""


@dataclass(frozen=True)
class Topic:
    """A topic as a file has it.

    `names` by language, the first of each is the one shown. `common`: those of the names that are everyday words too, and
    say little by themselves. `where`: the place in the file, for messages; it makes no difference otherwise.
    """

    id: str
    slug: str
    parents: tuple[str, ...] = ()
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    common: frozenset[str] = frozenset()
    where: str = field(default="", compare=False)


@dataclass(frozen=True)
class Ontology:
    """n topics, numbered as they come; `child` and `parent` are int64[m], the edges between them."""

    topics: tuple[Topic, ...]
    child: Int
    parent: Int

    @classmethod
    def of(cls, topics: Sequence[Topic]) -> "Ontology":
        """Raises OntologyError for ids or slugs that are missing, twice there or of a wrong form, for names that are empty,
        parents that don't exist, and cycles, with their path."""
        problems = [*_forms(topics), *_twice(topics), *_orphans(topics)]
        if len(topics) > TOPICS_MOST:
            problems.insert(0, f"{len(topics):,} topics are more than {TOPICS_MOST:,}")
        _raise(problems)
        number = {topic.id: at for at, topic in enumerate(topics)}
        edges = [(at, number[parent]) for at, topic in enumerate(topics) for parent in topic.parents]
        child, parent = np.array(edges, np.int64).reshape(-1, 2).T
        path = cycle(len(topics), child, parent)
        if path:
            told = " -> ".join(topics[at].id for at in [*path, path[0]])
            _raise([f"{_place(topics[path[0]])}is above itself, from topic to parent: {told}"])
        return cls(tuple(topics), child.copy(), parent.copy())

    def __len__(self) -> int:
        return len(self.topics)

    @cached_property
    def ids(self) -> list[str]:
        """The topics' ids, n."""
        return [topic.id for topic in self.topics]

    @cached_property
    def parents(self) -> Runs:
        """The topics right above each."""
        return runs(len(self), self.child, self.parent)

    @cached_property
    def children(self) -> Runs:
        """The topics right below each."""
        return runs(len(self), self.parent, self.child)

    @cached_property
    def ancestors(self) -> Runs:
        """All topics above each, each once."""
        return ancestors(len(self), self.child, self.parent)

    @cached_property
    def branch(self) -> Runs:
        """Where to look for what speaks for a topic: itself, its parents, and all further above, but no root, and further
        above nothing right below a root. What is among these, or below one of them, is of the topic's branch.

        So wide ones are left out: that something is about technology is no sign that it is about one of its languages.
        """
        is_root = np.diff(self.parents.offsets) == 0
        owner, parent = self.parents.spread(np.arange(len(self)))
        wide = is_root.copy()
        wide[owner[is_root[parent]]] = True
        further, above = self.ancestors.spread(np.arange(len(self)))
        near, far = ~is_root[parent], ~wide[above]
        return runs(
            len(self),
            np.concatenate((np.arange(len(self)), owner[near], further[far])),
            np.concatenate((np.arange(len(self)), parent[near], above[far])),
        )

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The number of the topic with an id or, where no topic has that id, a slug."""
        return {topic.slug: at for at, topic in enumerate(self.topics)} | {
            topic.id: at for at, topic in enumerate(self.topics)
        }

    @cached_property
    def named(self) -> dict[str, list[int]]:
        """The numbers of the topics of a name, in lower case, whatever its language."""
        found: dict[str, dict[int, None]] = defaultdict(dict)
        for at, topic in enumerate(self.topics):
            for names in topic.names.values():
                for name in names:
                    found[lowered(name)][at] = None
        return {name: list(numbers) for name, numbers in found.items()}

    def name(self, number: int, language: str = "en") -> str:
        """What a topic is called: in the language, else in English, else its slug."""
        topic = self.topics[number]
        return (topic.names.get(language) or topic.names.get("en") or (topic.slug,))[0]

    def find(self, text: str) -> list[int]:
        """The topic with this id, else with this slug, else all with this name. UnknownTopicError if there is none."""
        if text in self.numbers:
            return [self.numbers[text]]
        sought = lowered(text)
        if sought in self.named:
            return self.named[sought]
        if sought in self.numbers:
            return [self.numbers[sought]]
        near = difflib.get_close_matches(sought, {*self.numbers, *self.named}, n=5, cutoff=0.7)
        hint = f"; near are {', '.join(near)}" if near else ""
        raise UnknownTopicError(f"no topic has the id, slug or name {text!r}{hint}")


def lowered(name: str) -> str:
    """A name in the form that names are compared in: NFKC, case folded."""
    return unicodedata.normalize("NFKC", name).casefold()


def _place(topic: Topic) -> str:
    where = f"{topic.where}: " if topic.where else ""
    return f"{where}topic {topic.id!r} "


def _forms(topics: Sequence[Topic]) -> Iterator[str]:
    for topic in topics:
        for what, text in (("id", topic.id), ("slug", topic.slug)):
            if not text or any(character.isspace() for character in text):
                yield f"{_place(topic)}has the {what} {text!r}: it must not be empty, nor have spaces in it"
            elif not _fits(text):
                yield f"{_place(topic)}has the {what} {text[:40]!r}...: {_UNFIT}"
        yield from _names(topic)


def _names(topic: Topic) -> Iterator[str]:
    for language, names in topic.names.items():
        if not _LANGUAGE.fullmatch(language):
            yield f"{_place(topic)}has names in {language!r}, which is no language tag, such as en or pt-BR"
        if not names or not all(name.strip() for name in names):
            yield f"{_place(topic)}has an empty name in {language!r}"
    every = {name for names in topic.names.values() for name in names}
    for name in sorted(every):
        if not _fits(name):
            yield f"{_place(topic)}has the name {name[:40]!r}...: {_UNFIT}"
    for name in sorted(topic.common - every):
        yield f"{_place(topic)}says that {name!r} is a common word, and has no such name"


def _fits(text: str) -> bool:
    return len(text) <= LENGTH and not any(unicodedata.category(character) in _UNPRINTED for character in text)


def _twice(topics: Sequence[Topic]) -> Iterator[str]:
    for what, texts in (("id", [t.id for t in topics]), ("slug", [t.slug for t in topics])):
        first: dict[str, Topic] = {}
        for topic, text in zip(topics, texts, strict=True):
            earlier = first.setdefault(text, topic)
            if earlier is not topic:
                place = f" ({earlier.where})" if earlier.where else ""
                yield f"{_place(topic)}has the {what} {text!r}, which topic {earlier.id!r}{place} has already"


def _orphans(topics: Sequence[Topic]) -> Iterator[str]:
    known = {topic.id for topic in topics}
    for topic in topics:
        for parent in topic.parents:
            if parent not in known:
                yield f"{_place(topic)}has the parent {parent!r}, and no topic has that id"


def _raise(problems: Sequence[str]) -> None:
    if problems:
        more = [f"and {len(problems) - TOLD:,} more problems"] if len(problems) > TOLD else []
        raise OntologyError("\n".join([*problems[:TOLD], *more]))
