"""What a partition remembers of whom its accounts are tied to: the targets stage of who acts on them, the actors stage of whom they act on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from laurel.agents.layouts import TIED
from laurel.models.hashing import hash64
from laurel.models.ties import Ties, tie, ties_of
from laurel.streams.packing import States, pack, unpack
from laurel.streams.store import TIES, Store

Int = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Acts:
    """m acts that tell what is remembered of their pairs: `other` string[m] is the account at the other end, `admit` int64[m] the first day whose
    close may count it, `memory` int64[m] micro-points as of `day` int64[m]."""

    other: pa.StringArray
    admit: Int
    day: Int
    memory: Int


def remembered(
    store: Store, accounts: Sequence[bytes], owner: Int, acts: Acts, closed: int
) -> tuple[list[bytes], list[bytes]]:
    """Keys and values of the ties that acts change, in log order; `owner` int64[m] is the place of each one's account.

    `closed` is the last day whose close is complete.
    """
    if not len(owner):
        return [], []
    some, owner = np.unique(owner, return_inverse=True)
    keys = [TIES + accounts[at] for at in some.tolist()]
    before = store.get(keys)
    rows = ties_of(hash64(acts.other), acts.admit, acts.day, acts.memory, acts.other)
    after = written(tie(read(before), owner, rows, acts.other, closed))
    changed = [at for at, (old, new) in enumerate(zip(before, after, strict=True)) if old != new]
    return [keys[at] for at in changed], [after[at] for at in changed]


def read(values: Sequence[bytes | None]) -> Ties:
    """Ties as they are stored; None where there are none."""
    states = unpack(TIED, values)
    return Ties.of(states.sections["ties"], states.sections["names"])


def written(ties: Ties) -> list[bytes]:
    """The inverse of `read`."""
    n = len(ties.rows.offsets) - 1
    return pack(TIED, States(np.zeros(n, TIED.header), {"ties": ties.rows, "names": ties.text()}))
