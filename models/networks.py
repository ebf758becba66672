"""Networks and their actions: a table of data, so that a new network is a line of configuration and not code."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from laurel.models.errors import LaurelError

REACTION, POST, PLUS_K = 0, 1, 2
KINDS = ("reaction", "post", "plus_k")  # position = code

UNKNOWN_NETWORK = -1
UNKNOWN_ACTION = -2

OWN_NETWORK = "laurel"
_LOW_HALF = np.uint32(0xFFFF)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_BUILT_IN = "networks.toml"


class NetworksError(LaurelError):
    """The table of networks can't be used; names the file and, as far as known, the network and action at fault."""


@dataclass(frozen=True)
class _Action:
    kind: int
    weight: int


@dataclass(frozen=True)
class Networks:
    """Columns over all n (network, action) pairs, sorted by id.

    ids: uint32[n], xxh32 of "network/action": what states hold, whatever is added to the table later.
    network, action: the names, n each.  weight: int64[n], micro-points, 0 but for reactions.
    kind: int8[n], REACTION, POST or PLUS_K.  network_names: all networks, sorted.
    network_code: int16[n], position in network_names.
    """

    ids: npt.NDArray[np.uint32]
    network: list[str]
    action: list[str]
    weight: npt.NDArray[np.int64]
    kind: npt.NDArray[np.int8]
    network_code: npt.NDArray[np.int16]
    network_names: list[str]
    _action_names: list[str]
    _lookup: npt.NDArray[np.int64]

    @classmethod
    def load(cls, extra: Path | None = None) -> "Networks":
        """The built-in networks, and those of an operator's TOML file of the same form merged into them.

        The file adds networks and actions and may give a built-in action another weight, but not another kind: what
        states have counted so far would change its meaning. Raises NetworksError.
        """
        table = _parse(files("laurel.models").joinpath(_BUILT_IN).read_text("utf-8"), _BUILT_IN)
        if extra is not None:
            try:
                text = extra.read_text("utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise NetworksError(f"networks file {extra}: can't be read: {error}") from error
            _merge(table, _parse(text, str(extra)), str(extra))
        return _columns(table)

    def positions(self, ids: npt.NDArray[np.uint32]) -> npt.NDArray[np.int64]:
        """Position of each id in the columns, int64[m]; -1 for an unknown one."""
        found: npt.NDArray[np.int64] = self.likely[ids & _LOW_HALF].astype(np.int64)
        others = np.flatnonzero(self.ids[found] != ids)
        if len(others):
            at = np.minimum(np.searchsorted(self.ids, ids[others]), len(self.ids) - 1)
            found[others] = np.where(self.ids[at] == ids[others], at, -1)
        return found

    @property
    def columns(self) -> tuple[npt.NDArray[Any], ...]:
        """What kernels are told of the table: ids, which of them is `likely`, kinds and networks."""
        return self.ids, self.likely, self.kind, self.network_code

    @cached_property
    def likely(self) -> npt.NDArray[np.int16]:
        """The last position whose id ends in some 16 bits, 0 if none does, int16[65536]: to be looked at whether it is the one."""
        table = np.zeros(1 << 16, np.int16)
        table[self.ids & _LOW_HALF] = np.arange(len(self.ids))
        return table

    def codes(self, network: pa.StringArray, action: pa.StringArray) -> npt.NDArray[np.int64]:
        """Position of each (network, action) in the columns, int64[m]; -1 for an unknown network (or null), -2 for a
        known network's unknown action (or null)."""
        row = _positions(network, self.network_names)
        column = _positions(action, self._action_names)
        return self._lookup[row, column]


def _positions(names: pa.StringArray, known: list[str]) -> npt.NDArray[np.int64]:
    """Position of each name among the known ones, -1 for others, int64[m]."""
    found = pc.index_in(names, value_set=pa.array(known, names.type)).fill_null(-1)
    return np.asarray(found, np.int64)


def _id(network: str, action: str) -> int:
    return xxhash.xxh32_intdigest(f"{network}/{action}".encode())


def _columns(table: Mapping[tuple[str, str], _Action]) -> Networks:
    named = {_id(*pair): pair for pair in table}
    if len(named) < len(table):
        lost = min(set(table) - set(named.values()))
        twin = named[_id(*lost)]
        raise NetworksError(f"networks: {'/'.join(lost)} and {'/'.join(twin)} have the same id; rename one of them")
    pairs = [named[number] for number in sorted(named)]
    network_names = sorted({network for network, _ in pairs})
    action_names = sorted({action for _, action in pairs})
    rows = [network_names.index(network) for network, _ in pairs]
    lookup = np.full((len(network_names) + 1, len(action_names) + 1), UNKNOWN_ACTION, np.int64)
    lookup[-1, :] = UNKNOWN_NETWORK  # an unknown name's position is -1: the last row and column
    lookup[rows, [action_names.index(action) for _, action in pairs]] = np.arange(len(pairs))
    return Networks(
        ids=np.array(sorted(named), np.uint32),
        network=[network for network, _ in pairs],
        action=[action for _, action in pairs],
        weight=np.array([table[pair].weight for pair in pairs], np.int64),
        kind=np.array([table[pair].kind for pair in pairs], np.int8),
        network_code=np.array(rows, np.int16),
        network_names=network_names,
        _action_names=action_names,
        _lookup=lookup,
    )


def _merge(table: dict[tuple[str, str], _Action], extra: Mapping[tuple[str, str], _Action], source: str) -> None:
    for (network, action), given in extra.items():
        where = f"{source}: network {network!r}, action {action!r}"
        if network == OWN_NETWORK:
            raise NetworksError(f"{where}: the network {OWN_NETWORK!r} is laurel's own and can't be changed")
        known = table.get((network, action))
        if known is not None and known.kind != given.kind:
            raise NetworksError(f"{where}: is built in as a {KINDS[known.kind]}; only its weight can be changed")
        if given.kind == PLUS_K:
            raise NetworksError(f"{where}: only the network {OWN_NETWORK!r} has a +K")
        table[network, action] = given


def _parse(text: str, source: str) -> dict[tuple[str, str], _Action]:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise NetworksError(f"{source}: not valid TOML: {error}") from error
    return dict(_entries(document, source))


def _entries(document: Mapping[str, Any], source: str) -> Iterator[tuple[tuple[str, str], _Action]]:
    for network, actions in document.items():
        where = f"{source}: network {network!r}"
        _check_name(network, where)
        if not isinstance(actions, dict) or not actions:
            raise NetworksError(f'{where}: must be a table of actions, each like {{ kind = "reaction", weight = 0.3 }}')
        for action, entry in actions.items():
            _check_name(action, f"{where}, action {action!r}")
            yield (network, action), _action(entry, f"{where}, action {action!r}")


def _check_name(name: str, where: str) -> None:
    if not _NAME.fullmatch(name):
        raise NetworksError(f"{where}: a name is a lower-case letter and up to 62 more, digits or underscores")


def _action(entry: object, where: str) -> _Action:
    if not isinstance(entry, dict) or not set(entry) <= {"kind", "weight"} or "kind" not in entry:
        raise NetworksError(f'{where}: must hold a kind and a weight, like {{ kind = "reaction", weight = 0.3 }}')
    if entry["kind"] not in KINDS:
        raise NetworksError(f"{where}: kind must be one of {', '.join(KINDS)}, not {entry['kind']!r}")
    kind = KINDS.index(entry["kind"])
    weight = entry.get("weight", 0 if kind != REACTION else None)
    if isinstance(weight, bool) or not isinstance(weight, int | float):
        raise NetworksError(f"{where}: weight must be a number from 0 to 1, not {weight!r}")
    if kind != REACTION and weight != 0:
        raise NetworksError(f"{where}: only a reaction has a weight; a {KINDS[kind]} has 0")
    if kind == REACTION and not 1e-6 <= weight <= 1:
        raise NetworksError(f"{where}: weight must be above 0 (at least 0.000001) and at most 1, not {weight!r}")
    return _Action(kind, round(weight * 1_000_000))
