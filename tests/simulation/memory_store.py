"""A store in memory that keeps the promises of the one on disk; test_store_conformance.py holds it against RocksDB.

Every write is atomic. What was written since the last orderly close may be lost in a crash, the newest first, whole writes each.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from rocksdict import DbClosedError

from laurel.streams.store import MARK, NAME, STATE, Mark
from tests.simulation.lockstep import Crashed, pause

Changes = dict[bytes, bytes | None]

BLOCK = 3  # keys in a block of a scan, so that a scan takes steps


class Disk:
    """What outlives a process: the state of one store, and the writes that a crash may still take back."""

    def __init__(self) -> None:
        self.kept: dict[bytes, bytes] = {}
        self.recent: list[Changes] = []
        self.open = False

    def contents(self, writes: int | None = None) -> dict[bytes, bytes]:
        """What is there with all recent writes, or with so many of them."""
        found = dict(self.kept)
        for changes in self.recent[:writes]:
            apply(found, changes)
        return found

    def crash(self, writes: int) -> None:
        """Only so many of the recent writes are there afterwards."""
        self.flush(writes)
        self.open = False

    def flush(self, writes: int | None = None) -> None:
        """Nothing of this is lost any more."""
        self.kept, self.recent = self.contents(writes), []


def apply(contents: dict[bytes, bytes], changes: Changes) -> None:
    """Makes changes; None deletes."""
    for key, value in changes.items():
        if value is None:
            contents.pop(key, None)
        else:
            contents[key] = value


class MemoryStore:
    """One partition's states, on a disk."""

    begun_anew = ""
    age = 0.0
    bytes_on_disk = 0

    def __init__(self, path: Path, disk: Disk) -> None:
        assert not disk.open, f"{path} is in use"
        self.path, self._disk = path, disk
        disk.open = True
        self._contents = disk.contents()
        stored = self._contents.get(MARK)
        self.mark = Mark.from_bytes(stored) if stored is not None else Mark()
        self._open = True

    def states(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """See Store."""
        return self.get([STATE + key for key in keys])

    def names(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """See Store."""
        return self.get([NAME + key for key in keys])

    def get(self, keys: list[bytes]) -> list[bytes | None]:
        """See Store."""
        self._check()
        return [self._contents.get(key) for key in keys]

    def write(self, keys: Iterable[bytes], values: Iterable[bytes | None], mark: Mark) -> None:
        """See Store."""
        pause("store")
        self._check()
        changes: Changes = {**dict(zip(keys, values, strict=True)), MARK: mark.to_bytes()}
        self._disk.recent.append(changes)
        apply(self._contents, changes)
        self.mark = mark
        pause("go on after storing")

    def scan(self, kind: bytes = STATE) -> Iterator[tuple[list[bytes], list[bytes]]]:
        """See Store."""
        self._check()
        found = sorted((key[1:], value) for key, value in self._contents.items() if key[:1] == kind)
        for begin in range(0, len(found), BLOCK):
            block = found[begin : begin + BLOCK]
            yield [key for key, _ in block], [value for _, value in block]
            pause("scan on")
            self._check()

    def check(self) -> None:
        """See Store."""
        self._check()

    @property
    def keys_estimated(self) -> int:
        """See Store."""
        return len(self._contents)

    def close(self) -> None:
        """See Store."""
        self._check()
        self._disk.flush()
        self._disk.open = self._open = False

    def cut(self) -> None:
        """The process is no more."""
        self._open = False
        self._check = self._crashed  # type: ignore[method-assign]

    @property
    def is_open(self) -> bool:
        """Whether it was neither closed nor lost with its process."""
        return self._open

    def _check(self) -> None:
        if not self._open:
            raise DbClosedError(f"{self.path} is closed")

    def _crashed(self) -> None:
        raise Crashed
