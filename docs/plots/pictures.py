"""Every picture of docs/score.md, by name."""

from collections.abc import Callable

from matplotlib.figure import Figure

from docs.plots import formulas, people
from docs.plots.style import ruled, svg

PICTURES: dict[str, Callable[[], Figure]] = {
    "fade": formulas.fade,
    "selectivity": formulas.select,
    "day": formulas.day,
    "repeats": formulas.repeats,
    "amplification": formulas.amplify,
    "scale": formulas.scale,
    "engagers": formulas.engage,
    "everyday": people.everyday,
    "acting": people.acting,
    "growth": people.growth,
    "overnight": people.overnight,
    "networks": people.networks,
    "parts": people.parts,
    "population": people.population_day,
}


def pictures() -> dict[str, str]:
    """The SVG of each."""
    with ruled():
        return {name: svg(draw()) for name, draw in PICTURES.items()}
