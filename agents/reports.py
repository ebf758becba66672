"""What partitions tell the coordinator of a day's close."""

from typing import Any

from laurel.agents.context import Context
from laurel.streams.outbox import Output
from laurel.streams.reader import ends

# Parts of a close: influence counted by targets and persons, then scores published by them, and leaders settled.
TARGETS_RAW, PERSONS_RAW, TARGETS, PERSONS, LEADERS = "targets-raw", "persons-raw", "targets", "persons", "leaders"


def send_report(context: Context, day: int, stage: str, partition: int, **fields: Any) -> None:
    """Says that a partition has done a part of a day's close, and waits until the report is delivered."""
    record = {"people": 0, "histogram": [], "networks": [], "score_offsets": [], "published": 0}
    record |= {"day": day, "stage": stage, "partition": partition, **fields}
    value = context.codec.encode_one("DayReport", record)
    context.outbox.send(Output(context.topic("day-reports"), [str(day).encode()], [value]))
    context.outbox.flush()


def score_offsets(context: Context) -> list[int]:
    """How far each partition of account-scores reaches now."""
    topic = context.topic("account-scores")
    return [ends(context.settings.servers, topic, partition)[1] for partition in range(context.partitions)]
