"""Ontologies as YAML files, read with the place of everything, and written so that reading gives the same again.

    topics:
      - id: cooking
        slug: cooking           # left out where it is the id
        parents: [food]         # ids
        names: {en: [Cooking, Home cooking], de: Kochen}
        common: [Cooking]       # those of the names that are everyday words, too

Every value is taken as it is written: `no` is Norwegian and `0123` an id, nothing is a truth or a number.
"""

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from laurel.models.ontology import Ontology, OntologyError, Topic

BUILT_IN = "ontology.yaml"
_KEYS = ("id", "slug", "parents", "names", "common")
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # in C where PyYAML was built with it
_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def load(path: Path | None = None) -> Ontology:
    """The ontology of a file, the built-in one if none is named. Raises OntologyError."""
    if path is None:
        return _built_in()
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise OntologyError(f"ontology {path}: can't be read: {error}") from None
    return parse(text, str(path))


def parse(text: str, source: str) -> Ontology:
    """The ontology of a YAML text; `source` names it in messages. Raises OntologyError."""
    try:
        root = yaml.compose(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        raise OntologyError(f"ontology {source}: not valid YAML: {' '.join(str(error).split())}") from None
    if root is None:
        raise OntologyError(f"ontology {source}: is empty; it must have a list of topics")
    for key, value in _entries(root, source, ("topics",)):
        if key == "topics":
            return Ontology.of([_topic(node, source) for node in _items(value, source)])
    raise OntologyError(f"{_at(root, source)}: must have a list of topics")


def document(ontology: Ontology) -> str:
    """The ontology as YAML; `parse` makes the same of it."""
    topics = [
        {"id": topic.id}
        | ({"slug": topic.slug} if topic.slug != topic.id else {})
        | ({"parents": list(topic.parents)} if topic.parents else {})
        | ({"names": {language: _short(names) for language, names in topic.names.items()}} if topic.names else {})
        | ({"common": sorted(topic.common)} if topic.common else {})
        for topic in ontology.topics
    ]
    return str(
        yaml.dump(
            {"topics": topics}, Dumper=_DUMPER, allow_unicode=True, sort_keys=False, width=120, default_flow_style=None
        )
    )


def _short(names: tuple[str, ...]) -> str | list[str]:
    return names[0] if len(names) == 1 else list(names)


@cache
def _built_in() -> Ontology:
    return parse(files("laurel.models").joinpath(BUILT_IN).read_text("utf-8"), BUILT_IN)


def _topic(node: yaml.Node, source: str) -> Topic:
    found = dict(_entries(node, source, _KEYS))
    if "id" not in found:
        raise OntologyError(f"{_at(node, source)}: a topic must have an id")
    name = _text(found["id"], source)
    names = dict(_names(found["names"], source)) if "names" in found else {}
    return Topic(
        id=name,
        slug=_text(found["slug"], source) if "slug" in found else name,
        parents=_texts(found["parents"], source) if "parents" in found else (),
        names=names,
        common=frozenset(_texts(found["common"], source)) if "common" in found else frozenset(),
        where=_at(node, source),
    )


def _names(node: yaml.Node, source: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    for language, value in _entries(node, source, None):
        yield language, _texts(value, source)


def _entries(node: yaml.Node, source: str, known: tuple[str, ...] | None) -> Iterator[tuple[str, yaml.Node]]:
    """Keys and values of a table, each key once and among the known ones."""
    if not isinstance(node, yaml.MappingNode):
        raise OntologyError(f"{_at(node, source)}: must be a table{' of ' + ', '.join(known) if known else ''}")
    seen = set()
    for key_node, value in node.value:
        key = _text(key_node, source)
        if known is not None and key not in known:
            raise OntologyError(f"{_at(key_node, source)}: {key!r} is none of {', '.join(known)}")
        if key in seen:
            raise OntologyError(f"{_at(key_node, source)}: {key!r} is there twice")
        seen.add(key)
        yield key, value


def _items(node: yaml.Node, source: str) -> list[yaml.Node]:
    if not isinstance(node, yaml.SequenceNode):
        raise OntologyError(f"{_at(node, source)}: must be a list")
    return list(node.value)


def _texts(node: yaml.Node, source: str) -> tuple[str, ...]:
    """A list of texts, or one by itself."""
    nodes = [node] if isinstance(node, yaml.ScalarNode) else _items(node, source)
    return tuple(_text(item, source) for item in nodes)


def _text(node: yaml.Node, source: str) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise OntologyError(f"{_at(node, source)}: must be a text")
    return str(node.value)


def _at(node: yaml.Node, source: str) -> str:
    return f"ontology {source}, line {node.start_mark.line + 1}"
