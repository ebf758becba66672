"""States in the one form that depends on nothing but the log: what two runs over the same log must agree in.

What is stored also depends on where batches were cut: which of an actor's acts have moved into blocks, and what is no longer told
apart or no longer counts but was not touched since.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from laurel.agents.layouts import ACTS, INFLUENCE, PERSON, VOICE
from laurel.agents.older_acts import block_key
from laurel.agents.ties import read, written
from laurel.models import ragged, reach
from laurel.models.influence import BUCKET, TOPIC, Influences, accrue
from laurel.models.parameters import ScoreModel
from laurel.models.ties import TIE, tie
from laurel.models.voice import ACT, HEADER
from laurel.streams.packing import Layout, States, pack, unpack
from laurel.streams.store import Store

_DERIVED = {"first_block"}  # of a voice's header: where its blocks are
_FIELDS = [name for name in HEADER.names or () if name not in _DERIVED]
_WHOLE = Layout(
    "whole voice",
    1,
    np.dtype([(name, HEADER[name]) for name in _FIELDS]),
    {
        "pairs": VOICE.sections["pairs"],
        "acts": ACT,
        "given": VOICE.sections["given"],
        "awaited": VOICE.sections["awaited"],
    },
)


def voices(store: Store, accounts: Sequence[bytes], values: Sequence[bytes], model: ScoreModel) -> list[bytes]:
    """One value for each account's voice, with all its acts that may still be asked for."""
    states = unpack(VOICE, values)
    blocks = states.sections["blocks"]
    number = states.header["first_block"][blocks.owners] + np.arange(len(blocks.rows)) - blocks.offsets[blocks.owners]
    keys = [block_key(accounts[owner], at) for owner, at in zip(blocks.owners.tolist(), number.tolist(), strict=True)]
    older = unpack(ACTS, store.get(keys)).sections["acts"]
    owners = np.concatenate((np.repeat(blocks.owners, older.lengths), states.sections["recent"].owners))
    rows = np.concatenate((older.rows, states.sections["recent"].rows))
    order = np.argsort(owners, kind="stable")
    kept = rows[order]["day"] > states.header["newest"][owners[order]] - model.remembered_days
    acts = ragged.from_owners(owners[order][kept], rows[order][kept], len(accounts))
    header = np.empty(len(accounts), _WHOLE.header)
    for name in _FIELDS:
        header[name] = states.header[name]
    same = {name: states.sections[name] for name in ("pairs", "given", "awaited")}
    return pack(_WHOLE, States(header, {**same, "acts": acts}))


def influences(values: Sequence[bytes], closed: int, model: ScoreModel) -> list[bytes]:
    """One value for each account's influence, with what still counts after the close of `closed`."""
    states = unpack(INFLUENCE, values)
    none = np.empty(0, np.int64)
    held = Influences(states.sections["buckets"], states.sections["topics"])
    after = accrue(held, none, np.empty(0, BUCKET), none, np.empty(0, TOPIC), closed, model.window_days)
    people = reach.put(states.sections["people"], none, np.empty(0, reach.PEOPLE), closed, model.window_days)
    sections = {"buckets": after.buckets, "topics": after.topics, "people": people}
    return pack(INFLUENCE, States(states.header, sections))


def persons(values: Sequence[bytes]) -> list[bytes]:
    """One value for each person's state, whichever version wrote it."""
    return pack(PERSON, unpack(PERSON, values))


def ties(values: Sequence[bytes], closed: int) -> list[bytes]:
    """One value for each account's ties, with what still counts after the close of `closed`."""
    none = np.empty(0, np.int64)
    return written(tie(read(values), none, np.empty(0, TIE), pa.array([], pa.string()), closed))
