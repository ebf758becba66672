"""A store's folder: which are ours to open and to clear, and which must not be trusted any more.

Only a folder with our sign in it is ever opened or cleared, and only files that a store makes are ever deleted: what somebody put
there by mistake stays.
"""

import json
import re
from contextlib import suppress
from pathlib import Path

from laurel.streams.store_errors import DamagedError, LaterError, StoreError, explain

FORMAT = 3  # of what is in a store, and in its changelog
SIGN = "LAUREL-STORE"
CURRENT, CONDEMNED = "CURRENT", "CONDEMNED"

# All names that RocksDB and rocksdict give to files, but LOCK: another process may hold that one.
MADE = re.compile(
    r"CURRENT|CONDEMNED|IDENTITY|LOG|LOG\.old\.\d+|MANIFEST-\d+|OPTIONS-\d+(\.dbtmp)?|\d+\.(sst|log|blob|dbtmp)"
    r"|rocksdict-config\.json"
)


def claim(path: Path) -> None:
    """Makes the folder of a store, or recognises it as one.

    Raises DiskError if it can't be made or read, StoreError if it is not ours, LaterError if it is of a later format, DamagedError if its sign can't be
    read.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        if (path / SIGN).exists():
            _recognise(path)
        elif any(path.iterdir()):
            raise StoreError(
                f"{path} holds files and is not the folder of a laurel store: nothing in it was touched; move it away, or give "
                "another --state folder"
            )
        else:
            _sign(path)
    except OSError as error:
        raise explain(path, "opened", error) from None


def clear(path: Path) -> None:
    """Deletes what a store has made in its folder, and nothing else. Raises StoreError if it can't."""
    try:
        for file in path.iterdir():
            if MADE.fullmatch(file.name):
                file.unlink()
        _sign(path)
    except OSError as error:
        raise explain(path, "cleared", error) from None


def condemn(path: Path) -> None:
    """Makes a store unusable for good, as nothing in it can be relied on.

    RocksDB opens nothing without the file that is renamed here; renaming needs no room on a full disk. Where it can't be done, the damage
    will be found again.
    """
    with suppress(OSError):
        (path / CURRENT).rename(path / CONDEMNED)


def condemned(path: Path) -> bool:
    """Whether the store was found damaged before."""
    return (path / CONDEMNED).exists()


def present(path: Path) -> bool:
    """Whether the folder is still there, and a store's."""
    return (path / SIGN).exists()


def _sign(path: Path) -> None:
    (path / SIGN).write_text(json.dumps({"format": FORMAT}))


def _recognise(path: Path) -> None:
    try:
        found = int(json.loads((path / SIGN).read_bytes())["format"])
    except (ValueError, TypeError, KeyError):
        raise DamagedError(f"the store in {path} is damaged: its file {SIGN} can't be read") from None
    if found > FORMAT:
        raise LaterError(
            f"the store in {path} was written by a later version of laurel (format {found}, this one knows {FORMAT}): run that "
            "version, or move the folder away and let this one restore it from the changelog"
        )
