"""Protocols that are broken on purpose: whoever says that nothing is wrong with them is no good."""

from tests.simulation.memory_log import MemoryLog, MemoryWriter


class Unfenced(MemoryLog):
    """An owner of the past goes on writing."""

    def writer(self, name: str) -> "UnfencedWriter":
        return UnfencedWriter(self, name)


class UnfencedWriter(MemoryWriter):
    """Opens its name for itself alone."""

    def open(self) -> None:
        self.name = f"{self.name} of {id(self._log)}"
        super().open()
