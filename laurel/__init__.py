"""laurel: influence scores from streams of engagements, on Kafka.

`from laurel import Producer, Engagement` is all a service needs to publish.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from laurel.ingest.producer import Producer
    from laurel.ingest.records import Engagement

__all__ = ["Engagement", "Producer"]


_HOMES = {"Engagement": "laurel.ingest.records", "Producer": "laurel.ingest.producer"}


def __getattr__(name: str) -> Any:
    # Loaded when first asked for: `import laurel` alone stays light.
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
