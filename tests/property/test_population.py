"""The population as a product: accounts by name, and what is taken back."""

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from laurel.models.numbering import NOBODY, Numbering
from laurel.models.parameters import V1
from laurel.models.population import Population
from laurel.models.refusals import DAY
from tests.property.pure import NETWORKS, START

ACCOUNT = st.sampled_from([f"twitter:{n}" for n in range(5)])
ROW = st.tuples(ACCOUNT, ACCOUNT, st.sampled_from(["retweet", "like", "post"]), st.booleans())


def batch(rows: list[tuple[str, str, str, str, str | None]], day: int) -> pa.RecordBatch:
    """Engagements of a day, each (event id, actor, target, action), and what it takes back."""
    ids, actors, targets, actions, back = zip(*rows, strict=True) if rows else ((), (), (), (), ())
    m = len(rows)
    return pa.RecordBatch.from_pydict(
        {
            "event_id": pa.array(ids, pa.string()),
            "actor": pa.array(actors, pa.string()),
            "target": pa.array(targets, pa.string()),
            "network": pa.array(["twitter"] * m, pa.string()),
            "action": pa.array(actions, pa.string()),
            "topics": pa.array([[]] * m, pa.list_(pa.string())),
            "occurred_at": pa.array(np.full(m, (START + day) * DAY)),
            "private": pa.array([False] * m, pa.bool_()),
            "retracts": pa.array(back, pa.string()),
        }
    )


def last_close(days: list[list[tuple]]) -> dict[str, tuple[float, int]]:
    """Raw influence and people reached, by account."""
    people = Population(V1, NETWORKS, START)
    for day, rows in enumerate(days):
        people.take(batch(rows, day))
        people.mark()
        closed = people.close()
    found = zip(people.accounts.names.to_pylist(), closed.raw, closed.reach.people, closed.present, strict=True)
    return {name: (raw, reached) for name, raw, reached, present in found if present}


@given(st.lists(st.lists(ROW, max_size=8), min_size=1, max_size=3))
@settings(max_examples=40, deadline=None)
def test_an_account_reaches_the_different_accounts_that_acted_on_it(days: list[list[tuple]]) -> None:
    rows = [
        [
            (f"{day}-{at}", target if action == "post" else actor, target, action, None)
            for at, (actor, target, action, _) in enumerate(some)
        ]
        for day, some in enumerate(days)
    ]
    acts = {
        (actor, target) for some in rows for _, actor, target, action, _ in some if action != "post" and actor != target
    }
    for name, (_, reached) in last_close(rows).items():
        assert reached == sum(target == name for _, target in acts)


@given(st.lists(st.lists(ROW, max_size=8), min_size=1, max_size=3))
@settings(max_examples=40, deadline=None)
def test_what_is_taken_back_at_the_end_leaves_a_population_as_if_it_had_never_been(days: list[list[tuple]]) -> None:
    kept, all_rows, number = [], [], 0
    for rows in days:
        kept.append([])
        all_rows.append([])
        for actor, target, action, stays in rows:
            number += 1
            row = (str(number), target if action == "post" else actor, target, action, None)
            all_rows[-1].append(row)
            if stays:
                kept[-1].append(row)
            else:  # taken back at once, so that nothing in between was weighed differently
                all_rows[-1].append(("back" + row[0], *row[1:4], row[0]))
    assert last_close(all_rows) == last_close(kept)


@given(st.lists(st.lists(st.one_of(st.none(), st.text(max_size=3)), max_size=6), max_size=5))
@settings(max_examples=60, deadline=None)
def test_accounts_have_the_number_of_their_first_appearance_however_columns_are_cut(
    columns: list[list[str | None]],
) -> None:
    accounts, known = Numbering(), {}
    for column in columns:
        found = accounts.numbers(pa.array(column, pa.string()))
        for name in column:
            if name is not None:
                known.setdefault(name, len(known))
        assert found.tolist() == [NOBODY if name is None else known[name] for name in column]
    assert accounts.names.to_pylist() == list(known)
