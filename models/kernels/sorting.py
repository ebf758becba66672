"""Sorting in place, for a few numbers or many, without any memory."""

from typing import Any

from laurel.models.kernels.compiled import compiled


@compiled
def ascending(keys: Any, along: Any, size: int) -> None:
    """Sorts the first `size` of `keys`, and `along` with them (which may be the same array). Equal keys come in any order.

    Shell's method with Knuth's gaps (1, 4, 13, 40, ...; The Art of Computer Programming, volume 3, 5.2.1).
    """
    gap = 1
    while gap < size // 9:
        gap = 3 * gap + 1
    while gap:
        for begin in range(gap, size):
            key, other, at = keys[begin], along[begin], begin
            while at >= gap and keys[at - gap] > key:
                keys[at], along[at] = keys[at - gap], along[at - gap]
                at -= gap
            keys[at], along[at] = key, other
        gap //= 3
