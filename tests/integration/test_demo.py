"""`laurel demo` as a person runs it: a process of its own, that leaves nothing behind however it ends."""

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from laurel.ingest.stackexchange import HEADER

pytestmark = pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="looks for processes in /proc")

DAY = 86_400
START = 1_520_812_800  # 2018-03-12
PATIENCE = 120.0  # seconds for anything to happen
WORKER = Path(".laurel/demo/stackexchange")

Demo = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Somewhere to run in, with three days of a question site in `data`."""
    rows = [HEADER]
    for day in range(3):
        moment = START + day * DAY + 3_600
        rows += [
            f"{moment},question,{day},,1{day},music|jazz",
            f"{moment + 60},answer,9,{day},2{day},music|jazz",
            *(f"{moment + 100 + voter},upvote,,9,2{day},music|jazz" for voter in range(20)),
            f"{moment + 200},accept,{day},9,2{day},music|jazz",
            f"{moment + 300},comment,9,9,2{day},music|jazz",
            f"{moment + 400},downvote,,9,2{day},music|jazz",
        ]
    place = tmp_path / "data" / "stackexchange-quantum" / "events.csv.gz"
    place.parent.mkdir(parents=True)
    place.write_bytes(gzip.compress("\n".join([*rows, ""]).encode()))
    return tmp_path


@pytest.fixture
def demo(folder: Path) -> Iterator[Demo]:
    """Starts a demo in the folder, and makes sure of its end."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str, **environment: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-m", "laurel", "demo", *arguments],
            cwd=folder,
            env=os.environ | {"LAUREL_DATA_DIR": str(folder / "data")} | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def left(folder: Path) -> list[str]:
    """Processes that run in the folder."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if (place / "cwd").readlink().is_relative_to(folder):
                found.append((place / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue  # it has ended, or is somebody else's
    return found


def until(happened: Callable[[], bool], process: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)


def works(folder: Path) -> bool:
    """Whether a worker says that it is ready."""
    said = folder / WORKER / "worker.out"
    return said.is_file() and "ready" in said.read_text()


def test_a_demo_shows_what_real_days_come_to_and_accounts_for_every_event(demo, folder):
    process = demo("--data-set", "stackexchange", "--json")
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    [found] = json.loads(out)["data_sets"]
    assert (found["rows"], found["published"], found["lost"]) == (3 * 25, 3 * 27, 0)
    assert found["weighed"]["counted"] == 3 * 25
    assert found["refused"] == {"self_engagement": 3, "unknown_action": 3}
    assert (found["first_day"], found["last_day"], found["days_closed"]) == ("2018-03-12", "2018-03-14", 3)
    assert found["leaders"][0]["person"] == "stackexchange:9"
    assert {board["topic"] for board in found["topics"]} == {"music", "jazz"}
    assert left(folder) == []
    assert {entry.name for entry in folder.iterdir()} == {"data", ".laurel"}
    assert list((folder / ".laurel").iterdir()) == []


def test_a_demo_in_words_fits_eighty_columns_and_says_where_to_look_next(demo, folder):
    process = demo("--data-set", "stackexchange", "--days", "1", COLUMNS="80")
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    for words in ("who leads", "topics and sashes", "explained", "mean ", "every event accounted for", "laurel up"):
        assert words in out
    assert "\x1b" not in out
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_demo_interrupted_in_the_middle_leaves_nothing_behind(demo, folder, number):
    process = demo("--data-set", "stackexchange")
    until(lambda: works(folder), process)
    process.send_signal(number)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert "interrupted; everything is stopped" in err
    assert left(folder) == []


def test_a_demo_that_is_killed_takes_broker_and_workers_with_it(demo, folder):
    process = demo("--data-set", "stackexchange", "--processes", "2")
    until(lambda: works(folder), process)
    process.kill()
    deadline = time.monotonic() + PATIENCE
    while left(folder):
        assert time.monotonic() < deadline, left(folder)
        time.sleep(0.05)


def test_a_worker_that_fails_ends_the_demo_with_a_sentence_and_its_log(demo, folder):
    networks = folder / "networks.toml"
    networks.write_text("[nowhere]\nlike = { kind = 'no such kind', weight = 1.0 }\n")
    process = demo("--data-set", "stackexchange", LAUREL_NETWORKS=str(networks))
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert "error: the worker ended by itself" in err
    assert "networks.toml" in err
    assert "Traceback" not in err
    assert left(folder) == []


def test_without_data_events_are_made_up_and_said_to_be(demo, folder):
    process = demo("--data-set", "stackexchange", "--days", "1", LAUREL_DATA_DIR=str(folder / "nothing"))
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    assert "stackexchange is not there" in err
    assert "synthetic events instead, random and about nobody" in err
    assert "about nobody" in out


def test_a_second_demo_in_the_same_folder_is_refused_and_does_no_harm(demo, folder):
    first = demo("--data-set", "stackexchange", "--stay")
    until(lambda: works(folder), first)
    second = demo("--data-set", "stackexchange")
    _, err = second.communicate(timeout=PATIENCE)
    assert second.returncode == 1
    assert "is in use by the broker of process" in err
    assert first.poll() is None
    first.send_signal(signal.SIGINT)
    first.communicate(timeout=PATIENCE)
    assert left(folder) == []
