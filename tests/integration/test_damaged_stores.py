"""Stores whose disk fails: what is read is what was written, or an error that says so; what is begun anew is ours."""

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rocksdict import Rdict

from laurel.streams.homes import DAMAGED, OUTDATED, open_at_home
from laurel.streams.store import ROOM_BYTES, STATE, WRITE_BUFFER_BYTES, Mark, Store
from laurel.streams.store_errors import DamagedError, DiskError, StoreError
from laurel.streams.store_folder import FORMAT, SIGN
from tests.crash import left_behind
from tests.integration.disks import FAULTS, cut, files, flip, lose, scribble, small_disk

HOME = {"cluster": "c", "partitions": 2}
KEYS, CHECKPOINTS = 300, 24


def after(checkpoint: int) -> dict[bytes, bytes]:
    """All states once that many checkpoints were written: each changes a seventh of them, and deletes one."""
    states: dict[bytes, bytes] = {}
    for number in range(1, checkpoint + 1):
        states |= changes(number)
        states.pop(b"%04d" % number, None)
    return states


def changes(number: int) -> dict[bytes, bytes]:
    return {b"%04d" % key: b"%d-%d." % (number, key) * 12 for key in range(KEYS) if key % 7 == number % 7}


def checkpoint(store: Store, number: int) -> None:
    states: dict[bytes, bytes | None] = {**changes(number), b"%04d" % number: None}
    store.write([STATE + key for key in states], states.values(), Mark(number, number, HOME))


def scanned(store: Store) -> dict[bytes, bytes]:
    return {key: value for keys, values in store.scan() for key, value in zip(keys, values, strict=True)}


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store's folder as a crash leaves it: files of several moments, and changes that are in none."""
    folder = tmp_path_factory.mktemp("stores") / "lived"
    for few in (range(1, 5), range(5, 12), range(12, 20)):
        store = Store(folder)
        for number in few:
            checkpoint(store, number)
        store.close()
    store = Store(folder)
    for number in range(20, CHECKPOINTS + 1):
        checkpoint(store, number)
    crashed = left_behind(folder, folder.with_name("crashed"))
    store.close()
    return crashed


def test_a_crash_leaves_the_states_and_the_mark_of_one_checkpoint(lived, tmp_path):
    store = Store(shutil.copytree(lived, tmp_path / "a"))
    assert scanned(store) == after(store.mark.source)
    assert store.mark.source >= 19
    store.close()


@settings(max_examples=60)
@given(
    fault=st.sampled_from(FAULTS),
    which=st.integers(0, 99),
    where=st.floats(0, 1, exclude_max=True),
    by_key=st.booleans(),
)
def test_whatever_breaks_in_a_file_no_state_is_wrong(lived, tmp_path_factory, fault, which, where, by_key):
    folder = tmp_path_factory.mktemp("broken") / "a"
    shutil.copytree(lived, folder)
    there = files(folder)
    file = there[which % len(there)]
    fault(file, int(where * file.stat().st_size))
    if not sound(folder, by_key=by_key):
        # Found once, it is known: nobody takes the store up again.
        with pytest.raises(DamagedError, match=re.escape(str(folder))):
            Store(folder)
        open_at_home(folder, HOME).close()
        assert sound(folder, by_key=by_key)
    if not sound(folder, by_key=False):  # what reading by key never met, as newer states hid it
        open_at_home(folder, HOME).close()
    store = open_at_home(folder, HOME)
    assert scanned(store) == after(store.mark.source)
    store.write([STATE + b"x"], [b"y"], Mark())
    store.close()


def sound(folder: Path, *, by_key: bool) -> bool:
    """Whether nothing is found to be damaged; if so, all states are those of the mark: older perhaps, the changelog has the rest."""
    try:
        store = Store(folder)
    except DamagedError:
        return False
    keys = [b"%04d" % key for key in range(KEYS)]
    try:
        found = dict(zip(keys, store.states(keys), strict=True)) if by_key else scanned(store)
    except DamagedError:
        return False
    finally:
        store.close()
    assert {key: value for key, value in found.items() if value is not None} == after(store.mark.source)
    return True


def large(folder: Path) -> list[Path]:
    """A closed store whose states fill many blocks of its one file of states."""
    store = Store(folder)
    store.write([STATE + b"%05d" % n for n in range(50_000)], [b"%05d" % n * 8 for n in range(50_000)], Mark(7))
    store.close()
    return list(folder.glob("*.sst"))


def filled(
    store: Store,
    keys: list[bytes] | None = None,
    size: int = 100_000,
    meanwhile: Callable[[int], None] = lambda _: None,
) -> None:
    """Writes checkpoint after checkpoint: new keys, or the given ones anew."""
    for number in range(1, 1_000):
        changed = keys or [STATE + b"%05d" % number]
        store.write(changed, [os.urandom(size) for _ in changed], Mark(number))
        meanwhile(number)


def test_a_scan_over_a_damaged_block_is_an_error_and_condemns_the_store(tmp_path, caplog):
    (file,) = large(tmp_path / "a")
    flip(file, file.stat().st_size // 2)
    store = Store(tmp_path / "a")  # nobody has read it yet
    assert store.states([b"00001"]) == [b"00001" * 8]
    with pytest.raises(DamagedError, match=str(tmp_path / "a")):
        scanned(store)
    for use in (lambda: store.states([b"00001"]), lambda: next(store.scan()), lambda: store.write([], [], Mark())):
        with pytest.raises(DamagedError):
            use()
    store.close()
    again = open_at_home(tmp_path / "a", HOME)
    assert (again.begun_anew, again.mark, scanned(again)) == (DAMAGED, Mark(), {})
    assert str(tmp_path / "a") in caplog.text
    again.close()


def test_damage_met_by_a_compaction_beside_is_noticed(tmp_path):
    (file,) = large(tmp_path / "a")
    scribble(file, file.stat().st_size // 2)
    store = Store(tmp_path / "a")
    with pytest.raises(DamagedError):
        filled(store, [STATE + b"%05d" % n for n in range(0, 50_000, 50)], 2_000)  # until files are compacted
    store.close()
    with pytest.raises(DamagedError):
        Store(tmp_path / "a")


def test_a_store_that_lost_a_file_or_has_garbage_for_one_is_begun_anew(tmp_path):
    for number, (fault, name) in enumerate(
        ((lose, "CURRENT"), (cut, "MANIFEST-*"), (scribble, "MANIFEST-*"), (lose, "*.sst"))
    ):
        folder = tmp_path / f"{number}"
        large(folder)
        (file,) = folder.glob(name)
        fault(file, 0)
        store = open_at_home(folder, HOME)
        assert (store.begun_anew, scanned(store)) == (DAMAGED, {})
        store.close()


def test_files_that_are_not_a_stores_are_never_touched(tmp_path):
    folder = tmp_path / "thesis"
    folder.mkdir()
    (folder / "chapter.tex").write_text("years of work")
    with pytest.raises(StoreError, match="thesis holds files and is not"):
        open_at_home(folder, HOME)
    assert [file.name for file in folder.iterdir()] == ["chapter.tex"]
    # Nor is another program's RocksDB opened, and changed by that.
    Rdict(str(tmp_path / "other")).close()
    before = {file.name: file.read_bytes() for file in (tmp_path / "other").iterdir()}
    with pytest.raises(StoreError, match="is not the folder of a laurel store"):
        open_at_home(tmp_path / "other", HOME)
    assert {file.name: file.read_bytes() for file in (tmp_path / "other").iterdir()} == before


def test_what_lies_in_a_store_s_folder_by_mistake_outlives_the_store(tmp_path):
    store = Store(tmp_path / "a")
    store.write([STATE + b"x"], [b"y"], Mark(1, 1, {"cluster": "another"}))
    store.close()
    (tmp_path / "a" / "notes.txt").write_text("mine")
    again = open_at_home(tmp_path / "a", HOME)
    assert scanned(again) == {}
    assert (tmp_path / "a" / "notes.txt").read_text() == "mine"
    again.close()


def test_a_store_of_a_later_format_is_refused_and_kept(tmp_path):
    (file,) = large(tmp_path / "a")
    (tmp_path / "a" / SIGN).write_text(json.dumps({"format": FORMAT + 1}))
    with pytest.raises(StoreError, match="later version of laurel"):
        open_at_home(tmp_path / "a", HOME)
    assert file.exists()


def test_a_store_that_missed_so_much_that_deletions_may_be_forgotten_is_begun_anew(tmp_path):
    day = 86_400
    store = open_at_home(tmp_path / "a", HOME, lambda: 0.0)
    store.write([STATE + b"x"], [b"y"], Mark(1, 1, HOME))
    store.close()
    store = open_at_home(tmp_path / "a", HOME, lambda: 5.0 * day)
    assert (store.begun_anew, scanned(store)) == ("", {b"x": b"y"})
    store.close()
    store = open_at_home(tmp_path / "a", HOME, lambda: 7.0 * day)
    assert (store.begun_anew, scanned(store)) == (OUTDATED, {})
    store.close()


def test_a_full_disk_is_said_before_and_while_it_happens_and_costs_nothing(tmp_path):
    with small_disk(tmp_path / "disk", 2 * ROOM_BYTES) as disk:
        folder = disk.path / "a"
        store = Store(folder)
        with pytest.raises(DiskError, match=f"{folder} is full: [0-9,]+ bytes are free.*make room"):
            filled(store)
        written = store.mark.source
        assert written * 100_000 > WRITE_BUFFER_BYTES
        disk.fill()
        store.close()
        with pytest.raises(DiskError, match="is full"):
            Store(folder)
        disk.empty()
        disk.remount(f"size={4 * ROOM_BYTES}")
        store = open_at_home(folder, HOME)
        assert not store.begun_anew
        assert len(scanned(store)) == store.mark.source <= written
        store.close()


def test_a_disk_that_fills_up_while_files_are_written_is_noticed(tmp_path):
    with small_disk(tmp_path / "disk", 3 * ROOM_BYTES) as disk:
        store = Store(disk.path / "a")
        with pytest.raises(DiskError, match=str(disk.path / "a")):
            filled(store, meanwhile=lambda number: disk.fill() if number == 200 else None)  # some files are written
        store.close()
        disk.empty()
        store = open_at_home(disk.path / "a", HOME)
        assert not store.begun_anew
        assert len(scanned(store)) == store.mark.source
        store.close()


def test_a_read_only_disk_is_said(tmp_path):
    with small_disk(tmp_path / "disk", 2 * ROOM_BYTES) as disk:
        Store(disk.path / "a").close()
        disk.remount("ro")
        with pytest.raises(DiskError, match="read-only"):
            open_at_home(disk.path / "a", HOME)
        with pytest.raises(DiskError, match="read-only"):
            open_at_home(disk.path / "b", HOME)


def test_a_folder_of_another_user_is_said(tmp_path):
    Store(tmp_path / "a").close()
    (tmp_path / "a").chmod(0o500)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65_534)  # root may do anything; nobody owns nothing here
    try:
        with pytest.raises(DiskError, match=r"this user \(\d+\) may not"):
            open_at_home(tmp_path / "a", HOME)
    finally:
        os.seteuid(user)
        (tmp_path / "a").chmod(0o700)


def test_a_folder_that_is_gone_is_noticed_and_said(tmp_path):
    large(tmp_path / "a")
    store = Store(tmp_path / "a")
    shutil.rmtree(tmp_path / "a")
    with pytest.raises(DamagedError, match="removed while in use"):
        store.check()
    with pytest.raises(DamagedError):
        store.write([], [], Mark())
    store.close()
    again = open_at_home(tmp_path / "a", HOME)
    assert (again.begun_anew, again.mark) == ("", Mark())
    again.close()
