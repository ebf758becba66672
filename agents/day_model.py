"""Which models compute a day: the one that its markers name, whatever a worker's setting says, and those in its shadow."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from laurel.agents.context import Context
from laurel.models.catalogue import DEFAULT, ModelError, changed, require_same, shared_differences
from laurel.models.parameters import ScoreModel
from laurel.streams.calendar import iso

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Scale:
    """What a model goes on from after a closed day: its r0, None if the day was not computed by it as it is, and by network the reactions
    per post and the closes that measured them."""

    r0: float | None
    means: Mapping[str, float]
    measured: Mapping[str, int]


def model_of_day(context: Context, name: str, day: int) -> ScoreModel:
    """The model that a marker of the day names; an empty name is the default's. Raises ModelError if it can't close days here."""
    name = name or DEFAULT
    if name not in context.models:
        raise ModelError(
            f"{iso(day)} is scored by the model {name!r}, and this worker knows only {', '.join(context.models)}: give it that "
            "model's file (setting models, LAUREL_MODELS) and start it again; nothing is lost"
        )
    model = context.models[name]
    different = shared_differences(model, context.model)
    if different:
        raise ModelError(
            f"{iso(day)} is scored by the model {name!r}, which differs from this worker's model {context.model.name!r} in "
            f"{', '.join(different)}: models of one deployment must agree in these; set model (LAUREL_MODEL) to one that "
            "does, and publish the other from a deployment of its own (another topic_prefix, see docs/models.md)"
        )
    return model


def model_of_record(context: Context, record: Mapping[str, Any]) -> ScoreModel:
    """The model that a Calendar record names. Raises ModelError if it can't close days here, or has other parameters here than
    where the day was decided."""
    model = model_of_day(context, record["model"], record["day"])
    require_same(model, record["parameters"], f"decided {iso(record['day'])}")
    return model


def shadows_of_day(context: Context, names: Sequence[str], model: ScoreModel, day: int) -> list[ScoreModel]:
    """The models that a marker names to be computed beside the day's own. One that can't be is left out, and said: whatever
    is wrong with a shadow, the day's scores don't wait for it."""
    found: list[ScoreModel] = []
    for name in names:
        if name not in context.models:
            why = f"this worker knows only {', '.join(context.models)} (setting models, LAUREL_MODELS)"
        elif different := shared_differences(context.models[name], model):
            why = f"it differs from {model.name} in {', '.join(different)}"
        else:
            found.append(context.models[name])
            continue
        log.warning("%s is not computed by the model %r in shadow: %s", iso(day), name, why)
    return found


def scale_after(record: Mapping[str, Any] | None, model: ScoreModel) -> Scale:
    """What a model goes on from after a closed day (a Calendar record, None before the first). One that was neither published nor
    in shadow takes over the networks' means: its r0 is another unit, they are not. One that had other parameters then, a
    shadow whose file was edited, keeps its own means, and its r0 is another unit too."""
    if record is None:
        return Scale(None, {}, {})
    networks = [entry["network"] for entry in record["reactions_per_post"]]
    r0, means, measured = None, [entry["mean"] for entry in record["reactions_per_post"]], record["measured"]
    for computed in (record, *record["shadows"]):
        if computed["model"] == model.name and not changed(model, computed["parameters"]):
            r0 = computed["r0"]
    for shadow in record["shadows"]:
        if shadow["model"] == model.name:
            means, measured = shadow["means"], shadow["measured"]
    # An older version told of no closes that measured them.
    return Scale(r0, dict(zip(networks, means, strict=True)), dict(zip(networks, measured, strict=False)))
