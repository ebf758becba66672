"""64-bit names for strings, a whole column at once.

State holds accounts, events and topics by hash where their text is not needed again: 8 bytes instead of 30. The function
is part of the state format: it must never change.
"""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Hash = npt.NDArray[np.uint64]

WORD = 8  # bytes taken in at a time
SEED = np.uint64(0x9E3779B97F4A7C15)
# Multipliers and shifts of splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
MIX = ((np.uint64(30), np.uint64(0xBF58476D1CE4E5B9)), (np.uint64(27), np.uint64(0x94D049BB133111EB)))
LAST = np.uint64(31)


def hash64(strings: pa.Array) -> Hash:
    """Hash of each string of a StringArray, uint64[n], never 0; nulls hash to 0. Equal strings hash alike on every machine."""
    n = len(strings)
    if not n:
        return np.empty(0, np.uint64)
    _, offset_buffer, data_buffer = strings.buffers()
    offsets = np.frombuffer(offset_buffer, np.int32)[strings.offset : strings.offset + n + 1].astype(np.int64)
    lengths = np.diff(offsets)
    size = data_buffer.size if data_buffer is not None else 0
    padded = np.zeros(size + WORD, np.uint8)
    if data_buffer is not None:
        padded[:size] = np.frombuffer(data_buffer, np.uint8)
    windows = np.lib.stride_tricks.sliding_window_view(padded, WORD)
    state = _mix(lengths.astype(np.uint64) + SEED)
    rows = np.arange(n)
    for word in range(int((lengths.max() + WORD - 1) // WORD)):
        rows = rows[lengths[rows] > word * WORD]
        text = windows[offsets[rows] + word * WORD].copy().view("<u8").reshape(-1)
        surplus = np.maximum((word + 1) * WORD - lengths[rows], 0).astype(np.uint64) * np.uint64(8)
        text &= np.uint64(0xFFFFFFFFFFFFFFFF) >> surplus  # bytes beyond the string's end are another's
        state[rows] = _mix(state[rows] ^ text)
    state[state == 0] = SEED
    if strings.null_count:
        state[np.asarray(strings.is_null())] = 0
    return state


def combine(first: Hash, second: Hash) -> Hash:
    """One hash, uint64[n], of two that belong together, in this order; never 0."""
    both = _mix(first ^ _mix(second + SEED))
    both[both == 0] = SEED
    return both


def _mix(values: Hash) -> Hash:
    for shift, factor in MIX:
        values = (values ^ (values >> shift)) * factor
    return values ^ (values >> LAST)
