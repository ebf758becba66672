"""What every agent of a worker needs and none of them changes."""

from dataclasses import dataclass

from laurel.models.networks import Networks
from laurel.models.parameters import ScoreModel
from laurel.streams.codec import Codec
from laurel.streams.follower import CalendarFollower
from laurel.streams.log import Log
from laurel.streams.metrics import Metrics
from laurel.streams.settings import Settings


@dataclass(frozen=True)
class Context:
    """`partitions` is the count that all keyed topics have."""

    settings: Settings
    codec: Codec
    networks: Networks
    model: ScoreModel
    metrics: Metrics
    log: Log
    calendar: CalendarFollower
    partitions: int

    def topic(self, name: str) -> str:
        """A topic's name in Kafka."""
        return self.settings.topic(name)
