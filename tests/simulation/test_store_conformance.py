"""The store in memory and the one on disk, told the same, are the same: every promise that the simulation relies on."""

import itertools
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rocksdict import DbClosedError

from laurel.streams.store import LINK, NAME, STATE, Mark, Store
from tests.crash import left_behind
from tests.simulation.memory_store import Disk, MemoryStore

KINDS = (STATE, NAME, LINK)

full_keys = st.builds(lambda kind, key: kind + key, st.sampled_from(KINDS), st.binary(max_size=2))
changes = st.dictionaries(full_keys, st.none() | st.binary(max_size=3), max_size=5)


def contents(store: Any, kind: bytes) -> list[tuple[bytes, bytes]]:
    return [pair for keys, values in store.scan(kind) for pair in zip(keys, values, strict=True)]


def scanned_while_written(store: Any, kind: bytes, told: dict[bytes, bytes | None]) -> list[tuple[bytes, bytes]]:
    """What a scan gives that had begun before something was written."""
    blocks = store.scan(kind)
    first = next(blocks, ([], []))
    store.write(told.keys(), told.values(), store.mark)
    return [pair for block in itertools.chain([first], blocks) for pair in zip(*block, strict=True)]


def answers(store: Any, keys: list[bytes]) -> tuple[list[bytes | None], ...]:
    """What a store says of full keys, and of keys like them."""
    short = [key[1:] for key in keys]
    return store.get(list(keys)), store.states(short), store.names(short)


def close(stores: list[Any]) -> None:
    for store in stores:
        store.close()


def everything(store: Any) -> tuple[Any, ...]:
    return store.mark, *(contents(store, kind) for kind in KINDS)


@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("write"), changes, st.integers(-1, 100)),
            st.tuples(st.just("get"), st.lists(full_keys, max_size=4)),
            st.tuples(st.just("reopen")),
            st.tuples(st.just("scan"), st.sampled_from(KINDS), changes),
            st.tuples(st.just("mark"), st.integers(0, 100)),
        ),
        max_size=12,
    )
)
@example(steps=[("write", {STATE: b""}, 0)])  # an empty key, and no other
@example(
    steps=[("write", {STATE: b""}, 0), ("scan", STATE, {STATE + b"a": b""})]
)  # a key after the last comes meanwhile
@example(steps=[("write", {STATE + b"a": b""}, 0), ("scan", STATE, {STATE + b"a": None})])  # or the last one goes
@settings(max_examples=40)
def test_what_was_written_is_read_scanned_and_found_again_alike(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Any]
) -> None:
    folder, disk = tmp_path_factory.mktemp("store"), Disk()
    both: list[Any] = [Store(folder / "it"), MemoryStore(folder / "it", disk)]
    for name, *told in steps:
        match name:
            case "write":
                for store in both:
                    store.write(told[0].keys(), told[0].values(), Mark(told[1], told[1] + 1, notes={"n": told[1]}))
            case "get":
                found = [answers(store, told[0]) for store in both]
                assert found[0] == found[1]
            case "mark":  # by hand: lasting only with the next write
                for store in both:
                    store.mark = replace(store.mark, changelog=told[0])
            case "scan":
                found = [scanned_while_written(store, *told) for store in both]
                assert found[0] == found[1]
            case "reopen":
                close(both)
                both = [Store(folder / "it"), MemoryStore(folder / "it", disk)]
        assert everything(both[0]) == everything(both[1])
    close(both)
    shutil.rmtree(folder)


@pytest.mark.parametrize("kind", ["disk", "memory"])
def test_a_closed_store_can_be_asked_nothing(tmp_path: Path, kind: str) -> None:
    store: Any = Store(tmp_path / "it") if kind == "disk" else MemoryStore(tmp_path / "it", Disk())
    store.close()
    with pytest.raises(DbClosedError):
        store.get([STATE + b"x"])
    with pytest.raises(DbClosedError):
        next(store.scan())
    with pytest.raises(DbClosedError):
        store.write([STATE + b"x"], [b"1"], Mark())
    with pytest.raises(DbClosedError):
        store.check()


@pytest.mark.parametrize("flushed", [True, False])
def test_after_a_crash_a_store_is_as_it_was_after_one_of_the_writes(tmp_path: Path, flushed: bool) -> None:
    store, disk = Store(tmp_path / "it"), Disk()
    beside = MemoryStore(tmp_path / "beside", disk)
    seen = []
    for number in range(200):
        keys, values = [STATE + b"%d" % (number % 7), NAME + b"n"], [bytes(1_000), b"%d" % number]
        for each in (store, beside):
            each.write(keys, values, Mark(number))
        seen.append(everything(store))
        if flushed and number == 100:
            store._db.flush()
    crashed = Store(left_behind(tmp_path / "it", tmp_path / "copy"))
    left = everything(crashed)
    assert left in seen or left == (Mark(), [], [], [])
    assert crashed.mark.source >= (100 if flushed else -1)
    # And so is the one in memory, whatever it loses.
    disk.crash(crashed.mark.source + 1)
    assert everything(MemoryStore(tmp_path / "beside", disk)) == left
    crashed.close()
    store.close()
