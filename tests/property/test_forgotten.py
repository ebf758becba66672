"""Who was forgotten isn't found among results, wherever in the log it was said."""

import numpy as np
import pyarrow as pa
from hypothesis import example, given
from hypothesis import strategies as st

from laurel.streams.results import forget, remembered
from laurel.streams.scan import Block

PEOPLE = ("ann", "bob", "cy")

# A log: who has a record or, where false, is forgotten; and where reading it breaks into blocks.
logs = st.lists(st.tuples(st.sampled_from(PEOPLE), st.booleans(), st.booleans()), max_size=24)


def blocks(log: list[tuple[str, bool, bool]]) -> list[Block]:
    """The log as it is read; block by block, each person's last tombstone of the block."""
    places = [at for at, (_, _, breaks) in enumerate(log) if breaks]
    found = []
    for begin, end in zip([0, *places], [*places, len(log)], strict=True):
        rows = [(person, at, written) for at, (person, written, _) in enumerate(log)][begin:end]
        records = [(person, at) for person, at, written in rows if written]
        table = pa.record_batch({"person": pa.array([person for person, _ in records], pa.string())})
        offsets = np.array([at for _, at in records], np.int64)
        found.append(Block(table, offsets, {person.encode(): at for person, at, written in rows if not written}))
    return found


@given(logs)
@example([("ann", False, False), ("ann", True, True), ("ann", False, True)])
def test_a_log_read_twice_tells_no_news_and_holds_what_came_after_its_person_was_last_forgotten(
    log: list[tuple[str, bool, bool]],
) -> None:
    forgotten: dict[str, int] = {}
    last = {person: at for at, (person, written, _) in enumerate(log) if not written}
    for _ in range(2):
        found, news = [], False
        for block in blocks(log):
            news |= forget(block, forgotten)
            table = pa.Table.from_batches([block.table]).append_column("offset", pa.array(block.offsets))
            found += (
                table.filter(remembered(table, forgotten))["offset"].to_pylist()
                if forgotten
                else block.offsets.tolist()
            )
    assert not news
    assert forgotten == last
    assert found == [at for at, (person, written, _) in enumerate(log) if written and at > last.get(person, -1)]
