"""What every agent of a worker needs and none of them changes."""

from dataclasses import dataclass, field

from laurel.models.catalogue import Catalogue, load
from laurel.models.event_topics import EventTopics
from laurel.models.networks import Networks
from laurel.models.parameters import ScoreModel
from laurel.streams import ontology_file
from laurel.streams.codec import Codec
from laurel.streams.follower import CalendarFollower
from laurel.streams.log import Log
from laurel.streams.metrics import Metrics
from laurel.streams.settings import Settings


@dataclass(frozen=True)
class Context:
    """`model` weighs what arrives, and is asked to close days; a day is closed by the one of `models` that the calendar names (see
    day_model). `partitions` is the count that all keyed topics have."""

    settings: Settings
    codec: Codec
    networks: Networks
    model: ScoreModel
    metrics: Metrics
    log: Log
    calendar: CalendarFollower
    partitions: int
    models: Catalogue = field(default_factory=load)
    event_topics: EventTopics = field(default_factory=lambda: EventTopics(ontology_file.load()))

    def topic(self, name: str) -> str:
        """A topic's name in Kafka."""
        return self.settings.topic(name)
