"""What a crash leaves of a store."""

import shutil
from pathlib import Path


def left_behind(folder: Path, copy: Path) -> Path:
    """A copy of an open store's files as they are at one moment; RocksDB deletes files at any other."""
    while True:
        before = sorted(folder.iterdir())
        try:
            shutil.copytree(folder, copy)
        except shutil.Error:
            shutil.rmtree(copy)
            continue
        if sorted(folder.iterdir()) == before:
            return copy
        shutil.rmtree(copy)
