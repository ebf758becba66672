"""The page on the score is true: its pictures are what the code draws, its constants the model's, what it names is there."""

import re
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from docs.plots.formulas import unit_for_base
from docs.plots.pictures import PICTURES, pictures
from docs.plots.style import drawn
from laurel.models.daily import counted
from laurel.models.fade import FADE_UNIT, fade_table
from laurel.models.memory import potential
from laurel.models.parameters import V1
from laurel.models.scale import score

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "score.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def today() -> dict[str, str]:
    return pictures()


@pytest.mark.parametrize("name", PICTURES)
def test_each_picture_shows_the_words_and_lines_that_the_code_draws_today_else_make_plots(name, today):
    words, lines = drawn((DOCS / "score" / f"{name}.svg").read_text(encoding="utf-8"))
    words_now, lines_now = drawn(today[name])
    assert lines
    assert words == words_now
    assert lines.keys() == lines_now.keys()
    for line, numbers in lines.items():
        assert numbers.shape == lines_now[line].shape
        # A tenth of a typographic point: other processors round logarithms otherwise.
        np.testing.assert_allclose(numbers, lines_now[line], rtol=0, atol=0.1)


def test_lines_stay_within_their_picture(today):
    for text in today.values():
        width, height = map(float, re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', text).groups())
        for numbers in drawn(text)[1].values():
            across, down = numbers.reshape(-1, 2).T
            assert 0 < across.min() <= across.max() < width
            assert 0 < down.min() <= down.max() < height


def test_pictures_are_small_and_each_is_on_the_page():
    files = {path.stem: path for path in (DOCS / "score").glob("*.svg")}
    assert files.keys() == PICTURES.keys() == set(re.findall(r"\(score/([a-z]+)\.svg\)", PAGE))
    assert max(path.stat().st_size for path in files.values()) < 40_000


def test_the_constants_of_the_page_are_those_of_the_model():
    rows = re.findall(r"^\| `([a-z0-9_]+)` \| ([\d.]+) \|", PAGE, re.MULTILINE)
    assert len(rows) > 10
    model = asdict(V1)
    assert {name: float(value) for name, value in rows} == {name: model[name] for name, _ in rows}


def test_the_example_is_computed_as_the_code_does():
    r0, weight = unit_for_base(19), potential(np.array([500_000]))[0] / 1e6
    whole = counted(np.array([30 * potential(np.array([500_000]))[0]]), V1)[0] / 1e6
    left = fade_table(V1)[30] / FADE_UNIT
    now, later, steady = score(whole * np.array([1, left, fade_table(V1).sum() / FADE_UNIT]), r0, V1)
    example = PAGE.split("An example.")[1].split("\n\n")[0]
    for said in (
        f"r0 = {r0:.3f}",
        f"= {weight:.3f} points",
        f"together\n{30 * weight:.1f}",
        f"on one day count {whole:.2f},",
        f"{whole + V1.prior:.2f} / {r0:.3f}",
        f"= {now:.1f}.",
        f"{100 * left:.0f} %",
        f"a score of {later:.1f}.",
        f"to {steady:.1f}.",
    ):
        assert said in example


def test_there_is_a_section_for_each_rule_and_every_file_and_page_named_exists():
    sections = re.findall(r"^## (S\d+): [^\n]*\n(.*?)(?=^## )", PAGE, re.MULTILINE | re.DOTALL)
    assert [rule for rule, _ in sections] == [f"S{n}" for n in (*range(1, 11), 12)]
    for rule, text in sections:
        assert f"tests/property/test_{rule.lower()}_" in text
    named = re.findall(r"`((?:tests|models)/[a-z_0-9/]+\.(?:py|toml))`", PAGE)
    assert [name for name in named if not (DOCS.parent / name).is_file()] == []
    pages = re.findall(r"\]\(([a-z/]+\.(?:md|svg))\)", PAGE)
    assert [name for name in pages if not (DOCS / name).is_file()] == []
