"""What a block of accounts' signals are told from, at the close of a day and at the one before; and as parts of a member's."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from laurel.models.daily import Days
from laurel.models.networks import Networks
from laurel.models.parameters import ScoreModel
from laurel.models.ragged import Int, Ragged
from laurel.models.reach import reach
from laurel.models.signals import LEAST, Signals, Tally, told
from laurel.models.tally import Daily, daily

SUMS = ("young", "acts", "squares")


@dataclass(frozen=True)
class Tallied:
    """Of n accounts: their reactions by day, as the close of `day` counts them and as the one of the day `before` did (None: there was none), and the `people` (reach.PEOPLE)
    whom they reach."""

    model: ScoreModel
    day: int
    before: int | None
    reactions: Daily
    reactions_before: Daily | None
    people: Ragged

    def signals(self) -> tuple[Int, Signals, npt.NDArray[np.bool_]]:
        """Of those who got enough reactions to tell anything at one of the closes (int64[k], ascending): their signals, and whether
        any was flagged at the close before, bool[k]."""
        now = self.reactions.reactions()
        enough = now >= LEAST
        if self.reactions_before is not None:
            enough |= self.reactions_before.reactions() >= LEAST
        rows = np.flatnonzero(enough)
        flagged = np.zeros(len(rows), np.bool_)
        if len(rows) and self.before is not None and self.reactions_before is not None:
            flagged = self._told(self.reactions_before, self.before, rows).any_flagged()
        return rows, self._told(self.reactions, self.day, rows), flagged

    def _told(self, reactions: Daily, day: int, rows: Int) -> Signals:
        found = reach(self.people.take(rows), day, self.model)
        sums = found.people, found.young, found.acts, found.squares, np.zeros(len(rows), np.int64)
        return told(Tally(reactions.reactions()[rows], reactions.busiest()[rows], *sums))

    def parts(self, rows: Int) -> dict[str, pa.Array]:
        """What some accounts (int64[k], ascending) bring to their members' signals, columns of a PersonPart."""
        found = reach(self.people.take(rows), self.day, self.model)
        sums = {name: pa.array(getattr(found, name)) for name in SUMS}
        return {"daily": _lists(self.reactions.by_age(rows))} | sums


def nothing(accounts: int) -> dict[str, pa.Array]:
    """What accounts without state bring."""
    sums = {name: pa.array(np.zeros(accounts, np.int64)) for name in SUMS}
    return {"daily": _lists(np.zeros((accounts, 0), np.int64))} | sums


def tallied(days: Days, people: Ragged, day: int, before: int | None, networks: Networks, model: ScoreModel) -> Tallied:
    """Of accounts with those days and people; `days` are what both closes count."""
    window = model.window_days
    reactions = daily(days, days.count, day, window, networks)
    earlier = None if before is None else daily(days, days.count_before, before, window, networks)
    return Tallied(model, day, before, reactions, earlier, people)


def _lists(rows: Int) -> pa.ListArray:
    offsets = np.arange(len(rows) + 1) * rows.shape[1]
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(rows.ravel()))
