"""What a block of accounts' signals are told from, at the close of a day and at the one before; and as parts of a member's."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from laurel.models.networks import Networks
from laurel.models.parameters import ScoreModel
from laurel.models.ragged import Int, Runs
from laurel.models.reach import reach
from laurel.models.signals import Signals, Tally, told
from laurel.models.tally import Daily, busy, daily

SUMS = ("young", "acts", "squares")


@dataclass(frozen=True)
class Tallied:
    """Of n accounts, at the closes of `day` and of the day `before` it (None: there was none): their `buckets` (influence.BUCKET), and the
    `people` (reach.PEOPLE) whom they reach."""

    model: ScoreModel
    networks: Networks
    day: int
    before: int | None
    buckets: Runs
    people: Runs

    def signals(self) -> tuple[Int, Signals, npt.NDArray[np.bool_]]:
        """Of those who got enough reactions to tell anything at one of the closes (int64[k], ascending): their signals, and whether
        any was flagged at the close before, bool[k]."""
        rows = busy(self.buckets)
        flagged = np.zeros(len(rows), np.bool_)
        if self.before is not None:
            flagged = self._told(rows, self.before).any_flagged()
        return rows, self._told(rows, self.day), flagged

    def _told(self, rows: Int, day: int) -> Signals:
        reactions, found = self._daily(rows, day), reach(self.people.take(rows), day, self.model)
        sums = found.people, found.young, found.acts, found.squares, np.zeros(len(rows), np.int64)
        return told(Tally(reactions.reactions(), reactions.busiest(), *sums))

    def _daily(self, rows: Int, day: int) -> Daily:
        return daily(self.buckets.take(rows), day, self.model.window_days, self.networks)

    def parts(self, rows: Int) -> dict[str, pa.Array]:
        """What some accounts (int64[k], ascending) bring to their members' signals, columns of a PersonPart."""
        found = reach(self.people.take(rows), self.day, self.model)
        sums = {name: pa.array(getattr(found, name)) for name in SUMS}
        return {"daily": _lists(self._daily(rows, self.day))} | sums


def _lists(found: Daily) -> pa.ListArray:
    """Reactions of each account by age from 0, as far back as there are any."""
    lengths = np.zeros(found.accounts, np.int64)
    np.maximum.at(lengths, found.owner, found.age + 1)
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    counts = np.zeros(offsets[-1], np.int64)
    counts[offsets[found.owner] + found.age] = found.count
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(counts))
