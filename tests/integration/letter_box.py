"""Dead letters as a stage writes them, without one, and `laurel dead-letters` run in this process."""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from laurel.cli.main import run
from laurel.streams.codec import Codec
from laurel.streams.dead_letters import DeadLetter, send
from laurel.streams.letters import MARK, MARK_RECORD
from laurel.streams.outbox import Outbox, Output
from laurel.streams.settings import Settings

CODEC = Codec()


class Box:
    """Puts letters into `dead-letters` as a stage does, and remembers what it put there."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._outbox = settings, Outbox(settings.servers)
        self._numbers: Iterator[int] = iter(range(1 << 30))
        self._last = 0  # milliseconds

    def put(self, reason: str, value: bytes | None, topic: str = "engagements", **fields: Any) -> DeadLetter:
        letter = DeadLetter(self._settings.topic(topic), 0, next(self._numbers), b"k", value, (), reason, "because")
        letter = DeadLetter(**(vars(letter) | fields))
        self.put_all([letter])
        return letter

    def put_all(self, letters: Sequence[DeadLetter]) -> None:
        now = time.time_ns() // 1_000_000
        while now <= self._last:  # the newest are told by their milliseconds: no two puts share one
            now = time.time_ns() // 1_000_000
        self._last = now
        for letter in letters:
            send(self._outbox, self._settings.topic("dead-letters"), letter)
        self._outbox.flush()

    def put_raw(self, key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes | None]]) -> None:
        self._outbox.send_raw(self._settings.topic("dead-letters"), key, value, headers)
        self._outbox.flush()

    def mark(self, partition: int, *offsets: int) -> None:
        value = CODEC.encode_one(MARK_RECORD, {"offsets": list(offsets)})
        self._outbox.send(Output(self._settings.topic("dead-letters"), [MARK], [value], partition))
        self._outbox.flush()


class Commands:
    """Runs `laurel dead-letters` commands in this process, which is quicker than in one of their own."""

    def __init__(self, settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.settings, self._monkeypatch, self._capsys = settings, monkeypatch, capsys
        monkeypatch.setenv("LAUREL_TOPIC_PREFIX", settings.topic_prefix)
        monkeypatch.setenv("LAUREL_BOOTSTRAP", settings.servers)

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        """Exit status, stdout, stderr."""
        self._monkeypatch.setattr(sys, "argv", ["laurel", "dead-letters", *arguments])
        with pytest.raises(SystemExit) as ended:
            run()
        out, err = self._capsys.readouterr()
        return int(ended.value.code or 0), out, err

    def data(self, *arguments: str, status: int = 0) -> dict[str, Any]:
        """What a command prints with --json."""
        found, out, err = self(*arguments, "--json")
        assert found == status, err
        told: dict[str, Any] = json.loads(out)
        return told
