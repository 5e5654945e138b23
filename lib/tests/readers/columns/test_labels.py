from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skyaccept.lib.catalog.detections import Detections
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers import load
from skyaccept.lib.readers.column_source import ColumnSource
from skyaccept.lib.readers.columns.computed import Labels
from skyaccept.lib.readers.columns.labels import LabelColumn, concatenate, encode_labels
from skyaccept.lib.tests.readers import catalogs


def code(values: Any) -> Labels:
    """Labels of the column ``band`` of a file."""
    return LabelColumn("cat.fits", "band", ColumnSource("band")).values({"band": np.asarray(values)}, len(values))


def test_integers_sort_as_numbers_and_text_as_text() -> None:
    """Whole floating-point numbers are integers, and so is text that can be written in one way only."""
    for given_, codes, values in (
        ([7, 10, 7], [0, 1, 0], [7, 10]),
        ([7.0, 10.0, 7.0], [0, 1, 0], [7, 10]),
        (["7", "10", "7"], [0, 1, 0], [7, 10]),
        (["7", "10", "07"], [2, 1, 0], ["07", "10", "7"]),
        (["7.1", "7.10", "1E5", "10E4"], [2, 3, 1, 0], ["10E4", "1E5", "7.1", "7.10"]),
        ([b"r", b"i"], [1, 0], ["i", "r"]),
        (np.array([2**53 + 1, 2**53], dtype=np.int64), [1, 0], [2**53, 2**53 + 1]),
        (np.array([], dtype=np.int64), [], []),
    ):
        found = code(given_)
        assert (found.codes.tolist(), found.values.tolist()) == (codes, values)


@settings(deadline=None)
@given(
    st.lists(st.integers(-(2**63), 2**63 - 1), max_size=20)
    | st.lists(st.text("abcé", min_size=1, max_size=3), max_size=20)
)
def test_codes_lead_back_to_the_values(values: list[Any]) -> None:
    """In ascending order, each value once; as text and as objects."""
    for dtype in (np.int64,) if not values or isinstance(values[0], int) else (str, object):
        found = code(np.array(values, dtype=dtype))
        assert found.codes.dtype == np.int64
        assert found.values[found.codes].tolist() == values
        assert found.values.tolist() == sorted(set(values))


@given(st.lists(st.lists(st.sampled_from("grizy"), min_size=1, max_size=5), min_size=1, max_size=4))
def test_labels_of_several_files_are_those_of_one(parts: list[list[str]]) -> None:
    whole, joined = code([band for part in parts for band in part]), concatenate([code(part) for part in parts])
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


def test_ids_of_sixty_four_bits_stay_apart_whatever_their_type() -> None:
    """Signed in one file, unsigned in another, text in a third: none is rounded."""
    signed, unsigned = 2**60 + np.arange(3), np.array([2**60 + 1, 2**64 - 1], dtype=np.uint64)
    joined = concatenate([code(signed), code(unsigned)])
    assert joined.values.tolist() == [2**60, 2**60 + 1, 2**60 + 2, 2**64 - 1]
    assert joined.codes.tolist() == [0, 1, 2, 1, 3]
    with_text = concatenate([code(signed), code([str(2**60), "a"])])
    assert with_text.codes.tolist()[0] == with_text.codes.tolist()[3]
    assert len(with_text.values) == 4


def test_an_object_may_be_missing_or_declared_to_be_none() -> None:
    """It has a negative code; so it is with null, and with a value that the profile declares."""
    column = LabelColumn("cat.fits", "object", ColumnSource("o", missing=(-1, "none")))
    for values in ([5, -1, 7, 5], ["5", "none", "7", "5"], [5.0, np.nan, 7.0, 5.0], [5, None, 7, 5]):
        raw = np.array(values, dtype=object) if None in values else np.array(values)
        found = column.values({"o": raw}, 4)
        assert found.codes.tolist() == [0, -1, 1, 0], values
        assert found.values.tolist() == [5, 7]
    masked = np.ma.array([5, 2**62 + 1, 7, 5], mask=[False, True, False, False])
    assert column.values({"o": masked}, 4).codes.tolist() == [0, -1, 1, 0]


def test_blanks_at_the_ends_of_a_label_make_no_other_one() -> None:
    """Files of fixed width have them; what holds nothing else is missing."""
    assert code(["r", "r ", " r"]).values.tolist() == ["r"]
    assert code(["7 ", "7"]).values.tolist() == [7]
    with pytest.raises(InputError, match="row 2: no value"):
        code(["r", "  "])


@pytest.mark.parametrize("blank", ["", " ", b"", b"  "])
def test_blank_text_is_no_label(blank: str | bytes) -> None:
    """As an empty field of a table of text is none."""
    one: str | bytes = "a" if isinstance(blank, str) else b"a"
    found = encode_labels("f", "c", np.array([one, blank, None], dtype=object))
    assert found.codes.tolist() == [0, -1, -1]
    assert found.values.tolist() == ["a"]


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".fits", ".ecsv"])
def test_visits_and_objects_may_be_text(tmp_path: Path, suffix: str) -> None:
    """In the ascending order of text."""
    columns = catalogs.catalog()
    columns["visit"] = np.repeat(["v10", "v9", "exposure-1"], catalogs.STARS)
    columns["object"] = np.tile(["e", "d", "c", "b", "a"], catalogs.VISITS)
    found = load(catalogs.write(tmp_path / f"cat{suffix}", columns))
    assert found.visits == ("exposure-1", "v10", "v9")
    assert found.object.tolist() == [4, 3, 2, 1, 0] * catalogs.VISITS


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".fits", ".ecsv"])
def test_identifiers_of_sixty_four_bits_keep_their_last_digit(tmp_path: Path, suffix: str) -> None:
    """They are no floating-point numbers."""
    columns = catalogs.catalog()
    columns["visit"] = np.repeat(np.array([2**62 + 1, 2**62, 2**62 + 2]), catalogs.STARS)
    assert load(catalogs.write(tmp_path / f"cat{suffix}", columns)).visits == tuple(str(2**62 + k) for k in range(3))


def test_visits_as_whole_floating_point_numbers_are_integers(tmp_path: Path, expected: Detections) -> None:
    """Some writers know no others."""
    columns = catalogs.catalog()
    columns["visit"] = columns["visit"].astype(float)
    catalogs.assert_same(load(catalogs.write(tmp_path / "cat.parquet", columns)), expected)


@pytest.mark.parametrize("name", ["visit", "band", "detector"])
@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".ecsv", ".fits"])
def test_a_missing_label_is_refused(tmp_path: Path, suffix: str, name: str) -> None:
    """The message names file, column and row; a masked number in FITS is the header's TNULL, masked text is empty."""
    columns = catalogs.missing(catalogs.catalog(), name, 6, suffix)
    path = catalogs.write(tmp_path / f"cat{suffix}", columns)
    assert catalogs.refusal(path) == f"{path}: column '{name}', row 7: no value (1 such rows)"


def test_a_missing_label_of_sixty_four_bits_is_not_called_damage(tmp_path: Path) -> None:
    """The file is sound; one identifier is missing."""
    columns = catalogs.catalog()
    columns["visit"] = pa.array([2**62 + 1] * 14 + [None])
    path = catalogs.write(tmp_path / "cat.parquet", columns)
    assert catalogs.refusal(path) == f"{path}: column 'visit', row 15: no value (1 such rows)"


def test_codes_are_translated(tmp_path: Path, expected: Detections) -> None:
    """Numbers or text."""
    for codes in (
        np.where(catalogs.catalog()["band"] == "r", 3, 4),
        np.where(catalogs.catalog()["band"] == "r", "HSC-R", "HSC-I"),
    ):
        path = catalogs.write(tmp_path / "cat.fits", catalogs.catalog() | {"band": codes})
        survey = catalogs.profile(tmp_path, columns={"band": "{name: band, codes: {3: r, 4: i, HSC-R: r, HSC-I: i}}"})
        found = load(path, survey)
        assert found.bands == ("i", "r")
        np.testing.assert_array_equal(found.band, expected.band)
        path.unlink()


def test_codes_that_the_profile_does_not_know_are_refused(tmp_path: Path) -> None:
    """The message names them and those it knows."""
    path = catalogs.write(tmp_path / "cat.csv", catalogs.catalog())
    message = catalogs.refusal(
        path, survey=catalogs.profile(tmp_path, columns={"band": "{name: band, codes: {R: r, i: i}}"})
    )
    assert message == f"{path}: column 'band': code r is not in the survey profile's codes (R, i)"
