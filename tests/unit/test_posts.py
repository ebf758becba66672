"""Posts of a Stack Exchange site, and how well topics read from them agree with their tags."""

import json
import os
import sys
from pathlib import Path

import pytest

from laurel.cli.main import run
from laurel.ingest import posts
from laurel.ingest.errors import DataError
from laurel.ingest.measure_topics import Agreement, agreement
from laurel.ingest.posts import Post
from laurel.streams import ontology_file

REAL = Path(os.environ.get("LAUREL_DATA_DIR", "")) / "stackexchange-quantum" / "Posts.xml.gz"
POSTS = """<?xml version="1.0" encoding="utf-8"?>
<posts>
  <row Id="1" PostTypeId="1" Title="A qubit &amp;amp; more" Body="&lt;p&gt;One &lt;b&gt;gate&lt;/b&gt;&lt;/p&gt;&lt;pre&gt;qiskit&lt;/pre&gt;" Tags="&lt;qubit&gt;&lt;q#&gt;" />
  <row Id="2" PostTypeId="2" ParentId="1" Body="Use quantum gates" />
  <row Id="3" PostTypeId="5" Body="a tag's wiki" />
  <row Id="4" PostTypeId="1" Title="Newer" Body="" Tags="|history|" />
</posts>"""


def test_posts_have_their_text_without_markup_and_code_and_answers_their_questions_tags(tmp_path: Path) -> None:
    path = tmp_path / "Posts.xml"
    path.write_text(POSTS, "utf-8")
    found = posts.read(path)
    assert [(post.is_question, post.tags) for post in found] == [
        (True, ("qubit", "q#")),
        (False, ("qubit", "q#")),
        (True, ("history",)),
    ]
    assert [" ".join(post.text.split()) for post in found] == ["A qubit & more One gate", "Use quantum gates", "Newer"]


def test_a_file_that_is_no_posts_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "Posts.xml"
    for text in ("<posts>", "<posts/>"):
        path.write_text(text, "utf-8")
        with pytest.raises(DataError, match=r"Posts\.xml"):
            posts.read(path)
    with pytest.raises(DataError, match="can't be read"):
        posts.read(tmp_path / "none.xml.gz")


def test_agreement_counts_tags_topics_and_what_is_above_a_tag() -> None:
    read = [
        Post(is_question=True, text="Quantum mechanics of qubits", tags=("qubit", "terminology")),
        Post(is_question=True, text="nothing", tags=("quantum-gate",)),
    ]
    found = agreement(read, ontology_file.load())
    assert found == Agreement(posts=2, tags=3, known=2, found=2, right=1, right_or_above=2)
    assert (found.precision, found.precision_with_above, found.recall) == (0.5, 1.0, 0.5)


@pytest.mark.skipif(not REAL.is_file(), reason="the posts are not there")
def test_the_command_measures_the_real_posts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["laurel", "ontology", "measure", str(REAL), "--json"])
    with pytest.raises(SystemExit) as left:
        run()
    assert left.value.code in (0, None)
    found = json.loads(capsys.readouterr().out)
    assert found["questions"]["posts"] == 612
    assert found["questions"]["recall"] > 0.45
    assert found["questions"]["precision_with_above"] > 0.5


def test_a_row_without_an_id_is_no_post(tmp_path: Path) -> None:
    path = tmp_path / "Posts.xml"
    path.write_text(POSTS.replace('Id="4" ', ""), "utf-8")
    assert [post.tags for post in posts.read(path)] == [("qubit", "q#")] * 2
