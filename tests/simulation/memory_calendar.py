"""A calendar follower that learns of the calendar's records when it is told to."""

from laurel.streams.calendar import decoded
from laurel.streams.codec import Codec
from laurel.streams.follower import CalendarFollower
from laurel.streams.settings import Settings
from tests.simulation.memory_log import Broker


class MemoryCalendar(CalendarFollower):
    """Follows the calendar of a broker, a record behind or many."""

    def __init__(self, settings: Settings, codec: Codec, broker: Broker) -> None:
        super().__init__(settings, codec)
        self._broker, self._place, self._position = broker, (settings.topic("calendar"), 0), 0

    async def start(self) -> None:
        """Reads the calendar to its present end."""
        self.follow(self.behind)

    async def stop(self) -> None:
        """Nothing runs."""

    @property
    def behind(self) -> int:
        """How many records there are to learn of."""
        return len(self._unseen())

    def follow(self, records: int) -> None:
        """Learns of so many more records."""
        for message in self._unseen()[:records]:
            self._position = int(message.offset() or 0) + 1
            self._take(decoded(self._codec, [message]), self.overtaken)

    def _unseen(self) -> list:
        return self._broker.messages(self._place, self._position, self._broker.written(self._place))
