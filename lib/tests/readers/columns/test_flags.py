"""Flags of catalogs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from skyaccept.lib.catalog.detections import Detections
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers import load
from skyaccept.lib.readers.column_source import Flag
from skyaccept.lib.readers.columns.flags import evaluate_flag
from skyaccept.lib.tests.readers import catalogs, survey_files


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int32, np.uint16, ">i2", ">i8"])
def test_flags_may_be_zeros_and_ones(tmp_path: Path, expected: Detections, kind: Any) -> None:
    """In any integer type that a file can hold."""
    columns = catalogs.catalog()
    for name in ("flag_cr", "flag_saturated"):
        columns[name] = columns[name].astype(kind)
    catalogs.assert_same(load(catalogs.write(tmp_path / "cat.fits", columns)), expected)


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".ecsv"])
def test_a_missing_flag_is_refused(tmp_path: Path, suffix: str) -> None:
    """Neither true nor false."""
    path = catalogs.write(tmp_path / f"cat{suffix}", catalogs.missing(catalogs.catalog(), "flag_cr", 6, suffix))
    assert catalogs.refusal(path).startswith(f"{path}: column 'flag_cr', row 7: no value (1 such rows)")


def test_flags_have_the_names_of_the_profile(tmp_path: Path) -> None:
    """And the value that it calls bad."""
    columns = catalogs.catalog() | {
        "primary": catalogs.catalog()["flag_cr"],
        "sat": catalogs.catalog()["flag_saturated"].astype(int),
    }
    survey = catalogs.profile(
        tmp_path,
        "flags:\n  saturated: sat\n  not_primary: {name: primary, bad: false}\n  edge: {name: absent, optional: true}",
    )
    found = load(catalogs.write(tmp_path / "cat.csv", columns), survey)
    assert set(found.flags) == {"saturated", "not_primary"}
    np.testing.assert_array_equal(found.flags["saturated"], columns["flag_saturated"])
    np.testing.assert_array_equal(found.flags["not_primary"], ~columns["primary"])


@pytest.mark.parametrize("values", [np.arange(15), np.linspace(0, 1, 15), ["Y", "N", "N"] * 5])
def test_what_is_no_flag_is_refused(tmp_path: Path, values: Any) -> None:
    """Bit masks, fractions and letters."""
    path = catalogs.write(tmp_path / "cat.csv", catalogs.catalog() | {"flag_odd": values})
    message = catalogs.refusal(path)
    assert message.startswith(f"{path}: column 'flag_odd', row ")
    assert "a flag must be true or false" in message


def test_a_flag_of_lists_is_refused(tmp_path: Path) -> None:
    """One value a row."""
    path = catalogs.write(tmp_path / "cat.parquet", catalogs.catalog() | {"flag_odd": [[True]] * 15})
    assert catalogs.refusal(path).startswith(f"{path}: column 'flag_odd'")


def test_bits_are_those_of_integers(tmp_path: Path) -> None:
    """Of any size and sign; nothing else has bits."""
    flag = Flag("f", bits=survey_files.BAD_EPOCH)
    for kind in ("u2", "i4", "u8"):
        found = evaluate_flag("x", flag, np.array([0, 1, survey_files.BAD_EPOCH, 65535], kind))
        assert found.tolist() == [False, False, True, True]
    assert evaluate_flag("x", flag, np.array([-1, 5], "i2")).tolist() == [True, False]
    assert evaluate_flag("x", Flag("f", False, 2), np.array([2, 1])).tolist() == [False, True]
    with pytest.raises(InputError, match="it must be an integer"):
        evaluate_flag("x", flag, np.array([1.5]))
