"""Columns of numbers: units, missing values, constants, classifiers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from skyaccept.lib.catalog.detections import Detections
from skyaccept.lib.readers import load
from skyaccept.lib.tests.readers import catalogs


@pytest.mark.parametrize("name", ["ra", "mag", "airmass"])
@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".ecsv", ".fits"])
def test_a_missing_number_is_nan(tmp_path: Path, expected: Detections, suffix: str, name: str) -> None:
    """And all others stay."""
    found = load(catalogs.write(tmp_path / f"cat{suffix}", catalogs.missing(catalogs.catalog(), name, 6, suffix)))
    values, others = getattr(found, name), np.array(getattr(expected, name))
    others[6] = np.nan
    np.testing.assert_array_equal(values, others)


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".ecsv", ".fits"])
def test_a_missing_integer_in_a_number_column_is_nan(tmp_path: Path, suffix: str) -> None:
    """Integers that may be missing."""
    columns = catalogs.catalog()
    columns["mag"] = np.arange(10, 25)
    found = load(catalogs.write(tmp_path / f"cat{suffix}", catalogs.missing(columns, "mag", 6, suffix)))
    assert found.mag is not None
    np.testing.assert_array_equal(found.mag, [np.nan if k == 16 else k for k in range(10, 25)])


@pytest.mark.parametrize("suffix", [".parquet", ".ecsv", ".fits"])
def test_a_unit_in_the_file_is_heeded(tmp_path: Path, expected: Detections, suffix: str) -> None:
    """Where the profile leaves it open."""
    columns = catalogs.catalog()
    columns |= {"ra": np.radians(columns["ra"]), "dec": columns["dec"] * 60, "mag_err": columns["mag_err"] * 1000}
    path = catalogs.write(tmp_path / f"cat{suffix}", columns, {"ra": "rad", "dec": "arcmin", "mag_err": "mmag"})
    survey = catalogs.profile(tmp_path, columns={"ra": "ra", "dec": "dec", "mag_err": "mag_err"})
    found = load(path, survey)
    np.testing.assert_allclose(found.ra, expected.ra, rtol=4e-16)
    np.testing.assert_allclose(found.dec, expected.dec, rtol=4e-16)
    assert found.mag_err is not None
    np.testing.assert_allclose(found.mag_err, catalogs.catalog()["mag_err"], rtol=1e-15)


def test_radians_of_the_profile_become_degrees(tmp_path: Path, expected: Detections) -> None:
    """Where the file is silent."""
    columns = catalogs.catalog()
    columns |= {"ra": np.radians(columns["ra"]), "dec": np.radians(columns["dec"])}
    survey = catalogs.profile(tmp_path, columns={"ra": "{name: ra, unit: rad}", "dec": "{name: dec, unit: rad}"})
    for suffix in (".csv", ".fits"):
        found = load(catalogs.write(tmp_path / f"cat{suffix}", columns), survey)
        np.testing.assert_allclose(found.ra, expected.ra, rtol=4e-16)
        np.testing.assert_allclose(found.dec, expected.dec, rtol=4e-16)


@pytest.mark.parametrize("suffix", [".parquet", ".ecsv", ".fits"])
def test_a_file_that_contradicts_the_profile_is_refused(tmp_path: Path, suffix: str) -> None:
    """The message names both, and what to do."""
    path = catalogs.write(tmp_path / f"cat{suffix}", catalogs.catalog(), {"dec": "rad"})
    assert catalogs.refusal(path) == (
        f"{path}: column 'dec': the file says rad, the survey profile says deg; correct the profile, or choose "
        "another --survey"
    )


@pytest.mark.parametrize("suffix", [".parquet", ".ecsv", ".fits"])
def test_a_file_that_agrees_with_the_profile_is_read(tmp_path: Path, expected: Detections, suffix: str) -> None:
    """However it writes the unit."""
    units = {"ra": "deg", "dec": "deg", "mag": "mag", "mjd": "d", "ra_err": "mas"}
    catalogs.assert_same(load(catalogs.write(tmp_path / f"cat{suffix}", catalogs.catalog(), units)), expected)


def test_an_ab_magnitude_is_a_magnitude(tmp_path: Path, expected: Detections) -> None:
    """Astropy writes mag(AB) for it."""
    catalogs.assert_same(load(catalogs.write(tmp_path / "cat.ecsv", catalogs.catalog(), {"mag": "mag(AB)"})), expected)


def test_a_unit_that_no_one_states_is_asked_for(tmp_path: Path) -> None:
    """Where the column has one."""
    path = catalogs.write(tmp_path / "cat.csv", catalogs.catalog())
    message = catalogs.refusal(path, survey=catalogs.profile(tmp_path, columns={"ra": "ra"}))
    assert message.startswith(
        f"{path}: column 'ra': neither the file nor the survey profile states its unit; add 'unit:'"
    )


@pytest.mark.parametrize(
    ("unit", "words"), [("angle", "its unit 'angle' is not known"), ("mag", "mag is not a unit of ra")]
)
def test_a_unit_that_does_not_fit_is_refused(tmp_path: Path, unit: str, words: str) -> None:
    """The message names file and column."""
    path = catalogs.write(tmp_path / "cat.parquet", catalogs.catalog(), {"ra": unit})
    message = catalogs.refusal(path, survey=catalogs.profile(tmp_path, columns={"ra": "ra"}))
    assert message.startswith(f"{path}: column 'ra': ")
    assert words in message


@pytest.mark.parametrize(
    ("source", "galaxy"),
    [
        ("star_below: 0.5", [0, 0, 1, 1, np.nan]),
        ("star_above: 0.5", [1, 1, 1, 0, np.nan]),
        ("star_above: 0.1, star_below: 0.9", [1, 0, 0, 1, np.nan]),
    ],
)
def test_a_classifier_becomes_extendedness(tmp_path: Path, source: str, galaxy: list[float]) -> None:
    """A value at the bound is no star; a missing one stays missing."""
    columns = catalogs.catalog() | {"p": np.tile([0.1, 0.4, 0.5, 0.9, np.nan], catalogs.VISITS)}
    survey = catalogs.profile(tmp_path, columns={"extendedness": f"{{name: p, {source}}}"})
    found = load(catalogs.write(tmp_path / "cat.csv", columns), survey)
    assert found.extendedness is not None
    np.testing.assert_array_equal(found.extendedness, np.tile(galaxy, catalogs.VISITS))


def test_one_value_for_all_rows_has_a_unit(tmp_path: Path) -> None:
    """Like any other."""
    path = catalogs.write(tmp_path / "cat.csv", catalogs.catalog())
    found = load(path, catalogs.profile(tmp_path, columns={"mag_err": "{value: 10, unit: mmag}"}))
    assert found.mag_err is not None
    np.testing.assert_allclose(found.mag_err, 0.01)


@pytest.mark.parametrize("suffix", catalogs.SUFFIXES)
def test_text_in_a_number_column_is_refused(tmp_path: Path, suffix: str) -> None:
    """The message names file, column, row and value."""
    values = [f"{value:.6f}" for value in catalogs.catalog()["mag"]]
    values[7] = "faint"
    path = catalogs.write(tmp_path / f"cat{suffix}", catalogs.catalog() | {"mag": values})
    assert catalogs.refusal(path).startswith(
        f"{path}: column 'mag', row 8: 'faint' is not a number; if it marks a missing value, "
    )
