"""How well topics that are read from texts agree with the tags that people gave the same texts."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from laurel.ingest.posts import Post
from laurel.models.ontology import Ontology
from laurel.models.text_topics import TextTopics


@dataclass(frozen=True)
class Agreement:
    """Counts over some posts: `tags` they have, `known` ones of them that are topics of the ontology, topics `found` in the
    texts, those of them that are tags (`right`), and those that are tags or above one (`right_or_above`)."""

    posts: int
    tags: int
    known: int
    found: int
    right: int
    right_or_above: int

    @property
    def precision(self) -> float:
        """Share of the topics found that are tags."""
        return self.right / max(self.found, 1)

    @property
    def precision_with_above(self) -> float:
        """Share of the topics found that are tags, or above one."""
        return self.right_or_above / max(self.found, 1)

    @property
    def recall(self) -> float:
        """Share of the known tags that are found."""
        return self.right / max(self.known, 1)


def agreement(posts: Sequence[Post], ontology: Ontology) -> Agreement:
    """Holds what is found in the posts' texts against their tags, as ids or slugs of topics."""
    found = TextTopics(ontology).find(pa.array([post.text for post in posts], pa.string()))
    pairs = [
        (at, ontology.numbers[tag]) for at, post in enumerate(posts) for tag in post.tags if tag in ontology.numbers
    ]
    size = max(len(ontology), 1)
    owner, topic = np.array(pairs, np.int64).reshape(-1, 2).T
    tagged = np.unique(owner * size + topic)
    row, above = ontology.ancestors.spread(topic)
    covered = np.concatenate((tagged, owner[row] * size + above))
    told = np.repeat(np.arange(len(posts)), np.diff(found.offsets)) * size + found.topics
    return Agreement(
        posts=len(posts),
        tags=sum(len(post.tags) for post in posts),
        known=len(tagged),
        found=len(told),
        right=int(np.isin(told, tagged).sum()),
        right_or_above=int(np.isin(told, covered).sum()),
    )
