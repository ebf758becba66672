"""The schema files: whole, documented, and wrong ones refused with a sentence."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from fastavro.schema import parse_schema

from laurel.streams.schemas import SchemaError, Schemas
from laurel.streams.topic_table import TOPICS

SCHEMAS = Schemas()
SOURCES: dict[str, Any] = {schema.name: json.loads(schema.text) for schema in SCHEMAS}


def fields(node: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    match node:
        case {"type": "record", "fields": inner}:
            for field in inner:
                yield f"{path}.{field['name']}", field
                yield from fields(field["type"], f"{path}.{field['name']}")
        case {"items": items}:
            yield from fields(items, path)


ALL_FIELDS = [found for name, source in SOURCES.items() for found in fields(source, name)]


@pytest.mark.parametrize("name", SOURCES)
def test_every_record_is_a_valid_schema_in_the_project_s_namespace_and_documented(name: str) -> None:
    parse_schema(SOURCES[name])
    assert SOURCES[name]["namespace"] == "laurel"
    assert SOURCES[name]["doc"]


@pytest.mark.parametrize(("path", "field"), ALL_FIELDS, ids=[path for path, _ in ALL_FIELDS])
def test_every_field_is_documented(path: str, field: dict[str, Any]) -> None:
    assert field["doc"].endswith(".")


def test_days_and_moments_carry_logical_types() -> None:
    logical = {path: field["type"].get("logicalType") for path, field in ALL_FIELDS if isinstance(field["type"], dict)}
    days = [path for path, _ in ALL_FIELDS if path.endswith((".day", ".admit"))]
    assert {logical[path] for path in days} == {"date"}
    assert [path for path, _ in ALL_FIELDS if path.endswith("_at")] == ["Engagement.occurred_at", "Profile.updated_at"]
    assert logical["Engagement.occurred_at"] == logical["Profile.updated_at"] == "timestamp-millis"


def test_the_fields_other_programs_rely_on_are_there_with_their_defaults() -> None:
    engagement = {field["name"]: field.get("default", "none") for field in SOURCES["Engagement"]["fields"]}
    assert engagement == {
        "event_id": "none",
        "network": "none",
        "action": "none",
        "actor": "none",
        "target": "none",
        "content_id": "none",
        "topics": [],
        "text": None,
        "occurred_at": "none",
        "private": False,
        "retracts": None,
    }
    score = SCHEMAS.by_name("ScoreUpdate").arrow
    assert score.field("day").type == pa.int32()
    assert score.field("previous").nullable
    assert not score.field("score").nullable
    assert score.field("contributions").type == pa.list_(
        pa.struct([("network", pa.string()), ("action", pa.string()), ("points", pa.float64())])
    )


def test_ids_and_names_lead_to_the_same_schemas() -> None:
    for schema in SCHEMAS:
        assert SCHEMAS.by_id(schema.id) is schema
        assert SCHEMAS.by_name(schema.name).name == schema.name
    ids = [schema.id for schema in SCHEMAS]
    assert ids == list(range(1, len(ids) + 1))  # a registry counts them


def test_unknown_ids_and_names_are_refused_with_what_is_known() -> None:
    with pytest.raises(SchemaError, match="no schema has id 999: known are 1, 2"):
        SCHEMAS.by_id(999)
    with pytest.raises(SchemaError, match="no record is called Nothing: known are AccountScore"):
        SCHEMAS.by_name("Nothing")


def test_every_record_travels_in_a_topic() -> None:
    carried = {name for topic in TOPICS for name in topic.values.split(", ") if name[0].isupper()}
    assert carried | {"DeadLetter"} == set(SOURCES)  # that one is told in headers, beside values as they came


def thing(**more: Any) -> str:
    return json.dumps({"type": "record", "name": "Thing", "fields": [{"name": "a", "type": "int"}]} | more)


def with_type(node: Any) -> str:
    return thing(fields=[{"name": "a", "type": node}])


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "avro/ids.json cannot be read"),
        ({"ids.json": "{"}, "avro/ids.json is not valid JSON"),
        ({"ids.json": "[]"}, "must map schema ids"),
        ({"ids.json": '{"one": "Thing.avsc"}'}, "must map schema ids"),
        ({"ids.json": '{"4294967296": "Thing.avsc"}'}, "ids are 0 to 4294967295"),
        ({"ids.json": '{"1": "Thing.avsc"}'}, "avro/Thing.avsc cannot be read"),
        ({"ids.json": '{"1": "Thing.avsc"}', "Thing.avsc": thing(name="Other")}, "does not hold the record"),
        ({"ids.json": '{"1": "Thing.avsc"}', "Thing.avsc": '"int"'}, "does not hold the record"),
        (
            {"ids.json": '{"1": "Thing.avsc"}', "Thing.avsc": with_type("nonsense")},
            "avro/Thing.avsc is not a valid schema",
        ),
        ({"ids.json": '{"1": "Thing.avsc"}', "Thing.avsc": with_type("bytes")}, 'field a: columns cannot hold "bytes"'),
        ({"ids.json": '{"1": "Thing.avsc"}', "Thing.avsc": with_type(["int", "long"])}, "field a: the only unions"),
        ({"ids.json": '{"1": "Thing.avsc", "2": "Thing.avsc"}', "Thing.avsc": thing()}, "gives Thing two ids"),
        ({"ids.json": '{"1": "versions/Thing.1.avsc"}', "versions/Thing.1.avsc": thing()}, "only superseded versions"),
        ({"ids.json": '{"1": "versions/Thing.2.avsc"}', "versions/Thing.2.avsc": thing()}, "does not hold the record"),
    ],
)
def test_a_folder_that_contradicts_itself_is_refused(tmp_path: Path, files: dict[str, str], said: str) -> None:
    (tmp_path / "versions").mkdir()
    for path, text in files.items():
        (tmp_path / path).write_text(text)
    with pytest.raises(SchemaError, match=said):
        Schemas(tmp_path)
