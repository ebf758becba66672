"""The Higgs Twitter activity (De Domenico, Lima, Mougel, Musolesi, Sci. Rep. 3:2980, 2013) as engagements.

A row is `actor target unix_seconds type`; the actor did it to the target.
"""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from laurel.ingest import arrow
from laurel.ingest.lines import Chunk, Reject, blocks
from laurel.ingest.records import conform

ROW = r"^\d{1,18} \d{1,18} \d{1,13} (RT|MT|RE)$"
_ACTIONS = {"RT": "retweet", "MT": "mention", "RE": "reply"}


def read(path: Path) -> Iterator[Chunk]:
    """The rows in file order: network `twitter`, `event_id` `higgs:<line>`. Raises DataError."""
    for block in blocks(path):
        fits = arrow.matches(block.texts, ROW)
        rejects = [Reject(int(line), "not `actor target unix_seconds RT|MT|RE`") for line in block.numbers[~fits]]
        lines = block.numbers[fits]
        actor, target, seconds, kind = arrow.cells(arrow.split(arrow.keep(block.texts, fits), " "), 4)
        records = {
            "event_id": arrow.join("higgs:", lines),
            "network": arrow.repeated("twitter", len(lines)),
            "action": arrow.translate(kind, _ACTIONS),
            "actor": arrow.join("twitter:", actor),
            "target": arrow.join("twitter:", target),
            "occurred_at": pa.array(arrow.numbers(seconds.cast(pa.int64())) * 1000),
        }
        batch = conform(pa.RecordBatch.from_pydict(records))
        yield Chunk(block.rows, batch, sorted(block.rejects + rejects), block.done)
