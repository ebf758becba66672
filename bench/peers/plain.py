"""What the peers share: an Engagement read by fastavro, and a decaying sum.

State is `[sum, time]`: the sum of the engagements of one account as of `time` (milliseconds), the newest event's.
"""

import io
import json
import os
from pathlib import Path
from time import monotonic
from typing import Any

from fastavro import parse_schema, schemaless_reader

HALF_LIFE = int(os.environ["BENCH_HALF_LIFE"])  # milliseconds
HEADER = 5  # bytes of the Confluent wire format before the Avro body

_PLAIN = json.loads(Path(os.environ["BENCH_SCHEMA"]).read_text())
for _field in _PLAIN["fields"]:
    if isinstance(_field["type"], dict):  # times stay integers: making datetimes of them would cost the peers time
        _field["type"].pop("logicalType", None)
_SCHEMA = parse_schema(_PLAIN)


def decode(value: bytes) -> dict[str, Any]:
    return schemaless_reader(io.BytesIO(value[HEADER:]), _SCHEMA)  # type: ignore[return-value]  # a record is a dict


def add(state: list[Any] | None, moment: int) -> list[Any]:
    """The state with one more engagement; late ones count for what is left of them."""
    if state is None:
        return [1.0, moment]
    total, time = state
    if moment >= time:
        return [total * 2.0 ** ((time - moment) / HALF_LIFE) + 1.0, moment]
    return [total + 2.0 ** ((moment - time) / HALF_LIFE), time]


def began() -> None:
    """Tells the harness that the first record is here."""
    os.write(1, f"\nfirst {monotonic()}\n".encode())  # Faust makes log lines of what is printed, and draws before it
