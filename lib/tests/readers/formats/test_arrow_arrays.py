"""Arrow columns as NumPy arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from skyaccept.lib.readers.formats.arrow_arrays import concatenate, is_list, is_supported, is_text, to_numpy


def test_integers_with_a_null_are_masked_and_keep_their_digits() -> None:
    found = to_numpy(pa.array([2**62 + 1, None]))
    assert int(found[0]) == 2**62 + 1
    assert np.ma.getmaskarray(found).tolist() == [False, True]


def test_a_null_of_floats_is_nan() -> None:
    np.testing.assert_array_equal(to_numpy(pa.array([1.5, None])), [1.5, np.nan])


def test_equal_texts_are_one_object() -> None:
    found = to_numpy(pa.array(["abc", None, "abc"]))
    assert found[0] is found[2]
    assert np.ma.getmaskarray(found).tolist() == [False, True, False]


def test_arrays_of_fixed_size_have_two_axes() -> None:
    found = to_numpy(pa.array([[1.0, 2.0], [3.0, 4.0]], pa.list_(pa.float64(), 2)))
    assert found.tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_decimals_are_numbers_or_labels() -> None:
    column = pa.array(["1.10"]).cast(pa.decimal128(5, 2))
    assert to_numpy(column).tolist() == [1.1]
    assert to_numpy(column, as_label=True).tolist() == ["1.10"]


@pytest.mark.parametrize(
    ("kind", "supported"),
    [
        (pa.float32(), True),
        (pa.timestamp("us"), True),
        (pa.dictionary(pa.int32(), pa.string()), True),
        (pa.list_(pa.float64(), 3), True),
        (pa.struct([("a", pa.int8())]), False),
        (pa.list_(pa.list_(pa.int8(), 2), 2), False),
    ],
)
def test_scalars_and_arrays_of_scalars_are_supported(kind: Any, supported: bool) -> None:
    assert is_supported(kind) is supported


def test_types_of_text_and_lists_are_recognised() -> None:
    assert is_text(pa.large_binary())
    assert not is_text(pa.int8())
    assert is_list(pa.list_(pa.int8()))
    assert not is_list(pa.list_(pa.int8(), 2))


def test_masks_survive_concatenation() -> None:
    found = concatenate([np.array([1, 2]), np.ma.array([3, 4], mask=[True, False])])
    assert np.ma.getmaskarray(found).tolist() == [False, False, True, False]
