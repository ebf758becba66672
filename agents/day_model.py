"""Which model closes a day: the one that its markers name, whatever a worker's setting says."""

from collections.abc import Mapping
from typing import Any

from laurel.agents.context import Context
from laurel.models.catalogue import DEFAULT, ModelError, shared_differences
from laurel.models.parameters import ScoreModel
from laurel.streams.calendar import iso


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
    """The model that a Calendar record names. Raises ModelError if it can't close days here."""
    return model_of_day(context, record["model"], record["day"])
