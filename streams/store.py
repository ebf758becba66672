"""One partition's keyed state on disk: a RocksDB that moves from checkpoint to checkpoint.

A store holds packed states under `k` + key, the texts of hashed names under `n` + hash, whom accounts are linked to under
`l` + account, and one record under `m` that says what all of it includes. All changes of a checkpoint, that record with them, are one atomic write.
"""

import json
import logging
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from rocksdict import (
    AccessType,
    BlockBasedOptions,
    Cache,
    Options,
    Rdict,
    ReadOptions,
    WriteBatch,
)

from laurel.models.errors import LaurelError

STATE, NAME, LINK, MARK = b"k", b"n", b"l", b"m"  # first bytes of keys

CACHE_BYTES = 8 << 20  # of blocks, for each store
WRITE_BUFFER_BYTES = 8 << 20  # of recent writes, for each store; up to three of them
SCAN_KEYS = 20_000  # in one block of a scan


log = logging.getLogger(__name__)

Home = Mapping[str, str | int]  # whose state it is: cluster, topics and partition count


class StoreError(LaurelError):
    """A store can't be opened, read or written, or is not the one it should be."""


@dataclass(frozen=True)
class Mark:
    """What a store's states include.

    `source`: the last offset of the stage's source applied. `changelog`: the changelog offset from which on records may be
    missing here. `home`: whose state this is. `notes`: what else the stage must
    remember of the partition, as JSON.
    """

    source: int = -1
    changelog: int = 0
    home: Home = field(default_factory=dict)
    notes: Mapping[str, Any] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """The mark as it is stored."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, value: bytes) -> "Mark":
        """A stored mark; StoreError if it is not one."""
        try:
            return cls(**json.loads(value))
        except (ValueError, TypeError) as error:
            raise StoreError(f"a stored mark can't be read: {error}") from None


class Store:
    """One partition's states; opened by one process at a time."""

    def __init__(self, path: Path) -> None:
        """Opens the store, empty if the folder is new; StoreError names the folder if it can't be."""
        self.path = path
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._db = Rdict(str(path), options=_options(), access_type=AccessType.read_write())
        except Exception as error:  # rocksdict raises bare Exception
            raise StoreError(f"the state folder {path} can't be opened: {error}") from None
        stored = self._db.get(MARK)
        self.mark = Mark.from_bytes(stored) if stored is not None else Mark()

    def states(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The packed states of keys, None for those without."""
        return self.get([STATE + key for key in keys])

    def names(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """What is kept under names, None for those unknown."""
        return self.get([NAME + key for key in keys])

    def get(self, keys: list[bytes]) -> list[bytes | None]:
        """What is kept under full keys, None for those without."""
        if not keys:
            return []
        found: Any = self._db.get(cast("Any", keys))  # its stub wants lists of mixed keys
        return cast("list[bytes | None]", found)

    def write(self, keys: Iterable[bytes], values: Iterable[bytes | None], mark: Mark) -> None:
        """Stores full keys (with their first byte) and the mark in one atomic write; a None value deletes."""
        batch = WriteBatch(raw_mode=True)
        for key, value in zip(keys, values, strict=True):
            if value is None:
                batch.delete(key)
            else:
                batch.put(key, value)
        batch.put(MARK, mark.to_bytes())
        try:
            self._db.write(batch)
        except Exception as error:  # rocksdict raises bare Exception
            raise StoreError(f"the state folder {self.path} can't be written: {error}") from None
        self.mark = mark

    def scan(self, kind: bytes = STATE) -> Iterator[tuple[list[bytes], list[bytes]]]:
        """All that is kept under a first byte, in key order, as of the call, in blocks: keys (without that byte), values."""
        options = ReadOptions()
        cast("Any", options).fill_cache(False)  # its stub forgot the argument
        options.set_iterate_upper_bound(bytes([kind[0] + 1]))
        keys: list[bytes] = []
        values: list[bytes] = []
        for key, value in cast("Iterator[tuple[bytes, bytes]]", self._db.items(from_key=kind, read_opt=options)):
            keys.append(key[1:])
            values.append(value)
            if len(keys) == SCAN_KEYS:
                yield keys, values
                keys, values = [], []
        if keys:
            yield keys, values

    @property
    def keys_estimated(self) -> int:
        """Number of keys, about, without a scan."""
        return int(self._db.property_int_value("rocksdb.estimate-num-keys") or 0)

    @property
    def bytes_on_disk(self) -> int:
        """Size of the store's files."""
        size = 0
        for file in self.path.iterdir():
            with suppress(FileNotFoundError):  # RocksDB drops files as it goes
                size += file.stat().st_size
        return size

    def close(self) -> None:
        """Flushes and closes; the folder can be opened again at once."""
        self._db.close()

    def destroy(self) -> None:
        """Closes the store and deletes its folder."""
        self.close()
        shutil.rmtree(self.path)


def open_at_home(path: Path, home: Home) -> Store:
    """The store in a folder, begun anew if it is of another home: of another cluster, other topics or another partition count.

    Raises StoreError if it can't be opened.
    """
    store = Store(path)
    if store.mark.home and store.mark.home != home:
        log.warning("%s is of %s, not of %s: begun anew", path, dict(store.mark.home), dict(home))
        store.destroy()
        store = Store(path)
    return store


def at_home(store: Store, home: Home) -> None:
    """Marks a restored store as of a home. Raises StoreError if its changelog was written for another one."""
    if store.mark.home and store.mark.home != home:
        raise StoreError(
            f"the changelog that {store.path} was restored from belongs to {dict(store.mark.home)}, not to {dict(home)}: "
            "a source topic was made anew beside an old changelog; delete the changelog topic too, and run `laurel topics apply`"
        )
    store.mark = replace(store.mark, home=dict(home))


def _options() -> Options:
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    options.set_write_buffer_size(WRITE_BUFFER_BYTES)
    options.set_max_write_buffer_number(3)
    options.set_max_open_files(128)
    options.set_keep_log_file_num(2)
    options.set_max_log_file_size(1 << 20)
    table = BlockBasedOptions()
    table.set_block_cache(Cache(CACHE_BYTES))
    table.set_bloom_filter(10, False)
    table.set_cache_index_and_filter_blocks(True)
    options.set_block_based_table_factory(table)
    return options
