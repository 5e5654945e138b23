"""Arrays in text columns of ECSV."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers.formats.json_arrays import parse_arrays


def test_arrays_of_one_shape_are_stacked_with_their_nulls() -> None:
    found = parse_arrays(Path("f"), "a", "float64[2]", pa.chunked_array([["[1, null]", None, "[3, 4.5]"]]))
    np.testing.assert_array_equal(found, [[1, np.nan], [np.nan, np.nan], [3, 4.5]])


def test_integers_with_nulls_are_masked() -> None:
    found = parse_arrays(Path("f"), "a", "int16[2]", pa.chunked_array([["[1, null]"]]))
    assert found.dtype == np.int16
    assert np.ma.getmaskarray(found).tolist() == [[False, True]]


def test_lists_of_any_length_are_objects() -> None:
    found = parse_arrays(Path("f"), "a", "float64[null]", pa.chunked_array([["[1]", "[1, 2]"]]))
    assert found.tolist() == [[1], [1, 2]]


@pytest.mark.parametrize("text", ["[1]", "[1, 2, 3]", "1, 2", '["x", 1]'])
def test_another_shape_is_refused_with_its_row(text: str) -> None:
    with pytest.raises(InputError, match=r"f: column 'a', row 2: .* is not float64\[2\]"):
        parse_arrays(Path("f"), "a", "float64[2]", pa.chunked_array([["[1, 2]", text]]))
