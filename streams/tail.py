"""A topic followed as records arrive: from now on or from its beginning, all partitions, outside any group."""

from collections.abc import Iterator

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Message, TopicPartition

from laurel.streams.closeable import Closeable
from laurel.streams.metadata import count_partitions
from laurel.streams.reader import ReadError, consumer_settings
from laurel.streams.settings import Settings

BATCH = 1_000  # messages at a time
LOOK = 0.2  # seconds a look may wait, which bounds how long an interrupt takes
ANSWER_WITHIN = 30.0  # seconds for Kafka to say where a partition ends


class Tail(Closeable):
    """Follows a topic from construction on, or from what it still holds. Partitions are read side by side."""

    def __init__(self, settings: Settings, topic: str, *, from_beginning: bool = False) -> None:
        """`topic` is a plain name. Raises MetadataError if it isn't there, ReadError if its end can't be told."""
        self._name = settings.topic(topic)
        partitions = count_partitions(settings.servers, self._name)
        self._consumer = Consumer(consumer_settings(settings.servers))
        try:
            places = [TopicPartition(self._name, number, OFFSET_BEGINNING) for number in range(partitions)]
            if not from_beginning:
                for place in places:  # asked for now, so that what comes after this call is seen for certain
                    place.offset = self._consumer.get_watermark_offsets(place, timeout=ANSWER_WITHIN)[1]
            self._consumer.assign(places)
        except KafkaException as error:
            self._consumer.close()
            raise ReadError(f"{self._name}: {error.args[0].str()}") from None

    def batches(self) -> Iterator[list[Message]]:
        """Messages as they arrive, for ever; an empty batch when nothing came for a moment. Raises ReadError."""
        while True:
            first = self._consumer.consume(1, LOOK)
            messages = first + self._consumer.consume(BATCH, 0) if first else []
            for message in messages:
                error = message.error()
                if error is not None and not error.retriable():
                    raise ReadError(f"{self._name}: {error.str()}")
            yield [message for message in messages if message.error() is None]

    def close(self) -> None:
        """Lets go of the connection."""
        self._consumer.close()
