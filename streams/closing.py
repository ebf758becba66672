"""Asking for days to be closed: the markers in `engagements`, and the wait until a day is closed.

A day is closed by a marker in every partition of `engagements`. A marker written twice is harmless (a partition passes
a day once), so what is interrupted is simply asked for again.
"""

from collections.abc import Callable, Sequence
from time import monotonic

from laurel.models.catalogue import Catalogue, ModelError, load, named, require_same, shadows_beside, shared_differences
from laurel.models.errors import LaurelError
from laurel.streams.calendar import (
    LOOK_EVERY,
    Calendar,
    CalendarError,
    day_key,
    iso,
    requested,
)
from laurel.streams.closeable import Closeable
from laurel.streams.codec import Codec
from laurel.streams.days import REQUESTED, Record, closed
from laurel.streams.metadata import count_partitions
from laurel.streams.outbox import Outbox, Output
from laurel.streams.reader import ends
from laurel.streams.settings import Settings


class Closer(Closeable):
    """Asks for days to be closed, and waits until they are. Used by one thread at a time."""

    def __init__(
        self,
        settings: Settings,
        model: str,
        codec: Codec | None = None,
        shadows: Sequence[str] = (),
        models: Catalogue | None = None,
    ) -> None:
        """`model` is the name of the one to close days by, `shadows` of those to compute beside it; the model itself is no shadow of
        its own. `models` are those of the settings' files unless given. Raises ModelError if there is none of a name, or a shadow can't go with the model, and MetadataError if
        Kafka or a topic isn't there."""
        self._models = load(settings.models) if models is None else models
        self._shadows = shadows_beside(self._models, model, shadows)
        self._codec = codec or Codec()
        self._calendar = Calendar(settings, self._codec)
        try:
            self._calendar.catch_up()
            self._engagements = settings.topic("engagements")
            self._partitions = count_partitions(settings.servers, self._engagements)
        except LaurelError:
            self._calendar.close()
            raise
        self._servers, self._profiles = settings.servers, settings.topic("profiles")
        self._requests = settings.topic("calendar")
        self._outbox = Outbox(settings.servers)
        self._model = model
        self._marked: set[int] = set()

    @property
    def days(self) -> dict[int, Record]:
        """The calendar as last read."""
        return self._calendar.days

    def refresh(self) -> dict[int, Record]:
        """The calendar as it is now."""
        return self._calendar.catch_up()

    def request(self, day: int) -> list[int]:
        """Writes the markers of `day` and of each day before it that was missed, in order; returns the days written.

        A day that is calibrated or closed needs none. Markers of a day that is only requested are written again, once
        by each Closer: whoever asked for it first may have been interrupted. Raises CalendarError for a day before the
        calendar's first.
        """
        days = self._calendar.catch_up()
        if days and day < min(days):
            raise CalendarError(
                f"{iso(day)} can't be closed: days close in order, and the calendar begins with {iso(min(days))}"
            )
        new = range(max(days) + 1 if days else day, day + 1)
        if new:
            self._follows(days)
        written = [*self._unfinished(day), *new]
        for wanted in written:
            self._write(wanted)
        return written

    def wait(self, day: int, timeout: float, waiting: Callable[[Record], None] | None = None) -> None:
        """Returns once every requested day up to `day` is closed; meanwhile tells `waiting` of the first that isn't.

        Raises CalendarError if none gets closed for `timeout` seconds.
        """
        days = self._calendar.catch_up()
        for wanted in self._unfinished(day):
            self._write(wanted)
        deadline, left = monotonic() + timeout, 0
        while open_days := [record for number, record in sorted(days.items()) if number <= day and not closed(record)]:
            if len(open_days) != left:
                deadline, left = monotonic() + timeout, len(open_days)
            if monotonic() > deadline:
                raise CalendarError(
                    f"{iso(open_days[0]['day'])} is not closed after {timeout:.0f} s (it is {open_days[0]['status']}): "
                    "is a worker running on the same bootstrap and topic prefix?"
                )
            if waiting is not None:
                waiting(open_days[0])
            self._calendar.poll(LOOK_EVERY)

    def close(self) -> None:
        """Lets go of the connections."""
        self._calendar.close()

    def _follows(self, days: dict[int, Record]) -> None:
        """Raises ModelError where workers could not close a day by the model after those that are closed."""
        decided = sorted(day for day, record in days.items() if closed(record))
        if not decided:
            return
        model, last = self._models[self._model], decided[-1]
        if own := [day for day in decided if days[day]["model"] == model.name]:
            require_same(model, days[own[-1]]["parameters"], f"closed {iso(own[-1])}")
        before = named(self._models, days[last]["model"])
        if different := shared_differences(before, model):
            raise ModelError(
                f"the model {self._model} can't follow {before.name}: models of one deployment must agree in "
                f"{', '.join(different)}; publish it from a deployment of its own (another topic_prefix, see docs/models.md)"
            )

    def _unfinished(self, day: int) -> list[int]:
        return [
            number
            for number, record in sorted(self.days.items())
            if number <= day and record["status"] == REQUESTED and number not in self._marked
        ]

    def _write(self, day: int) -> None:
        # A day keeps the models it was first asked to be closed by.
        known = self.days.get(day)
        model, shadows = (known["model"], known["shadow_models"]) if known else (self._model, self._shadows)
        if known is None:
            request = self._codec.encode_one("Calendar", requested(day, model, shadows))
            self._outbox.send(Output(self._requests, [day_key(day)], [request]))
            self._outbox.flush()
        marker = {
            "day": day,
            "upstream": -1,
            "upstream_offset": -1,
            "model": model,
            "shadows": shadows,
            "profiles": [ends(self._servers, self._profiles, partition)[1] for partition in range(self._partitions)],
        }
        value = self._codec.encode_one("DayMarker", marker)
        for partition in range(self._partitions):
            self._outbox.send(Output(self._engagements, [day_key(day)], [value], partition))
        self._outbox.flush()
        self._marked.add(day)


def write_markers(
    settings: Settings,
    day: int,
    model: str,
    codec: Codec | None = None,
    shadows: Sequence[str] = (),
    models: Catalogue | None = None,
) -> list[int]:
    """Asks once for `day` and the missed days before it to be closed; returns the days written. See Closer.request."""
    with Closer(settings, model, codec, shadows, models) as closer:
        return closer.request(day)
