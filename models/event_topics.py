"""The topics of engagements: those that they name, by the ontology's ids, and those that their texts are about."""

from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from laurel.models import ragged
from laurel.models.ontology import Ontology
from laurel.models.text_topics import TextTopics

Int = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


class EventTopics:
    """Reads topics by one ontology."""

    def __init__(self, ontology: Ontology) -> None:
        self._ontology = ontology
        self._ids = pa.array(ontology.ids, pa.string())
        exact = {topic.slug: at for at, topic in enumerate(ontology.topics)} | {
            name: at for at, name in enumerate(ontology.ids)
        }
        common = {name for topic in ontology.topics for name in topic.common}
        called: dict[str, set[int]] = {}
        for at, topic in enumerate(ontology.topics):
            for name in {name for names in topic.names.values() for name in names} - common:
                called.setdefault(name, set()).add(at)
        names = {name: found.pop() for name, found in called.items() if len(found) == 1}
        self._exact, self._named = _Numbers(exact), _Numbers(_told_apart(names))

    @cached_property
    def _texts(self) -> TextTopics:
        """Made when the first text comes: many deployments have none."""
        return TextTopics(self._ontology)

    def of(self, events: pa.RecordBatch, plus_k: Flags, most: int) -> pa.RecordBatch:
        """N engagements with other `topics`: what is an id, a slug, or the only topic's name that isn't a common word, as the
        topic's id, anything else as it is; then what the text is about, as far as the event has no more than `most` topics.

        A +K (`plus_k`, bool[n]) has the one topic that it names. Events without text whose topics are all ids, or none of the
        ontology's, are what they were.
        """
        at = events.schema.get_field_index("topics")
        topics, text = events.column(at), events.column("text")
        owner = np.asarray(pc.list_parent_indices(topics)).astype(np.int64)
        named = pc.list_flatten(topics)
        number, renamed = self._meant(named)
        known = np.flatnonzero(number >= 0)
        read = np.flatnonzero(np.asarray(text.is_valid()) & ~plus_k)
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
        exact = self._exact.of(texts)
        number = np.where(exact >= 0, exact, self._named.of(_lowered(texts)))
        renamed = number >= 0
        spelled = self._ids.take(pa.array(number[renamed])), texts.filter(pa.array(renamed))
        renamed[renamed] = np.asarray(pc.not_equal(*spelled))
        at = np.asarray(distinct.indices).astype(np.int64)
        return number[at], renamed[at]


class _Numbers:
    """Numbers by text."""

    def __init__(self, numbers: dict[str, int]) -> None:
        self._texts = pa.array(list(numbers), pa.string())
        self._numbers = np.array([*numbers.values(), -1], np.int64)

    def of(self, texts: pa.StringArray) -> Int:
        """The number of each of m texts, int64[m], -1 for an unknown one."""
        found: Int = self._numbers[np.asarray(pc.index_in(texts, value_set=self._texts).fill_null(len(self._texts)))]
        return found


def _lowered(texts: pa.StringArray) -> pa.StringArray:
    return pc.utf8_lower(pc.utf8_normalize(texts, form="NFKC"))


def _told_apart(names: dict[str, int]) -> dict[str, int]:
    """Numbers by the lower-case form of names, without what then means several."""
    lowered = _lowered(pa.array(list(names), pa.string())).to_pylist()
    found: dict[str, set[int]] = {}
    for name, number in zip(lowered, names.values(), strict=True):
        found.setdefault(name, set()).add(number)
    return {name: numbers.pop() for name, numbers in found.items() if len(numbers) == 1}


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
