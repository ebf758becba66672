"""A process that looks for the built-in ontology's names in made-up posts: says `done`, how long it took, and what it found.

    python -m bench.texting laurel|re POSTS

The peer is what one would write first: one regular expression of all names as alternatives, with word boundaries, whatever the case.
It neither tells hashtags nor weighs what says little, and finds no name in scripts without spaces.
"""

import json
import random
import re
import sys
from time import process_time

import pyarrow as pa

from laurel.models.ontology import Ontology
from laurel.models.text_topics import TextTopics
from laurel.streams import ontology_file

WORDS = 20  # of a post
NAMES, HASHTAGS = 0.04, 0.01  # share of its words that are names and hashtags; the others are made up
LETTERS = "etaoinshrdlucmfwypvbgkjqxz"


def posts(count: int, ontology: Ontology) -> list[str]:
    """Posts of made-up words, some of which are names of topics in any language; the same in each run."""
    chance = random.Random(1)  # noqa: S311 (posts are no secret)
    names = [name for topic in ontology.topics for called in topic.names.values() for name in called]
    filler = ["".join(chance.choices(LETTERS, range(26, 0, -1), k=chance.randint(2, 9))) for _ in range(20_000)]

    def word() -> str:
        dice = chance.random()
        if dice < NAMES:
            return chance.choice(names)
        return f"#{chance.choice(ontology.topics).slug}" if dice < NAMES + HASHTAGS else chance.choice(filler)

    return [" ".join(word() for _ in range(WORDS)) for _ in range(count)]


def main(system: str, count: int) -> None:
    ontology = ontology_file.load()
    said = posts(count, ontology)
    if system == "laurel":
        finder, column = TextTopics(ontology), pa.array(said, pa.string())
        finder.find(column[:1_000])
        began = process_time()
        found = len(finder.find(column).topics)
    else:
        names = {name for topic in ontology.topics for called in topic.names.values() for name in called}
        longest_first = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
        pattern = re.compile(rf"\b(?:{longest_first})\b", re.IGNORECASE)
        began = process_time()
        found = sum(len(pattern.findall(post)) for post in said)
    seconds = process_time() - began
    letters = sum(map(len, said)) / count
    print("done", json.dumps({"seconds": seconds, "found": found, "letters": letters}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
