"""One partition's keyed state on disk: a RocksDB that moves from checkpoint to checkpoint.

A store holds packed states under `k` + key, older acts of an actor under `a` + account + number of the block, the texts of
hashed names under `n` + hash, whom accounts are linked to under `l` + account, whom they are tied to the most under `w` + account,
who has opted out under `o` + hash, and one record under `m` that says what all of it includes. All changes of a checkpoint, that record with them, are one atomic write.

The changelog is the only log there is. RocksDB's own is off: with it, a manifest that lost its end brings back old states under a new mark,
and nobody is told. Without, files hold whole checkpoints up to some moment, states and mark alike, whatever a crash, a power failure or a
broken disk left of them; the changelog brings what is missing. RocksDB syncs its files before it relies on them, so nothing else has to.
"""

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from itertools import chain, islice
from operator import itemgetter
from pathlib import Path
from time import monotonic, time
from typing import Any, cast

from rocksdict import (
    AccessType,
    BlockBasedOptions,
    Cache,
    DbClosedError,
    Options,
    Rdict,
    RdictIter,
    ReadOptions,
    WriteBatch,
    WriteOptions,
)

from laurel.streams.store_errors import DamagedError, DiskError, LaterError, StoreError, explain, free_bytes
from laurel.streams.store_folder import FORMAT, claim, condemn, condemned, present

STATE, BLOCK, NAME, LINK, TIES, OPTED_OUT, MARK = b"k", b"a", b"n", b"l", b"w", b"o", b"m"  # first bytes of keys
WRITTEN = b"t"  # when the newest change was written, seconds since 1970

CACHE_BYTES = 8 << 20  # of blocks, for each store
WRITE_BUFFER_BYTES = 8 << 20  # of recent writes, for each store; up to three of them
SCAN_KEYS = 5_000  # in one block of a scan: what is computed of it then stays in the processor's caches
ROOM_BYTES = 2 * WRITE_BUFFER_BYTES  # a disk with less is full: the next writes to files would fail halfway
FLUSH_SECONDS = 600.0  # what came since is in memory and the changelog only

_WITHOUT_KIND = itemgetter(slice(1, None))

log = logging.getLogger(__name__)

Home = Mapping[str, str | int]  # whose state it is: cluster, topics and partition count


@dataclass(frozen=True)
class Mark:
    """What a store's states include.

    `source`: the last offset of the stage's source applied. `changelog`: the changelog offset from which on records may be
    missing here. `home`: whose state this is. `notes`: what else the stage must
    remember of the partition, as JSON.

    Stored, it names the format of all that it includes; where it names none, that is the first.
    """

    source: int = -1
    changelog: int = 0
    home: Home = field(default_factory=dict)
    notes: Mapping[str, Any] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """The mark as it is stored."""
        return json.dumps({"format": FORMAT, **asdict(self)}, sort_keys=True, separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, value: bytes) -> "Mark":
        """A stored mark; StoreError if it is not one, LaterError if it is of a later format."""
        try:
            found = json.loads(value)
            written = int(found.pop("format", 1))
            if written <= FORMAT:
                return cls(**found)
        except (ValueError, TypeError, AttributeError) as error:
            raise StoreError(f"a stored mark can't be read: {error}") from None
        raise LaterError(
            f"its state was written by a later version of laurel (format {written}, this one knows {FORMAT}): run that version"
        )


class Store:
    """One partition's states; opened by one process at a time.

    Whatever reads or writes raises StoreError once something went wrong, and from then on always. What is damaged (DamagedError) is
    condemned, so that no later process takes it up.
    """

    def __init__(self, path: Path, now: Callable[[], float] = time) -> None:
        """Opens the store, empty if the folder is new; StoreError names the folder if it can't be. `now`: seconds since 1970."""
        self.path, self.begun_anew = path, ""
        self._now, self._problem, self._errors, self._flushed = now, cast("StoreError | None", None), 0, monotonic()
        self._writes = WriteOptions()
        cast("Any", self._writes).disable_wal = True  # its stub has a method, it is an attribute
        claim(path)
        _needs_room(path)
        try:
            # The column family's options are given too: else those in the folder are believed, flipped bits and all.
            columns = {"default": options()}
            self._db = Rdict(str(path), options(), columns, access_type=AccessType.read_write())
        except Exception as error:  # rocksdict raises bare Exception
            raise self._failed("opened", error) from None
        if condemned(path):  # asked when nobody else can have it open
            self.close()
            raise DamagedError(f"the store in {path} was found damaged before")
        try:
            stored, written = self.get([MARK, WRITTEN])
            self.mark = Mark.from_bytes(stored) if stored is not None else Mark()
        except StoreError as error:
            self.close()
            if isinstance(error, LaterError):
                raise LaterError(f"the store in {path}: {error}") from None
            raise error if isinstance(error, DamagedError) else DamagedError(f"{path}: {error}") from None
        self._written = int(written) if written is not None else None

    def states(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The packed states of keys, None for those without."""
        return self.get([STATE + key for key in keys])

    def names(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """What is kept under names, None for those unknown."""
        return self.get([NAME + key for key in keys])

    def get(self, keys: list[bytes]) -> list[bytes | None]:
        """What is kept under full keys, None for those without."""
        self._sound()
        if not keys:
            return []
        try:
            found: Any = self._db.get(cast("Any", keys))  # its stub wants lists of mixed keys
        except DbClosedError:
            raise
        except Exception as error:  # rocksdict raises bare Exception
            raise self._failed("read", error) from None
        return cast("list[bytes | None]", found)

    def write(self, keys: Iterable[bytes], values: Iterable[bytes | None], mark: Mark) -> None:
        """Stores full keys (with their first byte) and the mark in one atomic write; a None value deletes."""
        self.check()
        batch = WriteBatch(raw_mode=True)
        for key, value in zip(keys, values, strict=True):
            if value is None:
                batch.delete(key)
            else:
                batch.put(key, value)
        batch.put(MARK, mark.to_bytes())
        batch.put(WRITTEN, b"%d" % self._now())
        try:
            self._db.write(batch, self._writes)
            if monotonic() - self._flushed >= FLUSH_SECONDS:
                self._db.flush(False)  # begun, not waited for
                self._flushed = monotonic()
        except DbClosedError:
            raise
        except Exception as error:  # rocksdict raises bare Exception
            raise self._failed("written", error) from None
        self.mark, self._written = mark, int(self._now())

    def scan(self, kind: bytes = STATE) -> Iterator[tuple[list[bytes], list[bytes]]]:
        """All that is kept under a first byte, in key order, as of the call, in blocks: keys (without that byte), values."""
        self._sound()
        options = ReadOptions()
        cast("Any", options).fill_cache(False)  # its stub forgot the argument
        options.set_iterate_upper_bound(bytes([kind[0] + 1]))
        last: bytes | None = None
        pairs: Iterator[tuple[bytes, bytes]] | None = None
        rest: RdictIter | None = None
        try:
            # An iterator sees what was there when it was made, whatever snapshot it is made of: both are made before anything
            # is handed out, and anew if something was written between the two.
            written = -1
            while written != self._db.latest_sequence_number():
                written = self._db.latest_sequence_number()
                pairs = cast("Iterator[tuple[bytes, bytes]]", self._db.items(from_key=kind, read_opt=options))
                rest = self._db.iter(options)
            assert pairs is not None
            assert rest is not None
            # Flat, and by what loops in C: a pair costs less to take up than rocksdict takes to give it.
            while block := list(chain.from_iterable(islice(pairs, SCAN_KEYS))):
                last = block[-2]
                yield list(map(_WITHOUT_KIND, block[::2])), block[1::2]
            self._ended(rest, kind, last)
        except DbClosedError:
            raise
        except Exception as error:  # rocksdict raises bare Exception
            raise self._failed("read", error.with_traceback(None)) from None
        finally:
            pairs = rest = None  # they, too, keep the folder locked, and whoever holds the error would hold them

    def check(self) -> None:
        """Raises StoreError if the store can't go on: its folder is gone, its disk full, or RocksDB failed to write in the background."""
        self._sound()
        if not present(self.path):
            raise self._failed("found", FileNotFoundError("it was removed while in use"))
        try:
            _needs_room(self.path)
        except StoreError as error:
            self._problem = error
            raise
        errors = int(self._db.property_int_value("rocksdb.background-errors") or 0)
        if errors > self._errors:
            try:
                self._db.flush()  # says what is wrong, unless it no longer is
            except DbClosedError:
                raise
            except Exception as error:  # rocksdict raises bare Exception
                raise self._failed("written", error) from None
            self._errors = errors

    @property
    def keys_estimated(self) -> int:
        """Number of keys, about, without a scan."""
        return int(self._db.property_int_value("rocksdb.estimate-num-keys") or 0)

    @property
    def bytes_on_disk(self) -> int:
        """Size of the store's files."""
        size = 0
        with suppress(
            FileNotFoundError
        ):  # RocksDB drops files as it goes; a folder that is gone is for check() to tell
            for file in self.path.iterdir():
                with suppress(FileNotFoundError):
                    size += file.stat().st_size
        return size

    def close(self) -> None:
        """Flushes and closes; the folder can be opened again at once.

        What can't be flushed is in the changelog, so that costs a warning and no more.
        """
        try:
            self._db.close()
        except DbClosedError:
            raise
        except Exception as error:  # rocksdict raises bare Exception
            log.warning("%s was closed without its newest changes, which its changelog has: %s", self.path, error)

    @property
    def age(self) -> float:
        """Seconds since the newest change was written; 0 if there is none."""
        return self._now() - self._written if self._written is not None else 0.0

    def _ended(self, rest: RdictIter, kind: bytes, last: bytes | None) -> None:
        """Makes sure that nothing comes after the last key an iteration gave, if any: one that meets a damaged block just ends."""
        rest.seek(kind if last is None else last)
        if rest.valid() and last is not None:
            rest.next()
        rest.status()
        if rest.valid():
            raise StoreError("an iteration ended before the last key")

    def _sound(self) -> None:
        if self._problem is not None:
            raise self._problem

    def _failed(self, doing: str, error: Exception) -> StoreError:
        """What an error means, remembered: nothing is read or written after it."""
        self._problem = explain(self.path, doing, error)
        if isinstance(self._problem, DamagedError):
            condemn(self.path)
        return self._problem


def _needs_room(path: Path) -> None:
    free = free_bytes(path)
    if free is not None and free < ROOM_BYTES:
        raise DiskError(
            f"the disk of the state folder {path} is full: {free:,} bytes are free, and {ROOM_BYTES:,} are needed; make room, then start "
            "the worker again: it goes on where it was"
        )


def options() -> Options:
    """What every store is opened with."""
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
