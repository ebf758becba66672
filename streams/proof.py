"""Proof, before a schema is first used, that pyruhvro and fastavro agree on a schema: one it fails is left to fastavro for good."""

import json
import random
from typing import Any

import pyarrow as pa

from laurel.streams import columns, reference
from laurel.streams.schemas import Schema

_SAMPLES = 200  # records; enough to miss none of the edge values of any field
_EDGES: dict[str, list[Any]] = {
    "boolean": [False, True],
    "int": [0, -1, 1, 63, 64, -64, -65, 8191, 8192, 2**31 - 1, -(2**31)],
    "long": [0, -1, 1, 63, 64, -65, 2**31, -(2**31) - 1, 2**53 + 1, 2**63 - 1, -(2**63)],
    "float": [0.0, -0.0, 1.5, float("inf"), -(2.0**-149)],
    "double": [0.0, -0.0, 0.1, -1e308, float("inf"), float("-inf"), 5e-324],
    "string": ["", "a", "twitter:42", "é", "日本語", "🏅", "\0", "x" * 63, "y" * 64, "z" * 300],
}


def proven(schema: Schema, reader: Schema) -> bool:
    """True if both codecs read and write sample records of the schema to the same values and the same bytes, and the
    columns, projected to the reader's version, are what Avro's own schema resolution gives."""
    records = samples(schema)
    bodies = [reference.write(record, schema) for record in records]
    try:
        batch = columns.read(bodies, schema)
        if batch.schema != schema.arrow or batch.to_pylist() != records:
            return False
        for part in (batch, batch.slice(7, 11), pa.RecordBatch.from_pylist(records, schema=schema.arrow)):
            start = 7 if part.num_rows == 11 else 0
            if columns.write(part, schema).to_pylist() != bodies[start : start + part.num_rows]:
                return False
        projected = columns.project(batch, reader).to_pylist()
    except columns.ColumnsError:
        return False
    resolved = [reference.read(body, schema, reader) for body in bodies]
    return bool(projected == resolved)


def samples(schema: Schema) -> list[dict[str, Any]]:
    """Records, the same ones every time, with every branch of the schema and every edge value of its types."""
    record, choice = json.loads(schema.plain), random.Random(0)  # noqa: S311  # chooses samples, guards nothing
    return [_sample(record, choice, {}) for _ in range(_SAMPLES)]


def _sample(node: Any, choice: random.Random, named: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return _sample(choice.choice(node), choice, named)
    if isinstance(node, str):
        if node in named:
            return _sample(named[node], choice, named)
        return None if node == "null" else choice.choice(_EDGES[node])
    if node["type"] == "array":
        # 70 items make the count take two bytes. One is made even for none: it may define a name used further on.
        length = choice.choice((0, 0, 0, 1, 1, 2, 2, 70))
        return [_sample(node["items"], choice, named) for _ in range(max(1, length))][:length]
    if node["type"] == "record":
        named[node["name"]] = node
        return {field["name"]: _sample(field["type"], choice, named) for field in node["fields"]}
    return _sample(node["type"], choice, named)
