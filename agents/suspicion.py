"""The records that tell what looks like gaming: of whoever has a suspicious signal, at each close, and of nobody else."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from laurel.agents.context import Context
from laurel.agents.counted import Counted
from laurel.agents.tallied import Tallied
from laurel.agents.updates import record_keys
from laurel.models.signals import Signals
from laurel.models.tally import TOLD
from laurel.streams.outbox import Output

TOPIC = "signals"

Flags = npt.NDArray[np.bool_]


def of_accounts(context: Context, day: int, counted: Counted, found: Tallied) -> list[Output]:
    """The signals of a block of accounts who are their own persons. Nothing is remembered of what was published: the same state tells
    who was flagged at the close before."""
    rows, signals, before = found.signals()
    told = counted.take(rows)
    own = told.alone & told.present
    was = before & told.alone & told.had_previous & ~told.relinked
    return outputs(context, day, told.accounts, signals, own & signals.any_flagged(), was)


def outputs(
    context: Context, day: int, persons: pa.StringArray, signals: Signals, flagged: Flags, was: Flags
) -> list[Output]:
    """A record for each of n persons who are `flagged` bool[n], a tombstone for each who `was` and no longer is."""
    found = []
    rows, cleared = np.flatnonzero(flagged), np.flatnonzero(was & ~flagged)
    if len(rows):
        names = np.array(TOLD)
        marks = np.stack([signals.flagged(name)[rows] for name in TOLD], 1)
        ends = np.concatenate(([0], np.cumsum(marks.sum(1))))
        batch = pa.RecordBatch.from_pydict(
            {
                "person": persons.take(pa.array(rows)),
                "day": pa.array(np.full(len(rows), day, np.int32)),
                "reactions": pa.array(signals.reactions[rows]),
                "named": pa.array(signals.named[rows]),
                **{name: pa.array(getattr(signals, name)[rows]) for name in TOLD},
                "flagged": pa.ListArray.from_arrays(
                    pa.array(ends, pa.int32()), pa.array(names[np.nonzero(marks)[1]], pa.string())
                ),
            }
        )
        keys = record_keys(batch.column("person"))
        found.append(Output(context.topic(TOPIC), keys, context.codec.encode("Signals", batch)))
    if len(cleared):
        keys = record_keys(persons.take(pa.array(cleared)))
        found.append(Output(context.topic(TOPIC), keys, [None] * len(keys)))
    return found
