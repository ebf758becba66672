"""Topics of engagements: named ones by their ids, then those of the text, each once, and nothing else changed."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from laurel.models.event_topics import EventTopics
from laurel.models.ontology import Ontology, Topic
from laurel.models.text_topics import TextTopics
from laurel.streams import ontology_file

ONTOLOGY = ontology_file.load()
READER, TEXTS = EventTopics(ONTOLOGY), TextTopics(ONTOLOGY)
MEANT = {  # what producers write, and the id it means
    "qubit": "qubit",
    "Qubits": "qubit",
    "golang": "go-language",
    "go-language": "go-language",
    "QUANTUM MECHANICS": "quantum-theory",
    "量子力学": "quantum-theory",
    "Architecture": "Architecture",  # a common word: on Stack Exchange it is that of computers
    "Go-Language": "go-language",
    "FUSSBALL": "football",
    "something else": "something else",
    "": "",
}
SAID = ["#golang", "qubits", "Rust", "quantum mechanics and qutrits", "nothing", ""]

Event = tuple[list[str], str | None, bool]
EVENTS = st.lists(
    st.tuples(
        st.lists(st.sampled_from(sorted(MEANT)), max_size=4),
        st.none() | st.lists(st.sampled_from(SAID), max_size=4).map(" ".join),
        st.booleans(),
    ),
    max_size=8,
)


def batch(events: list[Event]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict(
        {
            "event_id": pa.array([str(at) for at in range(len(events))], pa.string()),
            "topics": pa.array([topics for topics, _, _ in events], pa.list_(pa.string())),
            "text": pa.array([text for _, text, _ in events], pa.string()),
        }
    )


def plain(topics: list[str], text: str | None, plus_k: bool, most: int) -> list[str]:
    found: list[str] = []
    for name in topics:
        if MEANT[name] == name or MEANT[name] not in (*found, *topics):
            found.append(MEANT[name])
    known = [ONTOLOGY.numbers[topic] for topic in found if topic in ONTOLOGY.numbers]
    rows = (np.zeros(len(known), np.int64), np.array(known, np.int64))
    for number in [] if plus_k else TEXTS.find(pa.array([text], pa.string()), rows).of(0):
        if len(found) < most and ONTOLOGY.ids[number] not in found:
            found.append(ONTOLOGY.ids[number])
    return found


@given(EVENTS, st.integers(4, 7))
def test_an_event_has_the_topics_it_names_and_then_those_of_its_text(events: list[Event], most: int) -> None:
    plus_k = np.array([flag for _, _, flag in events], np.bool_)
    found = READER.of(batch(events), plus_k, most)
    assert found.column("topics").to_pylist() == [plain(*event, most) for event in events]
    assert found.drop_columns(["topics"]) == batch(events).drop_columns(["topics"])
    assert found.schema == batch(events).schema


@given(EVENTS, st.integers(0, 8))
def test_an_event_has_the_same_topics_in_any_batch(events: list[Event], cut: int) -> None:
    plus_k = np.array([flag for _, _, flag in events], np.bool_)
    whole, at = batch(events), min(cut, len(events))
    parts = [READER.of(whole.slice(0, at), plus_k[:at], 20), READER.of(whole.slice(at), plus_k[at:], 20)]
    apart = [topics for part in parts for topics in part.column("topics").to_pylist()]
    assert READER.of(whole, plus_k, 20).column("topics").to_pylist() == apart


@given(st.lists(st.lists(st.sampled_from(["qubit", "something else", "", "topic-7"]), max_size=4), max_size=6))
def test_events_without_text_whose_topics_are_ids_or_unknown_are_what_they_were(named: list[list[str]]) -> None:
    events = batch([(topics, None, False) for topics in named])
    assert READER.of(events, np.zeros(len(named), np.bool_), 20) is events


def test_a_name_that_several_topics_have_in_another_case_is_none_of_theirs() -> None:
    topics = [Topic(name, name, names={"en": (called,)}) for name, called in (("a", "Go"), ("b", "Go"), ("c", "GO"))]
    reader = EventTopics(Ontology.of(topics))
    events = batch([([name], None, False) for name in ("Go", "GO", "go", "A", "b")])
    assert reader.of(events, np.zeros(5, np.bool_), 20).column("topics").to_pylist() == [
        ["Go"],
        ["GO"],
        ["go"],
        ["a"],
        ["b"],
    ]
