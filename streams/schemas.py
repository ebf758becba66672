"""The public contract: Avro schemas by id and by record name, read from the `avro/` folder."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import fastavro
import pyarrow as pa
from fastavro.schema import SchemaParseException, UnknownType

from laurel.models.errors import LaurelError

_PRIMITIVES: dict[str, pa.DataType] = {
    "boolean": pa.bool_(),
    "int": pa.int32(),
    "long": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "string": pa.string(),
}


class SchemaError(LaurelError):
    """The schema files are wrong, or a schema was asked for that they do not have; the message names it."""


@dataclass(frozen=True, eq=False)
class Schema:
    """One version of one record.

    Dates and timestamps are their plain integers here (days, milliseconds since 1970-01-01 UTC): that is how the
    columns of a batch hold them. `text` keeps the logical types and the documentation for whoever reads the contract.
    """

    id: int
    name: str
    text: str
    newest: bool

    @cached_property
    def plain(self) -> str:
        """The schema as JSON with nothing but what decides the bytes."""
        return json.dumps(_strip(json.loads(self.text)))

    @cached_property
    def parsed(self) -> dict[str, Any]:
        """The plain schema as fastavro wants it."""
        return dict(fastavro.parse_schema(json.loads(self.plain)))  # type: ignore[arg-type]  # a record is a dict

    @cached_property
    def arrow(self) -> pa.Schema:
        """Columns of a batch of these records: int32, int64, float64, bool, string, list and struct of those."""
        return _arrow_schema(json.loads(self.plain))

    @cached_property
    def defaults(self) -> dict[str, Any]:
        """Default values of the fields that have one."""
        return {field["name"]: field["default"] for field in json.loads(self.plain)["fields"] if "default" in field}


class Schemas:
    """Every schema id ever used, from `ids.json` and the files it names.

    A file directly in the folder is the newest version of its record; those under `versions/` are superseded.
    Raises SchemaError if the folder contradicts itself.
    """

    def __init__(self, folder: Traversable | None = None) -> None:
        self._folder = folder if folder is not None else files("laurel") / "avro"
        ids = self._json("ids.json")
        if not isinstance(ids, dict) or not all(key.isdecimal() and isinstance(ids[key], str) for key in ids):
            raise SchemaError('avro/ids.json must map schema ids, such as "1", to file names')
        self._by_id = {int(key): self._load(int(key), path) for key, path in ids.items()}
        self._by_name: dict[str, Schema] = {}
        for schema in self._by_id.values():
            if schema.newest:
                if schema.name in self._by_name:
                    raise SchemaError(f"avro/ids.json gives {schema.name} two ids for one version")
                self._by_name[schema.name] = schema
        for schema in self._by_id.values():
            if schema.name not in self._by_name:
                raise SchemaError(f"avro/ids.json has only superseded versions of {schema.name}")

    def __iter__(self) -> Iterator[Schema]:
        """All versions, in the order of their ids."""
        return iter(sorted(self._by_id.values(), key=lambda schema: schema.id))

    @property
    def names(self) -> list[str]:
        """The records there are, such as Engagement."""
        return list(self._by_name)

    def by_id(self, number: int) -> Schema:
        """The version with that id, or SchemaError."""
        if number not in self._by_id:
            raise SchemaError(f"no schema has id {number}: known are {', '.join(map(str, sorted(self._by_id)))}")
        return self._by_id[number]

    def by_name(self, name: str) -> Schema:
        """The newest version of that record, or SchemaError."""
        if name not in self._by_name:
            raise SchemaError(f"no record is called {name}: known are {', '.join(sorted(self._by_name))}")
        return self._by_name[name]

    def _json(self, path: str) -> Any:
        try:
            return json.loads(self._folder.joinpath(path).read_text(encoding="utf-8"))
        except OSError:
            raise SchemaError(f"avro/{path} cannot be read") from None
        except ValueError as error:
            raise SchemaError(f"avro/{path} is not valid JSON: {error}") from None

    def _load(self, number: int, path: str) -> Schema:
        # 32 bits of the wire header hold the id.
        if not 0 <= number < 2**32:
            raise SchemaError(f"avro/ids.json has id {number}; ids are 0 to 4294967295")
        source = self._json(path)
        name = source.get("name") if isinstance(source, dict) and source.get("type") == "record" else None
        file = path.removeprefix("versions/")
        if name is None or file != (f"{name}.avsc" if file == path else f"{name}.{number}.avsc"):
            raise SchemaError(f"avro/{path} does not hold the record it is named after")
        schema = Schema(number, name, json.dumps(source), newest=file == path)
        try:
            _ = schema.parsed, schema.arrow
        except (SchemaParseException, UnknownType) as error:
            raise SchemaError(f"avro/{path} is not a valid schema: {error}") from None
        return schema


def _strip(node: Any) -> Any:
    if isinstance(node, list):
        return [_strip(item) for item in node]
    if not isinstance(node, dict):
        return node
    if "logicalType" in node:
        return node["type"]
    kept = {key: value for key, value in node.items() if key != "doc"}
    for key in ("type", "items", "fields"):
        if key in kept:
            kept[key] = _strip(kept[key])
    return kept


def _arrow_schema(record: dict[str, Any]) -> pa.Schema:
    named: dict[str, pa.DataType] = {}
    fields = []
    for field in record["fields"]:
        name, node = field["name"], field["type"]
        nullable = isinstance(node, list)
        if nullable:
            branches = [branch for branch in node if branch != "null"]
            if len(node) != 2 or len(branches) != 1:
                raise SchemaParseException(f"field {name}: the only unions columns hold are of null and one type")
            node = branches[0]
        fields.append(pa.field(name, _arrow_type(name, node, named), nullable=nullable))
    return pa.schema(fields)


def _arrow_type(name: str, node: Any, named: dict[str, pa.DataType]) -> pa.DataType:
    if isinstance(node, str) and node in _PRIMITIVES:
        return _PRIMITIVES[node]
    if isinstance(node, str) and node in named:
        return named[node]
    match node:
        case {"type": "array", "items": items}:
            return pa.list_(_arrow_type(name, items, named))
        case {"type": "record", "name": str(called), "fields": fields}:
            # Arrow's own defaults, so that columns built without a schema match: nothing inside an array is ever null.
            named[called] = pa.struct([(field["name"], _arrow_type(name, field["type"], named)) for field in fields])
            return named[called]
        case {"type": str(inner)}:
            return _arrow_type(name, inner, named)
    raise SchemaParseException(f"field {name}: columns cannot hold {json.dumps(node)}")
