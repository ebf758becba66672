"""How kernels are compiled, and where what was compiled is kept.

Compiling takes seconds, so it is done once for each version of the kernels and kind of processor, and kept in the user's cache folder
(NUMBA_CACHE_DIR names another). Where no folder can be written to, every process compiles for itself.
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from platformdirs import user_cache_path

Kernel = TypeVar("Kernel", bound=Callable[..., object])


def compiled(kernel: Kernel) -> Kernel:
    """The kernel as machine code, made at its first call. Floats are computed as written: no reordering, no fused operations."""
    return cast("Kernel", numba.njit(nogil=True, error_model="numpy", cache=_CACHED)(kernel))


def _folder() -> Path:
    """A folder for this version of the kernels alone: Numba itself only looks at the time and size of the file a kernel is in."""
    sources = sorted(Path(__file__).parent.glob("*.py"))
    version = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:16]
    base = os.environ.get("NUMBA_CACHE_DIR")
    return (Path(base) if base else user_cache_path("laurel")) / f"kernels-{version}"


def _keeps(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)


_FOLDER = _folder()
_CACHED = _keeps(_FOLDER)
if _CACHED:
    cast("Any", numba.config).CACHE_DIR = str(_FOLDER)  # no function says where, and its stub lacks it
