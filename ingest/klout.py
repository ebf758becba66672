"""Klout's own topic ontology, as published on https://github.com/klout/opendata (CC BY 3.0): three CSV files in a folder.

`klout_topic_ontology_*.csv` has topics, `klout_topic_edge_*.csv` which is whose parent, `klout_topic_display_*.csv` names by
language; each may be gzipped, and of several the newest counts. Ids are strings: nearly half of them exceed 64 bits.
"""

import csv
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from laurel.ingest.errors import DataError
from laurel.models.ontology import Ontology, Topic

ROOT = "0"  # above the roots, and above itself; it is no topic
_TOPICS = ("topicId", "topicSlug", "topicDisplayName")
_EDGES = ("parentTopicId", "parrentTopicSlug", "childTopicId", "childTopicSlug")  # the files' own spelling
_NAMES = ("topicId", "language", "topicDisplayName")


def read(folder: Path) -> Ontology:
    """The ontology of the folder's files, topics in the order of the topics' file.

    A topic that edges name and the topics' file lacks (there is one) is known by its slug there. Raises DataError if a file
    can't be read, OntologyError if the topics are no ontology.
    """
    slugs: dict[str, str] = {}
    names: dict[str, dict[str, tuple[str, ...]]] = {}
    parents: dict[str, dict[str, None]] = {}
    where: dict[str, str] = {}
    topics = _newest(folder, "ontology")
    repeated: list[Topic] = []
    for line, (topic, slug, name) in _rows(topics, _TOPICS):
        place = f"{topics}, line {line}"
        if topic in slugs:
            repeated.append(Topic(topic, slug, where=place))
            continue
        slugs[topic], where[topic], names[topic] = slug, place, {"en": (name,)}
    edges = _newest(folder, "edge")
    for line, (above, above_slug, below, below_slug) in _rows(edges, _EDGES):
        for topic, slug in ((above, above_slug), (below, below_slug)):
            if topic != ROOT:
                slugs.setdefault(topic, slug)
                where.setdefault(topic, f"{edges}, line {line}")
        if above != ROOT:
            parents.setdefault(below, {})[above] = None
    for _, (topic, language, name) in _rows(_newest(folder, "display"), _NAMES):
        if topic in slugs:
            names.setdefault(topic, {})[language] = (name,)
    known = [
        Topic(topic, slug, tuple(parents.get(topic, ())), names.get(topic, {}), where=where[topic])
        for topic, slug in slugs.items()
    ]
    return Ontology.of(known + repeated)


def _newest(folder: Path, part: str) -> Path:
    found = sorted(folder.glob(f"klout_topic_{part}_*.csv*"))
    if not found:
        raise DataError(f"{folder} has no file klout_topic_{part}_*.csv or .csv.gz, as Klout published them")
    return found[-1]


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, list[str]]]:
    """Line number and the cells of some columns, row by row."""
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rt", encoding="utf-8", newline="") as lines:
            reader = csv.DictReader(lines)
            missing = [column for column in columns if column not in (reader.fieldnames or ())]
            if missing:
                raise DataError(f"{path}: has no column {', '.join(missing)}")
            for row in reader:
                cells = [row[column] for column in columns]
                if None in cells:
                    raise DataError(f"{path}, line {reader.line_num}: a row has fewer cells than there are columns")
                yield reader.line_num, cast("list[str]", cells)
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: can't be read: {error}") from None
