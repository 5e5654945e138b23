"""Masks: NAME.mask beside a column NAME hides its values, in all formats and all places where a column is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from astropy.table import Table
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers import files, load, reference

HIDDEN = [False, True, False, False]
PROFILE = """survey: s
title: a survey
association_radius: 1 arcsec
columns:
  visit: v
  band: b
  object: o
  ra: {name: ra, unit: deg}
  dec: {name: dec, unit: deg}
"""


def columns(**further: Any) -> dict[str, Any]:
    """A catalog of two stars in two visits."""
    return {
        "v": [1, 1, 2, 2],
        "b": ["r"] * 4,
        "o": ["a", "c", "a", "c"],
        "ra": [10.0, 11, 10, 11],
        "dec": [1.0] * 4,
        "A": [20.0, 99, 20, 21],
        **further,
    }


def write(path: Path, table: dict[str, Any]) -> Path:
    """Write a table in the format that the suffix names; no header tells of masks."""
    one = Table(table)
    match path.suffix:
        case ".csv":
            pd.DataFrame(table).to_csv(path, index=False)
        case ".parquet":
            pd.DataFrame(table).to_parquet(path)
        case ".h5":
            one.convert_unicode_to_bytestring()
            one.write(path, path="t", format="hdf5")
        case ".vot":
            one.write(path, format="votable")
        case _:
            one.write(path)
    return path


def profile(folder: Path, text: str) -> Path:
    path = folder / "s.yaml"
    path.write_text(PROFILE + text)
    return path


FORMATS = (".csv", ".ecsv", ".fits", ".vot", ".h5", ".parquet")
KINDS = {"truth": np.array(HIDDEN), "numbers": np.array(HIDDEN, int), "text": np.where(HIDDEN, "true", "false")}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("suffix", FORMATS)
def test_a_mask_is_applied_in_every_format(tmp_path: Path, suffix: str, kind: str) -> None:
    path = write(tmp_path / f"a{suffix}", columns(**{"A.mask": KINDS[kind]}))
    found = load(path, profile(tmp_path, "  mag: {name: A, unit: mag}\n"))
    assert found.mag is not None
    np.testing.assert_array_equal(np.sort(found.mag), [20, 20, 21, np.nan])


@pytest.mark.parametrize("mask", [[0, 2, 0, 0], ["no", "maybe", "no", "no"], [0.0, np.nan, 0.0, 0.0]])
@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".ecsv"])
def test_a_mask_that_is_neither_true_nor_false_is_refused(tmp_path: Path, suffix: str, mask: list[Any]) -> None:
    path = write(tmp_path / f"a{suffix}", columns(**{"A.mask": mask}))
    with pytest.raises(InputError, match=r"column 'A\.mask', row [12].*mask of column 'A'"):
        load(path, profile(tmp_path, "  mag: {name: A, unit: mag}\n"))
    load(path, profile(tmp_path, ""))  # the column is not read


def test_a_mask_hides_labels_fluxes_and_errors(tmp_path: Path) -> None:
    further = {"E": [1.0] * 4, "E.mask": HIDDEN, "A.mask": [0, 0, 0, 1], "o.mask": HIDDEN}
    path = write(tmp_path / "a.csv", columns(**further))
    flux = "flux: {flux: {name: A, unit: nJy}, error: {name: E, unit: nJy}}\n"
    found = load(path, profile(tmp_path, flux))
    assert found.mag is not None
    assert found.snr is not None
    assert np.isnan(found.mag).sum() == 1
    assert np.isnan(found.snr).sum() == 2
    visit = write(tmp_path / "b.csv", columns(**{"v.mask": HIDDEN}))
    with pytest.raises(InputError, match="column 'v', row 2: no value"):
        load(visit, profile(tmp_path, ""))


def test_a_mask_hides_values_of_references_and_visits(tmp_path: Path) -> None:
    stars = {"ra": [10.0, 11], "dec": [1.0, 1], "g": [15.0, 99], "g.mask": [0, 1]}
    survey = tmp_path / "r.yaml"
    survey.write_text(
        "survey: r\ntitle: stars\ncolumns: {ra: {name: ra, unit: deg}, dec: {name: dec, unit: deg}}\n"
        "mags: {g: {mag: {name: g, unit: mag}}}\n"
    )
    found = reference.load(write(tmp_path / "r.csv", stars), survey)
    np.testing.assert_array_equal(found.mags["g"], [15, np.nan])
    visits = write(tmp_path / "v.csv", {"visit": [1, 2], "airmass": [1.2, 9.0], "airmass.mask": [0, 1]})
    path = write(tmp_path / "a.csv", columns())
    airmass = load(path, profile(tmp_path, ""), visits).airmass
    np.testing.assert_array_equal(airmass, [1.2, 1.2, np.nan, np.nan])


def test_tables_of_one_file_have_masks_of_their_own(tmp_path: Path) -> None:
    one, other = Table(columns(A=[20.0, 22, 20, 21])), Table(columns(**{"A.mask": HIDDEN}, v=[3, 3, 4, 4]))
    path = tmp_path / "a.fits"
    fits.HDUList([fits.PrimaryHDU(), fits.table_to_hdu(one), fits.table_to_hdu(other)]).writeto(path)
    found = load(path, profile(tmp_path, "  mag: {name: A, unit: mag}\n"))
    assert found.mag is not None
    assert np.isnan(found.mag).sum() == 1


@pytest.mark.parametrize("suffix", [".parquet", ".h5", ".ecsv", ".fits"])
def test_a_mask_of_arrays_hides_their_elements(tmp_path: Path, suffix: str) -> None:
    """With and without the header that astropy writes."""
    values = np.array([[0, 20.0], [0, 99.0], [0, 20.0], [0, 21.0]])
    mask = np.array([[True, False], [False, True], [True, False], [False, False]])
    table = Table(columns(A=values) | {"A.mask": mask})
    masked = Table(columns(A=np.ma.array(values, mask=mask)))
    survey = profile(tmp_path, "  mag: {name: A, element: 1, unit: mag}\n")
    for name, one in (("plain", table), ("masked", masked)):
        path = tmp_path / f"{name}{suffix}"
        options: dict[str, Any] = {"path": "t", "format": "hdf5"} if suffix == ".h5" else {}
        if suffix == ".h5":
            options["serialize_meta"] = True
        one.write(path, **options)
        found = load(path, survey).mag
        assert found is not None
        np.testing.assert_array_equal(np.sort(found), [20, 20, 21, np.nan])


def test_a_mask_of_another_shape_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.fits"
    Table(columns() | {"A.mask": np.zeros((4, 2), bool)}).write(path)
    with pytest.raises(InputError, match=r"column 'A\.mask', the mask of 'A', is of shape"):
        load(path, profile(tmp_path, "  mag: {name: A, unit: mag}\n"))


def test_a_mask_is_no_column_of_its_own(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", columns(**{"A.mask": HIDDEN, "x.mask": HIDDEN}))
    found = files.file_tables(files.find_files(path), path)[0]
    assert "A.mask" not in found.columns()
    assert "x.mask" in found.columns()
