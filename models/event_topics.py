"""The topics of engagements: those that they name, by the ontology's ids, and those that their texts are about."""

from collections import defaultdict
from threading import Lock

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from laurel.models import ragged
from laurel.models.hashing import hash64
from laurel.models.ontology import Ontology, lowered
from laurel.models.text_topics import TextTopics

Int = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


class EventTopics:
    """Reads topics by one ontology."""

    def __init__(self, ontology: Ontology) -> None:
        self._ontology = ontology
        self._ids = pa.array(ontology.ids, pa.string())
        self._exact, self._named = _Numbers(ontology.numbers), _Numbers(_names(ontology))
        self._finder: TextTopics | None = None
        self._making = Lock()

    @property
    def _texts(self) -> TextTopics:
        """Made when the first text comes, as many deployments have none; once, whoever asks first."""
        with self._making:
            if self._finder is None:
                self._finder = TextTopics(self._ontology)
            return self._finder

    def of(self, events: pa.RecordBatch, plus_k: Flags, most: int) -> pa.RecordBatch:
        """N engagements with other `topics`: what is an id, a slug, or the name of one topic alone that isn't a common word, in
        whatever case, as the topic's id, anything else as it is; then what the text is about, as far as the event has no more than `most` topics.

        A +K (`plus_k`, bool[n]) has the one topic that it names. Events without text whose topics are all ids, or none of the
        ontology's, are what they were.
        """
        at = events.schema.get_field_index("topics")
        topics, text = events.column(at), events.column("text")
        owner = np.asarray(pc.list_parent_indices(topics)).astype(np.int64)
        named = pc.list_flatten(topics)
        read = np.flatnonzero(np.asarray(text.is_valid()) & ~plus_k)
        if not len(read) and not len(named):
            return events
        number, renamed = self._meant(named)
        known = np.flatnonzero(number >= 0)
        if not len(read) and not renamed.any():
            return events
        row = np.full(events.num_rows, -1, np.int64)
        row[read] = np.arange(len(read))
        speaks = known[row[owner[known]] >= 0]
        found = self._texts.find(text.take(pa.array(read)), (row[owner[speaks]], number[speaks]))
        added = np.repeat(read, np.diff(found.offsets))

        # All rows, those named before those read; of what was changed or added, only what isn't there yet.
        owners = np.concatenate((owner, added))
        ids = self._ids.take(pa.array(np.concatenate((number[known], found.topics))))
        spelled = pa.concat_arrays([named, ids]).take(
            pa.array(np.concatenate((_places(renamed, known), len(named) + len(known) + np.arange(len(added)))))
        )
        ours = np.concatenate((renamed, np.ones(len(added), np.bool_)))
        order = np.lexsort((np.arange(len(owners)), owners))
        order = order[~_again(owners[order], spelled.take(pa.array(order)), ours[order])]
        place = ragged.ordinals(ragged.starts(owners[order]))
        order = order[(place < most) | ~ours[order]]
        offsets = np.searchsorted(owners[order], np.arange(events.num_rows + 1)).astype(np.int32)
        lists = pa.ListArray.from_arrays(pa.array(offsets), spelled.take(pa.array(order))).cast(topics.type)
        return events.set_column(at, events.schema.field(at), lists)

    def _meant(self, named: pa.StringArray) -> tuple[Int, Flags]:
        """The topic that each of m names means, int64[m], -1 for none; and which of them are spelled otherwise than its id, bool[m]."""
        distinct = named.dictionary_encode()
        texts = distinct.dictionary
        number = self._exact.of(texts)
        other = np.flatnonzero(number < 0)
        number[other] = self._named.of(_lowered(texts.take(pa.array(other))))
        renamed = number >= 0
        spelled = self._ids.take(pa.array(number[renamed])), texts.filter(pa.array(renamed))
        renamed[renamed] = np.asarray(pc.not_equal(*spelled))
        at = np.asarray(distinct.indices).astype(np.int64)
        return number[at], renamed[at]


class _Numbers:
    """Numbers by text, which is looked up by its hash."""

    def __init__(self, numbers: dict[str, int]) -> None:
        hashes = hash64(pa.array(list(numbers), pa.string()))
        order = np.argsort(hashes)
        self._hashes = hashes[order]
        self._numbers = np.fromiter(numbers.values(), np.int64, len(numbers))[order]

    def of(self, texts: pa.StringArray) -> Int:
        """The number of each of m texts, int64[m], -1 for an unknown one."""
        if not len(self._hashes):
            return np.full(len(texts), -1)
        sought = hash64(texts)
        at = np.minimum(np.searchsorted(self._hashes, sought), len(self._hashes) - 1)
        return np.where(self._hashes[at] == sought, self._numbers[at], -1)


def _lowered(texts: pa.StringArray) -> pa.StringArray:
    """Texts in the form that names are compared in, all in one go."""
    whole = "\0".join(text.replace("\0", " ") for text in texts.to_pylist())
    return pa.array(lowered(whole).split("\0") if len(texts) else [], pa.string())


def _names(ontology: Ontology) -> dict[str, int]:
    """Numbers by names in the form that these are compared in, without those that several topics have and common words, which may
    mean something else to whoever names them; and, where it is nobody's name, by id or slug in that form."""
    found: dict[str, set[int]] = defaultdict(set)
    for text, number in ontology.numbers.items():
        found[lowered(text)].add(number)
    found |= {name: set(numbers) for name, numbers in ontology.named.items()}
    common = {lowered(name) for topic in ontology.topics for name in topic.common}
    return {name: numbers.pop() for name, numbers in found.items() if len(numbers) == 1 and name not in common}


def _places(renamed: Flags, known: Int) -> Int:
    """Where each name's spelling is: its own place, or, for a renamed one, that of its id among those after all names."""
    places = np.arange(len(renamed))
    places[known] = np.where(renamed[known], len(renamed) + np.arange(len(known)), known)
    return places


def _again(owner: Int, texts: pa.StringArray, ours: Flags) -> Flags:
    """Which of m rows, by owner, are `ours` and say what an earlier one of the same owner, or one that isn't ours, says, bool[m]."""
    code = np.asarray(texts.dictionary_encode().indices).astype(np.int64)
    order = np.lexsort((ours, code, owner))  # stable: earlier ones first, and what was there before all that is ours
    first = ragged.starts(owner[order], code[order])
    again = np.zeros(len(owner), np.bool_)
    again[order] = ~first
    return again & ours
