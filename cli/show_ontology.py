"""Topics as people read them: their names, and the tree of what is above and below."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from laurel.cli.show import heading, plain
from laurel.ingest.measure_topics import Agreement
from laurel.models.ontology import Ontology

CHILDREN = 40  # shown; the rest is counted


def counts(ontology: Ontology) -> str:
    """How large an ontology is, in words."""
    roots = sum(not topic.parents for topic in ontology.topics)
    languages = {language for topic in ontology.topics for language in topic.names}
    return (
        f"{len(ontology):,} topics under {roots:,} roots, {len(ontology.child):,} edges, "
        f"names in {len(languages)} languages"
    )


def as_data(ontology: Ontology, number: int) -> dict[str, Any]:
    """A topic as JSON: ids of the topics right above and below it, and of all above it."""
    topic = ontology.topics[number]
    return {
        "id": topic.id,
        "slug": topic.slug,
        "names": {language: list(names) for language, names in topic.names.items()},
        "common": sorted(topic.common),
        "parents": list(topic.parents),
        "children": [ontology.ids[below] for below in ontology.children.of(number).tolist()],
        "ancestors": [ontology.ids[above] for above in ontology.ancestors.of(number).tolist()],
    }


def screen(ontology: Ontology, number: int, language: str) -> RenderableType:
    """One topic: names by language, the tree of what it is part of, and its children."""
    topic = ontology.topics[number]
    names = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for tag, texts in topic.names.items():
        names.add_row(Text(tag, style="dim"), Text(plain(", ".join(texts))))
    below = ontology.children.of(number).tolist()
    children = Text("  " + ", ".join(plain(ontology.name(child, language)) for child in below[:CHILDREN]))
    if len(below) > CHILDREN:
        children.append(f" and {len(below) - CHILDREN:,} more", style="dim")
    slug = "" if topic.slug == topic.id else f", {plain(topic.slug)}"
    parts: list[RenderableType] = [heading(plain(ontology.name(number, language)), f"{plain(topic.id)}{slug}"), names]
    if topic.parents:
        parts += [heading("is part of"), _above(ontology, number, language)]
    if below:
        parts += [heading("has"), children]
    return Group(*parts)


def measured(found: Agreement) -> dict[str, Any]:
    """An agreement as JSON: its counts, and the shares they come to."""
    shares = {name: getattr(found, name) for name in ("precision", "precision_with_above", "recall")}
    return asdict(found) | shares


def agreements(found: Mapping[str, Agreement]) -> Table:
    """How well topics agree with tags, a line for each kind of posts."""
    heads = ("", "posts", "tags", "known as topics", "topics found", "are tags", "or above one", "tags found")
    table = Table(box=None, header_style="bold")
    for head in heads:
        table.add_column(head, justify="left" if not head else "right")
    for kind, counted in found.items():
        table.add_row(
            kind,
            *(f"{count:,}" for count in (counted.posts, counted.tags, counted.known, counted.found)),
            *(f"{share:.1%}" for share in (counted.precision, counted.precision_with_above, counted.recall)),
        )
    return table


def _above(ontology: Ontology, number: int, language: str) -> Tree:
    """What a topic is part of, upwards; what was shown once is not gone into again."""
    tree = Tree(Text(plain(ontology.name(number, language))), guide_style="dim")
    seen = {number}
    waiting = [(number, tree)]
    while waiting:
        at, branch = waiting.pop()
        for parent in ontology.parents.of(at).tolist():
            label = Text(plain(ontology.name(parent, language)))
            if parent in seen and ontology.topics[parent].parents:
                branch.add(label.append(" (see there)", style="dim"))
                continue
            seen.add(parent)
            waiting.append((parent, branch.add(label)))
    return tree
