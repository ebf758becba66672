"""Topics of texts in several scripts, by example."""

import pyarrow as pa
import pytest

from laurel.models.folding import fold, text_of
from laurel.models.ontology import Ontology
from laurel.models.text_topics import TextTopics
from laurel.streams import ontology_file

ONTOLOGY = ontology_file.load()
FINDER = TextTopics(ONTOLOGY)


@pytest.mark.parametrize(
    ("text", "topics"),
    [
        ("Quantum computers, explained", ["quantum-computer"]),
        ("QUANTUM-COMPUTERS", ["quantum-computer"]),
        ("quantum. Computers", []),
        ("a quantum computing machine learning lab", ["quantum-computing", "machine-learning"]),
        ("Shor\u2019s algorithm factors, Grover's algorithm searches", ["shors-algorithm", "grovers-algorithm"]),
        ("unquantum computers; qubitless", []),
        ("#QuantumComputing #machine_learning", ["quantum-computing", "machine-learning"]),
        ("#quantumcomputingish", []),
        ("see https://example.com/quantum-computers/qubit, now", []),
        ("@qubit said so", []),
        ("I write C++ and Rust", []),  # three letters, and an everyday word: neither speaks for the other
        ("#cplusplus and Rust", ["c-plus-plus", "rust"]),
        ("Go there", []),
        ("#golang: Go there", ["go-language"]),
        ("Rust or Node.js?", ["rust", "javascript"]),
        ("Künstliche INTELLIGENZ", ["artificial-intelligence"]),
        ("Fußball und FUSSBALL", ["football"]),
        ("E\u0301lections et cybersécurité", ["elections", "security"]),  # a combining accent is the accented letter
        ("Elections\u0301", []),  # another letter than s
        ("машинное обучение", ["machine-learning"]),
        ("\uff51\uff55\uff42\uff49\uff54\u3000", ["qubit"]),  # full width
        ("これは量子コンピュータです", ["quantum-computer"]),
        ("量子力学と機械学習の本", ["quantum-theory", "machine-learning"]),
        ("スーパーテニスゲーム", []),  # katakana words end where katakana ends
        ("昨日テニスをした", ["tennis"]),
        ("我用python写机器学习", ["machine-learning"]),
        ("我用python写机器学习 #python", ["python", "machine-learning"]),
        ("인공지능 연구", ["artificial-intelligence"]),
        ("quan\u00adtum com\u200bputers", ["quantum-computer"]),  # what is invisible makes no difference
        ("", []),
    ],
)
def test_texts_have_these_topics(text: str, topics: list[str]) -> None:
    found = FINDER.find(pa.array([text]))
    assert [ONTOLOGY.ids[at] for at in found.of(0)] == topics


def test_a_text_with_a_null_character_is_one_text() -> None:
    found = FINDER.find(pa.array(["qubit\0qutrit", None, "qudit"]))
    assert [[ONTOLOGY.ids[at] for at in found.of(text)] for text in range(3)] == [["qubit", "qutrit"], [], ["qudit"]]


def test_an_ontology_without_topics_finds_none() -> None:
    assert TextTopics(Ontology.of([])).find(pa.array(["#qubit"])).of(0) == []


def test_words_are_told_apart_by_spaces_and_texts_by_their_own_sign() -> None:
    spaced = text_of(fold(pa.array(["A - b.c IT'S", "", "量子ab"])))
    assert " ".join(spaced.split(" ")).split() == ["a", "\1", "b", "c", "it", "s", "\0", "\0", "量子", "\2", "ab"]


def test_no_letter_keeps_more_marks_than_any_language_has_and_what_follows_is_found() -> None:
    pile = "a" + "\u0301\u0327" * 40_000  # to be put in order, which takes time with the square of their number
    folded = text_of(fold(pa.array([pile + " qubit", "\u0301" * 100 + " qubit"])))
    assert len(folded) < 100
    assert folded.count("qubit") == 2
