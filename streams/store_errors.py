"""What can go wrong with a store, told apart by what helps: room, another folder, or a store begun anew.

RocksDB says what happened in a text that ends in the system's own words; those decide.
"""

import errno
import os
from contextlib import suppress
from pathlib import Path
from shutil import disk_usage

from laurel.models.errors import LaurelError


class StoreError(LaurelError):
    """A store can't be opened, read or written, or is not the one it should be."""


class DiskError(StoreError):
    """The folder or its disk is at fault; what the store holds is not."""


class DamagedError(StoreError):
    """The store's files are at fault: only a store begun anew, from the changelog, can be relied on."""


class LaterError(StoreError):
    """What is stored was written by a later version of laurel, and only that one can tell what it means."""


AGAIN = "then start the worker again: it goes on where it was"

# Words of the system, and what they mean for whoever has to help.
REFUSALS = (
    *((number, f"{{free}} bytes are free on its disk: make room, {AGAIN}") for number in (errno.ENOSPC, errno.EDQUOT)),
    (errno.EROFS, f"its disk is mounted read-only: mount it for writing, or give another --state folder, {AGAIN}"),
    *(
        (number, f"this user ({{user}}) may not: change its owner, or give another --state folder, {AGAIN}")
        for number in (errno.EACCES, errno.EPERM)
    ),
    *(
        (number, "something else lies in its place: move that away, or give another --state folder")
        for number in (errno.ENOTDIR, errno.EEXIST)
    ),
    *(
        (number, f"this system allows no more open files: raise the limit (`ulimit -n`), {AGAIN}")
        for number in (errno.EMFILE, errno.ENFILE)
    ),
)
LOCKED = ("lock hold by current process", "While lock file")


def free_bytes(path: Path) -> int | None:
    """Bytes that may still be written on the disk of a folder; None if it isn't there."""
    with suppress(OSError):
        return disk_usage(path).free
    return None


def explain(path: Path, doing: str, error: Exception) -> StoreError:
    """What a failure of the system or of RocksDB means for the store in a folder; `doing` is "opened" and the like."""
    text = str(error).partition("\n")[0]
    if any(words in text for words in LOCKED):
        return DiskError(
            f"the state folder {path} is in use by another worker: give each worker a --state folder of its own"
        )
    number = error.errno if isinstance(error, OSError) else None
    for known, advice in REFUSALS:
        if number == known or os.strerror(known) in text:
            facts = {"free": f"{free_bytes(path) or 0:,}", "user": os.geteuid()}
            return DiskError(f"the state folder {path} can't be {doing}: {advice.format(**facts)}")
    return DamagedError(
        f"the store in {path} is damaged and can't be {doing} ({text}): a worker that starts there begins it anew and restores it "
        "from its changelog"
    )
