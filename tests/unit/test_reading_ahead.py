"""Blocks that are read ahead are the same blocks, and errors come where they would."""

import threading
from collections.abc import Generator

import pytest

from laurel.streams.ahead import AHEAD, ahead


def counting(most: int, log: list[str], breaks_at: int = -1) -> Generator[int, None, None]:
    log.append(threading.current_thread().name)
    try:
        for number in range(most):
            if number == breaks_at:
                raise OSError("the disk is gone")
            log.append(f"read {number}")
            yield number
    finally:
        log.append(f"closed by {threading.current_thread().name}")


@pytest.mark.parametrize("most", [0, 1, 5])
def test_all_blocks_come_in_order_read_and_closed_by_one_thread(most):
    log: list[str] = []
    assert list(ahead(counting(most, log))) == list(range(most))
    assert log == [log[0], *(f"read {number}" for number in range(most)), f"closed by {log[0]}"]
    assert log[0] != threading.current_thread().name


def test_an_error_comes_after_the_blocks_before_it():
    found: list[int] = []
    with pytest.raises(OSError, match="the disk is gone"):
        found.extend(ahead(counting(5, [], breaks_at=2)))
    assert found == [0, 1]


def test_who_stops_early_ends_the_reading():
    log: list[str] = []
    blocks = ahead(counting(100, log))
    assert next(blocks) == 0
    blocks.close()
    assert 1 <= len(log[1:-1]) <= 1 + AHEAD
    assert log[-1].startswith("closed by")
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("read-ahead")]
