"""Disks that fail, made to order: damaged files, and a small disk of a test's own."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from laurel.streams.store_folder import SIGN

NOT_OPENED_FROM = ("LOCK", "LOG", SIGN)


def files(store: Path) -> list[Path]:
    """Files that RocksDB opens a store from, in a fixed order."""
    return [
        file for file in sorted(store.iterdir()) if file.stat().st_size and not file.name.startswith(NOT_OPENED_FROM)
    ]


def flip(file: Path, at: int) -> None:
    """Turns one bit over, as a disk does that forgets."""
    content = bytearray(file.read_bytes())
    content[at] ^= 1 << at % 8
    file.write_bytes(content)


def cut(file: Path, at: int) -> None:
    """Loses the end of a file."""
    os.truncate(file, at)


def lose(file: Path, _at: int) -> None:
    """Loses a file."""
    file.unlink()


def scribble(file: Path, at: int) -> None:
    """Overwrites a stretch of a file with what never was in it."""
    content = bytearray(file.read_bytes())
    content[at : at + 64] = b"\xa5" * len(content[at : at + 64])
    file.write_bytes(content)


def empty(file: Path, at: int) -> None:
    """Overwrites a stretch with zeros, as an unwritten block reads after a power failure."""
    content = bytearray(file.read_bytes())
    content[at:] = bytes(len(content) - at)
    file.write_bytes(content)


FAULTS: tuple[Callable[[Path, int], None], ...] = (flip, cut, lose, scribble, empty)


class SmallDisk:
    """A disk of a given size, mounted in a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def fill(self) -> None:
        """Leaves no byte free."""
        with (self.path / "ballast").open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(1 << 20))
            except OSError:
                return

    def empty(self) -> None:
        """Makes room again."""
        (self.path / "ballast").unlink()

    def remount(self, *options: str) -> None:
        """Mounts it again, otherwise."""
        subprocess.run(["mount", "-o", ",".join(("remount", *options)), str(self.path)], check=True)


@contextmanager
def small_disk(path: Path, size: int) -> Iterator[SmallDisk]:
    """A disk in memory of that many bytes; skips the test, with the reason, where none can be mounted."""
    path.mkdir(parents=True)
    told = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path)], capture_output=True, text=True, check=False
    )
    if told.returncode:
        pytest.skip(f"this user may not mount a small disk, so a full one can't be tried: {told.stderr.strip()}")
    try:
        yield SmallDisk(path)
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)
