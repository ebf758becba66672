"""How a worker's threads share the memory they take: in few places, so that what is let go is used again.

A checkpoint takes megabytes for a moment, in whichever thread it runs. glibc gives nearly every thread a pool of its own, and
each keeps the most that it ever needed.
"""

import ctypes

ARENAS = 2
_M_ARENA_MAX = -8  # glibc's malloc.h


def share() -> None:
    """Bounds the pools of this process, where its C library has such; before its threads are started."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, ARENAS)
