"""A Stack Exchange site's events as engagements, by the mapping of docs/data.md.

A row of `events.csv` is `ts,action,actor_id,target_id,post_id,topics`: seconds, tags joined by a bar, an empty id for
somebody unknown. Each row gives at least one engagement. Nothing is dropped here: what laurel doesn't count (a
downvote, a bounty) keeps its own action's name, and a target that is gone is an empty one, so both become dead letters.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from laurel.ingest import arrow
from laurel.ingest.arrow import Column, Ints, Mask
from laurel.ingest.lines import Chunk, Reject, blocks
from laurel.ingest.records import SCHEMA

HEADER = "ts,action,actor_id,target_id,post_id,topics"
_ROW = r'^\d{1,13},[a-z_]+,(-?\d{1,18})?,(-?\d{1,18})?,(-?\d{1,18})?,[^,"]*$'
_ACTIONS = {"upvote": "like", "question": "post", "answer": "reply", "accept": "plus_k"}


def read(path: Path) -> Iterator[Chunk]:
    """The rows in file order; `event_id` is `stackexchange:<row>`, with `/2`, `/3` for a row's further engagements.

    Rows count from 1 after the header, which must be there. Raises DataError if the file can't be read.
    """
    for block in blocks(path):
        header = arrow.equals(block.texts, HEADER) & (block.numbers == 1)
        fits = arrow.matches(block.texts, _ROW) & (block.numbers > 1)
        wrong = block.numbers[~fits & ~header]
        rejects = [Reject(int(line), f"not `{HEADER}`") for line in wrong]
        batch = _engagements(block.numbers[fits] - 1, arrow.keep(block.texts, fits))
        yield Chunk(block.rows - int(header.sum()), batch, sorted(block.rejects + rejects), block.done)


def _engagements(rows: Ints, texts: Column) -> pa.RecordBatch:
    seconds, action, actor, target, post, tags = arrow.cells(arrow.split(texts, ","), 6)
    topics = _topics(tags)
    accepted = arrow.equals(action, "accept")
    by_row = {
        "network": arrow.choose(accepted, "laurel", arrow.repeated("stackexchange", len(rows))),
        "action": arrow.translate(action, _ACTIONS),
        "actor": _account(actor),
        "target": arrow.filled(_account(arrow.choose(arrow.equals(action, "question"), actor, target)), ""),
        "content_id": _account(post),
        "text": arrow.repeated(None, len(rows)),
        "occurred_at": pa.array(arrow.numbers(seconds.cast(pa.int64())) * 1000),
        "private": arrow.repeated(False, len(rows)),
        "retracts": arrow.repeated(None, len(rows)),
    }
    copies = np.ones(len(rows), np.int64)
    copies[accepted] = np.maximum(arrow.lengths(topics)[accepted], 1)  # a +K for each tag
    answered = arrow.equals(action, "answer")
    copies[answered] = 2  # the reply to the asker, and the answerer's post
    origin = np.repeat(np.arange(len(rows)), copies)
    ordinal = np.arange(len(origin)) - np.repeat(np.cumsum(copies) - copies, copies)

    columns = {name: arrow.pick(column, origin) for name, column in by_row.items()}
    written = answered[origin] & (ordinal == 1)
    columns["action"] = arrow.choose(written, "post", columns["action"])
    columns["target"] = arrow.choose(written, arrow.filled(columns["actor"], ""), columns["target"])
    columns["topics"] = _one_for_each(topics, accepted, origin, ordinal)
    first = arrow.join("stackexchange:", rows[origin])
    columns["event_id"] = arrow.choose(ordinal == 0, first, arrow.join(first, "/", ordinal + 1))
    return pa.RecordBatch.from_arrays([columns[name] for name in SCHEMA.names], schema=SCHEMA)


def _account(ids: Column) -> Column:
    return arrow.choose(arrow.equals(ids, ""), None, arrow.join("stackexchange:", ids))


def _topics(tags: Column) -> Column:
    """Lists of the tags between the bars, none for an empty text."""
    parts = arrow.split(tags, "|")
    owner = np.repeat(np.arange(len(tags)), arrow.lengths(parts))
    named = ~arrow.equals(arrow.flat(parts), "")
    return arrow.lists(np.bincount(owner[named], minlength=len(tags)), arrow.keep(arrow.flat(parts), named))


def _one_for_each(topics: Column, accepted: Mask, origin: Ints, ordinal: Ints) -> Column:
    """The topics of each copy of a row: for an accepted answer the one of its ordinal, else all of them."""
    sizes = arrow.lengths(topics)
    begins = (np.cumsum(sizes) - sizes)[origin]
    one = accepted[origin] & (sizes[origin] > 0)
    counts = np.where(one, 1, sizes[origin])
    begin = np.where(one, begins + ordinal, begins)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return arrow.lists(counts, arrow.pick(arrow.flat(topics), np.repeat(begin, counts) + within))
