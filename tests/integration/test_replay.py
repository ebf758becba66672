"""Replays against a real broker: what is published, and days closed as they pass.

The days are closed here by a stand-in for the workers: it closes a day once it finds the day's marker in every partition.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import pytest

from laurel.ingest.errors import ReplayError
from laurel.ingest.replay import DAY, Progress, ReplaySummary, replay
from laurel.streams import calendar
from laurel.streams.calendar import Calendar, CalendarError, day_key, day_of
from laurel.streams.closing import Closer, write_markers
from laurel.streams.codec import Codec
from laurel.streams.outbox import Outbox, Output
from laurel.streams.reader import ends, read
from laurel.streams.settings import Settings, load
from laurel.streams.topics import apply

PARTITIONS = 3
MONDAY = 15_522  # 2012-07-01, days since 1970-01-01
CODEC = Codec()


@pytest.fixture
def settings(kafka: str, prefix: str) -> Settings:
    """Of topics that are there."""
    found = load(bootstrap=kafka, topic_prefix=prefix, partitions=PARTITIONS)
    apply(found)
    return found


def log(settings: Settings) -> list[list[tuple[str, int]]]:
    """For each partition of engagements its records in order: ("event", day it occurred) or ("marker", day)."""
    found: list[list[tuple[str, int]]] = []
    topic = settings.topic("engagements")
    for partition in range(PARTITIONS):
        begin, end = ends(settings.servers, topic, partition)
        found.append([])
        for messages in read(settings.servers, topic, partition, begin, end):
            for message in messages:
                name, row = CODEC.decode_one(message.value() or b"")
                if name == "DayMarker":
                    assert (row["upstream"], row["upstream_offset"], row["model"]) == (-1, -1, "v1")
                    found[-1].append(("marker", row["day"]))
                else:
                    found[-1].append(("event", row["occurred_at"] // DAY))
    return found


@contextmanager
def closing(settings: Settings, may_close: Callable[[int], bool] = lambda _day: True) -> Iterator[None]:
    """Closes each requested day that may be closed, in order, while the block runs."""
    ended = threading.Event()
    failures: list[BaseException] = []

    def run() -> None:
        outbox = Outbox(settings.servers)
        with Calendar(settings, CODEC) as following:
            while not ended.is_set():
                following.poll(0.05)
                for day, record in sorted(following.days.items()):
                    if not calendar.closed(record):
                        if not may_close(day) or not all(("marker", day) in part for part in log(settings)):
                            break
                        value = CODEC.encode_one("Calendar", record | {"status": "closed", "mean": 20.0})
                        outbox.send(Output(settings.topic("calendar"), [day_key(day)], [value]))
                        outbox.flush()
                        following.catch_up()

    def guarded() -> None:
        try:
            run()
        except BaseException as failure:
            failures.append(failure)

    thread = threading.Thread(target=guarded)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
    assert failures == []


def events(path: Path, days: list[int], a_day: int = 20) -> Path:
    """A file of a few events on each of the days, as JSON lines."""
    with path.open("w") as sink:
        for day in days:
            for number in range(a_day):
                at = day * DAY + number * (DAY // a_day)
                row = {
                    "event_id": f"{day}/{number}",
                    "network": "twitter",
                    "action": "like",
                    "actor": f"twitter:{number}",
                }
                sink.write(json.dumps(row | {"target": "twitter:t", "occurred_at": at}) + "\n")
    return path


def run(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"LAUREL_TOPIC_PREFIX": settings.topic_prefix, "LAUREL_BOOTSTRAP": settings.servers}
    command = [sys.executable, "-m", "laurel", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_a_replay_publishes_every_event_once_and_counts_them(settings: Settings, tmp_path: Path) -> None:
    file = events(tmp_path / "e.ndjson", [MONDAY, MONDAY + 1])
    summary = replay([file], settings)
    assert (summary.rows, summary.published, dict(summary.by_action)) == (40, 40, {"twitter/like": 40})
    assert sorted(record for part in log(settings) for record in part) == sorted(
        [("event", MONDAY)] * 20 + [("event", MONDAY + 1)] * 20
    )


def test_each_day_ends_with_its_marker_in_every_partition_days_without_events_too(
    settings: Settings, tmp_path: Path
) -> None:
    days = [MONDAY, MONDAY + 1, MONDAY + 4, MONDAY + 5]
    with closing(settings):
        summary = replay([events(tmp_path / "e.ndjson", days)], settings, close=True)
    every = list(range(MONDAY, MONDAY + 6))
    assert summary.days_closed == every
    for part in log(settings):
        assert [day for kind, day in part if kind == "marker"] == every
        passed = np.maximum.accumulate([day + 1 if kind == "marker" else 0 for kind, day in part])
        for (kind, day), reached in zip(part, passed, strict=True):
            assert kind == "marker" or reached in (0, day)
    assert calendar.read(settings).last_closed == every[-1]


def test_no_event_is_written_while_the_day_before_the_last_is_still_open(settings: Settings, tmp_path: Path) -> None:
    held = MONDAY + 1
    waiting, looked = threading.Event(), threading.Event()

    def progress(now: Progress) -> None:
        if now.waiting_for == held and now.day is not None and now.day > held:
            waiting.set()

    file = events(tmp_path / "e.ndjson", [MONDAY + number for number in range(5)])
    found: list[ReplaySummary] = []
    with closing(settings, lambda day: day < held or looked.is_set()):
        thread = threading.Thread(target=lambda: found.append(replay([file], settings, close=True, progress=progress)))
        thread.start()
        try:
            assert waiting.wait(60)
            newest = {
                kind: max(day for part in log(settings) for k, day in part if k == kind) for kind in ("event", "marker")
            }
        finally:
            looked.set()
            thread.join()
    assert newest == {"event": held + 1, "marker": held + 1}
    assert found[0].days_closed == [MONDAY + number for number in range(5)]


def test_a_replay_done_again_closes_nothing_twice(settings: Settings, tmp_path: Path) -> None:
    file = events(tmp_path / "e.ndjson", [MONDAY, MONDAY + 1])
    with closing(settings):
        assert replay([file], settings, close=True).days_closed == [MONDAY, MONDAY + 1]
        assert replay([file], settings, close=True).days_closed == []
        file = events(tmp_path / "later.ndjson", [MONDAY + 3])
        assert replay([file], settings, close=True).days_closed == [MONDAY + 2, MONDAY + 3]


def test_markers_of_a_request_that_was_interrupted_are_written_again(settings: Settings) -> None:
    outbox = Outbox(settings.servers)
    value = CODEC.encode_one("Calendar", calendar.requested(MONDAY, "v1"))
    outbox.send(Output(settings.topic("calendar"), [day_key(MONDAY)], [value]))
    outbox.flush()
    assert write_markers(settings, MONDAY + 2, "v1") == [MONDAY, MONDAY + 1, MONDAY + 2]
    assert log(settings) == [[("marker", MONDAY + number) for number in range(3)]] * PARTITIONS


def test_a_day_before_the_calendars_first_cannot_be_closed(settings: Settings, tmp_path: Path) -> None:
    write_markers(settings, MONDAY, "v1")
    with pytest.raises(CalendarError, match="2012-06-30 can't be closed: days close in order"):
        write_markers(settings, MONDAY - 1, "v1")
    with pytest.raises(ReplayError, match="the calendar begins with 2012-07-01"):
        replay([events(tmp_path / "e.ndjson", [MONDAY - 1])], settings, close=True)
    assert all(kind == "marker" for part in log(settings) for kind, _ in part)


def test_an_event_of_a_day_to_come_is_published_without_closing_up_to_it(settings: Settings, tmp_path: Path) -> None:
    today = day_of(datetime.now(UTC))
    file = events(tmp_path / "e.ndjson", [today + 300, today - 1, today + 500], 1)
    with closing(settings):
        summary = replay([file], settings, close=True)
    assert (summary.published, summary.days_closed) == (3, [today - 1])


def test_waiting_for_a_day_that_nobody_closes_ends_with_what_may_be_wrong(settings: Settings, tmp_path: Path) -> None:
    file = events(tmp_path / "e.ndjson", [MONDAY])
    with pytest.raises(CalendarError, match=r"2012-07-01 is not closed after 1 s .* is a worker running"):
        replay([file], settings, close=True, patience=1.0)
    with pytest.raises(CalendarError, match=r"2012-07-02 is not closed after 1 s \(it is not requested\)"):
        calendar.wait_closed(settings, MONDAY + 1, 1.0)


def test_only_the_days_asked_for_and_no_more_than_asked_for_are_published(settings: Settings, tmp_path: Path) -> None:
    file = events(tmp_path / "e.ndjson", [MONDAY + number for number in range(4)])
    summary = replay([file], settings, first=MONDAY + 1, last=MONDAY + 2, limit=30)
    assert (summary.published, summary.outside) == (30, 40)
    assert {day for part in log(settings) for _, day in part} == {MONDAY + 1, MONDAY + 2}


def test_the_command_reports_bad_lines_and_ends_with_status_1(settings: Settings, tmp_path: Path) -> None:
    file = events(tmp_path / "e.ndjson", [MONDAY], 2)
    with file.open("a") as sink:
        sink.write("nope\n")
    done = run(settings, "replay", str(file), "--json")
    assert done.returncode == 1
    assert f"{file}:3: not JSON" in done.stderr
    summary = json.loads(done.stdout)
    assert (summary["rows"], summary["published"], summary["rejected"]) == (3, 2, 1)
    assert summary["rejects"] == [{"file": str(file), "line": 3, "reason": "not JSON: Expecting value at column 1"}]


def test_the_command_closes_days_and_says_which(settings: Settings, tmp_path: Path) -> None:
    file = events(tmp_path / "e.ndjson", [MONDAY, MONDAY + 1])
    with closing(settings):
        done = run(settings, "replay", str(file), "--close", "--json")
        assert (done.returncode, json.loads(done.stdout)["days_closed"]) == (0, ["2012-07-01", "2012-07-02"])
        done = run(settings, "close-day", "2012-07-03", "--json")
    found: dict[str, Any] = json.loads(done.stdout)
    assert (done.returncode, found["day"], found["status"], found["requested_days"]) == (
        0,
        "2012-07-03",
        "closed",
        ["2012-07-03"],
    )


def test_close_day_without_waiting_returns_at_once(settings: Settings) -> None:
    done = run(settings, "close-day", "2012-07-01", "--no-wait")
    assert (done.returncode, done.stdout) == (0, "2012-07-01 requested\n")
    assert log(settings) == [[("marker", MONDAY)]] * PARTITIONS


def test_close_day_refuses_a_day_that_is_not_over_and_text_that_is_no_day(settings: Settings) -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%d")
    done = run(settings, "close-day", tomorrow)
    assert (done.returncode, done.stderr) == (
        1,
        f"error: {tomorrow} is still to come (UTC): close it when it is over, or give --force\n",
    )
    assert run(settings, "close-day", "2012-7-32").returncode == 2
    assert [len(part) for part in log(settings)] == [0] * PARTITIONS


def test_generated_events_can_be_replayed(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "made.ndjson.gz"
    done = run(settings, "generate", "--events", "500", "--users", "50", "--days", "2", "--seed", "3", "-o", str(file))
    assert done.returncode == 0
    assert "500 synthetic events" in done.stderr
    summary = replay([file], settings)
    assert (summary.published, summary.rejected) == (500, 0)


def test_a_calendar_read_again_by_a_closer_has_what_others_wrote(settings: Settings) -> None:
    with Closer(settings, "v1") as one, Closer(settings, "v1") as other:
        assert one.request(MONDAY) == [MONDAY]
        assert other.request(MONDAY + 1) == [MONDAY, MONDAY + 1]
        deadline = monotonic() + 30
        while MONDAY + 1 not in one.refresh():
            assert monotonic() < deadline
        assert one.request(MONDAY + 1) == [MONDAY + 1]
