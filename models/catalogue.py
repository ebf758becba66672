"""Which score models there are: the built-in ones and those of an operator's files, by name."""

import difflib
import json
import textwrap
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from laurel.models.errors import LaurelError
from laurel.models.parameters import ScoreModel, descriptions, sections

DEFAULT = "v1"
_BASE = "based_on"  # in a file: the model that has what the file doesn't say
_TITLES = {
    "weighing": "How an engagement is weighed, at its actor: the same in all models that follow one another.",
    "adding": "How influence adds up, at its target.",
    "scale": "From raw influence to a score.",
    "calibration": "What keeps the average where it is.",
    "leaders": "Boards and sashes.",
}


# Beside weighing: what states, reports of a close, and everybody who reads scores rely on.
_SHARED = ("window_days", "lowest", "highest", "bins", "bins_per_octave", "bins_from")


class ModelError(LaurelError):
    """A model can't be used, or there is none of that name; says which file and parameter, and what is allowed."""


Catalogue = Mapping[str, ScoreModel]


def load(extra: Path | None = None) -> Catalogue:
    """All models by name: the built-in ones, and one for each `*.toml` of an operator's folder (or the one file).

    A file `NAME.toml` is the model NAME: `based_on = "v1"` names the model whose parameters it keeps, tables like those
    of v1.toml change some. It may be based on any other of the folder, in any order. Raises ModelError.
    """
    found = dict(_built_in())
    if extra is None:
        return found
    waiting = {path.stem: (path, _read(path)) for path in _files(extra)}
    for name in waiting.keys() & found.keys():
        raise ModelError(f"{waiting[name][0]}: {name} is a built-in model and stays as it is: choose another name")
    while waiting:
        ready = [name for name, (_, document) in waiting.items() if str(document.get(_BASE)) in found]
        if not ready:
            path, document = next(iter(waiting.values()))
            base = document.get(_BASE)
            raise ModelError(f"{path}: {_BASE} has to be one of {_some(found)}" + (f", not {base!r}" if base else ""))
        for name in ready:
            path, document = waiting.pop(name)
            found[name] = _model(name, document, found[str(document[_BASE])], str(path))
    return found


def named(catalogue: Catalogue, name: str) -> ScoreModel:
    """The model of that name. Raises ModelError."""
    if name not in catalogue:
        raise ModelError(f"there is no model {name!r}: known are {_some(catalogue)} (setting models, LAUREL_MODELS)")
    return catalogue[name]


def read(name: str, text: str, origin: str, base: ScoreModel | None = None) -> ScoreModel:
    """The model of a file's text, with what it doesn't say taken from `base`. Raises ModelError, naming `origin`."""
    return _model(name, _parsed(text, origin), base, origin)


def differences(one: ScoreModel, other: ScoreModel) -> dict[str, tuple[float, float]]:
    """The parameters in which two models differ, with both values."""
    left, right = asdict(one), asdict(other)
    return {name: (left[name], right[name]) for name in descriptions() if left[name] != right[name]}


def shared_differences(one: ScoreModel, other: ScoreModel) -> list[str]:
    """The parameters that keep two models from following one another on a deployment: its states are made with them."""
    shared = (*sections()["weighing"], *_SHARED)
    return [name for name in differences(one, other) if name in shared]


def recorded(model: ScoreModel) -> str:
    """A model's parameters as a JSON object, for `require_same` to be held against later."""
    return json.dumps({name: value for name, value in asdict(model).items() if name != "name"}, sort_keys=True)


def changed(model: ScoreModel, before: str) -> list[str]:
    """How parameters differ from what `recorded` said of the model of that name: what each was, and is. Empty or other
    parameters, those of an older or a later version, are no difference."""
    known: dict[str, float] = json.loads(before or "{}")
    return [
        f"{name} was {known[name]:g} and is {value:g}"
        for name, value in asdict(model).items()
        if name in known and known[name] != value
    ]


def require_same(model: ScoreModel, before: str, closed: str) -> None:
    """Raises ModelError if a model has `changed` since `recorded` said `before` of it; `closed` says what it did then."""
    if different := changed(model, before):
        raise ModelError(
            f"the model {model.name} is not the one that {closed}: {', '.join(different)}; a model that has closed a day stays as it "
            "is: put its file back, and give the changed one a name of its own"
        )


def shadows_beside(catalogue: Catalogue, model: str, shadows: Sequence[str]) -> list[str]:
    """Names of the models to compute beside one, each once and without the model itself. Raises ModelError."""
    published = named(catalogue, model)
    found = [name for name in dict.fromkeys(shadows) if name != model]
    for name in found:
        if different := shared_differences(published, named(catalogue, name)):
            raise ModelError(
                f"the model {name} can't be in the shadow of {model}: models of one deployment must agree in "
                f"{', '.join(different)}; try it with `laurel evaluate --model {name}`"
            )
    return found


def document(model: ScoreModel) -> str:
    """A model as a file of the form that `load` reads, every parameter with what it is."""
    values, told, lines = asdict(model), descriptions(), list[str]()
    for section, names in sections().items():
        lines += [f"# {_TITLES[section]}", f"[{section}]"]
        for name in names:
            lines += [f"# {line}" for line in textwrap.wrap(told[name], 110)]
            lines += [f"{name} = {values[name]:_}" if isinstance(values[name], int) else f"{name} = {values[name]!r}"]
        lines.append("")
    return "\n".join(lines)


@cache
def _built_in() -> Catalogue:
    folder = files("laurel.models").joinpath("score_models")
    texts = {entry.name.removesuffix(".toml"): entry.read_text("utf-8") for entry in folder.iterdir()}
    return {name: read(name, text, name) for name, text in sorted(texts.items())}


def _files(extra: Path) -> Iterator[Path]:
    if extra.is_dir():
        yield from sorted(extra.glob("*.toml"))
    elif extra.is_file():
        yield extra
    else:
        raise ModelError(f"setting models (LAUREL_MODELS): there is no file or folder {extra}")


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{path}: can't be read: {error}") from None
    return _parsed(text, str(path))


def _parsed(text: str, origin: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ModelError(f"{origin}: is not valid TOML: {error}") from None


def _model(name: str, document: Mapping[str, Any], base: ScoreModel | None, origin: str) -> ScoreModel:
    known = sections()
    values = {} if base is None else asdict(base)
    for section, table in document.items():
        if section == _BASE:
            continue
        if section not in known or not isinstance(table, dict):
            raise ModelError(f"{origin}: there is no table {section!r}{_meant(section, known)}")
        for parameter, value in table.items():
            if parameter not in known[section]:
                raise ModelError(f"{origin}: {section} has no {parameter!r}{_meant(parameter, known[section])}")
            values[parameter] = value
    try:
        return ScoreModel(**(values | {"name": name}))
    except ValidationError as error:
        raise ModelError("\n".join(f"{origin}: {_sentence(problem)}" for problem in error.errors())) from None


def _sentence(problem: Mapping[str, Any]) -> str:
    where = ".".join(str(part) for part in problem["loc"])
    text = problem["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return f"{where} {text}, and is {problem['input']!r}" if where else text


def _meant(name: str, known: Mapping[str, Any] | list[str]) -> str:
    close = difflib.get_close_matches(name, list(known), 1)
    return f": did you mean {close[0]!r}?" if close else f": known are {_some(known)}"


def _some(names: Mapping[str, Any] | list[str]) -> str:
    return ", ".join(names)
