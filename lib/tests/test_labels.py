from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skyaccept.lib.errors import InputError
from skyaccept.lib.readers.labels import LabelColumn, Labels, together
from skyaccept.lib.readers.source import Source


def code(values: Any) -> Labels:
    """Labels of the column ``band`` of a file."""
    return LabelColumn("cat.fits", "band", Source("band")).values({"band": np.asarray(values)}, len(values))


def test_integers_sort_as_numbers_and_text_as_text() -> None:
    """Whole floating-point numbers are integers, bytes are text."""
    for given_, codes, values in (
        ([7, 10, 7], [0, 1, 0], [7, 10]),
        ([7.0, 10.0, 7.0], [0, 1, 0], [7, 10]),
        (["7", "10", "7"], [1, 0, 1], ["10", "7"]),
        ([b"r", b"i"], [1, 0], ["i", "r"]),
        (np.array([2**53 + 1, 2**53], dtype=np.int64), [1, 0], [2**53, 2**53 + 1]),
        (np.array([], dtype=np.int64), [], []),
    ):
        found = code(given_)
        assert (found.codes.tolist(), found.values.tolist()) == (codes, values)


@settings(deadline=None)
@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=20) | st.lists(st.text("abcé ", max_size=3), max_size=20))
def test_codes_lead_back_to_the_values(values: list[Any]) -> None:
    """In ascending order, each value once; as text and as objects."""
    for dtype in (np.int64,) if not values or isinstance(values[0], int) else (str, object):
        found = code(np.array(values, dtype=dtype))
        assert found.codes.dtype == np.int64
        assert found.values[found.codes].tolist() == values
        assert found.values.tolist() == sorted(set(values))


@given(st.lists(st.lists(st.sampled_from("grizy"), min_size=1, max_size=5), min_size=1, max_size=4))
def test_labels_of_several_files_are_those_of_one(parts: list[list[str]]) -> None:
    whole, joined = code([band for part in parts for band in part]), together([code(part) for part in parts])
    assert isinstance(joined, Labels)
    assert joined.codes.tolist() == whole.codes.tolist()
    assert joined.values.tolist() == whole.values.tolist()


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_a_label_may_not_be_missing(missing: float | None) -> None:
    with pytest.raises(InputError, match=r"cat.fits: column 'band', row 2: no value \(2 such rows\)"):
        code(np.array(["r", missing, "i", missing], dtype=object))


def test_a_label_is_one_value() -> None:
    arrays = np.empty(2, dtype=object)
    arrays[:] = [None, [1, 2]]
    with pytest.raises(InputError, match="column 'band' holds arrays"):
        code(arrays)
