"""The ontology on random graphs: what is above what, cycles, and files that say the same when read again."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laurel.models.ancestry import ancestors, cycle, runs
from laurel.models.ontology import Ontology, OntologyError, Topic
from laurel.streams.ontology_file import document, parse

Edges = set[tuple[int, int]]


@st.composite
def graphs(draw: st.DrawFn, most: int = 14) -> tuple[int, Edges]:
    """Nodes and edges (child, parent) without a cycle: parents have smaller places in a shuffled order."""
    nodes = draw(st.integers(1, most))
    order = draw(st.permutations(range(nodes)))
    pairs = [(order[low], order[high]) for high in range(nodes) for low in range(high + 1, nodes)]
    return nodes, draw(st.sets(st.sampled_from(pairs), max_size=30)) if pairs else set()


def columns(edges: Edges) -> tuple[np.ndarray, np.ndarray]:
    child, parent = np.array(sorted(edges), np.int64).reshape(-1, 2).T
    return child, parent


def above(node: int, edges: Edges) -> set[int]:
    """All ancestors, by walking every path."""
    return {ancestor for child, parent in edges if child == node for ancestor in (parent, *above(parent, edges))}


def names() -> st.SearchStrategy[str]:
    fitting = st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"])
    return st.text(fitting, min_size=1, max_size=12).filter(str.strip)


@st.composite
def ontologies(draw: st.DrawFn) -> Ontology:
    nodes, edges = draw(graphs(8))
    spaceless = names().filter(lambda text: not any(character.isspace() for character in text))
    ids = draw(st.lists(spaceless, min_size=nodes, max_size=nodes, unique=True))
    slugs = draw(st.one_of(st.just(ids), st.lists(spaceless, min_size=nodes, max_size=nodes, unique=True)))
    languages = st.sampled_from(["en", "de", "no", "pt-BR", "ja"])
    topics = []
    for at in range(nodes):
        called = draw(st.dictionaries(languages, st.lists(names(), min_size=1, max_size=3).map(tuple), max_size=3))
        every = sorted({name for texts in called.values() for name in texts})
        common = draw(st.sets(st.sampled_from(every))) if every else set()
        parents = tuple(ids[parent] for child, parent in sorted(edges) if child == at)
        topics.append(Topic(ids[at], slugs[at], parents, called, frozenset(common)))
    return Ontology.of(topics)


@given(graphs())
def test_the_ancestors_are_those_that_a_walk_of_every_path_finds(graph: tuple[int, Edges]) -> None:
    nodes, edges = graph
    found = ancestors(nodes, *columns(edges))
    assert [set(found.of(node).tolist()) for node in range(nodes)] == [above(node, edges) for node in range(nodes)]
    assert len(found.nodes) == sum(len(above(node, edges)) for node in range(nodes))  # each once


@given(graphs())
def test_a_graph_without_a_cycle_has_none(graph: tuple[int, Edges]) -> None:
    nodes, edges = graph
    assert cycle(nodes, *columns(edges)) == []


@given(graphs(), st.data())
def test_an_edge_back_to_something_below_is_reported_as_a_cycle_with_a_true_path(
    graph: tuple[int, Edges], data: st.DataObject
) -> None:
    nodes, edges = graph
    node = data.draw(st.integers(0, nodes - 1))
    top = data.draw(st.sampled_from(sorted({node, *above(node, edges)})))
    edges = edges | {(top, node)}
    path = cycle(nodes, *columns(edges))
    assert path
    assert set(zip(path, [*path[1:], path[0]], strict=True)) <= edges
    topics = [
        Topic(str(at), str(at), tuple(str(parent) for child, parent in edges if child == at)) for at in range(nodes)
    ]
    with pytest.raises(OntologyError, match="is above itself, from topic to parent"):
        Ontology.of(topics)


@settings(max_examples=40)
@given(ontologies())
def test_an_ontology_that_was_written_reads_the_same(ontology: Ontology) -> None:
    again = parse(document(ontology), "again.yaml")
    assert again.topics == ontology.topics
    assert (again.child.tolist(), again.parent.tolist()) == (ontology.child.tolist(), ontology.parent.tolist())
    assert document(again) == document(ontology)


@settings(max_examples=40)
@given(ontologies())
def test_every_topic_is_found_by_its_id_and_by_its_names(ontology: Ontology) -> None:
    for at, topic in enumerate(ontology.topics):
        assert ontology.find(topic.id) == [at]
        for name in (name for texts in topic.names.values() for name in texts if name not in ontology.numbers):
            assert at in ontology.find(name)


@settings(max_examples=40)
@given(ontologies())
def test_a_branch_is_the_topic_its_parents_and_what_is_further_above_without_what_is_wide(ontology: Ontology) -> None:
    parents = [set(ontology.parents.of(at).tolist()) for at in range(len(ontology))]
    roots = {at for at in range(len(ontology)) if not parents[at]}
    wide = roots | {at for at in range(len(ontology)) if parents[at] & roots}
    for at in range(len(ontology)):
        further = set(ontology.ancestors.of(at).tolist()) - wide
        assert set(ontology.branch.of(at).tolist()) == {at} | (parents[at] - roots) | further


@given(st.integers(1, 9), st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8))), st.lists(st.integers(0, 8)))
def test_runs_are_each_owners_others_in_order_and_once(
    nodes: int, pairs: list[tuple[int, int]], asked: list[int]
) -> None:
    pairs = [(owner % nodes, other % nodes) for owner, other in pairs]
    found = runs(nodes, *np.array(pairs, np.int64).reshape(-1, 2).T)
    each = [sorted({other for owner, other in pairs if owner == node}) for node in range(nodes)]
    assert [found.of(node).tolist() for node in range(nodes)] == each
    asked = [node % nodes for node in asked]
    owner, others = found.spread(np.array(asked, np.int64))
    told = [(at, other) for at, node in enumerate(asked) for other in each[node]]
    assert list(zip(owner.tolist(), others.tolist(), strict=True)) == told
