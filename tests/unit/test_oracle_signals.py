"""What looks like gaming, in cases worked out by hand."""

from typing import Any

import pytest

from tests.oracle.cases import MONDAY, event, run

LAST = MONDAY + 99


@pytest.mark.parametrize(("people", "flagged"), [(0, ["concentration"]), (1, ["concentration"]), (2, [])])
def test_sums_of_before_the_window_are_held_against_nobody_who_may_be_less_concentrated_within_it(
    people: int, flagged: list[str]
) -> None:
    """A fan of a hundred days, ten of which are beyond the window, and people who acted once."""
    fan = [event("twitter:fan", day=day) for day in range(MONDAY, LAST + 1)]
    known = [event(f"twitter:{n}", "twitter:somebody", day=MONDAY) for n in range(people)]
    others = [event(f"twitter:{n}", day=LAST) for n in range(people)]
    rows: list[dict[str, Any]] = run([*known, *fan, *others], [LAST]).signals.to_pylist()
    found = [(row["reactions"], row["named"], row["flagged"]) for row in rows if row["account"] == "twitter:t"]
    assert found == ([(90 + people, 100 + people, flagged)] if flagged else [])
