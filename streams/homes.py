"""Whose state a store is: which one is gone on with, which is begun anew, and which changelog is refused."""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import time

from laurel.streams.store import Home, Store
from laurel.streams.store_errors import DamagedError, StoreError
from laurel.streams.store_folder import clear

log = logging.getLogger(__name__)

# Kafka keeps the tombstones of a changelog for 7 days: a store that missed one would never hear of it.
KEPT_SECONDS = 6 * 86_400

# Why a store is begun anew.
DAMAGED, ANOTHER_HOME, OUTDATED = "damaged", "another_home", "outdated"
REASONS = (DAMAGED, ANOTHER_HOME, OUTDATED)


def open_at_home(path: Path, home: Home, now: Callable[[], float] = time) -> Store:
    """The store in a folder, begun anew if it can't be relied on: `begun_anew` says why, for metrics, and a warning says it for people.

    That is one that is damaged, of another home (another cluster, other topics, another partition count), or so old that its changelog
    no longer has all it lacks. Nothing is lost: the changelog has it all. Raises StoreError if the folder can't be used or is not ours.
    """
    try:
        store = Store(path, now)
    except DamagedError as error:
        reason, told = DAMAGED, str(error)
    else:
        reason, told = _outdated(store, home)
        if not reason:
            return store
        store.close()
    log.warning("begun anew, to be restored from the changelog: %s", told)
    clear(path)
    store = Store(path, now)
    store.begun_anew = reason
    return store


def _outdated(store: Store, home: Home) -> tuple[str, str]:
    """Why a sound store can't be gone on with, for metrics and for people; empty if it can."""
    if store.mark.home and store.mark.home != home:
        return ANOTHER_HOME, f"the store in {store.path} is of {dict(store.mark.home)}, not of {dict(home)}"
    if store.age > KEPT_SECONDS:
        days = store.age / 86_400
        return (
            OUTDATED,
            f"the store in {store.path} was last written {days:.0f} days ago, and may have missed deletions",
        )
    return "", ""


def at_home(store: Store, home: Home) -> None:
    """Marks a restored store as of a home. Raises StoreError if its changelog was written for another one."""
    if store.mark.home and store.mark.home != home:
        raise StoreError(
            f"the changelog that {store.path} was restored from belongs to {dict(store.mark.home)}, not to {dict(home)}: "
            "a source topic was made anew beside an old changelog; delete the changelog topic too, and run `laurel topics apply`"
        )
    store.mark = replace(store.mark, home=dict(home))
