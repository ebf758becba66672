"""Keyed state as bytes: a whole batch of keys is packed and unpacked at once, in columns.

One value is `version (u1) | rows of each section (u4 ...) | header | section rows ...`, little-endian, without padding.
The version names a `Layout`, and a layout knows the one before it: values of earlier versions are read by their own layouts, one step
after the other, and stored in the newest one when they change. A value of a later version is an error, never a guess.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from laurel.models import ragged
from laurel.models.errors import LaurelError
from laurel.models.ragged import Ragged, Runs, at_each_byte

Bytes = npt.NDArray[np.uint8]


class StateFormatError(LaurelError):
    """Stored state is not of the format this version reads."""


@dataclass(frozen=True)
class Layout:
    """The columns of one kind of state: a header for every key and ragged sections."""

    name: str
    version: int
    header: np.dtype[np.void]
    sections: Mapping[str, np.dtype[np.void]]
    earlier: "Earlier | None" = None  # None: there was none

    @cached_property
    def fixed(self) -> np.dtype[np.void]:
        """The part that every value has: version, section lengths, header."""
        lengths = [(f"n_{name}", "<u4") for name in self.sections]
        return np.dtype([("version", "u1"), *lengths, ("header", self.header)])


@dataclass(frozen=True)
class Earlier:
    """The layout of the version before, and what makes states of this one of its states, over the same keys."""

    layout: Layout
    upgrade: Callable[["States"], "States"]


@dataclass
class States:
    """The unpacked state of n keys: `header` is structured[n], each section is ragged over the same keys."""

    header: npt.NDArray[np.void]
    sections: dict[str, Ragged]

    def take(self, keys: npt.NDArray[np.int64]) -> "States":
        """Only some keys (int64[k]), in the order given."""
        return States(self.header[keys], {name: section.take(keys) for name, section in self.sections.items()})


def blank(layout: Layout, keys: int) -> States:
    """States of keys never seen: zero headers, no rows."""
    return States(
        np.zeros(keys, layout.header),
        {name: ragged.empty(keys, dtype) for name, dtype in layout.sections.items()},
    )


def unpack(layout: Layout, values: Sequence[bytes | None]) -> States:
    """Columns from stored values, of this or earlier versions; None is a key never seen.

    Raises StateFormatError if a value is of a later version, of none that there was, or cut short.
    """
    header, sections = locate(layout, values)
    return States(header, {name: runs.ragged() for name, runs in sections.items()})


def locate(layout: Layout, values: Sequence[bytes | None]) -> tuple[npt.NDArray[np.void], dict[str, Runs]]:
    """The headers of stored values, and where the rows of each section lie in them: as `unpack`, without a copy."""
    n = len(values)
    written = cast("Sequence[bytes]", values) if all(values) else [value or b"" for value in values]
    lengths = np.fromiter(map(len, written), np.int64, n)
    known = np.flatnonzero(lengths)
    states = blank(layout, n)
    if not len(known):
        return states.header, {name: section.runs for name, section in states.sections.items()}
    buffer = np.frombuffer(b"".join(written), np.uint8)
    begin = (np.cumsum(lengths) - lengths)[known]
    others = np.flatnonzero(buffer[begin] != layout.version)
    if len(others):
        return locate(layout, _upgraded(layout, values, known[others], int(buffer[begin].max())))
    if int(lengths[known].min()) < layout.fixed.itemsize:
        raise StateFormatError(f"a stored {layout.name} state ends before its header does")
    fixed = at_each_byte(buffer, layout.fixed)[begin]
    states.header[known] = fixed["header"]
    position, sections = begin + layout.fixed.itemsize, {}
    for name, dtype in layout.sections.items():
        begins, counts = np.zeros((2, n), np.int64)
        begins[known], counts[known] = position, fixed[f"n_{name}"]
        position = position + counts[known] * dtype.itemsize
        if (position > begin + lengths[known]).any():
            raise StateFormatError(f"a stored {layout.name} state ends before its {name} do")
        sections[name] = Runs(at_each_byte(buffer, dtype), begins, counts)
    if (position != begin + lengths[known]).any():
        raise StateFormatError(f"a stored {layout.name} state is longer than its sections")
    return states.header, sections


def _upgraded(
    layout: Layout, values: Sequence[bytes | None], others: npt.NDArray[np.int64], newest: int
) -> list[bytes | None]:
    """The values, and those at `others` (int64[k]) as this version writes them; `newest` is the latest version among all."""
    if newest > layout.version:
        raise StateFormatError(
            f"a stored {layout.name} state was written by a later version of laurel (format {newest}, this one knows "
            f"{layout.version}): run that version"
        )
    if layout.earlier is None:
        raise StateFormatError(f"a stored {layout.name} state is of no format that there was")
    before = unpack(layout.earlier.layout, [values[at] for at in others.tolist()])
    found = list(values)
    for at, value in zip(others.tolist(), pack(layout, layout.earlier.upgrade(before)), strict=True):
        found[at] = value
    return found


def pack(layout: Layout, states: States) -> list[bytes]:
    """One value for each key, the inverse of unpack."""
    n = len(states.header)
    fixed = np.zeros(n, layout.fixed)
    fixed["version"] = layout.version
    fixed["header"] = states.header
    lengths = np.full(n, layout.fixed.itemsize, np.int64)
    for name, dtype in layout.sections.items():
        fixed[f"n_{name}"] = states.sections[name].lengths
        lengths += states.sections[name].lengths * dtype.itemsize
    end = np.cumsum(lengths)
    buffer = np.empty(int(end[-1]) if n else 0, np.uint8)
    position = end - lengths
    _scatter(buffer, position, fixed)
    position = position + layout.fixed.itemsize
    for name, dtype in layout.sections.items():
        section = states.sections[name]
        counts = section.lengths
        within = np.arange(len(section.rows)) - np.repeat(section.offsets[:-1], counts)
        _scatter(buffer, np.repeat(position, counts) + within * dtype.itemsize, section.rows)
        position = position + counts * dtype.itemsize
    whole = buffer.tobytes()
    return [whole[i:j] for i, j in zip((end - lengths).tolist(), end.tolist(), strict=True)]


def _scatter(buffer: Bytes, at: npt.NDArray[np.int64], rows: npt.NDArray[np.void]) -> None:
    if len(at):
        _anywhere(buffer, rows.dtype)[at] = np.ascontiguousarray(rows).view(f"V{rows.dtype.itemsize}")


def _anywhere(buffer: Bytes, dtype: np.dtype[np.void]) -> npt.NDArray[np.void]:
    """The buffer as a row beginning at each of its bytes, without columns: such rows are copied the fastest."""
    size = dtype.itemsize
    return np.ndarray((len(buffer) - size + 1,), f"V{size}", cast("Any", buffer), strides=(1,))
