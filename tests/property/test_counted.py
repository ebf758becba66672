"""What a close's first pass counted is there for the second, whatever it is and however often it is read."""

import itertools
import resource
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laurel.agents.classic import Classic
from laurel.agents.counted import FLAGS, IN_MEMORY, Counted, Kept
from laurel.models.change import STEPS, Steps
from laurel.streams.store_errors import DiskError

accounts = st.lists(
    st.tuples(
        st.text(max_size=5),
        st.tuples(*[st.booleans()] * 4),
        st.lists(st.floats(0, 1e300), min_size=7, max_size=7),
        st.lists(st.tuples(st.integers(0, 200), st.floats(0, 1e300)), max_size=4),
        st.tuples(st.integers(0, 1 << 40), st.integers(0, 1 << 40)),
    ),
    max_size=6,
)


def counted(rows: list) -> Counted:
    parts = [part for row in rows for part in row[3]]
    numbers = np.array([row[2] for row in rows], np.float64).reshape(-1, 7).T
    return Counted(
        pa.array([row[0] for row in rows], pa.string()),
        *np.array([row[1] for row in rows], np.bool_).reshape(-1, 4).T,
        numbers[0],
        Classic(*np.array([row[4] for row in rows], np.int64).reshape(-1, 2).T, *numbers[5:]),
        Steps(*numbers[1:5]),
        np.cumsum([0, *(len(row[3]) for row in rows)]),
        np.array([code for code, _ in parts], np.int64),
        np.array([amount for _, amount in parts], np.float64),
    )


def rows_of(found: Counted) -> list:
    flags = zip(*(getattr(found, name).tolist() for name in FLAGS), strict=True)
    told = found.classic
    columns = (found.raw, *(getattr(found.passed, name) for name in STEPS), told.reactions, told.posts)
    numbers = zip(*(column.tolist() for column in columns), strict=True)
    people = zip(told.people.tolist(), told.people_points.tolist(), strict=True)
    parts = list(zip(found.code.tolist(), found.amount.tolist(), strict=True))
    ranges = zip(found.offsets[:-1].tolist(), found.offsets[1:].tolist(), strict=True)
    return [
        (name, flag, list(number), parts[begin:end], reached)
        for name, flag, number, (begin, end), reached in zip(
            found.accounts.to_pylist(), flags, numbers, ranges, people, strict=True
        )
    ]


@given(st.lists(accounts, max_size=4))
def test_what_was_counted_is_read_as_it_was_and_again(blocks: list) -> None:
    with TemporaryDirectory() as folder:
        kept = Kept(Path(folder))
        for block in blocks:
            kept.add(counted(block))
        for _ in range(2):
            assert [rows_of(found) for found in kept] == blocks
        kept.close()
        assert not list(Path(folder).iterdir())


@given(st.lists(accounts, min_size=1, max_size=4), st.lists(st.integers(0, 4), min_size=1, max_size=3))
def test_a_pass_that_broke_off_anywhere_is_done_again_over_everything(blocks: list, breaks: list[int]) -> None:
    with TemporaryDirectory() as folder:
        kept = Kept(Path(folder))
        for block in blocks:
            kept.add(counted(block))
        for most in breaks:
            got = list(itertools.islice(kept, most))
            assert [rows_of(found) for found in got] == blocks[: len(got)]
        assert [rows_of(found) for found in kept] == blocks
        kept.close()


@given(accounts)
def test_only_who_is_told_of_anything_is_kept(rows: list) -> None:
    told = [row for row in rows if (row[1][2] and (row[1][0] or row[1][1])) or row[1][3]]
    assert rows_of(counted(rows).told()) == told


def test_a_large_partition_goes_to_disk_and_a_folder_that_takes_nothing_is_named(tmp_path: Path) -> None:
    block = counted([("twitter:anna", (True,) * 4, [1.0] * 7, [(1, 2.0)], (1, 2))] * 200_000)
    kept = Kept(tmp_path / "gone")
    with pytest.raises(DiskError, match=r"the state folder .*gone has no room"):
        kept.add(block)
    kept.close()


def test_a_disk_that_gets_full_is_named(tmp_path: Path) -> None:
    block = counted([("twitter:anna", (True,) * 4, [1.0] * 7, [(1, 2.0)], (1, 2))] * 20_000)
    kept = Kept(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (IN_MEMORY, hard))  # no file may be larger
    try:
        with pytest.raises(DiskError, match="has no room for what a day's close counts"):
            for _ in itertools.chain(map(kept.add, [block] * 10), kept):
                pass
        kept.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
