"""Ontology files: what is wrong with one is said with its place; Klout's are read; the built-in one is sound."""

import gzip
import json
import os
import sys
from pathlib import Path

import pytest

from laurel.cli.main import run
from laurel.ingest import klout
from laurel.ingest.errors import DataError
from laurel.models.ontology import Ontology, OntologyError, UnknownTopicError
from laurel.streams import ontology_file

REAL = Path(os.environ.get("LAUREL_DATA_DIR", "")) / "klout-topics"
EDGES = "parentTopicId,parrentTopicSlug,childTopicId,childTopicSlug"


def topics(*lines: str) -> str:
    return "\n".join(["topics:", *(f"  - {line}" for line in lines)])


def laurel(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["laurel", "ontology", *arguments])
    with pytest.raises(SystemExit) as left:
        run()
    out, err = capsys.readouterr()
    return int(left.value.code or 0), out, err


def write(folder: Path, part: str, text: str) -> None:
    (folder / f"klout_topic_{part}_20180601.csv").write_text(text, "utf-8")


def small(folder: Path, *, edges: str = "", topics: str = "") -> Path:
    write(folder, "ontology", f"topicId,topicSlug,topicDisplayName\n1,up,Up\n18446744073709551617,down,Down\n{topics}")
    write(folder, "edge", f"{EDGES}\n0,_ROOT_,0,_ROOT_\n0,_ROOT_,1,up\n1,up,18446744073709551617,down\n{edges}")
    write(folder, "display", "topicId,language,topicDisplayName\n1,de,Oben\n1,en,Up\n")
    return folder


def test_the_built_in_ontology_is_sound_and_has_the_parents_of_quantum_computing() -> None:
    ontology = ontology_file.load()
    assert 100 <= len(ontology) <= 300
    tags = ["quantum-gate", "shors-algorithm", "qubit", "q#", "d-wave", "quantum-error-correction"]
    above = [{ontology.ids[at] for at in ontology.ancestors.of(ontology.find(tag)[0])} for tag in tags]
    assert all({"quantum-computing", "computing", "physics", "science", "technology"} <= found for found in above)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("topics: [", "ontology t.yaml: not valid YAML"),
        ("", "ontology t.yaml: is empty"),
        ("[]", "ontology t.yaml, line 1: must be a table of topics"),
        ("{}", "ontology t.yaml, line 1: must have a list of topics"),
        ("topics: {}", "ontology t.yaml, line 1: must be a list"),
        ("themes: []", "ontology t.yaml, line 1: 'themes' is none of topics"),
        (topics("{slug: a}"), "ontology t.yaml, line 2: a topic must have an id"),
        (topics("{id: a}", "{id: b, id: c}"), "ontology t.yaml, line 3: 'id' is there twice"),
        (topics("{id: a, name: A}"), "ontology t.yaml, line 2: 'name' is none of id, slug"),
        (topics("{id: a, names: {en: {}}}"), "ontology t.yaml, line 2: must be a list"),
        (topics("{id: a, names: {en: [[x]]}}"), "ontology t.yaml, line 2: must be a text"),
        (topics("{id: a, names: {en: [A, '']}}"), "line 2: topic 'a' has an empty name in 'en'"),
        (topics("{id: a, names: {english!: A}}"), "line 2: topic 'a' has names in 'english!'"),
        (topics("{id: a b}"), "line 2: topic 'a b' has the id 'a b': it must not be empty, nor have spaces"),
        (topics("{id: a, slug: }"), "line 2: topic 'a' has the slug ''"),
        (topics("{id: a, common: [A]}"), "line 2: topic 'a' says that 'A' is a common word, and has no such name"),
        (topics("{id: " + "a" * 257 + "}"), "it must not be over 256 characters"),
        (topics("{id: a}", "{id: b, parents: [c]}"), "line 3: topic 'b' has the parent 'c', and no topic has that id"),
        (
            topics("{id: a}", "{id: b}", "{id: a}"),
            "line 4: topic 'a' has the id 'a', which topic 'a' (ontology t.yaml, line 2) has already",
        ),
        (topics("{id: a}", "{id: b, slug: a}"), "line 3: topic 'b' has the slug 'a', which topic 'a'"),
        (
            topics("{id: a, parents: [c]}", "{id: b, parents: [a]}", "{id: c, parents: [b]}"),
            "line 2: topic 'a' is above itself, from topic to parent: a -> c -> b -> a",
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_its_place(text: str, told: str) -> None:
    with pytest.raises(OntologyError) as error:
        ontology_file.parse(text, "t.yaml")
    assert told in str(error.value)


def test_many_problems_are_told_together_and_the_rest_counted() -> None:
    with pytest.raises(OntologyError) as error:
        ontology_file.parse(topics(*(f"{{id: t{at}, parents: [none]}}" for at in range(15))), "t.yaml")
    assert str(error.value).count("\n") == 10
    assert str(error.value).endswith("and 5 more problems")


def test_values_are_taken_as_they_are_written() -> None:
    topic = ontology_file.parse(topics("{id: 007, names: {no: [yes, 1.50]}}"), "t.yaml").topics[0]
    assert (topic.id, topic.slug, topic.names) == ("007", "007", {"no": ("yes", "1.50")})


def test_a_topic_is_found_by_id_then_slug_then_name_and_near_ones_are_suggested() -> None:
    found = ontology_file.parse(
        topics("{id: a, slug: b, names: {en: Straße}}", "{id: b, slug: c, names: {en: [STRASSE, Cooking]}}"), "t.yaml"
    )
    assert found.find("b") == [1]
    assert found.find("c") == [1]
    assert found.find("strasse") == [0, 1]
    with pytest.raises(UnknownTopicError, match="near are cooking"):
        found.find("Coking")


def test_klouts_files_are_read_with_ids_of_any_size(tmp_path: Path) -> None:
    found = klout.read(small(tmp_path))
    assert [(topic.id, topic.slug, topic.parents) for topic in found.topics] == [
        ("1", "up", ()),
        ("18446744073709551617", "down", ("1",)),
    ]
    assert found.topics[0].names == {"en": ("Up",), "de": ("Oben",)}


def test_a_topic_that_only_edges_name_is_known_by_its_slug_there(tmp_path: Path) -> None:
    found = klout.read(small(tmp_path, edges="7,only-here,1,up\n"))
    assert found.topics[-1].slug == "only-here"
    assert [found.ids[at] for at in found.ancestors.of(1).tolist()] == ["1", "7"]


def test_cycles_and_repeats_in_klouts_files_name_the_line(tmp_path: Path) -> None:
    with pytest.raises(OntologyError, match=r"ontology_20180601.csv, line 2: topic '1' is above itself.*1 -> 1844"):
        klout.read(small(tmp_path, edges="18446744073709551617,down,1,up\n"))
    with pytest.raises(
        OntologyError, match=r"line 4: topic '1' has the id '1', which topic '1' .*line 2\) has already"
    ):
        klout.read(small(tmp_path, topics="1,other,Other\n"))


def test_files_that_are_not_klouts_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"has no file klout_topic_ontology_\*\.csv"):
        klout.read(tmp_path)
    small(tmp_path)
    write(tmp_path, "edge", "a,b\n1,2\n")
    with pytest.raises(DataError, match="has no column parentTopicId"):
        klout.read(tmp_path)
    write(tmp_path, "edge", f"{EDGES}\n1,up\n")
    with pytest.raises(DataError, match="line 2: a row has fewer cells"):
        klout.read(tmp_path)
    for damaged in (gzip.compress(b"x")[:-3], gzip.compress(b"x")[:10] + b"\xff" * 20):
        (tmp_path / "klout_topic_edge_20190101.csv.gz").write_bytes(damaged)
        with pytest.raises(DataError, match="can't be read"):
            klout.read(tmp_path)


@pytest.mark.skipif(not REAL.is_dir(), reason="Klout's files are not there")
def test_klouts_own_ontology_is_sound() -> None:
    found = klout.read(REAL)
    assert (len(found), len(found.child)) == (8_034, 13_429)
    roots = [topic.slug for topic in found.topics if not topic.parents]
    assert len(roots) == 16
    assert all(slug.endswith("-super") for slug in roots)


def test_the_commands_tell_the_same_to_people_and_programs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    written = tmp_path / "written.yaml"
    status, out, _ = laurel(monkeypatch, capsys, "import", str(small(tmp_path)), "-o", str(written))
    assert (status, out) == (0, f"{written}: 2 topics under 1 roots, 1 edges, names in 2 languages\n")
    monkeypatch.setenv("LAUREL_ONTOLOGY", str(written))
    status, out, _ = laurel(monkeypatch, capsys, "show", "DOWN", "--json")
    assert status == 0
    assert json.loads(out)[0]["ancestors"] == ["1"]
    status, out, _ = laurel(monkeypatch, capsys, "show", "down", "--language", "de")
    assert "└── Oben" in out
    status, out, _ = laurel(monkeypatch, capsys, "validate", "--json")
    assert json.loads(out) == {"topics": 2, "edges": 1, "roots": ["1"], "languages": ["de", "en"]}
    status, out, _ = laurel(monkeypatch, capsys, "export")
    assert out == written.read_text("utf-8")
    status, out, _ = laurel(monkeypatch, capsys, "export", "--json")
    assert [topic["slug"] for topic in json.loads(out)] == ["up", "down"]


def test_an_unsound_file_or_an_unknown_topic_is_exit_status_1_and_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "t.yaml"
    path.write_text(topics("{id: a, parents: [a]}"), "utf-8")
    status, _, err = laurel(monkeypatch, capsys, "validate", str(path))
    assert status == 1
    assert err.endswith("line 2: topic 'a' is above itself, from topic to parent: a -> a\n")
    status, _, err = laurel(monkeypatch, capsys, "show", "qubitt")
    assert status == 1
    assert "near are qubit" in err
    status, _, err = laurel(monkeypatch, capsys, "validate", str(tmp_path / "none.yaml"))
    assert status == 1
    assert "can't be read" in err
    assert laurel(monkeypatch, capsys, "show")[0] == 2


def test_an_empty_ontology_has_no_topics() -> None:
    found = Ontology.of([])
    assert (len(found), len(found.ancestors.nodes), len(found.branch.nodes)) == (0, 0, 0)
