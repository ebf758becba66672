"""Engagements as acts: what weighing needs of accepted rows, strings taken as hashes."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from laurel.models.hashing import combine, hash64
from laurel.models.networks import PLUS_K, POST, Networks
from laurel.models.voice import Acts

Int = npt.NDArray[np.int64]


def without_empty_actors(events: pa.RecordBatch) -> pa.RecordBatch:
    """The engagements with null for an empty actor: both are nobody."""
    at = events.schema.get_field_index("actor")
    actor = events.column(at)
    named = pc.if_else(pc.equal(actor, ""), pa.scalar(None, actor.type), actor)
    return events.set_column(at, events.schema.field(at), named)


def acts_of(events: pa.RecordBatch, owner: Int, code: Int, day: Int, networks: Networks) -> Acts:
    """The m engagements (columns of an Engagement, all accepted, no empty actors) as acts.

    `owner` int64[m] indexes the voices, `code` int64[m] the network table, `day` int64[m] is days since 1970-01-01.
    """
    topics, kind = events.column("topics"), networks.kind[code]
    topic = np.zeros(len(owner), np.uint64)
    rows = np.flatnonzero(kind == PLUS_K)
    if len(rows):
        topic[rows] = hash64(pc.list_element(topics.take(pa.array(rows)), 0))
    target, retracts = hash64(events.column("target")), events.column("retracts")
    # An event is known by its id and by what it does, so that nothing but that can be taken back by naming its id.
    does = combine(combine(target, networks.ids[code].astype(np.uint64)), hash64(pc.binary_join(topics, "\n")))
    return Acts(
        owner=owner,
        event=combine(hash64(events.column("event_id")), does),
        target=target,
        topic=topic,
        day=day,
        kind=kind.astype(np.int64),
        action_weight=networks.weight[code],
        anonymous=np.asarray(events.column("actor").is_null()) & (kind != POST),
        retracts=np.where(retracts.is_null(), 0, combine(hash64(retracts), does)),
    )
