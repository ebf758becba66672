"""Draws the pictures of docs/score.md from the code: `make plots`."""

from pathlib import Path

from docs.plots.pictures import pictures

FOLDER = Path(__file__).parents[1] / "score"


def main() -> None:
    """Writes every picture, whatever was there."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in pictures().items():
        (FOLDER / f"{name}.svg").write_text(text, encoding="utf-8")


main()
