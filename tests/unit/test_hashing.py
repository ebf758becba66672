"""64-bit names for strings: the same for ever, different for different strings."""

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from laurel.models.hashing import combine, hash64

texts = st.lists(st.text(max_size=40), min_size=1, max_size=20)


def test_names_written_into_states_never_change():
    strings = pa.array(["", "twitter:42", "stackexchange:1837", "a string of more than sixteen bytes", "é"])
    assert [f"{name:016x}" for name in hash64(strings).tolist()] == [
        "e220a8397b1dcdaf",
        "feb08cf357f9b5a8",
        "ab88427cef0536d2",
        "7859aec5cad68988",
        "4eb3cc1ee1644d29",
    ]


@given(strings=texts)
def test_a_string_s_name_does_not_depend_on_its_neighbours(strings):
    together = hash64(pa.array(strings)).tolist()
    assert together == [int(hash64(pa.array([text]))[0]) for text in strings]
    assert hash64(pa.array(["x", *strings, "y"]).slice(1, len(strings))).tolist() == together


@given(strings=st.lists(st.text(max_size=40), unique=True, max_size=50))
def test_different_strings_have_different_names(strings):
    assert len(set(hash64(pa.array(strings, pa.string())).tolist())) == len(strings)


def test_null_is_zero_and_nothing_else_is():
    assert hash64(pa.array([None, ""], pa.string())).tolist()[0] == 0
    assert hash64(pa.array([None, ""], pa.string())).tolist()[1] != 0


def test_the_order_of_what_is_combined_matters():
    first, second = hash64(pa.array(["a"])), hash64(pa.array(["b"]))
    assert combine(first, second) != combine(second, first)
