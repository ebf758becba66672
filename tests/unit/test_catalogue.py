"""Score models read from files: what they keep, what they change, and what is said of what can't be."""

import copy
import json
import os
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from laurel.models import catalogue
from laurel.models.catalogue import ModelError
from laurel.models.parameters import V1, ScoreModel, descriptions, sections

SECTION = {name: section for section, names in sections().items() for name in names}


def folder(tmp_path: Path, **texts: str) -> Path:
    for name, text in texts.items():
        (tmp_path / f"{name}.toml").write_text(text)
    return tmp_path


def test_the_built_in_model_is_the_one_of_its_file_word_for_word() -> None:
    assert catalogue.load() == {"v1": V1}
    file = Path(catalogue.__file__).parent / "score_models/v1.toml"
    assert file.read_text() == catalogue.document(V1)


def test_every_parameter_is_in_one_section_and_says_what_it_is() -> None:
    assert set(SECTION) == set(descriptions()) == set(asdict(V1)) - {"name"}
    assert all(text.endswith(".") and len(text) > 10 for text in descriptions().values())


@given(st.floats(0.1, 1), st.integers(1, 8), st.floats(0, 1e6), st.integers(0, 10_000), st.floats(20.5, 89))
def test_a_model_written_out_is_read_back_as_it_was(
    floor: float, power: int, prior: float, free: int, half_life: float
) -> None:
    model = replace(
        V1, amplification_floor=floor, taper_power=power, prior=prior, free_days=free, half_life=half_life, name="x"
    )
    read = catalogue.read("x", catalogue.document(model), "x.toml")
    assert read == model


def test_a_file_keeps_what_it_does_not_say_whatever_the_order_of_the_files(tmp_path: Path) -> None:
    found = catalogue.load(
        folder(
            tmp_path,
            a='based_on = "b"\n[scale]\nprior = 3\n',
            b='based_on = "v1"\n[adding]\nhalf_life = 25\n[scale]\nprior = 2\n',
        )
    )
    assert list(found) == ["v1", "b", "a"]
    assert found["a"] == replace(V1, name="a", half_life=25, prior=3)
    assert catalogue.differences(V1, found["a"]) == {"half_life": (30, 25), "prior": (17, 3)}
    assert catalogue.differences(found["a"], found["a"]) == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "based_on has to be one of v1"),
        ('based_on = "v9"', "based_on has to be one of v1, not 'v9'"),
        ('based_on = "v1"\n[skale]\n', "there is no table 'skale': did you mean 'scale'?"),
        ('based_on = "v1"\nprior = 2', "there is no table 'prior': known are weighing, adding, scale"),
        ('based_on = "v1"\n[scale]\npriro = 2', "scale has no 'priro': did you mean 'prior'?"),
        ('based_on = "v1"\n[scale]\nhalf_life = 2', "scale has no 'half_life'"),
        ('based_on = "v1"\n[scale]\nprior = -1', "prior should be greater than or equal to 0, and is -1"),
        ('based_on = "v1"\n[scale]\nprior = "1"', "prior should be a valid number, and is '1'"),
        ('based_on = "v1"\n[scale]\nprior = nan', "prior should be a finite number"),
        ('based_on = "v1"\n[adding]\nhalf_life = 7', "memory_half_life (20) must be less than half_life (7)"),
        ('based_on = "v1"\n[scale', "is not valid TOML"),
    ],
)
def test_what_is_wrong_is_said_with_the_file_and_the_parameter(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ModelError) as refused:
        catalogue.load(folder(tmp_path, mine=text) / "mine.toml")
    assert said in str(refused.value)
    assert "mine.toml" in str(refused.value)


def test_all_that_is_out_of_its_limits_is_said_at_once(tmp_path: Path) -> None:
    text = 'based_on = "v1"\n[scale]\nprior = -1\n[calibration]\nmean = 100\nr0_step = 0\n'
    with pytest.raises(ModelError) as refused:
        catalogue.load(folder(tmp_path, mine=text))
    assert [line.split(": ")[1].split()[0] for line in str(refused.value).splitlines()] == ["prior", "mean", "r0_step"]


def test_built_in_names_stay_what_they_are_and_unknown_ones_are_answered_with_what_is_known(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="v1 is a built-in model and stays as it is"):
        catalogue.load(folder(tmp_path, v1='based_on = "v1"'))
    with pytest.raises(ModelError, match="there is no model 'v2': known are v1"):
        catalogue.named(catalogue.load(), "v2")
    with pytest.raises(ModelError, match="there is no file or folder"):
        catalogue.load(tmp_path / "nowhere")


def test_a_model_can_not_be_changed_nor_made_of_what_makes_no_sense() -> None:
    with pytest.raises(AttributeError):
        V1.prior = 2.0  # type: ignore[misc]  # that it can't be is what is tested
    with pytest.raises(ValidationError):
        replace(V1, name="no spaces")
    with pytest.raises(ValidationError):
        ScoreModel(name="nothing")  # type: ignore[call-arg]  # likewise


@given(st.sampled_from(sorted(SECTION)))
def test_models_may_follow_one_another_unless_they_weigh_count_or_limit_differently(name: str) -> None:
    other = copy.copy(V1)
    object.__setattr__(other, name, getattr(V1, name) + 1)  # whether or not that is a sensible value
    kept = SECTION[name] == "weighing" or name in {"window_days", "lowest", "highest"} or name.startswith("bins")
    assert catalogue.shared_differences(V1, other) == catalogue.shared_differences(other, V1) == [name] * kept
    assert not catalogue.shared_differences(V1, V1)


def laurel(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LAUREL_")}
    return subprocess.run(
        [sys.executable, "-m", "laurel", "models", *arguments],
        env=kept | variables,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_command_lists_shows_and_compares_them(tmp_path: Path) -> None:
    where = {"LAUREL_MODELS": str(folder(tmp_path, v2='based_on = "v1"\n[scale]\nprior = 2\n'))}
    listed = laurel("list", **where).stdout.splitlines()
    assert listed == ["v1  built in", "v2  prior 2"]
    shown = json.loads(laurel("show", "v2", "--json", **where).stdout)
    assert shown == asdict(replace(V1, name="v2", prior=2.0))
    assert json.loads(laurel("diff", "v1", "v2", "--json", **where).stdout) == {"prior": {"v1": 17.0, "v2": 2.0}}
    assert "Raw influence lent to everybody" in " ".join(laurel("diff", "v1", "v2", **where).stdout.split())
    assert laurel("diff", "v1", "v1").stdout == "v1 and v1 have the same parameters\n"
    unknown = laurel("show", "v3", **where)
    assert (unknown.returncode, unknown.stderr) == (
        1,
        "error: there is no model 'v3': known are v1, v2 (setting models, LAUREL_MODELS)\n",
    )


def test_a_model_is_held_against_what_was_recorded_of_it_and_each_changed_parameter_is_named() -> None:
    catalogue.require_same(V1, catalogue.recorded(V1), "closed a day")
    catalogue.require_same(V1, "", "closed a day")
    catalogue.require_same(V1, json.dumps({"half_life": V1.half_life, "of_another_version": 3}), "closed a day")
    changed = replace(V1, half_life=V1.half_life + 1, prior=V1.prior + 2)
    with pytest.raises(
        ModelError, match=r"v1 is not the one that closed a day: half_life was 30 and is 31, prior was 17 and is 19"
    ):
        catalogue.require_same(changed, catalogue.recorded(V1), "closed a day")
