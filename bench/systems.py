"""The systems that keep one decaying sum for every account, and how what they kept is read back."""

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import Message

from bench.decay import SUM
from laurel.streams.packing import unpack
from laurel.streams.store import STATE

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / "bench" / "peers"
PEERS_PYTHON = ROOT / ".venv-bench" / "bin" / "python"


@dataclass(frozen=True)
class System:
    """`command` starts a worker; `changelog` names its topic for a group and source; `sums` reads a changelog's records.

    `makes_changelog`: whether it creates that topic itself.
    """

    name: str
    command: Sequence[str]
    changelog: Callable[[str, str], str]
    makes_changelog: bool
    sums: Callable[[Iterable[Message]], dict[str, float]]


def _laurel_sums(messages: Iterable[Message]) -> dict[str, float]:
    newest = {key: value for key, value in _newest(messages).items() if key.startswith(STATE)}
    found = unpack(SUM, list(newest.values())).header["sum"].tolist()
    return {key[len(STATE) :].decode(): total for key, total in zip(newest, found, strict=True)}


def _faust_sums(messages: Iterable[Message]) -> dict[str, float]:
    return {json.loads(key): json.loads(value)[0] for key, value in _newest(messages).items()}


def _quix_sums(messages: Iterable[Message]) -> dict[str, float]:
    # Its keys are the record's key and the name of the state, both as JSON, with a bar between.
    return {json.loads(key.rsplit(b"|", 1)[0]): json.loads(value)[0] for key, value in _newest(messages).items()}


def _newest(messages: Iterable[Message]) -> dict[bytes, bytes]:
    return {message.key() or b"": message.value() or b"" for message in messages}


LAUREL = System(
    "laurel",
    [sys.executable, "-m", "bench.single_stage"],
    lambda group, _topic: f"{group}-changelog",
    makes_changelog=False,
    sums=_laurel_sums,
)
QUIX = System(
    "quix streams",
    [str(PEERS_PYTHON), str(PEERS / "quix.py")],
    lambda group, topic: f"changelog__{group}--{topic}--default",
    makes_changelog=True,
    sums=_quix_sums,
)
FAUST = System(
    "faust",
    [str(PEERS_PYTHON), str(PEERS / "stock_faust.py"), "worker", "--without-web", "--loglevel", "warn"],
    lambda group, _topic: f"{group}-sums-changelog",
    makes_changelog=True,
    sums=_faust_sums,
)
