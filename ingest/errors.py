"""What can go wrong between a source of engagements and Kafka."""

from laurel.models.errors import LaurelError


class DataError(LaurelError):
    """A file or data set can't be read; the message names it and says what would help."""


class EngagementError(LaurelError):
    """An engagement hasn't the form of one; the message names the field."""


class ReplayError(LaurelError):
    """A replay can't go on; the message says after which day and why."""
