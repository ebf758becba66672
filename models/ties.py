"""Whom an account is tied to the most: who acts on it, or whom it acts on, each with what the pair's acts add up to.

Actors tell, with every act, what they remember of its pair (`models.memory`), all of it. So the newest tie between two accounts takes the
place of the one before, nothing is added up, and one that was dropped among weaker ones comes back whole with the pair's next act.

What is kept is bounded, and a function of the acts alone, in whatever order different actors' acts come and however they are cut into batches:
the accounts kept are those that were highest at any time, by what acts add up to, taken back by halves to one moment (HALF_LIFE). Such heights only
grow, so who was dropped was lower than enough others and stays so. Whom a close may count is decided by the acts that are admitted to it: so
ties of days still to be closed are kept beside those of days that are.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from laurel.models import ragged
from laurel.models.memory import faded, potential
from laurel.models.parameters import ScoreModel
from laurel.models.ragged import Flags, Int, Ragged, Rows
from laurel.models.refusals import NO_DAY

KEPT = 32  # accounts that one is tied to, of any day
SHOWN = 20  # of them that are told
HALF_LIFE = 20.0  # days; it decides who is kept, and can't be another for another model
LAST_DAY = 100_000  # since 1970-01-01: a stranger's later day is held at it
UNIT = 65_536  # of a height, for each doubling

# other: hash of the account at the other end. admit: the first day whose close may count it, SETTLED if all may. day: of the pair's last
# act that stands, by the actor's clock. memory: micro-points as of `day`. height: the highest so far. length: bytes of the other's name, 0
# where it is not to be told. Ordered by other, then admit.
TIE = np.dtype(
    [("other", "<u8"), ("admit", "<i4"), ("day", "<i4"), ("memory", "<i8"), ("height", "<i8"), ("length", "<u4")]
)
BYTE = np.dtype([("byte", "u1")])  # of names, one after the other

SETTLED = -1
OPEN = 64  # days that acts of one account may be admitted to before any day is closed, each told apart


@dataclass(frozen=True)
class Ties:
    """The ties of n accounts: `rows` TIE of each, and the name of each row, string[m], empty where it is not to be told."""

    rows: Ragged
    names: pa.StringArray

    @classmethod
    def of(cls, rows: Ragged, names: Ragged) -> "Ties":
        """From TIE rows and the BYTEs of their names, one name after the other."""
        offsets = np.concatenate(([0], np.cumsum(rows.rows["length"].astype(np.int64)))).astype(np.int32)
        data = np.ascontiguousarray(names.rows["byte"])
        return cls(rows, pa.StringArray.from_buffers(len(rows.rows), pa.py_buffer(offsets), pa.py_buffer(data)))

    def text(self) -> Ragged:
        """The BYTEs of the names, by account."""
        ends = np.concatenate(([0], np.cumsum(self.rows.rows["length"].astype(np.int64))))
        data = self.names.buffers()[2]
        first = int(np.frombuffer(self.names.buffers()[1], np.int32)[self.names.offset]) if len(self.names) else 0
        size = int(ends[-1])
        held = np.frombuffer(data, np.uint8)[first : first + size] if size else np.empty(0, np.uint8)
        return Ragged(ends[self.rows.offsets], held.view(BYTE))


def ties_of(other: npt.NDArray[np.uint64], admit: Int, day: Int, memory: Int, names: pa.StringArray) -> Rows:
    """TIE[m] of m acts: the hash of the other account, the day before which no close counts it, and the pair's memory after it.

    `memory` int64[m] micro-points as of `day` int64[m].
    """
    rows = np.empty(len(other), TIE)
    rows["other"], rows["admit"], rows["day"], rows["memory"] = other, np.maximum(admit, SETTLED), day, memory
    adds_up = np.maximum(potential(np.maximum(memory, 0)), 1)
    steps = np.log2(adds_up.astype(np.float64)) + np.clip(day, 0, LAST_DAY) / HALF_LIFE
    rows["height"] = np.rint(UNIT * steps).astype(np.int64)
    rows["length"] = np.diff(_offsets(names))
    return rows


def tie(held: Ties, owners: Int, rows: Rows, names: pa.StringArray, closed: int) -> Ties:
    """The accounts' ties after some more (TIE[m]), in log order, each with its owner (int64[m]) and the other's name.

    `closed` is the last day whose close is complete: no close still to come tells days up to it apart. Before there was any (NO_DAY), days
    more than OPEN before an account's newest aren't told apart either: a long history may come in before the first close.
    """
    owners = np.concatenate((held.rows.owners, owners))
    rows, names = np.concatenate((held.rows.rows, rows)), pa.concat_arrays([held.names, names])
    rows["admit"][rows["admit"] <= closed] = SETTLED
    if closed <= NO_DAY:
        newest = np.full(len(held.rows.offsets) - 1, SETTLED)
        np.maximum.at(newest, owners, rows["admit"])
        rows["admit"][rows["admit"] <= newest[owners] - OPEN] = SETTLED
    order = np.lexsort((rows["other"], owners))  # stable: the ties of a pair stay in log order
    owners, rows = owners[order], rows[order]
    pair = ragged.starts(owners, rows["other"])
    if not pair.all():
        # A pair has been as high as it ever was, and what came after something is admitted after it.
        for column, least in (("height", 0), ("admit", SETTLED)):
            rows[column] = _highest(rows[column].astype(np.int64) - least, pair) + least
        last = np.append(ragged.starts(owners, rows["other"], rows["admit"])[1:], True)
        owners, rows, order = owners[last], rows[last], order[last]
    crowded = len(owners) and int(np.bincount(owners).max()) > KEPT
    if crowded:
        kept = _within(owners, rows)
        owners, rows, order = owners[kept], rows[kept], order[kept]
    return Ties(ragged.from_owners(owners, rows, len(held.rows.offsets) - 1), names.take(pa.array(order)))


def without_names(ties: Ties, hidden: npt.NDArray[np.uint64], day: int) -> Ties:
    """The ties without the names of `hidden` accounts (hashes, uint64[k]) in what a close of `day` may count: it still holds their places, so
    that the others keep theirs."""
    found = ties.rows.rows
    gone = (found["length"] > 0) & (found["admit"] <= day) & np.isin(found["other"], hidden)
    if not gone.any():
        return ties
    rows = found.copy()
    rows["length"][gone] = 0
    names = pc.if_else(pa.array(gone), "", ties.names)
    return Ties(Ragged(ties.rows.offsets, rows), names)


def strongest(ties: Ties, day: int, model: ScoreModel, hidden: Flags) -> tuple[Int, Int]:
    """Whom accounts are tied to the most at the close of `day`: rows of `ties` (int64[k]) by account, the strongest first, SHOWN of each at most,
    without those that are `hidden` (bool[m]); and what their acts add up to on that day, int64[k] micro-points, above 0.

    Among equals the smaller hash comes first.
    """
    owners, found = ties.rows.owners, ties.rows.rows
    rows = _as_of(owners, found, day)
    rows = rows[_is_among_highest(owners[rows], found["height"][rows], found["other"][rows])]
    age = np.maximum(day - found["day"][rows].astype(np.int64), 0)
    strength = potential(faded(np.maximum(found["memory"][rows], 0), age, model))
    counts = (strength > 0) & ~hidden[rows]
    rows, strength = rows[counts], strength[counts]
    rank = _rank(owners[rows], strength, found["other"][rows])
    shown = np.flatnonzero(rank < SHOWN)
    order = shown[np.lexsort((rank[shown], owners[rows[shown]]))]
    return rows[order], strength[order]


def differ(ties: Ties, one: Int, other: Int) -> Flags:
    """Whose lists (rows as `strongest` gives them) are not the same: others in another order, or any that was acted on since; bool[n]."""
    n, owners = len(ties.rows.offsets) - 1, ties.rows.owners
    different: Flags = np.bincount(owners[one], minlength=n) != np.bincount(owners[other], minlength=n)
    one, other = one[~different[owners[one]]], other[~different[owners[other]]]
    for column in ("other", "day", "memory"):
        values = ties.rows.rows[column]
        different[owners[one[values[one] != values[other]]]] = True
    return different


def _within(owners: Int, rows: Rows) -> Flags:
    """Which rows (by owner, other and admit) are the newest, at any close still to come, of one of the KEPT highest."""
    kept = np.ones(len(rows), np.bool_)
    full = np.flatnonzero(np.bincount(owners)[owners] > KEPT)
    kept[full] = False
    owners, rows = owners[full], rows[full]
    for level in np.unique(rows["admit"]).tolist():
        newest = _as_of(owners, rows, level)
        kept[full[newest[_is_among_highest(owners[newest], rows["height"][newest], rows["other"][newest])]]] = True
    return kept


def _as_of(owners: Int, rows: Rows, day: int) -> Int:
    """The newest row of each pair that a close of `day` may count, int64[k] ascending; rows are by owner, other and admit."""
    counts = np.flatnonzero(rows["admit"] <= day)
    last = np.append(ragged.starts(owners[counts], rows["other"][counts])[1:], True)[: len(counts)]
    newest: Int = counts[last]
    return newest


def _is_among_highest(owners: Int, heights: Int, others: npt.NDArray[np.uint64]) -> Flags:
    """Which rows, one for each pair, are of the KEPT highest of their owner (ascending)."""
    among = np.ones(len(owners), np.bool_)
    if len(owners) > KEPT:
        full = np.flatnonzero(np.bincount(owners)[owners] > KEPT)
        among[full] = _rank(owners[full], heights[full], others[full]) < KEPT
    return among


def _rank(owners: Int, values: Int, others: npt.NDArray[np.uint64]) -> Int:
    """The place of each row within its owner (ascending), from 0: by value descending, then by the smaller hash."""
    order = np.lexsort((others, -values, owners))
    rank = np.empty(len(order), np.int64)
    rank[order] = ragged.ordinals(ragged.starts(owners[order]))
    return rank


def _highest(values: Int, first: Flags) -> Int:
    """The highest value (int64[m], at least 0, below 2**40) so far within each group; `first` as given by `ragged.starts`."""
    group = np.cumsum(first) << 40
    highest: Int = np.maximum.accumulate(group + values) - group
    return highest


def _offsets(names: pa.StringArray) -> Int:
    """Where each name begins, int64[m + 1]; all of them null-free."""
    buffer = names.buffers()[1]
    if buffer is None or not len(names):
        return np.zeros(len(names) + 1, np.int64)
    return np.frombuffer(buffer, np.int32)[names.offset : names.offset + len(names) + 1].astype(np.int64)
