"""A score model: every constant that a score depends on, with its unit, its limits and what it is for.

A model is data. What is published names the model it was computed by; `models.catalogue` reads models from files.
"""

import tomllib
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any, Self, cast

from pydantic import ConfigDict, Field, model_validator
from pydantic.dataclasses import dataclass
from pydantic.fields import FieldInfo


def _parameter(section: str, description: str, **limits: Any) -> Any:
    return Field(description=description, json_schema_extra={"section": section}, **limits)


@dataclass(frozen=True, config=ConfigDict(strict=True, extra="forbid", allow_inf_nan=False))
class ScoreModel:
    """The constants of one version of the score, as docs/architecture.md uses them; they can't be changed.

    Micro-points are 1e-6 points of influence, a share in millionths is 1e-6, ages and days are whole UTC days. What is
    out of its limits is a pydantic ValidationError.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$", description="What score updates call this model.")

    # How an engagement is weighed, at its actor.
    selective_after: int = _parameter(
        "weighing",
        "Reactions of one actor and day that count in full; the n-th after them counts this number / n.",
        ge=1,
        le=100_000,
    )
    engager_step: int = _parameter(
        "weighing",
        "Millionths that the first whole point which the engager has earned (above the score of no influence) adds "
        "to the factor of a stranger, 1; it grows with the square root of points.",
        ge=0,
        le=10_000_000,
    )
    engager_lag: int = _parameter(
        "weighing",
        "Days between the open day and the newest published score that may weigh its engagements.",
        ge=2,
        le=7,
    )
    anonymous_share: int = _parameter(
        "weighing",
        "Millionths of an action's weight that count when nobody is named as its actor.",
        ge=0,
        le=1_000_000,
    )
    memory_half_life: float = _parameter(
        "weighing",
        "Days in which what an actor is remembered to have brought a target halves, before the taper. Shorter than "
        "half_life: an act must not be remembered against later ones for longer than it counts itself.",
        gt=0,
        le=90,
    )
    pairs_kept: int = _parameter(
        "weighing",
        "Targets an actor remembers.",
        ge=1,
        le=65_536,
    )
    remembered_days: int = _parameter(
        "weighing",
        "Days for which an act is known, to drop repeats and to be taken back: the window, and as much as an "
        "event may lie ahead of the open day.",
        ge=1,
        le=400,
    )
    daily_limit: int = _parameter(
        "weighing",
        "Reactions of one actor accepted a day.",
        ge=1,
        le=100_000,
    )
    plus_k_daily: int = _parameter(
        "weighing",
        "+Ks one actor may give a day.",
        ge=0,
        le=1_000,
    )
    plus_k_repeat_days: int = _parameter(
        "weighing",
        "Days before the same +K, to the same person in the same topic, is accepted again.",
        ge=1,
        le=90,
    )
    topics_most: int = _parameter(
        "weighing",
        "Topics one engagement may name.",
        ge=0,
        le=100,
    )
    future_days: int = _parameter(
        "weighing",
        "Days by which an engagement may lie ahead of the open day.",
        ge=0,
        le=90,
    )

    # How influence adds up, at its target.
    window_days: int = _parameter(
        "adding",
        "Days that count; influence of this age or older is nothing.",
        ge=2,
        le=366,
    )
    half_life: float = _parameter(
        "adding",
        "Days in which influence halves, before the taper that brings it to zero at the window's end.",
        gt=0,
        le=366,
    )
    taper_power: int = _parameter(
        "adding",
        "How flat that end is: the power of 1 - (age / window)^2.",
        ge=1,
        le=8,
    )
    day_knee: float = _parameter(
        "adding",
        "Influence of one day on one network, in points, up to which more of it counts nearly in full; well above it "
        "a day counts by its square root.",
        gt=0,
        le=1e9,
    )
    amplification_floor: float = _parameter(
        "adding",
        "Share of the influence that stays however many posts it took.",
        gt=0,
        le=1,
    )
    amplification_prior: float = _parameter(
        "adding",
        "Posts, with the network's mean reactions, added to everybody's own before dividing.",
        gt=0,
        le=1_000,
    )
    first_mean: float = _parameter(
        "adding",
        "Reactions per post taken for a network of which nothing is known.",
        gt=0,
        le=1e6,
    )
    mean_lowest: float = _parameter(
        "adding",
        "Lowest that a network's mean reactions per post is taken for.",
        gt=0,
        le=1e6,
    )
    mean_highest: float = _parameter(
        "adding",
        "Highest that a network's mean reactions per post is taken for.",
        gt=0,
        le=1e6,
    )

    # From raw influence to a score.
    lowest: float = _parameter(
        "scale",
        "Lowest score, in points.",
        ge=1,
        le=100,
    )
    highest: float = _parameter(
        "scale",
        "Highest score, in points.",
        ge=1,
        le=100,
    )
    top_ratio: float = _parameter(
        "scale",
        "Raw influence, in units of r0, that reaches `highest`.",
        gt=1,
        le=1e12,
    )
    prior: float = _parameter(
        "scale",
        "Raw influence lent to everybody, in points: what a score says of people of whom little is known.",
        ge=0,
        le=1e6,
    )
    bins: int = _parameter(
        "scale",
        "Bins that people are counted in by raw influence; bin 0 holds those without any.",
        ge=16,
        le=65_536,
    )
    bins_per_octave: int = _parameter(
        "scale",
        "Bins by which a doubling of raw influence moves.",
        ge=1,
        le=1_024,
    )
    bins_from: int = _parameter(
        "scale",
        "Log2 of the raw influence at which bin 1 begins.",
        ge=-60,
        le=0,
    )

    # What keeps the average where it is.
    mean: float = _parameter(
        "calibration",
        "What the average score of the population is calibrated to, in points.",
        gt=1,
        lt=100,
    )
    r0_first: float = _parameter(
        "calibration",
        "Unit of raw influence before anybody had any.",
        gt=0,
        le=1e9,
    )
    r0_lowest: float = _parameter(
        "calibration",
        "Lowest r0, in raw influence.",
        gt=0,
        le=1e9,
    )
    r0_highest: float = _parameter(
        "calibration",
        "Highest r0, in raw influence.",
        gt=0,
        le=1e12,
    )
    r0_step: float = _parameter(
        "calibration",
        "The most by which r0 rises in a day, as a share of it; it falls by the same factor at most.",
        gt=0,
        le=1,
    )
    mean_step: float = _parameter(
        "calibration",
        "The most by which a network's mean reactions per post moves in a day, likewise.",
        gt=0,
        le=1,
    )
    free_days: int = _parameter(
        "calibration",
        "Closed days after which these limits begin to hold: for r0 all of them, for a mean those "
        "with posts on the network.",
        ge=0,
        le=10_000,
    )

    # Boards and sashes.
    leaders_kept: int = _parameter(
        "leaders",
        "Ranks a leaderboard holds.",
        ge=1,
        le=10_000,
    )
    gold_ranks: int = _parameter(
        "leaders",
        "Influencers of a topic, from rank 1, who wear the gold sash.",
        ge=0,
        le=10_000,
    )
    blue_ranks: int = _parameter(
        "leaders",
        "+K recipients of a topic, from rank 1, who wear the blue sash.",
        ge=0,
        le=10_000,
    )

    @model_validator(mode="after")
    def _agree(self) -> Self:
        """What parameters mean together. An act that is remembered for longer than it counts would take more from later
        ones than it still gives; a score that is calibrated to a limit of its scale can't be."""
        for low, high in _ASCENDING:
            if not getattr(self, low) < getattr(self, high):
                raise ValueError(f"{low} ({getattr(self, low):g}) must be less than {high} ({getattr(self, high):g})")
        return self


_ASCENDING = (
    ("memory_half_life", "half_life"),
    ("half_life", "window_days"),
    ("lowest", "mean"),
    ("mean", "highest"),
    ("mean_lowest", "mean_highest"),
    ("r0_lowest", "r0_highest"),
    ("window_days", "remembered_days"),
)


def descriptions() -> Mapping[str, str]:
    """What each parameter is, by name, in the order of the sections."""
    return {name: str(field.description) for name, field in _parameters()}


def sections() -> Mapping[str, list[str]]:
    """The names of the parameters by section."""
    found: dict[str, list[str]] = {}
    for name, field in _parameters():
        found.setdefault(cast("dict[str, str]", field.json_schema_extra)["section"], []).append(name)
    return found


def _parameters() -> Iterator[tuple[str, FieldInfo]]:
    return ((name, field) for name, field in cast("Any", ScoreModel).__pydantic_fields__.items() if name != "name")


def _first() -> ScoreModel:
    text = files("laurel.models").joinpath("score_models/v1.toml").read_text("utf-8")
    values = {name: value for table in tomllib.loads(text).values() for name, value in table.items()}
    return ScoreModel(name="v1", **values)


V1 = _first()
