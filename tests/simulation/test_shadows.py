"""A model in shadow scores as it would if it were published, and changes nothing of what is."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from laurel.models.catalogue import ModelError, recorded
from laurel.models.parameters import V1
from tests.engagements import engagement
from tests.simulation.events import FIRST
from tests.simulation.results import messages, published
from tests.simulation.worker import BRISK, MODELS, shared
from tests.simulation.world import World

OTHERS = ("score-updates", "insights", "account-scores", "sash-events", "leaderboards", "dead-letters")
ACCOUNTS = ("twitter:ann", "github:ann", "twitter:bob", "twitter:cy")


def act(number: int, day: int, action: str, actor: str, target: str) -> dict[str, Any]:
    return engagement(number, day, action, actor, target, "jazz")


def days(first: int, last: int) -> list[list[dict[str, Any]]]:
    """Of each day, what is acted upon some who never act; they post a little less every day."""
    found = []
    for day in range(first, last + 1):
        acts = [act(n, day, "like", f"twitter:f{n}", ACCOUNTS[n % (3 + day % 2)]) for n in range(9 + 2 * (day - FIRST))]
        acts = [a | {"action": "star"} if a["network"] == "github" else a for a in acts]
        found.append(
            acts + [act(90 + n, day, "post", "twitter:bob", "twitter:bob") for n in range(max(6 - day + FIRST, 1))]
        )
    return found


def run(world: World, first: int, last: int) -> None:
    for day, acts in enumerate(days(first, last), first):
        for each in acts:
            world.publish(each)
        world.request([day])
        world.drain()


def deployment(model: str = "v1", shadows: Sequence[str] = ()) -> World:
    """Two of the four are one person."""
    world = World(partitions=2, workers=1, rows=1_000, shadows=shadows)
    world.model = model
    for account in ACCOUNTS[:2]:
        world.link(account, "ann")
    return world


def decoded(world: World, topic: str) -> list[dict[str, Any]]:
    return [shared()[0].decode_one(message.value())[1] for message in messages(world, topic) if message.value()]


def shadow_of(world: World, name: str) -> dict[tuple[str, int], tuple[float, list[tuple[str, str, float]]]]:
    """Score and contributions by person and day, by one of the models of shadow-scores."""
    found = {}
    for row in decoded(world, "shadow-scores"):
        parts = [(p["network"], p["action"], p["points"]) for p in row["contributions"] if p["model"] == name]
        [score] = [each["score"] for each in row["scores"] if each["model"] == name]
        found[row["person"], row["day"]] = score, parts
    return found


def published_scores(world: World) -> dict[tuple[str, int], tuple[float, list[tuple[str, str, float]]]]:
    return {
        (row["person"], row["day"]): (
            row["score"],
            [(p["network"], p["action"], p["points"]) for p in row["contributions"]],
        )
        for row in decoded(world, "score-updates")
    }


def calendar(world: World, day: int) -> dict[str, Any]:
    return [record for record in decoded(world, "calendar") if record["day"] == day][-1]


def test_a_shadow_scores_as_the_model_would_if_it_were_published_and_what_is_published_stays_the_same() -> None:
    last = FIRST + 2
    with deployment(shadows=["brisk"]) as beside, deployment() as alone, deployment("brisk") as other:
        for world in (beside, alone, other):
            run(world, FIRST, last)
        assert {person for person, _ in published_scores(alone)} == {"ann", "twitter:bob", "twitter:cy"}
        assert shadow_of(beside, "brisk") == published_scores(other)
        assert shadow_of(beside, "v1") == published_scores(alone)
        assert shadow_of(beside, "brisk") != published_scores(alone)
        for topic in OTHERS:
            assert published(beside, topic) == published(alone, topic), topic
        assert not decoded(alone, "shadow-scores")
        for day in range(FIRST, last + 1):
            mine, theirs = calendar(beside, day), calendar(other, day)
            [shadow] = mine["shadows"]
            means = [entry["mean"] for entry in theirs["reactions_per_post"]]
            assert (shadow["r0"], shadow["means"], shadow["measured"]) == (theirs["r0"], means, theirs["measured"])
            assert (shadow["people"], shadow["mean"]) == (theirs["people"], theirs["mean"])
            assert means != [entry["mean"] for entry in mine["reactions_per_post"]]
            nothing = {"shadows": None, "shadow_models": None}
            assert mine | nothing == calendar(alone, day) | nothing | {"score_offsets": mine["score_offsets"]}


def test_after_a_switch_the_scale_of_the_shadow_goes_on_and_so_does_that_of_the_model_it_follows() -> None:
    last = FIRST + 4
    with deployment(shadows=["brisk"]) as switching, deployment() as alone, deployment("brisk") as other:
        run(switching, FIRST, FIRST + 1)
        switching.model, switching.shadows = "brisk", ["v1"]
        run(switching, FIRST + 2, FIRST + 3)
        switching.model, switching.shadows = "v1", ["brisk"]
        run(switching, last, last)
        run(alone, FIRST, last)
        run(other, FIRST, last)
        first, second = published_scores(alone), published_scores(other)
        for (person, day), scored in published_scores(switching).items():
            assert scored == (second if day in (FIRST + 2, FIRST + 3) else first)[person, day]
        # Without its shadow the model would have begun freely: by a step a day it isn't there yet.
        [told] = [
            r["model"] for r in decoded(switching, "score-updates") if (r["person"], r["day"]) == ("ann", FIRST + 2)
        ]
        assert told == "brisk"
        before, after = (calendar(switching, day) for day in (FIRST + 1, FIRST + 2))
        assert abs(after["r0"] / before["shadows"][0]["r0"] - 1) <= 0.020_001
        with deployment() as unannounced:
            run(unannounced, FIRST, FIRST + 1)
            unannounced.model = "brisk"
            run(unannounced, FIRST + 2, FIRST + 2)
            assert calendar(unannounced, FIRST + 2)["r0"] != after["r0"]


def test_a_shadow_edited_under_its_own_name_begins_freely_with_the_means_it_had() -> None:
    last, found = FIRST + 2, []
    for edit in (BRISK, replace(BRISK, prior=400.0)):
        known = dict(MODELS)
        with World(partitions=2, workers=1, rows=1_000, shadows=["brisk"], models=[known]) as world:
            run(world, FIRST, last - 1)
            known["brisk"] = edit
            run(world, last, last)
            [before], [after] = (calendar(world, day)["shadows"] for day in (last - 1, last))
            assert after["parameters"] == recorded(edit)
            found.append((abs(after["r0"] / before["r0"] - 1), after["means"], after["measured"]))
    (step, *means), (freely, *means_after_the_edit) = found
    assert step <= 0.020_001 < freely
    assert means_after_the_edit == means


def test_a_model_that_a_worker_does_not_know_is_left_out_and_the_day_is_closed() -> None:
    with deployment(shadows=["unheard of", "brisk"]) as world:
        run(world, FIRST, FIRST)
        assert calendar(world, FIRST)["status"] == "closed"
        assert calendar(world, FIRST)["shadow_models"] == ["brisk"]
        assert {s["model"] for row in decoded(world, "shadow-scores") for s in row["scores"]} == {"v1", "brisk"}


def test_a_worker_whose_file_of_a_model_is_another_publishes_nothing_by_it() -> None:
    edited = MODELS | {"brisk": replace(BRISK, half_life=25.0)}
    with World(partitions=2, workers=2, rows=1_000, models=[MODELS, edited]) as world:
        world.model = "brisk"
        with pytest.raises(
            ModelError, match=r"the model brisk is not the one that decided .*: half_life was 22 and is 25"
        ):
            run(world, FIRST, FIRST)
        assert not [message for message in messages(world, "score-updates") if message.partition() == 1]
        assert calendar(world, FIRST)["status"] == "calibrated"


def test_a_shadow_that_only_some_workers_know_is_left_out_everywhere() -> None:
    with World(partitions=2, workers=2, rows=1_000, shadows=["brisk"], models=[MODELS, {"v1": V1}]) as world:
        run(world, FIRST, FIRST)
        assert calendar(world, FIRST)["status"] == "closed"
        assert calendar(world, FIRST)["shadow_models"] == []
        assert not decoded(world, "shadow-scores")
        assert decoded(world, "score-updates")
