"""A worker's place in its group under a name of its own: kept over a restart, and lost to whoever comes with the same name.

Kafka gives a member that has a name (`group.instance.id`, KIP-345) its partitions back, without a word to the others, if
it is back within the session timeout. Whoever joins under a name takes it over from whoever has it. The client, told that
it is not a member any more, would join under the name again and take it back, and so on: two workers with one name would
take it from each other for ever. Here a member asks to be let in as who it was, which Kafka refuses by an error of its own if
the name is another's by now.
"""

from collections.abc import Callable
from typing import Any, cast

from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import KafkaError, UnknownMemberIdError
from aiokafka.protocol.group import JoinGroupRequest

from laurel.models.errors import LaurelError
from laurel.streams.starting import PatientConsumer

FENCED_INSTANCE_ID = 82  # Kafka's error code, of which the client doesn't know


class InstanceError(LaurelError):
    """Another worker of the group has the same instance name."""


class NamedCoordinator(GroupCoordinator):  # type: ignore[misc]  # the client has no types
    """The client's coordinator, which ends where the name is another's."""

    taken: Callable[[], None]
    member_id: str

    def reset_generation(self) -> None:
        """Kafka did not recognise the member: it asks to be let in again, as who it was."""
        was = self.member_id
        super().reset_generation()
        self.member_id = was

    async def _send_req(self, request: Any) -> Any:
        response = await super()._send_req(request)
        error = getattr(response, "error_code", 0)
        if isinstance(request, JoinGroupRequest) and error == UnknownMemberIdError.errno:
            self.member_id = JoinGroupRequest.UNKNOWN_MEMBER_ID  # its session was over and the name is nobody's
        elif error == FENCED_INSTANCE_ID:
            self.taken()
            await self._closing
            raise KafkaError("the name is another's")  # which ends what it was at, in silence
        return response


class NamedConsumer(PatientConsumer):
    """The client; with that coordinator if it has a name."""

    def __init__(self, taken: Callable[[], None], **settings: Any) -> None:
        """`taken` is called, in the consumer's loop, once the name is another's."""
        super().__init__(**settings)
        self._taken = taken

    async def start(self) -> None:
        """Connects; joins the group once topics are subscribed to."""
        await super().start()
        # The client makes its coordinator itself, and leaves no choice of which.
        if self._group_instance_id is not None:
            coordinator = cast("Any", self._coordinator)
            coordinator.__class__, coordinator.taken = NamedCoordinator, self._taken
