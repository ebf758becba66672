"""What a day's close counts of accounts before the day is decided, kept from its first pass for its second.

Only who counts, or did at the close before, or was linked or unlinked since, is kept: some 130 bytes an account, on disk, so that
a close takes no more memory for more accounts.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from laurel.agents import classic
from laurel.agents.classic import Classic
from laurel.models.change import STEPS, Steps
from laurel.streams.store_errors import AGAIN, DiskError

Float = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Int = npt.NDArray[np.int64]

IN_MEMORY = 256 << 10  # bytes of a small partition that never go to disk

FLAGS = ("present", "had_previous", "alone", "relinked")
SCHEMA = pa.schema(
    [
        pa.field("accounts", pa.string()),
        *(pa.field(name, pa.bool_()) for name in FLAGS),
        pa.field("raw", pa.float64()),
        *classic.SCHEMA,
        *(pa.field(name, pa.float64()) for name in STEPS),
        pa.field("codes", pa.list_(pa.int64())),
        pa.field("amounts", pa.list_(pa.float64())),
    ]
)


@dataclass(frozen=True)
class Counted:
    """n `accounts`: whether anything of them counts (`present`), did at the close before (`had_previous`), whether each is its own person
    (`alone`), and whether that is new (`relinked`), bool[n]; `raw` influence, float64[n] points, the `classic` parts, and the steps to `raw` from
    the close before; account i owns rows offsets[i]..offsets[i + 1] (int64[n + 1]) of `code` (int64[m], ascending position in the network table)
    and `amount` (float64[m]), the share of its raw influence in micro-points / 65536."""

    accounts: pa.StringArray
    present: Flags
    had_previous: Flags
    alone: Flags
    relinked: Flags
    raw: Float
    classic: Classic
    passed: Steps
    offsets: Int
    code: Int
    amount: Float

    def take(self, rows: Int) -> "Counted":
        """Only some of them (int64[k]), in the order given."""
        flags = {name: getattr(self, name)[rows] for name in FLAGS}
        lengths = np.diff(self.offsets)[rows]
        offsets = np.concatenate(([0], np.cumsum(lengths)))
        parts = np.arange(offsets[-1]) + np.repeat(self.offsets[rows] - offsets[:-1], lengths)
        return Counted(
            self.accounts.take(pa.array(rows)),
            **flags,
            raw=self.raw[rows],
            classic=self.classic.take(rows),
            passed=Steps(*(getattr(self.passed, name)[rows] for name in STEPS)),
            offsets=offsets,
            code=self.code[parts],
            amount=self.amount[parts],
        )

    def told(self) -> "Counted":
        """Only those that the second pass has something to tell of."""
        rows = np.flatnonzero(self.alone & (self.present | self.had_previous) | self.relinked)
        return self if len(rows) == len(self.raw) else self.take(rows)

    def to_batch(self) -> pa.RecordBatch:
        """Columns of SCHEMA."""
        offsets = pa.array(self.offsets, pa.int32())
        columns = [
            self.accounts,
            *(pa.array(getattr(self, name)) for name in FLAGS),
            pa.array(self.raw),
            *self.classic.columns().values(),
            *(pa.array(getattr(self.passed, name)) for name in STEPS),
            pa.ListArray.from_arrays(offsets, pa.array(self.code)),
            pa.ListArray.from_arrays(offsets, pa.array(self.amount)),
        ]
        return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)

    @classmethod
    def from_batch(cls, batch: pa.RecordBatch) -> "Counted":
        """The inverse of to_batch."""
        flags = {name: batch.column(name).to_numpy(zero_copy_only=False) for name in FLAGS}
        codes, amounts = cast("pa.ListArray", batch.column("codes")), cast("pa.ListArray", batch.column("amounts"))
        return cls(
            cast("pa.StringArray", batch.column("accounts")),
            **flags,
            raw=batch.column("raw").to_numpy(),
            classic=Classic.from_batch(batch),
            passed=Steps(*(batch.column(name).to_numpy() for name in STEPS)),
            offsets=codes.offsets.to_numpy().astype(np.int64),
            code=codes.values.to_numpy(),
            amount=amounts.values.to_numpy(),
        )


def nothing(accounts: Sequence[bytes]) -> Counted:
    """Linked accounts without state."""
    n = len(accounts)
    no, zeros = np.zeros(n, np.bool_), np.zeros(n)
    return Counted(
        pa.array(accounts, pa.binary()).cast(pa.string()),
        present=no,
        had_previous=no,
        alone=no,
        relinked=no,
        raw=zeros,
        classic=classic.nothing(n),
        passed=Steps(*[zeros] * len(STEPS)),
        offsets=np.zeros(n + 1, np.int64),
        code=np.empty(0, np.int64),
        amount=np.empty(0),
    )


class Kept:
    """What was counted, a block at a time, in a file that has no name and is gone with the process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # Arrow asks no more of it than any file gives. `close` closes it.
        self._file = cast("IO[bytes]", SpooledTemporaryFile(IN_MEMORY, dir=str(folder)))  # noqa: SIM115
        self._stream: pa.ipc.RecordBatchStreamWriter | None = pa.ipc.new_stream(self._file, SCHEMA)
        self._blocks = 0

    def add(self, counted: Counted) -> None:
        """Keeps a block. Raises DiskError."""
        assert self._stream is not None, "what was read once is whole"
        with self._room():
            self._stream.write_batch(counted.to_batch())
        self._blocks += 1

    def __iter__(self) -> Iterator[Counted]:
        """All blocks, in order, from the first one on each time; no more can be added. Raises DiskError."""
        with self._room():
            # Ends the stream, once: a pass that broke off leaves the file's position amid the blocks.
            if self._stream is not None:
                self._stream.close()
                self._stream = None
            self._file.seek(0)
        read = 0
        with pa.ipc.open_stream(self._file) as blocks:
            for batch in blocks:
                read += 1
                yield Counted.from_batch(batch)
        assert read == self._blocks, f"{read} of {self._blocks} blocks were read"

    def close(self) -> None:
        """Lets the file go, and with it what may not have found room."""
        with suppress(OSError):
            self._file.close()

    @contextmanager
    def _room(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise DiskError(
                f"the state folder {self._folder} has no room for what a day's close counts ({error}): make room, {AGAIN}"
            ) from None
