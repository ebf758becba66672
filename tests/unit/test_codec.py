"""The codec: what is encoded decodes to itself, and no bytes whatever stop it."""

import io
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fastavro
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from laurel.streams import columns, reference
from laurel.streams.codec import Codec, CodecError, Decoded
from laurel.streams.proof import proven, samples
from laurel.streams.schemas import Schema, SchemaError, Schemas

# The first text that is generated on a machine takes a second: a table of Unicode is built.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
CODEC = Codec()
SCHEMAS = list(CODEC.schemas)
LIKE = {
    "event_id": "e1",
    "network": "twitter",
    "action": "like",
    "actor": None,
    "target": "twitter:1",
    "content_id": None,
    "occurred_at": 5,
}

_SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "null": st.none(),
    "boolean": st.booleans(),
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
    "double": st.floats(),
    "string": st.text(max_size=20),
}


def values(node: Any, named: dict[str, st.SearchStrategy[Any]] | None = None) -> st.SearchStrategy[Any]:
    """Any value of an Avro type."""
    named = {} if named is None else named
    match node:
        case str():
            return named[node] if node in named else _SCALARS[node]
        case list():
            return st.one_of([values(branch, named) for branch in node])
        case {"type": "array", "items": items}:
            return st.lists(values(items, named), max_size=4)
        case {"type": "record", "name": name, "fields": fields}:
            named[name] = st.fixed_dictionaries({field["name"]: values(field["type"], named) for field in fields})
            return named[name]
        case _:
            return values(node["type"], named)


RECORDS = {schema.name: values(json.loads(schema.plain)) for schema in SCHEMAS}
anything = st.sampled_from(SCHEMAS).flatmap(lambda schema: st.tuples(st.just(schema), RECORDS[schema.name]))
chunks = st.lists(anything, max_size=12)


def wire(schema: Schema, record: dict[str, Any]) -> bytes:
    return b"\0" + schema.id.to_bytes(4, "big") + reference.write(record, schema)


def resolved(writer: Schema, record: dict[str, Any]) -> dict[str, Any]:
    """A record of the newest version as it is read when an earlier one has written it: what that lacks has its default."""
    newest, known = CODEC.schemas.by_name(writer.name), {field["name"] for field in json.loads(writer.plain)["fields"]}
    return {name: value if name in known else newest.defaults[name] for name, value in record.items()}


def told(records: list[dict[str, Any]]) -> str:
    """Records as text, so that a NaN equals itself."""
    return json.dumps(records, sort_keys=True)


def accounted(chunk: list[bytes | None]) -> Decoded:
    """Decodes, and checks that every position is told of once and in order."""
    decoded = CODEC.decode(chunk)
    positions = [error.position for error in decoded.errors]
    assert positions == sorted(positions)
    for name, rows in decoded.batches.items():
        assert rows.table.schema == CODEC.arrow(name)
        rows.table.validate(full=True)
        assert rows.positions.dtype == "int64"
        assert rows.positions.tolist() == sorted(rows.positions.tolist())
        assert len(rows.positions) == rows.table.num_rows > 0
        positions += rows.positions.tolist()
    assert sorted(positions) == list(range(len(chunk)))
    return decoded


@patient
@given(chunks)
def test_fastavro_s_records_decode_to_the_same_values_in_order(chunk: list[tuple[Schema, dict[str, Any]]]) -> None:
    decoded = accounted([wire(schema, record) for schema, record in chunk])
    assert decoded.errors == []
    for name, rows in decoded.batches.items():
        expected = [resolved(schema, record) for schema, record in chunk if schema.name == name]
        assert told(rows.table.to_pylist()) == told(expected)


@patient
@given(st.data(), st.sampled_from([schema for schema in SCHEMAS if schema.newest]))
def test_encoded_batches_are_what_fastavro_writes(data: st.DataObject, schema: Schema) -> None:
    records = data.draw(st.lists(RECORDS[schema.name], max_size=8))
    start = data.draw(st.integers(0, len(records)))
    batch = pa.RecordBatch.from_pylist(records, schema=schema.arrow)
    expected = [wire(schema, record) for record in records]
    assert CODEC.encode(schema.name, batch) == expected
    assert CODEC.encode(schema.name, batch.slice(start)) == expected[start:]
    assert [CODEC.encode_one(schema.name, record) for record in records] == expected


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    value = bytearray(wire(*draw(anything)))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(value)))
        match draw(st.sampled_from(["cut", "insert", "replace", "drop"])):
            case "cut":
                del value[at:]
            case "insert":
                value[at:at] = draw(st.binary(min_size=1, max_size=11))
            case "replace":
                value[at : at + 1] = draw(st.binary(min_size=1, max_size=1))
            case "drop":
                del value[at : at + 1]
    return bytes(value)


garbage = st.one_of(
    st.none(),
    st.binary(max_size=40),
    damaged(),
    st.builds(
        lambda schema, body: b"\0" + schema.id.to_bytes(4, "big") + body,
        st.sampled_from(SCHEMAS),
        st.binary(max_size=60),
    ),
)


@settings(patient, max_examples=500)
@given(st.lists(st.one_of(garbage, anything.map(lambda pair: wire(*pair))), max_size=12))
def test_no_bytes_raise_and_every_position_is_told_of_once(chunk: list[bytes | None]) -> None:
    accounted(chunk)


@settings(patient, max_examples=300)
@given(st.lists(garbage, min_size=1, max_size=8))
def test_what_a_value_means_does_not_depend_on_its_neighbours(chunk: list[bytes | None]) -> None:
    together = accounted(chunk)
    for position, value in enumerate(chunk):
        alone = accounted([value])
        if alone.errors:
            assert [error.reason for error in together.errors if error.position == position] == [alone.errors[0].reason]
        else:
            [(name, rows)] = alone.batches.items()
            row = together.batches[name].positions.tolist().index(position)
            assert told(together.batches[name].table.slice(row, 1).to_pylist()) == told(rows.table.to_pylist())


@settings(patient, max_examples=300)
@given(damaged())
def test_what_is_accepted_is_what_fastavro_reads(value: bytes) -> None:
    for name, rows in accounted([value]).batches.items():
        (writer,) = (schema for schema in SCHEMAS if schema.id == int.from_bytes(value[1:5], "big"))
        assert told(rows.table.to_pylist()) == told([reference.read(value[5:], writer, CODEC.schemas.by_name(name))])


@patient
@given(chunks, st.lists(st.integers(0, 200), max_size=4))
def test_bad_records_among_many_cost_only_themselves(chunk: list[tuple[Schema, dict[str, Any]]], at: list[int]) -> None:
    good = [wire(schema, record) for schema, record in chunk] + [CODEC.encode_one("Engagement", LIKE)] * 150
    bad = {position % len(good) for position in at}
    decoded = accounted([value[:-1] if position in bad else value for position, value in enumerate(good)])
    assert {error.position for error in decoded.errors} == bad
    assert all(error.reason == "malformed_avro" for error in decoded.errors)


GOOD = CODEC.encode_one("Engagement", LIKE)
SCORE = CODEC.encode_one("AccountScore", {"account": "a", "day": 1, "score": 2.0})


@pytest.mark.parametrize(
    ("value", "reason", "said"),
    [
        (None, "empty_value", "empty"),
        (b"", "empty_value", "empty"),
        (b"\1" + GOOD[1:], "wrong_magic_byte", "begins with byte 1"),
        (b'{"event_id": 1}', "wrong_magic_byte", "begins with byte 123"),
        (b"\0\0\0", "unknown_schema_id", "ends after 3 bytes"),
        (b"\0\0\0\1\0" + GOOD[5:], "unknown_schema_id", "no schema has id 256"),
        (GOOD[:5], "malformed_avro", "laurel.Engagement"),
        (GOOD[:-1], "malformed_avro", "schema id 1"),
        (GOOD + b"\0", "malformed_avro", "1 bytes follow"),
        (GOOD.replace(b"twitter:1", b"twitter:\xff"), "malformed_avro", "utf-8"),
        (GOOD[:-2] + b"\2\0", "malformed_avro", ""),
        (SCORE[:7] + b"\x80\x80\x80\x80\x20" + SCORE[8:], "malformed_avro", "too large"),
        (SCORE[:7] + b"\x82" + b"\x80" * 9 + b"\0" + SCORE[8:], "malformed_avro", ""),
    ],
)
def test_a_bad_value_is_refused_with_its_reason(value: bytes | None, reason: str, said: str) -> None:
    [error] = accounted([value]).errors
    assert error.reason == reason
    assert said in error.message.lower() or said in error.message


def test_arrays_in_several_or_sized_blocks_are_read() -> None:
    value = CODEC.encode_one("Insight", {"person": "p", "day": 3, "sentences": ["a", "b"]})
    prefix = value[:-6]
    assert value[-6:] == b"\4\2a\2b\0"
    spellings: list[bytes | None] = [prefix + b"\2\2a\2\2b\0", prefix + b"\3\x08\2a\2b\0", value]
    assert accounted(spellings).batches["Insight"].table.to_pylist() == [CODEC.decode_one(value)[1]] * 3


def test_an_engagement_s_bytes_are_those_of_the_specification() -> None:
    expected = b"\0\0\0\0\1" + b"\4e1" + b"\x0etwitter" + b"\x08like" + b"\0" + b"\x12twitter:1" + b"\0\0\0" + b"\n\0\0"
    assert expected == GOOD
    name, record = CODEC.decode_one(GOOD)
    assert name == "Engagement"
    assert record == LIKE | {"topics": [], "text": None, "private": False, "retracts": None}


def test_decoding_one_bad_value_raises_its_reason() -> None:
    with pytest.raises(CodecError, match="wrong_magic_byte"):
        CODEC.decode_one(b"x")


def test_an_empty_chunk_is_an_empty_answer() -> None:
    assert accounted([]).batches == {}
    assert CODEC.encode("Engagement", pa.RecordBatch.from_pylist([], schema=CODEC.arrow("Engagement"))) == []


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({key: value for key, value in LIKE.items() if key != "target"}, "needs the field target"),
        (LIKE | {"follower_count": 3}, "has no field follower_count"),
        (LIKE | {"occurred_at": 2**63}, "occurred_at"),
        (LIKE | {"target": None}, "target"),
        (LIKE | {"topics": [None]}, "topics"),
    ],
)
def test_a_record_that_does_not_fit_is_refused_naming_the_field(record: dict[str, Any], said: str) -> None:
    with pytest.raises(CodecError, match=said):
        CODEC.encode_one("Engagement", record)


ONE = pa.RecordBatch.from_pylist([CODEC.decode_one(GOOD)[1]], schema=CODEC.arrow("Engagement"))


@pytest.mark.parametrize(
    ("batch", "said"),
    [
        (ONE.drop_columns(["target"]), "needs the field target"),
        (ONE.append_column("x", pa.array([1])), "has no field x"),
        (ONE.set_column(4, "target", pa.array([None], pa.string())), "target must not be null"),
        (ONE.set_column(6, "topics", pa.array([[None]], pa.list_(pa.string()))), "topics must not be null"),
        (ONE.set_column(8, "occurred_at", pa.array(["soon"])), "occurred_at must be int64, not string"),
        (ONE.set_column(8, "occurred_at", pa.array([1.5])), "occurred_at must be int64, not double"),
    ],
)
def test_a_batch_that_does_not_fit_is_refused_naming_the_field(batch: pa.RecordBatch, said: str) -> None:
    with pytest.raises(CodecError, match=said):
        CODEC.encode("Engagement", batch)


def test_a_null_inside_an_array_of_records_is_refused() -> None:
    leader = {"rank": None, "person": "p", "strength": 1.0, "plus_k": 0.0}
    row = {"topic": "t", "day": 1, "influencers": [leader], "plus_k_leaders": []}
    with pytest.raises(CodecError, match="influencers must not be null"):
        CODEC.encode("Leaderboard", pa.RecordBatch.from_pylist([row], schema=CODEC.arrow("Leaderboard")))


def test_missing_columns_take_their_defaults_and_narrower_ones_widen() -> None:
    batch = ONE.drop_columns(["topics", "text", "private", "retracts"])
    assert CODEC.encode("Engagement", batch.set_column(6, "occurred_at", pa.array([5], pa.int32()))) == [GOOD]


def test_an_unknown_record_is_refused_by_name() -> None:
    with pytest.raises(SchemaError, match="no record is called Follower"):
        CODEC.encode("Follower", ONE)


def test_every_published_schema_is_proven() -> None:
    assert [schema.name for schema in SCHEMAS if not proven(schema, CODEC.schemas.by_name(schema.name))] == []


def test_samples_take_every_branch_of_a_union() -> None:
    engagements = samples(CODEC.schemas.by_name("Engagement"))
    assert {type(record["actor"]) for record in engagements} == {str, type(None)}


@pytest.fixture
def folder(tmp_path: Path) -> Callable[[dict[str, dict[str, Any]]], Schemas]:
    def write(files: dict[str, dict[str, Any]]) -> Schemas:
        (tmp_path / "versions").mkdir()
        for path, content in files.items():
            (tmp_path / path).write_text(json.dumps(content))
        return Schemas(tmp_path)

    return write


def record(*fields: dict[str, Any]) -> dict[str, Any]:
    return {"type": "record", "name": "Thing", "namespace": "laurel", "fields": list(fields)}


OLD = record({"name": "gone", "type": "string"}, {"name": "size", "type": "int"})
NEW = record({"name": "colour", "type": "string", "default": "grey"}, {"name": "size", "type": "long"})


def test_a_superseded_version_is_read_into_the_newest_one(
    folder: Callable[[dict[str, dict[str, Any]]], Schemas],
) -> None:
    schemas = folder(
        {
            "ids.json": {"7": "versions/Thing.7.avsc", "300": "Thing.avsc"},
            "versions/Thing.7.avsc": OLD,
            "Thing.avsc": NEW,
        }
    )
    codec = Codec(schemas)
    old = wire(schemas.by_id(7), {"gone": "x", "size": 4})
    new = codec.encode_one("Thing", {"colour": "red", "size": 2**40})
    assert new[:5] == b"\0" + struct.pack(">I", 300)
    rows = codec.decode([new, old, None, new]).batches["Thing"]
    assert rows.positions.tolist() == [0, 1, 3]
    assert [row["colour"] for row in rows.table.to_pylist()] == ["red", "grey", "red"]
    assert rows.table["size"].to_pylist() == [2**40, 4, 2**40]


def test_a_schema_pyruhvro_gets_wrong_is_left_to_fastavro(
    folder: Callable[[dict[str, dict[str, Any]]], Schemas], monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(bodies: list[bytes], schema: Schema) -> pa.RecordBatch:
        return pa.RecordBatch.from_pylist([{"colour": "wrong", "size": 0}] * len(bodies), schema=schema.arrow)

    schemas = folder({"ids.json": {"1": "Thing.avsc"}, "Thing.avsc": NEW})
    monkeypatch.setattr(columns, "read", wrong)
    codec = Codec(schemas)
    value = codec.encode_one("Thing", {"size": 3})
    too_long = value[:-1] + b"\x06\x06"
    decoded = codec.decode([value, too_long, value[:-1], value])
    assert decoded.batches["Thing"].table.to_pylist() == [{"colour": "grey", "size": 3}] * 2
    assert [(error.position, error.reason) for error in decoded.errors] == [
        (1, "malformed_avro"),
        (2, "malformed_avro"),
    ]
    assert codec.encode("Thing", decoded.batches["Thing"].table) == [value, value]


@example(2**31 - 1, 2**63 - 1)
@patient
@given(st.integers(-(2**31), 2**31 - 1), st.integers(-(2**63), 2**63 - 1))
def test_days_and_milliseconds_stay_plain_integers(day: int, moment: int) -> None:
    profile = {"account": "a:1", "member": None, "opted_out": False, "consented": False, "updated_at": moment}
    assert CODEC.decode_one(CODEC.encode_one("Profile", profile))[1]["updated_at"] == moment
    score = {"account": "a:1", "day": day, "score": 1.0}
    assert CODEC.decode_one(CODEC.encode_one("AccountScore", score))[1]["day"] == day


def test_other_programs_read_the_published_schemas_with_their_logical_types() -> None:
    published = fastavro.parse_schema(json.loads(CODEC.schemas.by_name("AccountScore").text))
    read: Any = fastavro.schemaless_reader(io.BytesIO(SCORE[5:]), published, None)
    assert str(read["day"]) == "1970-01-02"


def test_a_number_too_large_for_its_field_is_malformed_beside_a_good_record():
    event = {"person": "p", "topic": "t", "day": 1, "sash": "gold", "change": "awarded", "plus_k_rank": None}
    good = CODEC.encode_one("SashEvent", {**event, "influencer_rank": 1})
    large = good[:-3] + b"\x02\x80\x80\x80\x80\x10" + b"\x00"  # 2**31 where an int belongs
    decoded = CODEC.decode([good, large])
    assert decoded.batches["SashEvent"].positions.tolist() == [0]
    assert [(bad.position, bad.reason) for bad in decoded.errors] == [(1, "malformed_avro")]
