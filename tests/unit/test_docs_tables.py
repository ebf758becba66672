"""Tables in the docs are what the code says; a failing test shows the table as it should be."""

import re
from pathlib import Path

from laurel.models.refusals import REASONS
from laurel.streams.metrics import Metrics
from laurel.streams.settings import Settings

DOCS = Path(__file__).parents[2] / "docs"


def table(page: str, heading: str) -> list[str]:
    """Rows of the first table below a heading, without its head."""
    below = (DOCS / page).read_text(encoding="utf-8").split(f"\n{heading}\n", 1)[1].split("\n#", 1)[0]
    return re.findall(r"^\|.*\|$", below, re.MULTILINE)[2:]


def default(value: object) -> str:
    return "" if value in ("", None) else f"`{value}`"


def test_operations_lists_every_setting_with_its_default_and_meaning() -> None:
    assert table("operations.md", "## Settings") == [
        f"| `{name}` | `LAUREL_{name.upper()}` | {default(field.default)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]


def test_operations_lists_every_metric_with_its_type_labels_and_meaning() -> None:
    metrics = [metric for metric in vars(Metrics()).values() if getattr(metric, "_name", "").startswith("laurel_")]
    assert table("operations.md", "## Metrics") == [
        f"| `{metric._name}{'_total' if metric._type == 'counter' else ''}` | {metric._type} "
        f"| {', '.join(metric._labelnames)} | {metric._documentation} |"
        for metric in metrics
    ]


def test_publish_lists_every_reason_for_which_a_record_is_refused() -> None:
    assert table("publish.md", "## What is refused") == [f"| `{reason}` | {said} |" for reason, said in REASONS.items()]


def test_publish_shows_the_foreign_program_as_it_is_tested() -> None:
    page = (DOCS / "publish.md").read_text(encoding="utf-8")
    program = (DOCS.parent / "tests" / "integration" / "foreign_program.py").read_text(encoding="utf-8")
    [shown] = re.findall(r"```python\n# from tests/integration/foreign_program.py\n(.*?)```", page, re.DOTALL)
    for piece in shown.split("\n\n\n"):
        assert piece.strip() in program


def test_every_test_that_the_failure_table_names_is_there():
    named = re.findall(r"`((?:tests/)?[a-z_0-9/]*test_[a-z_0-9]+\.py)`", (DOCS / "reliability.md").read_text())
    assert len(named) > 40
    places = [DOCS.parent / name if "/" in name else DOCS.parent / "tests/integration" / name for name in named]
    assert [str(place) for place in places if not place.is_file()] == []
