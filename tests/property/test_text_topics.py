"""Topics of texts: what the automaton finds is what a letter-by-letter search finds, however texts are cut into batches."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laurel.models import text_topics
from laurel.models.ontology import Ontology, Topic
from laurel.models.text_topics import TextTopics
from tests.property.plain_matcher import dictionary, topics_of

# Letters of several scripts, some of which are one when folded; marks; what is invisible; and what stands between words.
LETTERS = "aAbßé12①Ωως量子カータのกี่한"
MARKS = "\u0301\u200d\ufe0f\u3099"
BETWEEN = " -.'_#&+@:/,!\n\u3000\u00a0・"
SYLLABLES = ["ab", "a", "量子", "カータ", "กี่", "b", "ss", "1", "のた", "c++", "한"]


def names() -> st.SearchStrategy[str]:
    syllables = st.lists(st.sampled_from(SYLLABLES), min_size=1, max_size=4)
    return st.one_of(
        syllables.map(" ".join),
        syllables.map("".join),
        st.text(LETTERS + MARKS + BETWEEN.replace("\n", ""), min_size=1),
    ).filter(lambda name: len(name.strip()) > 0)


def texts(named: list[str]) -> st.SearchStrategy[str]:
    """Texts of names, hashtags, other letters, and what stands between them."""
    said = st.sampled_from([*named, *(f"#{name.replace(' ', '')}" for name in named)])
    pieces = st.one_of(
        said,
        st.tuples(said, st.sampled_from([" ", "", "-", "\u3000", "."])).map("".join),
        st.sampled_from([" ", "#", "http://", "@", *SYLLABLES]),
        st.sampled_from(LETTERS + MARKS + BETWEEN + "\0"),
    )
    return st.lists(pieces, max_size=12).map("".join)


@st.composite
def ontologies(draw: st.DrawFn) -> Ontology:
    topics: list[Topic] = []
    for at in range(draw(st.integers(1, 6))):
        parents = draw(st.sets(st.sampled_from([topic.id for topic in topics]), max_size=2)) if topics else set()
        called = draw(st.lists(names(), max_size=3).map(tuple))
        common = draw(st.sets(st.sampled_from(called), max_size=1)) if called else set()
        slug = draw(st.sampled_from(["ab", "a-b", "量子", "x"])) + str(at) * draw(st.integers(0, 1))
        slug = slug if slug not in {topic.slug for topic in topics} else f"t{at}"
        topics.append(
            Topic(f"t{at}", slug, tuple(sorted(parents)), {"en": called} if called else {}, frozenset(common))
        )
    return Ontology.of(topics)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Ontology, list[str | None]]:
    ontology = draw(ontologies())
    named = [name for topic in ontology.topics for names in topic.names.values() for name in names]
    each = st.one_of(st.none(), texts([*named, *(topic.slug for topic in ontology.topics)]))
    return ontology, draw(st.lists(each, min_size=1, max_size=6))


def column(found: list[str | None]) -> pa.StringArray:
    return pa.array(found, pa.string())


@settings(max_examples=100)
@given(cases(), st.data())
def test_topics_are_those_that_a_letter_by_letter_search_finds(
    case: tuple[Ontology, list[str | None]], data: st.DataObject
) -> None:
    ontology, found = case
    known = [data.draw(st.sets(st.integers(0, len(ontology) - 1), max_size=1)) for _ in found]
    rows = [(at, topic) for at, topics in enumerate(known) for topic in sorted(topics)]
    text, topic = np.array(rows, np.int64).reshape(-1, 2).T
    got = TextTopics(ontology).find(column(found), (text, topic))
    sought = dictionary(ontology)
    assert [got.of(at) for at in range(len(found))] == [
        topics_of(ontology, sought, one or "", known[at]) for at, one in enumerate(found)
    ]


@settings(max_examples=25)
@given(cases(), st.integers(1, 40))
def test_a_text_has_the_same_topics_whatever_stands_beside_it(
    case: tuple[Ontology, list[str | None]], size: int
) -> None:
    ontology, found = case
    finder = TextTopics(ontology)
    together = finder.find(column(found))
    alone = [finder.find(column([text])).of(0) for text in found]
    assert [together.of(at) for at in range(len(found))] == alone
    with pytest.MonkeyPatch.context() as small:
        small.setattr(text_topics, "BYTES", size)
        in_cuts = finder.find(column(["a cut", *found]).slice(1))
    assert [in_cuts.of(at) for at in range(len(found))] == alone
