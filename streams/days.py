"""The newest calendar record of each day, and how they follow one another."""

from sys import intern
from typing import Any

REQUESTED, CALIBRATED, CLOSED = "requested", "calibrated", "closed"
RANK = {REQUESTED: 0, CALIBRATED: 1, CLOSED: 2}
WHOLE = 8  # newest closed days of which everything is kept; closing a day needs the one before it
# Arrays of thousands of numbers in each record, without which a day is a few hundred bytes.
LARGE = ("histogram", "percentiles", "bins", "reactions_per_post", "measured", "score_offsets", "shadows")

Record = dict[str, Any]


def closed(record: Record) -> bool:
    """Whether the record says that its day is closed."""
    return bool(record["status"] == CLOSED)


class Days(dict[int, Record]):
    """Days since 1970-01-01 to Calendar records. Of closed days but the newest few the large arrays are left out (empty).

    `overtaken` are days whose newest record in the topic says less than an earlier one did: two asked for the same day at
    once, one of them slowly. What was decided stands here; the topic's compaction would keep the newest, so the record here is to
    be written again.
    """

    def __init__(self) -> None:
        super().__init__()
        self.overtaken: frozenset[int] = frozenset()
        self._whole: list[int] = []  # closed days of which everything is kept, in order

    def take(self, record: Record) -> bool:
        """Takes the next record of the topic; whether it is now its day's."""
        day = record["day"]
        known = self.get(day)
        if known is not None and RANK[known["status"]] > RANK[record["status"]]:
            self.overtaken |= {day}
            return False
        self.overtaken -= {day}
        # Of all days the same few texts.
        record["parameters"] = intern(record["parameters"])
        self[day] = record
        if closed(record):
            self._whole = sorted({*self._whole, day})
            for old in self._whole[:-WHOLE]:
                self[old] = self[old] | {name: [] for name in LARGE}
            self._whole = self._whole[-WHOLE:]
        return True

    @property
    def last_closed(self) -> int | None:
        """The newest closed day, None if there is none."""
        return self._whole[-1] if self._whole else None

    @property
    def open(self) -> list[int]:
        """Days that are to be closed and are not yet, in order."""
        return sorted(day for day, record in self.items() if not closed(record))

    def closed_before(self, day: int) -> Record | None:
        """The record, with everything, of the newest closed day before one that is being closed; None if there is none."""
        before = [other for other in self._whole if other < day]
        assert before or not any(other < day and closed(record) for other, record in self.items()), (
            f"day {day} is not one that is being closed"
        )
        return self[before[-1]] if before else None
