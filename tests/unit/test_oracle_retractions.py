"""The oracle's retractions and repeats are those of an actor followed one event at a time, in plain Python."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from laurel.models.parameters import V1
from tests.oracle.cases import MONDAY, event, run
from tests.property.plain_actor import (
    COUNTED,
    DUPLICATE,
    PLUS_K_QUOTA,
    PLUS_K_REPEAT,
    RETRACTION,
    UNMATCHED,
    WAITING,
    WITHDRAWN,
    Event,
    PlainActor,
)

WHY = {DUPLICATE: "repeat", UNMATCHED: "unmatched", WAITING: "waiting", WITHDRAWN: "withdrawn"}
REASON = {PLUS_K_QUOTA: "plus_k_quota", PLUS_K_REPEAT: "plus_k_repeat"}
ACTIONS = (("twitter", "retweet"), ("twitter", "like"), ("twitter", "post"), ("laurel", "plus_k"))

acts = st.tuples(
    st.integers(0, 9),  # actor
    st.integers(1, 8),  # what is done, and to whom
    st.integers(0, 3),  # id
    st.sampled_from([0, 0, 1, 2, 9, 40]),  # day
    st.sampled_from([False, False, True]),  # taken back
)


def rows(log: list[tuple[int, int, int, int, bool]]) -> list[tuple[dict[str, Any], Event]]:
    """Each act as the oracle's event and as the plain actor's; everything that is done is done by few names."""
    both = []
    for number, (actor, what, name, day, back) in enumerate(log):
        network, action = ACTIONS[what % 4]
        kind = {"post": 1, "plus_k": 2}.get(action, 0)
        known = 1 + what * 10 + name
        by = f"twitter:a{actor}"
        ids = {"event_id": f"back{number}", "retracts": f"e{known}"} if back else {"event_id": f"e{known}"}
        topics = ["jazz"] if kind == 2 else []
        target = by if kind == 1 else f"twitter:t{what % 3}"
        weight = {"retweet": 1_000_000, "like": 300_000}.get(action, 0)
        both.append(
            (
                event(by, target, action, MONDAY + day, network=network, topics=topics, epoch=MONDAY + 40, **ids),
                Event(known, what % 3, 1, MONDAY + day, kind, weight, False, known if back else 0),
            )
        )
    return both


@settings(max_examples=12, deadline=None)
@given(st.lists(acts, min_size=100, max_size=300))
def test_what_counts_and_what_is_taken_back_in_sql_is_what_one_event_after_another_comes_to(
    log: list[tuple[int, int, int, int, bool]],
) -> None:
    both, actors = rows(log), [PlainActor(V1) for _ in range(10)]
    outcomes = [actors[act[0]].take(plain) for act, (_, plain) in zip(log, both, strict=True)]
    result = run([of_oracle for of_oracle, _ in both], [MONDAY + 40])
    assert {row["seq"]: row["weight"] for row in result.weights.to_pylist()} == {
        seq: found.weight for seq, found in enumerate(outcomes) if found.status == COUNTED
    }
    assert {row["seq"]: row["why"] for row in result.dropped.to_pylist()} == {
        seq: WHY[found.status] for seq, found in enumerate(outcomes) if found.status in WHY
    }
    assert {row["seq"]: row["reason"] for row in result.dead_letters.to_pylist()} == {
        seq: REASON[found.status] for seq, found in enumerate(outcomes) if found.status in REASON
    }
    told = len(result.weights) + len(result.dropped) + len(result.dead_letters)
    assert told == len(log) - sum(found.status == RETRACTION for found in outcomes)
