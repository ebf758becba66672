"""A value taken apart: a record whole, and of anything else what is readable, with the place where it ends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laurel.streams import reference
from laurel.streams.dissect import HEADER, dissect, hex_lines
from laurel.streams.proof import samples
from laurel.streams.schemas import Schema, Schemas

SCHEMAS = Schemas()
CASES = [(schema, record) for schema in SCHEMAS for record in samples(schema)[:20]]


def wire(schema: Schema, record: dict) -> bytes:
    return b"\0" + schema.id.to_bytes(4, "big") + reference.write(record, schema)


@pytest.mark.parametrize("schema", list(SCHEMAS), ids=lambda schema: schema.name)
def test_a_record_is_read_whole(schema: Schema) -> None:
    for record in samples(schema):
        value = wire(schema, record)
        found = dissect(value, SCHEMAS)
        assert (found.record, found.fields, found.stopped_at, found.problem) == (schema.name, record, len(value), "")


@given(st.sampled_from(CASES), st.data())
def test_of_a_record_cut_short_the_fields_before_the_cut_are_read(
    case: tuple[Schema, dict], data: st.DataObject
) -> None:
    schema, record = case
    value = wire(schema, record)
    cut = data.draw(st.integers(HEADER, len(value) - 1)) if len(value) > HEADER else HEADER
    found = dissect(value[:cut], SCHEMAS)
    assert found.stopped_at <= cut
    assert found.fields == {name: record[name] for name in list(record)[: len(found.fields)]}
    assert found.problem or cut == len(value)


@given(st.binary(max_size=80))
def test_no_bytes_whatever_stop_it(value: bytes) -> None:
    found = dissect(value, SCHEMAS)
    assert 0 <= found.stopped_at <= len(value)
    if found.record is None:
        assert found.problem


@given(st.binary(max_size=70), st.integers(0, 70))
def test_a_dump_shows_every_byte_up_to_where_it_stops(data: bytes, most: int) -> None:
    lines = hex_lines(data, most)
    shown = [line for line in lines if not line.startswith("...")]
    assert bytes.fromhex("".join(line[10:58].replace(" ", "") for line in shown)) == data[:most]
    assert (len(lines) > len(shown)) == (len(data) > most)
