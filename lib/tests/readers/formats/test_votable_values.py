"""Values of VOTable fields."""

from __future__ import annotations

import base64
import struct

import numpy as np
import pytest
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers.formats.votable_values import (
    VOTableField,
    decode_stream,
    values_from_bytes,
    values_from_text,
)


def test_the_declared_null_and_empty_cells_are_missing() -> None:
    values, missing = values_from_text(VOTableField("f", "a", "int", "", null="-9"), ["1", "-9", ""], 1)
    assert (values[0], missing.tolist()) == (1, [False, True, True])


def test_a_value_of_another_type_is_named_by_its_row() -> None:
    with pytest.raises(InputError, match=r"f, row 8: '1\.5' is not a value of type short"):
        values_from_text(VOTableField("f", "a", "short", ""), ["1", "1.5"], 7)


def test_rows_of_bytes_are_split_into_columns() -> None:
    fields = [VOTableField("f", "a", "int", ""), VOTableField("f", "b", "char", "*")]
    stream = b"".join(struct.pack(">i", k) + struct.pack(">i", len(text)) + text for k, text in ((1, b"x"), (2, b"yz")))
    columns, rows = values_from_bytes("f", fields, fields, stream, nulls=False)
    assert (rows, columns["a"].tolist(), columns["b"].tolist()) == (2, [1, 2], ["x", "yz"])


def test_bits_before_a_row_of_binary2_mark_nulls() -> None:
    fields = [VOTableField("f", "a", "int", "")]
    stream = b"\x00" + struct.pack(">i", 5) + b"\x80" + struct.pack(">i", 6)
    columns, _ = values_from_bytes("f", fields, fields, stream, nulls=True)
    assert np.ma.getmaskarray(columns["a"]).tolist() == [False, True]


def test_a_stream_that_is_cut_is_refused() -> None:
    fields = [VOTableField("f", "a", "int", "")]
    with pytest.raises(InputError, match="3 bytes are not a whole number of rows of 4"):
        values_from_bytes("f", fields, fields, b"abc", nulls=False)


def test_shapes_have_their_fastest_axis_last() -> None:
    assert VOTableField("f", "a", "int", "2x3").shape == (3, 2)
    assert VOTableField("f", "a", "int", "2x3").elements == 6
    assert VOTableField("f", "a", "char", "8*").variable


def test_a_stream_is_base64() -> None:
    assert decode_stream("f", "base64", [base64.b64encode(b"abc").decode()]) == b"abc"
    with pytest.raises(InputError, match="save it in base64"):
        decode_stream("f", "gzip", ["x"])
