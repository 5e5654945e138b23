"""Loading of catalogs: any format gives the same detections."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from skyaccept.lib.catalog.detections import AssociatedDetections, Detections
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers import load
from skyaccept.lib.tests.readers import catalogs


def test_a_catalog_is_what_was_written(expected: AssociatedDetections) -> None:
    """In the order of the file, in our units, associated."""
    written = catalogs.catalog()
    for name in ("ra", "dec", "mag", "mag_err", "snr", "extendedness", "mjd", "airmass", "ra_err", "dec_err"):
        values = getattr(expected, name)
        assert values.dtype == np.float64
        np.testing.assert_array_equal(values, written[name], err_msg=name)
    assert expected.visits == ("90", "903334", "1000000007")
    assert [expected.visits[code] for code in expected.visit] == [str(visit) for visit in written["visit"]]
    assert expected.bands == ("i", "r")
    assert [expected.bands[code] for code in expected.band] == written["band"].tolist()
    assert expected.detector is not None
    assert expected.detector.tolist() == written["detector"].tolist()
    assert {name: flag.tolist() for name, flag in expected.flags.items()} == {
        "saturated": written["flag_saturated"].tolist(),
        "cr": written["flag_cr"].tolist(),
    }
    assert expected.n_objects == catalogs.STARS
    assert len({tuple(expected.object[k :: catalogs.STARS].tolist()) for k in range(catalogs.STARS)}) == catalogs.STARS
    assert expected.survey == "generic"


def test_a_second_catalog_can_be_read(tmp_path: Path) -> None:
    """In the same process, with a shipped profile, and with one of the user's own."""
    path = catalogs.write(tmp_path / "cat.csv", catalogs.catalog())
    for survey in ("generic", "generic", catalogs.profile(tmp_path), "generic"):
        assert len(load(path, survey)) == catalogs.STARS * catalogs.VISITS


@pytest.mark.parametrize("suffix", catalogs.SUFFIXES)
def test_every_format_gives_the_same_detections(tmp_path: Path, expected: Detections, suffix: str) -> None:
    """Positions and all else bit for bit: each of them can hold any number."""
    path = catalogs.write(tmp_path / f"cat{suffix}", catalogs.catalog())
    found = load(path)
    catalogs.assert_same(found, expected)
    assert (found.name, found.source) == (path.name, str(path))
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("suffix", catalogs.SUFFIXES)
def test_the_content_tells_the_format(tmp_path: Path, expected: Detections, suffix: str) -> None:
    """Not the name of the file."""
    path = catalogs.write(tmp_path / f"cat{suffix}", catalogs.catalog())
    catalogs.assert_same(load(path.rename(tmp_path / "catalog.dat")), expected)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", catalogs.SUFFIXES)
def test_a_folder_of_files_is_one_catalog(tmp_path: Path, expected: Detections, suffix: str) -> None:
    """So are the matches of a pattern; a note counts other files in the folder."""
    folder = catalogs.split(tmp_path / "parts", suffix, catalogs.catalog())
    (folder / "README.txt").write_text("not a catalog")
    found = load(folder)
    assert found.notes == ("1 file in parts not read: README.txt",)
    catalogs.assert_same(dataclasses.replace(found, notes=()), expected)
    assert (found.name, found.source) == ("parts", str(folder))
    for pattern in (f"{folder}/part?{suffix}", f"{tmp_path}/**/part[0-2]{suffix}"):
        catalogs.assert_same(load(pattern), expected)
        assert load(pattern).sha256 == found.sha256


def test_formats_may_be_mixed(tmp_path: Path, expected: Detections) -> None:
    """In one folder."""
    folder = catalogs.split(tmp_path / "parts", ".parquet", catalogs.catalog())
    rows = slice(catalogs.STARS, 2 * catalogs.STARS)
    (folder / "part1.parquet").unlink()
    catalogs.write(folder / "part1.fits", {name: values[rows] for name, values in catalogs.catalog().items()})
    catalogs.assert_same(load(folder), expected)


def test_many_objects_are_not_lost_in_a_text_of_mixed_kinds(tmp_path: Path) -> None:
    """A column that turns from numbers to text after thousands of rows is text throughout."""
    n = 3000
    objects = [str(k) for k in range(n)]
    objects[-1] = "last"
    columns = {
        "visit": np.ones(n, int),
        "band": ["r"] * n,
        "ra": np.arange(n) / 100,
        "dec": np.zeros(n),
        "object": objects,
    }
    assert load(catalogs.write(tmp_path / "cat.csv", columns)).n_objects == n


def test_one_value_may_stand_for_all_rows(tmp_path: Path) -> None:
    """Of a catalog of one visit or one band."""
    columns = {name: values for name, values in catalogs.catalog().items() if name not in ("visit", "band")}
    survey = catalogs.profile(tmp_path, columns={"visit": "{value: 7}", "band": "{value: z}", "airmass": "{value: 2}"})
    found = load(catalogs.write(tmp_path / "cat.csv", columns), survey)
    assert (found.visits, found.bands) == (("7",), ("z",))
    assert found.airmass is not None
    assert found.airmass.tolist() == [2.0] * 15


def test_the_radius_of_the_profile_associates(tmp_path: Path) -> None:
    """Stars and jitter are known: 3e-6 deg or 0.01 arcsec."""
    path = catalogs.write(tmp_path / "cat.csv", catalogs.catalog())
    survey = catalogs.profile(tmp_path)
    assert load(path, survey).n_objects == catalogs.STARS
    survey.write_text(survey.read_text().replace("1 arcsec", "1e-6 arcsec"))
    assert load(path, survey).n_objects == catalogs.STARS * catalogs.VISITS


def test_a_catalog_without_optional_columns_is_read(tmp_path: Path) -> None:
    """They are absent, not made up."""
    columns = {name: catalogs.catalog()[name] for name in ("visit", "band", "ra", "dec")}
    found = load(catalogs.write(tmp_path / "cat.csv", columns))
    assert {found.mag is None, found.snr is None, found.detector is None, found.mjd is None} == {True}
    assert found.flags == {}
    with pytest.raises(InputError, match="no column for 'snr'"):
        found.column("snr", "a clause")


def test_what_the_catalog_carries_is_not_replaced(tmp_path: Path, expected: Detections) -> None:
    """The table adds what is missing only."""
    columns = {name: values for name, values in catalogs.catalog().items() if name != "airmass"}
    path = catalogs.write(tmp_path / "cat.csv", columns)
    found = load(path, visits=catalogs.visits(tmp_path / "visits.csv", airmass=[1.5, 9.0, 1.25, 1.0]))
    np.testing.assert_array_equal(found.mjd, expected.mjd)
    assert found.airmass is not None
    assert found.airmass.tolist() == [1.0] * catalogs.STARS + [1.25] * catalogs.STARS + [1.5] * catalogs.STARS


@pytest.mark.parametrize("suffix", catalogs.SUFFIXES)
def test_a_missing_column_is_named(tmp_path: Path, suffix: str) -> None:
    """With what is there, and what to do."""
    columns = catalogs.catalog()
    columns["filter"], columns["alpha"] = columns.pop("band"), columns.pop("ra")
    path = catalogs.write(tmp_path / f"cat{suffix}", columns)
    message = catalogs.refusal(path)
    assert message.startswith(
        f"{path}: no column 'band' (band), 'ra' (ra), which survey profile 'generic' maps; it has visit, detector, dec,"
    )
    assert message.endswith("Choose another --survey, or see a guess with: skyaccept inspect FILE")


@pytest.mark.parametrize("suffix", catalogs.SUFFIXES)
def test_a_catalog_without_rows_is_refused(tmp_path: Path, suffix: str) -> None:
    """It has columns, but no detection."""
    path = catalogs.write(tmp_path / f"cat{suffix}", {name: values[:0] for name, values in catalogs.catalog().items()})
    assert catalogs.refusal(path) == f"{path}: the catalog is empty: it has no rows"


@pytest.mark.parametrize("suffix", catalogs.SUFFIXES)
@pytest.mark.parametrize("name", ["dec", "snr"])
def test_a_column_of_nothing_but_nan_is_refused(tmp_path: Path, suffix: str, name: str) -> None:
    """The message names file and column."""
    path = catalogs.write(
        tmp_path / f"cat{suffix}", catalogs.catalog() | {name: np.full(catalogs.STARS * catalogs.VISITS, np.nan)}
    )
    assert catalogs.refusal(path) == f"{path}: column '{name}' holds no finite value: all 15 rows are NaN or infinite"


@pytest.mark.parametrize("suffix", catalogs.SUFFIXES)
def test_a_position_off_the_sky_is_named_by_its_file(tmp_path: Path, suffix: str) -> None:
    """Among several files."""
    columns = catalogs.catalog()
    columns["dec"][catalogs.STARS + 2] = 91.5
    folder = catalogs.split(tmp_path / "parts", suffix, columns)
    assert catalogs.refusal(folder).startswith(
        f"{folder}/part1{suffix}, row 3: column 'dec': 91.5 is outside [-90, 90]"
    )


def test_files_of_one_catalog_have_the_same_columns(tmp_path: Path) -> None:
    """The message names the odd file and the column."""
    folder = catalogs.split(tmp_path / "parts", ".csv", catalogs.catalog())
    rows = {name: values[:3] for name, values in catalogs.catalog().items() if name != "flag_cr"}
    catalogs.write(folder / "zart.csv", rows)
    message = catalogs.refusal(folder)
    assert message.startswith(f"{folder}/zart.csv: not the columns of {folder}/part0.csv: flag_cr is in one of them")


@pytest.mark.parametrize("suffix", [".parquet", ".fits"])
def test_a_column_of_arrays_is_refused(tmp_path: Path, suffix: str) -> None:
    """One number a row."""
    wide = np.ones((15, 2))
    path = catalogs.write(
        tmp_path / f"cat{suffix}", catalogs.catalog() | {"mag": wide.tolist() if suffix == ".parquet" else wide}
    )
    assert catalogs.refusal(path).startswith(f"{path}: column 'mag'")
    path.unlink()
    band = [["r"]] * 15 if suffix == ".parquet" else np.full((15, 2), "r")
    catalogs.write(path, catalogs.catalog() | {"band": band})
    assert catalogs.refusal(path).startswith(f"{path}: column 'band'")


def test_the_table_with_the_required_columns_is_read(tmp_path: Path, expected: Detections) -> None:
    """A note counts the others; images are no tables."""
    path = tmp_path / "cat.fits"
    table = fits.BinTableHDU(catalogs.astropy_table(catalogs.catalog()))
    other = fits.BinTableHDU(Table({"x": [1]}))
    fits.HDUList([fits.PrimaryHDU(np.ones(3)), fits.ImageHDU(np.ones((2, 2))), table, other]).writeto(path)
    found = load(path)
    assert found.notes == ("1 table of cat.fits not read, required columns missing: 2",)
    catalogs.assert_same(dataclasses.replace(found, notes=()), expected)


def test_a_column_of_the_file_names_groups_of_visits(tmp_path: Path) -> None:
    """Named beside the profile, or mapped by it; one that does not exist is refused."""
    columns = catalogs.catalog()
    columns["run"] = np.where(columns["visit"] == 90, "first", "second")
    path = catalogs.write(tmp_path / "cat.csv", columns)
    found = load(path, visit_group="run", columns={"visit_group"})
    assert found.visit_group is not None
    assert [found.visit_group_names[code] for code in found.visit_group] == columns["run"].tolist()
    assert load(path).visit_group is None
    with pytest.raises(InputError, match="no column 'runs', which --visit-groups names"):
        load(path, visit_group="runs")
