"""What topics there are, and how each is kept."""

from dataclasses import dataclass

DAY = 86_400_000  # milliseconds
MIB = 1 << 20  # bytes

# What has come in through the door must fit everywhere behind it, with what is added on the way.
DOOR = {"max.message.bytes": str(MIB)}
INSIDE = {"max.message.bytes": str(11 * MIB)}

# A tombstone has to reach every reader before it goes, and what it erases has to be gone soon: at most a day later.
COMPACTED = INSIDE | {
    "cleanup.policy": "compact",
    "retention.ms": "-1",
    "delete.retention.ms": str(7 * DAY),
    "max.compaction.lag.ms": str(DAY),
}

SHADOW_DAYS = (
    14  # that a shadow's scores are kept: they serve a decision, and are not to outlive it where no day replaces them
)
SIGNAL_DAYS = 90  # as long as the reactions they are of count


def _passing(days: int) -> dict[str, str]:
    return COMPACTED | {"cleanup.policy": "compact,delete", "retention.ms": str(days * DAY)}


def _kept(days: int) -> dict[str, str]:
    return INSIDE | {"cleanup.policy": "delete", "retention.ms": str(days * DAY)}


@dataclass(frozen=True)
class Topic:
    """One topic: its plain name, what its key and values are, and Kafka's settings for it.

    A keyed topic has as many partitions as every other keyed topic; any other has one.
    """

    name: str
    key: str
    values: str
    settings: dict[str, str]
    keyed: bool = True


TOPICS = (
    # Kept by arrival: a history that is replayed comes with old timestamps, and must not be deleted for them.
    Topic(
        "engagements",
        "actor, or target when there is none",
        "Engagement, DayMarker",
        _kept(100) | DOOR | {"message.timestamp.type": "LogAppendTime"},
    ),
    Topic("influence", "target", "Influence, DayMarker", _kept(7)),
    Topic("topic-candidates", "topic", "TopicCandidates, DayMarker", _kept(7)),
    Topic("person-parts", "person", "PersonPart, DayMarker", _kept(7)),
    Topic("account-scores", "account", "AccountScore", COMPACTED),
    Topic("profiles", "account", "Profile", COMPACTED | DOOR),
    Topic("score-updates", "person", "ScoreUpdate", COMPACTED),
    Topic("influence-networks", "direction/person", "InfluenceNetwork", COMPACTED),
    Topic("shadow-scores", "person", "ShadowScore", _passing(SHADOW_DAYS)),
    Topic("signals", "person", "Signals", _passing(SIGNAL_DAYS)),
    Topic("leaderboards", "topic", "Leaderboard", COMPACTED),
    Topic("sash-events", "person", "SashEvent", _kept(100)),
    Topic("insights", "person", "Insight", COMPACTED),
    Topic("calendar", "day", "Calendar", COMPACTED, keyed=False),
    Topic("day-reports", "day", "DayReport", _kept(7), keyed=False),
    Topic("dead-letters", "as it came", "as they came, LettersReplayed", _kept(30)),
    Topic("changelog-actors", "account", "state", COMPACTED),
    Topic("changelog-targets", "account", "state", COMPACTED),
    Topic("changelog-persons", "person", "state", COMPACTED),
    Topic("changelog-leaders", "topic", "state", COMPACTED),
)
