"""Accounts, or other names, by number: strings get numbers as they appear, a whole column at once."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from laurel.models.hashing import hash64

Int = npt.NDArray[np.int64]

NOBODY = -1  # the number of a null


class Numbering:
    """Which name has which number, from 0 on, in the order they came; memory grows with the names."""

    def __init__(self) -> None:
        self._hashes = np.empty(0, np.uint64)  # ascending
        self._numbers = np.empty(0, np.int64)  # of each hash
        self._names: list[pa.Array] = []

    def __len__(self) -> int:
        return len(self._hashes)

    @property
    def names(self) -> pa.Array:
        """All names by number, a StringArray."""
        return pa.concat_arrays(self._names) if self._names else pa.array([], pa.string())

    def numbers(self, names: pa.Array) -> Int:
        """The number of each name (a StringArray), int64[m]; new ones get the next, and a null is NOBODY."""
        encoded = names.dictionary_encode()
        hashes = hash64(encoded.dictionary)
        new = np.flatnonzero(~self._known(hashes))
        if len(new):
            numbers = np.concatenate((self._numbers, len(self) + np.arange(len(new))))
            every = np.concatenate((self._hashes, hashes[new]))
            order = np.argsort(every, kind="stable")
            self._hashes, self._numbers = every[order], numbers[order]
            self._names.append(encoded.dictionary.take(pa.array(new)))
        place = self._numbers[np.searchsorted(self._hashes, hashes)] if len(hashes) else np.empty(0, np.int64)
        at = pc.fill_null(encoded.indices, NOBODY).to_numpy(zero_copy_only=False).astype(np.int64)
        return np.asarray(np.append(place, NOBODY)[at], np.int64)

    def _known(self, hashes: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
        if not len(self):
            return np.zeros(len(hashes), np.bool_)
        at = np.minimum(np.searchsorted(self._hashes, hashes), len(self) - 1)
        return np.asarray(self._hashes[at] == hashes)
