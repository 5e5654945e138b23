"""Readers: any format to the same detections, and every broken input to one message."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import re
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.io import fits
from astropy.table import MaskedColumn, Table
from skyaccept.lib import readers
from skyaccept.lib.catalog.detections import AssociatedDetections, Detections
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers import find_files, inspection, load
from skyaccept.lib.readers import profile as profiles
from skyaccept.lib.readers import table as tables
from skyaccept.lib.tests.realdata import REALDATA, needs_realdata

Columns = dict[str, Any]

STARS, VISITS = 5, 3
HSC = REALDATA / "hsc" / "matchedCatalogTract_0_r.fits.gz"


def catalog() -> Columns:
    """Five stars in three visits, under the names of the generic survey."""
    rng = np.random.default_rng(7)
    n = STARS * VISITS
    star = np.tile(np.arange(STARS), VISITS)
    return {
        "visit": np.repeat([903334, 90, 1_000_000_007], STARS).astype(np.int64),
        "detector": (star % 2).astype(np.int64),
        "band": np.where(np.repeat(np.arange(VISITS), STARS) == 2, "i", "r"),
        "ra": 150 + star / 97 + rng.normal(0, 3e-6, n),
        "dec": -30 + star / 89 + rng.normal(0, 3e-6, n),
        "mag": 20 + rng.random(n),
        "mag_err": 0.01 * rng.random(n),
        "snr": 100 * rng.random(n),
        "extendedness": (star == 4).astype(float),
        "mjd": 60000 + np.repeat(np.arange(VISITS), STARS) / 7,
        "airmass": 1 + rng.random(n),
        "ra_err": 10 * rng.random(n),
        "dec_err": 10 * rng.random(n),
        "flag_saturated": star == 1,
        "flag_cr": rng.random(n) < 0.3,
    }


def write(path: Path, columns: Mapping[str, Any], units: Mapping[str, str] | None = None) -> Path:
    """Write a catalog in the format that the name of the file asks for."""
    name = path.name.removesuffix(".gz")
    if name.endswith(".parquet"):
        arrow = pa.table(dict(columns))
        fields = [f.with_metadata({"unit": units[f.name]}) if units and f.name in units else f for f in arrow.schema]
        pq.write_table(arrow.cast(pa.schema(fields)), path)
    elif name.endswith(".csv"):
        pd.DataFrame(dict(columns)).to_csv(path, index=False)
    elif name.endswith(".h5"):
        with h5py.File(path, "w") as file:
            table = astropy_table(columns)
            table.convert_unicode_to_bytestring()
            file.create_dataset("catalog", data=table.as_array())
    else:
        known = {".ecsv": "ascii.ecsv", ".vot": "votable"}
        astropy_table(columns, units).write(path, format=known.get(Path(name).suffix, "fits"))
    if path.suffix == ".gz" and not path.read_bytes().startswith(b"\x1f\x8b"):
        path.write_bytes(gzip.compress(path.read_bytes()))
    return path


def astropy_table(columns: Mapping[str, Any], units: Mapping[str, str] | None = None) -> Any:
    """Catalog as an astropy table."""
    table = Table(dict(columns))
    for column, unit in (units or {}).items():
        table[column].unit = unit
    return table


def split(folder: Path, suffix: str, columns: Columns) -> Path:
    """Write a catalog to three files of a folder."""
    folder.mkdir()
    for part in range(3):
        rows = slice(part * STARS, (part + 1) * STARS)
        write(folder / f"part{part}{suffix}", {name: values[rows] for name, values in columns.items()})
    return folder


def profile(folder: Path, changes: str = "", columns: Mapping[str, str] | None = None) -> Path:
    """A survey profile: four columns as they stand, or others."""
    entries = {"visit": "visit", "band": "band", "ra": "{name: ra, unit: deg}", "dec": "{name: dec, unit: deg}"}
    entries |= columns or {}
    lines = ["survey: mine", "title: Mine", "columns:"]
    lines += [f"  {name}: {entry}" for name, entry in entries.items() if entry]
    path = folder / "mine.yaml"
    path.write_text("\n".join([*lines, "association_radius: 1 arcsec", changes, ""]))
    return path


def assert_same(a: Detections, b: Detections) -> None:
    """Bit for bit the same columns, of the same types."""
    for field in dataclasses.fields(Detections):
        if field.name in ("name", "source", "sha256"):
            continue
        mine, other = getattr(a, field.name), getattr(b, field.name)
        if field.name == "flags":
            assert set(mine) == set(other)
            for flag in mine:
                np.testing.assert_array_equal(mine[flag], other[flag], err_msg=flag)
                assert mine[flag].dtype == other[flag].dtype == np.bool_
        elif isinstance(mine, np.ndarray):
            assert isinstance(other, np.ndarray)
            assert mine.dtype == other.dtype, field.name
            np.testing.assert_array_equal(mine, other, err_msg=field.name)
        else:
            assert mine == other, field.name


def refusal(source: str | Path, **options: Any) -> str:
    """Message about a catalog that has to be refused."""
    with pytest.raises(InputError) as caught:
        load(source, **options)
    message = str(caught.value)
    assert len(message) < 2000
    assert "\n" not in message
    return message


SUFFIXES = (".parquet", ".csv", ".csv.gz", ".ecsv", ".ecsv.gz", ".fits", ".fits.gz", ".h5", ".vot", ".vot.gz")


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> AssociatedDetections:
    """The small catalog as read from Parquet."""
    return load(write(tmp_path_factory.mktemp("expected") / "cat.parquet", catalog()))


def test_a_catalog_is_what_was_written(expected: AssociatedDetections) -> None:
    """In the order of the file, in our units, associated."""
    written = catalog()
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
    assert expected.n_objects == STARS
    assert len({tuple(expected.object[k::STARS].tolist()) for k in range(STARS)}) == STARS
    assert expected.survey == "generic"


def test_a_second_catalog_can_be_read(tmp_path: Path) -> None:
    """In the same process, with a shipped profile, and with one of the user's own."""
    path = write(tmp_path / "cat.csv", catalog())
    for survey in ("generic", "generic", profile(tmp_path), "generic"):
        assert len(load(path, survey)) == STARS * VISITS


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_format_gives_the_same_detections(tmp_path: Path, expected: Detections, suffix: str) -> None:
    """Positions and all else bit for bit: each of them can hold any number."""
    path = write(tmp_path / f"cat{suffix}", catalog())
    found = load(path)
    assert_same(found, expected)
    assert (found.name, found.source) == (path.name, str(path))
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_content_tells_the_format(tmp_path: Path, expected: Detections, suffix: str) -> None:
    """Not the name of the file."""
    path = write(tmp_path / f"cat{suffix}", catalog())
    assert_same(load(path.rename(tmp_path / "catalog.dat")), expected)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_folder_of_files_is_one_catalog(tmp_path: Path, expected: Detections, suffix: str) -> None:
    """So are the matches of a pattern; a note counts other files in the folder."""
    folder = split(tmp_path / "parts", suffix, catalog())
    (folder / "README.txt").write_text("not a catalog")
    found = load(folder)
    assert found.notes == ("1 file in parts not read: README.txt",)
    assert_same(dataclasses.replace(found, notes=()), expected)
    assert (found.name, found.source) == ("parts", str(folder))
    for pattern in (f"{folder}/part?{suffix}", f"{tmp_path}/**/part[0-2]{suffix}"):
        assert_same(load(pattern), expected)
        assert load(pattern).sha256 == found.sha256


def test_formats_may_be_mixed(tmp_path: Path, expected: Detections) -> None:
    """In one folder."""
    folder = split(tmp_path / "parts", ".parquet", catalog())
    rows = slice(STARS, 2 * STARS)
    (folder / "part1.parquet").unlink()
    write(folder / "part1.fits", {name: values[rows] for name, values in catalog().items()})
    assert_same(load(folder), expected)


def test_the_hash_changes_with_any_file(tmp_path: Path) -> None:
    """Of a folder; a name counts as well."""
    folder = split(tmp_path / "parts", ".csv", catalog())
    hashes = {load(folder).sha256}
    (folder / "part2.csv").rename(folder / "part9.csv")
    hashes.add(load(folder).sha256)
    (folder / "part9.csv").unlink()
    hashes.add(load(folder).sha256)
    assert len(hashes) == 3


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(tmp_path: Path) -> None:
    """Brackets are legal in names."""
    path = write(tmp_path / "cat[1].csv", catalog())
    assert find_files(path).paths == (path,)


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
    assert load(write(tmp_path / "cat.csv", columns)).n_objects == n


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda text: text.replace(b"\n", b"\r\n"), id="line ends of Windows"),
        pytest.param(lambda text: b"\xef\xbb\xbf" + text, id="byte order mark"),
        pytest.param(lambda text: text.replace(b",", b", "), id="blank after each comma"),
        pytest.param(lambda text: b"# made today\n# by hand\n" + text, id="comments above"),
        pytest.param(lambda text: text + b"\n\n", id="empty lines below"),
        pytest.param(lambda text: re.sub(rb",([ri]),", rb',"\1",', text), id="quoted text"),
    ],
)
def test_csv_comes_in_many_guises(tmp_path: Path, expected: Detections, change: Callable[[bytes], bytes]) -> None:
    """All of them usual."""
    path = write(tmp_path / "cat.csv", catalog())
    path.write_bytes(change(path.read_bytes()))
    assert_same(load(path), expected)


def test_ecsv_may_be_delimited_by_commas(tmp_path: Path, expected: Detections) -> None:
    """And may have the line ends of Windows."""
    path = tmp_path / "cat.ecsv"
    astropy_table(catalog(), {"ra": "deg"}).write(path, format="ascii.ecsv", delimiter=",")
    assert_same(load(path), expected)
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert_same(load(path), expected)


def test_a_number_sign_inside_a_csv_row_is_data(tmp_path: Path) -> None:
    """Comments stand on lines of their own; cutting the row short would lose its last columns unseen."""
    columns = catalog() | {"object": [f"S#{k % STARS}" for k in range(STARS * VISITS)], "last": np.ones(STARS * VISITS)}
    names = ["visit", "band", "object", *[name for name in columns if name not in ("visit", "band", "object")]]
    columns = {name: columns[name] for name in names}
    assert_same(load(write(tmp_path / "cat.csv", columns)), load(write(tmp_path / "cat.parquet", columns)))


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".fits", ".ecsv"])
def test_visits_and_objects_may_be_text(tmp_path: Path, suffix: str) -> None:
    """In the ascending order of text."""
    columns = catalog()
    columns["visit"] = np.repeat(["v10", "v9", "exposure-1"], STARS)
    columns["object"] = np.tile(["e", "d", "c", "b", "a"], VISITS)
    found = load(write(tmp_path / f"cat{suffix}", columns))
    assert found.visits == ("exposure-1", "v10", "v9")
    assert found.object.tolist() == [4, 3, 2, 1, 0] * VISITS


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".fits", ".ecsv"])
def test_identifiers_of_sixty_four_bits_keep_their_last_digit(tmp_path: Path, suffix: str) -> None:
    """They are no floating-point numbers."""
    columns = catalog()
    columns["visit"] = np.repeat(np.array([2**62 + 1, 2**62, 2**62 + 2]), STARS)
    assert load(write(tmp_path / f"cat{suffix}", columns)).visits == tuple(str(2**62 + k) for k in range(3))


def test_visits_as_whole_floating_point_numbers_are_integers(tmp_path: Path, expected: Detections) -> None:
    """Some writers know no others."""
    columns = catalog()
    columns["visit"] = columns["visit"].astype(float)
    assert_same(load(write(tmp_path / "cat.parquet", columns)), expected)


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int32, np.uint16, ">i2", ">i8"])
def test_flags_may_be_zeros_and_ones(tmp_path: Path, expected: Detections, kind: Any) -> None:
    """In any integer type that a file can hold."""
    columns = catalog()
    for name in ("flag_cr", "flag_saturated"):
        columns[name] = columns[name].astype(kind)
    assert_same(load(write(tmp_path / "cat.fits", columns)), expected)


def test_parquet_keeps_text_in_several_ways(tmp_path: Path, expected: Detections) -> None:
    """Dictionaries, large strings and bytes are text."""
    columns = catalog()
    band = pa.array(columns["band"].tolist())
    for text in (band.dictionary_encode(), band.cast(pa.large_string()), band.cast(pa.binary())):
        assert_same(load(write(tmp_path / "cat.parquet", columns | {"band": text})), expected)


def test_small_parquet_types_are_numbers(tmp_path: Path) -> None:
    """Whatever their width."""
    columns = catalog()
    n = len(columns["ra"])
    columns |= {
        "mag": columns["mag"].astype(np.float32),
        "snr": np.arange(n, dtype=np.uint16),
        "airmass": pa.array([f"1.{k:02}" for k in range(n)]).cast(pa.decimal128(5, 2)),
    }
    found = load(write(tmp_path / "cat.parquet", columns))
    assert found.mag is not None
    assert found.mag.tolist() == columns["mag"].astype(float).tolist()
    assert found.snr is not None
    assert found.snr.tolist() == list(range(n))
    assert found.airmass is not None
    assert found.airmass.tolist() == [float(f"1.{k:02}") for k in range(n)]


def missing(columns: Columns, name: str, row: int, suffix: str) -> Columns:
    """Catalog in which one value is missing, in the way of the format."""
    values = columns[name]
    mask = np.arange(len(values)) == row
    if suffix == ".parquet":
        return columns | {name: pa.array(values, mask=mask)}
    if suffix == ".csv":
        return columns | {name: pd.Series(values).astype(object).mask(mask)}
    return columns | {name: MaskedColumn(values, mask=mask)}


@pytest.mark.parametrize("name", ["visit", "band", "detector"])
@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".ecsv", ".fits"])
def test_a_missing_label_is_refused(tmp_path: Path, suffix: str, name: str) -> None:
    """The message names file, column and row; a masked number in FITS is the header's TNULL, masked text is empty."""
    columns = missing(catalog(), name, 6, suffix)
    path = write(tmp_path / f"cat{suffix}", columns)
    assert refusal(path) == f"{path}: column '{name}', row 7: no value (1 such rows)"


def test_a_missing_label_of_sixty_four_bits_is_not_called_damage(tmp_path: Path) -> None:
    """The file is sound; one identifier is missing."""
    columns = catalog()
    columns["visit"] = pa.array([2**62 + 1] * 14 + [None])
    path = write(tmp_path / "cat.parquet", columns)
    assert refusal(path) == f"{path}: column 'visit', row 15: no value (1 such rows)"


@pytest.mark.parametrize("name", ["ra", "mag", "airmass"])
@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".ecsv", ".fits"])
def test_a_missing_number_is_nan(tmp_path: Path, expected: Detections, suffix: str, name: str) -> None:
    """And all others stay."""
    found = load(write(tmp_path / f"cat{suffix}", missing(catalog(), name, 6, suffix)))
    values, others = getattr(found, name), np.array(getattr(expected, name))
    others[6] = np.nan
    np.testing.assert_array_equal(values, others)


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".ecsv", ".fits"])
def test_a_missing_integer_in_a_number_column_is_nan(tmp_path: Path, suffix: str) -> None:
    """Integers that may be missing."""
    columns = catalog()
    columns["mag"] = np.arange(10, 25)
    found = load(write(tmp_path / f"cat{suffix}", missing(columns, "mag", 6, suffix)))
    assert found.mag is not None
    np.testing.assert_array_equal(found.mag, [np.nan if k == 16 else k for k in range(10, 25)])


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".ecsv"])
def test_a_missing_flag_is_refused(tmp_path: Path, suffix: str) -> None:
    """Neither true nor false."""
    path = write(tmp_path / f"cat{suffix}", missing(catalog(), "flag_cr", 6, suffix))
    assert refusal(path).startswith(f"{path}: column 'flag_cr', row 7: no value (1 such rows)")


# units


@pytest.mark.parametrize("suffix", [".parquet", ".ecsv", ".fits"])
def test_a_unit_in_the_file_is_heeded(tmp_path: Path, expected: Detections, suffix: str) -> None:
    """Where the profile leaves it open."""
    columns = catalog()
    columns |= {"ra": np.radians(columns["ra"]), "dec": columns["dec"] * 60, "mag_err": columns["mag_err"] * 1000}
    path = write(tmp_path / f"cat{suffix}", columns, {"ra": "rad", "dec": "arcmin", "mag_err": "mmag"})
    survey = profile(tmp_path, columns={"ra": "ra", "dec": "dec", "mag_err": "mag_err"})
    found = load(path, survey)
    np.testing.assert_allclose(found.ra, expected.ra, rtol=4e-16)
    np.testing.assert_allclose(found.dec, expected.dec, rtol=4e-16)
    assert found.mag_err is not None
    np.testing.assert_allclose(found.mag_err, catalog()["mag_err"], rtol=1e-15)


def test_a_unit_that_astropy_wrote_to_parquet_is_heeded(tmp_path: Path, expected: Detections) -> None:
    """It stands in the file's metadata."""
    columns = catalog()
    columns["ra"] = np.radians(columns["ra"])
    path = tmp_path / "cat.parquet"
    astropy_table(columns, {"ra": "rad", "dec": "deg"}).write(path, format="parquet")
    np.testing.assert_allclose(load(path, profile(tmp_path, columns={"ra": "ra"})).ra, expected.ra, rtol=4e-16)
    assert "the file says rad, the survey profile says deg" in refusal(path)


def test_radians_of_the_profile_become_degrees(tmp_path: Path, expected: Detections) -> None:
    """Where the file is silent."""
    columns = catalog()
    columns |= {"ra": np.radians(columns["ra"]), "dec": np.radians(columns["dec"])}
    survey = profile(tmp_path, columns={"ra": "{name: ra, unit: rad}", "dec": "{name: dec, unit: rad}"})
    for suffix in (".csv", ".fits"):
        found = load(write(tmp_path / f"cat{suffix}", columns), survey)
        np.testing.assert_allclose(found.ra, expected.ra, rtol=4e-16)
        np.testing.assert_allclose(found.dec, expected.dec, rtol=4e-16)


@pytest.mark.parametrize("suffix", [".parquet", ".ecsv", ".fits"])
def test_a_file_that_contradicts_the_profile_is_refused(tmp_path: Path, suffix: str) -> None:
    """The message names both, and what to do."""
    path = write(tmp_path / f"cat{suffix}", catalog(), {"dec": "rad"})
    assert refusal(path) == (
        f"{path}: column 'dec': the file says rad, the survey profile says deg; correct the profile, or choose "
        "another --survey"
    )


@pytest.mark.parametrize("suffix", [".parquet", ".ecsv", ".fits"])
def test_a_file_that_agrees_with_the_profile_is_read(tmp_path: Path, expected: Detections, suffix: str) -> None:
    """However it writes the unit."""
    units = {"ra": "deg", "dec": "deg", "mag": "mag", "mjd": "d", "ra_err": "mas"}
    assert_same(load(write(tmp_path / f"cat{suffix}", catalog(), units)), expected)


def test_an_ab_magnitude_is_a_magnitude(tmp_path: Path, expected: Detections) -> None:
    """Astropy writes mag(AB) for it."""
    assert_same(load(write(tmp_path / "cat.ecsv", catalog(), {"mag": "mag(AB)"})), expected)


def test_a_unit_that_no_one_states_is_asked_for(tmp_path: Path) -> None:
    """Where the column has one."""
    path = write(tmp_path / "cat.csv", catalog())
    message = refusal(path, survey=profile(tmp_path, columns={"ra": "ra"}))
    assert message.startswith(
        f"{path}: column 'ra': neither the file nor the survey profile states its unit; add 'unit:'"
    )


@pytest.mark.parametrize(
    ("unit", "words"), [("angle", "its unit 'angle' is not known"), ("mag", "mag is not a unit of ra")]
)
def test_a_unit_that_does_not_fit_is_refused(tmp_path: Path, unit: str, words: str) -> None:
    """The message names file and column."""
    path = write(tmp_path / "cat.parquet", catalog(), {"ra": unit})
    message = refusal(path, survey=profile(tmp_path, columns={"ra": "ra"}))
    assert message.startswith(f"{path}: column 'ra': ")
    assert words in message


# what profiles can do


def test_codes_are_translated(tmp_path: Path, expected: Detections) -> None:
    """Numbers or text."""
    for codes in (np.where(catalog()["band"] == "r", 3, 4), np.where(catalog()["band"] == "r", "HSC-R", "HSC-I")):
        path = write(tmp_path / "cat.fits", catalog() | {"band": codes})
        survey = profile(tmp_path, columns={"band": "{name: band, codes: {3: r, 4: i, HSC-R: r, HSC-I: i}}"})
        found = load(path, survey)
        assert found.bands == ("i", "r")
        np.testing.assert_array_equal(found.band, expected.band)
        path.unlink()


def test_codes_that_the_profile_does_not_know_are_refused(tmp_path: Path) -> None:
    """The message names them and those it knows."""
    path = write(tmp_path / "cat.csv", catalog())
    message = refusal(path, survey=profile(tmp_path, columns={"band": "{name: band, codes: {R: r, i: i}}"}))
    assert message == f"{path}: column 'band': code r is not in the survey profile's codes (R, i)"


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
    columns = catalog() | {"p": np.tile([0.1, 0.4, 0.5, 0.9, np.nan], VISITS)}
    survey = profile(tmp_path, columns={"extendedness": f"{{name: p, {source}}}"})
    found = load(write(tmp_path / "cat.csv", columns), survey)
    assert found.extendedness is not None
    np.testing.assert_array_equal(found.extendedness, np.tile(galaxy, VISITS))


def test_flags_have_the_names_of_the_profile(tmp_path: Path) -> None:
    """And the value that it calls bad."""
    columns = catalog() | {"primary": catalog()["flag_cr"], "sat": catalog()["flag_saturated"].astype(int)}
    survey = profile(
        tmp_path,
        "flags:\n  saturated: sat\n  not_primary: {name: primary, bad: false}\n  edge: {name: absent, optional: true}",
    )
    found = load(write(tmp_path / "cat.csv", columns), survey)
    assert set(found.flags) == {"saturated", "not_primary"}
    np.testing.assert_array_equal(found.flags["saturated"], columns["flag_saturated"])
    np.testing.assert_array_equal(found.flags["not_primary"], ~columns["primary"])


@pytest.mark.parametrize("values", [np.arange(15), np.linspace(0, 1, 15), ["Y", "N", "N"] * 5])
def test_what_is_no_flag_is_refused(tmp_path: Path, values: Any) -> None:
    """Bit masks, fractions and letters."""
    path = write(tmp_path / "cat.csv", catalog() | {"flag_odd": values})
    message = refusal(path)
    assert message.startswith(f"{path}: column 'flag_odd', row ")
    assert "a flag must be true or false" in message


def test_a_flag_of_lists_is_refused(tmp_path: Path) -> None:
    """One value a row."""
    path = write(tmp_path / "cat.parquet", catalog() | {"flag_odd": [[True]] * 15})
    assert refusal(path).startswith(f"{path}: column 'flag_odd'")


def test_one_value_may_stand_for_all_rows(tmp_path: Path) -> None:
    """Of a catalog of one visit or one band."""
    columns = {name: values for name, values in catalog().items() if name not in ("visit", "band")}
    survey = profile(tmp_path, columns={"visit": "{value: 7}", "band": "{value: z}", "airmass": "{value: 2}"})
    found = load(write(tmp_path / "cat.csv", columns), survey)
    assert (found.visits, found.bands) == (("7",), ("z",))
    assert found.airmass is not None
    assert found.airmass.tolist() == [2.0] * 15


def test_one_value_for_all_rows_has_a_unit(tmp_path: Path) -> None:
    """Like any other."""
    path = write(tmp_path / "cat.csv", catalog())
    found = load(path, profile(tmp_path, columns={"mag_err": "{value: 10, unit: mmag}"}))
    assert found.mag_err is not None
    np.testing.assert_allclose(found.mag_err, 0.01)


def test_the_radius_of_the_profile_associates(tmp_path: Path) -> None:
    """Stars and jitter are known: 3e-6 deg or 0.01 arcsec."""
    path = write(tmp_path / "cat.csv", catalog())
    survey = profile(tmp_path)
    assert load(path, survey).n_objects == STARS
    survey.write_text(survey.read_text().replace("1 arcsec", "1e-6 arcsec"))
    assert load(path, survey).n_objects == STARS * VISITS


def test_a_catalog_without_optional_columns_is_read(tmp_path: Path) -> None:
    """They are absent, not made up."""
    columns = {name: catalog()[name] for name in ("visit", "band", "ra", "dec")}
    found = load(write(tmp_path / "cat.csv", columns))
    assert {found.mag is None, found.snr is None, found.detector is None, found.mjd is None} == {True}
    assert found.flags == {}
    with pytest.raises(InputError, match="no column for 'snr'"):
        found.column("snr", "a clause")


BAD_PROFILES = {
    "unknown column": ("  dec:", "  decl: dec  # HERE\n  dec:", "'decl' is not one of visit, detector"),
    "unknown key": ("title: Mine", "title: Mine\ncolour: red  # HERE", "unknown key 'colour'"),
    "unknown key of a column": ("{name: ra, unit: deg}", "{name: ra, units: deg}  # HERE", "unknown key 'units'"),
    "required column missing": (
        "  visit: visit\n  band",
        "  band  # HERE".removesuffix("  # HERE"),
        "key 'visit' is missing: a profile must map it",
    ),
    "name and value": (
        "visit: visit",
        "visit: {name: visit, value: 3}  # HERE",
        "key 'visit': say where it comes from, once",
    ),
    "neither name nor value": ("visit: visit", "visit: {}  # HERE", "key 'visit': say where it comes from, once"),
    "unknown unit": ("{name: ra, unit: deg}", "{name: ra, unit: degree_s}  # HERE", "key 'unit': unit 'degree_s'"),
    "unit of another kind": (
        "{name: ra, unit: deg}",
        "{name: ra, unit: mag}  # HERE",
        "key 'unit': ra is not measured in",
    ),
    "unit of a label": (
        "visit: visit",
        "visit: {name: visit, unit: s}  # HERE",
        "key 'unit': has no effect for 'visit' (label)",
    ),
    "classifier of another column": (
        "visit: visit",
        "visit: {name: visit, star_below: 1}  # HERE",
        "key 'star_below': has no effect for 'visit' (label)",
    ),
    "radius without a unit": ("radius: 1 arcsec", "radius: 1  # HERE", "key 'association_radius': 1 has no unit"),
    "radius that is not an angle": (
        "radius: 1 arcsec",
        "radius: 1 s  # HERE",
        "key 'association_radius': 1 s is not convertible to rad",
    ),
    "negative radius": ("radius: 1 arcsec", "radius: -1 arcsec  # HERE", "key 'association_radius'"),
    "radius missing": ("survey: mine", "survey: mine  # HERE", "key 'association_radius' is missing"),
    "text for a number": ("  dec:", "  airmass: {value: low}  # HERE\n  dec:", "key 'value': 'low' is not a number"),
    "flags as a list": ("title: Mine", "title: Mine\nflags: [cr]  # HERE", "key 'flags'"),
    "flag that is no flag": ("title: Mine", "title: Mine\nflags: {cr: {name: x, bad: maybe}}  # HERE", "key 'bad'"),
    "duplicate column": ("visit: visit", "visit: visit\n  visit: exposure  # HERE", "duplicate key 'visit'"),
}


@pytest.mark.parametrize("name", BAD_PROFILES)
def test_a_fault_of_a_profile_is_named_with_file_line_and_key(tmp_path: Path, name: str) -> None:
    """One fault, one line."""
    old, new, words = BAD_PROFILES[name]
    path = profile(tmp_path)
    text = path.read_text()
    assert text.count(old) == 1
    text = text.replace(old, new)
    if name == "radius missing":
        text = text.replace("association_radius: 1 arcsec\n", "")
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        profiles.load(path)
    message = str(caught.value)
    line = text[: text.find("# HERE")].count("\n") + 1 if "# HERE" in text else 4
    assert re.match(rf"{re.escape(str(path))}: line {line}: ", message), message
    assert words in message
    assert "\n" not in message


def test_a_profile_that_is_not_there_is_named() -> None:
    """With the names that would do."""
    with pytest.raises(InputError, match=r"--survey hcs: no such file, and not one of generic, hsc-afw"):
        profiles.load("hcs")


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b"], ids=["too long", "zero byte"])
def test_names_that_no_file_can_have_are_refused(name: str) -> None:
    """Of catalogs, profiles and tables of visits."""
    with pytest.raises(InputError):
        find_files(name)
    with pytest.raises(InputError):
        profiles.load(name)


@pytest.mark.parametrize("name", sorted(profiles.shipped()))
def test_shipped_profiles_are_sound(name: str) -> None:
    """And known by the name of their file."""
    assert profiles.load(name).survey == name


# the table by visit


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """Catalog without times."""
    return write(tmp_path / "cat.parquet", {k: v for k, v in catalog().items() if k not in ("mjd", "airmass")})


def visits(path: Path, **columns: Any) -> Path:
    """Table by visit, in another order than the catalog, with one visit more."""
    table = {"visit": [1_000_000_007, 5, 90, 903334], "mjd": [60002.5, 61000.0, 60001.25, 60000.0]}
    return write(path, table | columns)


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".fits", ".ecsv"])
def test_a_table_by_visit_is_joined(tmp_path: Path, bare: Path, suffix: str) -> None:
    """Each detection gets the values of its visit."""
    found = load(bare, visits=visits(tmp_path / f"visits{suffix}", airmass=[1.5, 9.0, 1.25, 1.0]))
    assert found.mjd is not None
    assert found.mjd.tolist() == [60000.0] * STARS + [60001.25] * STARS + [60002.5] * STARS
    assert found.airmass is not None
    assert found.airmass.tolist() == [1.0] * STARS + [1.25] * STARS + [1.5] * STARS


def test_what_the_catalog_carries_is_not_replaced(tmp_path: Path, expected: Detections) -> None:
    """The table adds what is missing only."""
    columns = {name: values for name, values in catalog().items() if name != "airmass"}
    path = write(tmp_path / "cat.csv", columns)
    found = load(path, visits=visits(tmp_path / "visits.csv", airmass=[1.5, 9.0, 1.25, 1.0]))
    np.testing.assert_array_equal(found.mjd, expected.mjd)
    assert found.airmass is not None
    assert found.airmass.tolist() == [1.0] * STARS + [1.25] * STARS + [1.5] * STARS


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".fits", ".ecsv"])
def test_visits_of_text_are_joined_by_all_their_letters(tmp_path: Path, suffix: str) -> None:
    """Also where the table has longer names than the catalog."""
    columns = {name: values for name, values in catalog().items() if name not in ("mjd", "airmass")}
    columns["visit"] = np.repeat(["v1", "v2", "v3"], STARS)
    path = write(tmp_path / f"cat{suffix}", columns)
    found = load(path, visits=visits(tmp_path / f"visits{suffix}", visit=["v3", "v30", "v2", "v1"]))
    assert found.mjd is not None
    assert found.mjd.tolist() == [60000.0] * STARS + [60001.25] * STARS + [60002.5] * STARS


def test_a_visit_that_is_missing_from_the_table_is_named(tmp_path: Path, bare: Path) -> None:
    """With their number."""
    path = visits(tmp_path / "visits.csv", visit=[7, 5, 90, 8])
    assert refusal(bare, visits=path) == f"{path}: visit 903334 of the catalog is not in it (2 visits missing)"


def test_text_visits_do_not_match_longer_ones(tmp_path: Path) -> None:
    """Visit v3 is not v30."""
    columns = {name: values for name, values in catalog().items() if name not in ("mjd", "airmass")}
    columns["visit"] = np.repeat(["v1", "v2", "v3"], STARS)
    path = visits(tmp_path / "visits.csv", visit=["v30", "v0", "v2", "v1"])
    message = refusal(write(tmp_path / "cat.csv", columns), visits=path)
    assert message == f"{path}: visit v3 of the catalog is not in it (1 visits missing)"


def test_a_visit_that_stands_twice_in_the_table_is_refused(tmp_path: Path, bare: Path) -> None:
    """Nothing says which of the two would hold."""
    path = visits(tmp_path / "visits.csv", visit=[1_000_000_007, 90, 90, 903334])
    assert refusal(bare, visits=path).startswith(f"{path}, row 3: visit 90 occurs twice")


def test_a_table_without_a_useful_column_is_refused(tmp_path: Path, bare: Path) -> None:
    """The message says what was looked for and what is there."""
    path = write(tmp_path / "visits.csv", {"expid": [1], "mjd": [2.0]})
    message = refusal(bare, visits=path)
    assert message.startswith(f"{path}: a table of visits needs a column 'visit', and 'mjd' or 'airmass' that")
    assert message.endswith("it has expid, mjd")
    path = write(tmp_path / "visits.csv", {"visit": [1], "seeing": [2.0]})
    assert "it has visit, seeing" in refusal(bare, visits=path)


@pytest.mark.parametrize(
    "columns",
    [
        pytest.param({"visit": ["a", "b", "c", "d"]}, id="text where the catalog has numbers"),
        pytest.param({"visit": [90.0, 903334.0, 1_000_000_007.0, np.nan]}, id="visit missing in a row"),
        pytest.param({"visit": [90.5, 903334.0, 1_000_000_007.0, 1.0]}, id="visit that is no integer"),
        pytest.param({"mjd": ["early", "late", "1", "2"]}, id="text in a number column"),
        pytest.param({"visit": [], "mjd": []}, id="no rows"),
    ],
)
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_broken_table_by_visit_is_refused(tmp_path: Path, bare: Path, columns: Columns, suffix: str) -> None:
    """The message names the table."""
    path = visits(tmp_path / f"visits{suffix}", **columns)
    assert refusal(bare, visits=path).startswith(f"{path}: ")


def test_a_table_by_visit_that_is_not_there_is_named(tmp_path: Path, bare: Path) -> None:
    """As any other file."""
    path = tmp_path / "absent.csv"
    assert refusal(bare, visits=path).startswith(f"{path}: ")


def test_the_unit_of_a_table_by_visit_is_heeded(tmp_path: Path, bare: Path) -> None:
    """Seconds are not days."""
    table = {"visit": [1_000_000_007, 90, 903334], "mjd": [60002.5, 60001.25, 60000.0]}
    path = write(tmp_path / "visits.ecsv", table, {"mjd": "d"})
    assert load(bare, visits=path).mjd is not None
    path = write(tmp_path / "seconds.ecsv", table, {"mjd": "mag"})
    assert refusal(bare, visits=path).startswith(f"{path}: column 'mjd'")


# broken files


def test_a_catalog_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A file, a pattern, or a folder without a catalog."""
    assert refusal(tmp_path / "absent.fits") == f"{tmp_path}/absent.fits: no such file, folder or match"
    assert refusal(f"{tmp_path}/*.fits") == f"{tmp_path}/*.fits: no such file, folder or match"
    (tmp_path / "notes.txt").write_text("nothing")
    assert refusal(tmp_path).startswith(f"{tmp_path}: no catalog in this folder or below it (looked for .parquet, ")


JUNK: dict[str, bytes] = {
    "empty": b"",
    "zeros": b"\0" * 5000,
    "noise": np.random.default_rng(1).bytes(5000),
    "noise that starts as gzip": b"\x1f\x8b" + np.random.default_rng(2).bytes(5000),
    "gzip of nothing": gzip.compress(b""),
    "gzip of noise": gzip.compress(np.random.default_rng(3).bytes(5000)),
    "noise that starts as Parquet": b"PAR1" + np.random.default_rng(4).bytes(5000),
    "noise between Parquet marks": b"PAR1" + np.random.default_rng(5).bytes(5000) + b"PAR1",
    "Parquet marks only": b"PAR1PAR1",
    "noise that starts as FITS": b"SIMPLE  =                    T" + np.random.default_rng(6).bytes(5000),
    "FITS mark only": b"SIMPLE  =",
    "FITS of blanks": b"SIMPLE  =".ljust(2880),
    "HDF5": b"\x89HDF\r\n\x1a\n" + b"\0" * 100,
    "web page": b"<!DOCTYPE html>\n<html><body>Not found, sorry</body></html>\n",
    "web page with commas": b"<html><head>a, b, c</head>\n<body>d, e</body></html>\n",
    "JSON": b'{"ra": [1, 2], "dec": [3, 4]}\n',
    "prose": b"It was a dark, stormy night.\nThe rain fell, in torrents, except at intervals.\n",
    "comment only": b"# nothing here\n",
    "ECSV without a header": b"# %ECSV 1.0\nvisit band ra dec\n1 r 2 3\n",
    "ECSV with a broken header": b"# %ECSV 1.0\n# ---\n# datatype: [\nvisit band ra dec\n1 r 2 3\n",
    "ECSV with a strange header": b"# %ECSV 1.0\n# ---\n# [1, 2]\nvisit band ra dec\n1 r 2 3\n",
    "ECSV with another delimiter": b"# %ECSV 1.0\n# ---\n# delimiter: abc\n# datatype: [{name: visit}]\nvisit,x\n1,2\n",
    "ECSV that runs code": b"# %ECSV 1.0\n# ---\n# datatype: !!python/object/apply:os.system [ls]\nvisit,x\n1,2\n",
    "wrong encoding": "visit,band,ra,dec\n1,Größe,2,3\n".encode("latin-1"),
    "wide characters": "visit,band,ra,dec\n1,r,2,3\n".encode("utf-16"),
    "row too long": b"visit,band,ra,dec\n1,r,2,3\n1,r,3,4,5,6\n",
    "comma at the end of every row": b"visit,band,ra,dec\n1,r,2,3,\n1,r,3,4,\n",
    "every row too long": b"visit,band,ra,dec\n1,2,r,2,3\n1,2,r,3,4\n",
    "row too short": b"visit,band,ra,dec,mag\n1,r,2,3,20\n2,r,2\n",
    "row of a cut file": b"visit,band,ra,dec,mag\n1,r,2,3,20\n2,r,2,3\n",
    "unclosed quote": b'visit,band,ra,dec\n1,"r,2,3\n1,r,3,4\n',
    "zero bytes further on": b"visit,band,ra,dec\n" + b"1,r,2,3\n" * 9000 + b"\0\0\0\n",
    "column twice": b"visit,band,ra,ra,dec\n1,r,2,3,4\n2,r,2,3,4\n",
    "name of a megabyte": b"visit,band," + b"x" * 1_000_000 + b",dec\n1,r,2,3\n",
    "three thousand names": b",".join(b"x%d" % k for k in range(3_000)) + b"\n",
    "value of a megabyte": b"visit,band,ra,dec\n1,r," + b"x" * 1_000_000 + b",3\n",
    "number beyond all bounds": b"visit,band,ra,dec\n1,r,1e300,3\n2,r,2,3\n",
    "header only": b"visit,band,ra,dec\n",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", JUNK)
def test_junk_is_refused_with_its_name(tmp_path: Path, name: str) -> None:
    """One line, no other exception; neither does a look at it break."""
    path = tmp_path / "cat.dat"
    path.write_bytes(JUNK[name])
    assert str(path) in refusal(path)
    try:
        inspection.describe_inspection(inspection.inspect(str(path)))
    except InputError as error:
        assert str(path) in str(error)  # noqa: PT017  (a look may succeed where reading cannot)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_missing_column_is_named(tmp_path: Path, suffix: str) -> None:
    """With what is there, and what to do."""
    columns = catalog()
    columns["filter"], columns["alpha"] = columns.pop("band"), columns.pop("ra")
    path = write(tmp_path / f"cat{suffix}", columns)
    message = refusal(path)
    assert message.startswith(
        f"{path}: no column 'band' (band), 'ra' (ra), which survey profile 'generic' maps; it has visit, detector, dec,"
    )
    assert message.endswith("Choose another --survey, or see a guess with: skyaccept inspect FILE")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_catalog_without_rows_is_refused(tmp_path: Path, suffix: str) -> None:
    """It has columns, but no detection."""
    path = write(tmp_path / f"cat{suffix}", {name: values[:0] for name, values in catalog().items()})
    assert refusal(path) == f"{path}: the catalog is empty: it has no rows"


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", ["dec", "snr"])
def test_a_column_of_nothing_but_nan_is_refused(tmp_path: Path, suffix: str, name: str) -> None:
    """The message names file and column."""
    path = write(tmp_path / f"cat{suffix}", catalog() | {name: np.full(STARS * VISITS, np.nan)})
    assert refusal(path) == f"{path}: column '{name}' holds no finite value: all 15 rows are NaN or infinite"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_text_in_a_number_column_is_refused(tmp_path: Path, suffix: str) -> None:
    """The message names file, column, row and value."""
    values = [f"{value:.6f}" for value in catalog()["mag"]]
    values[7] = "faint"
    path = write(tmp_path / f"cat{suffix}", catalog() | {"mag": values})
    assert refusal(path).startswith(
        f"{path}: column 'mag', row 8: 'faint' is not a number; if it marks a missing value, "
    )


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_position_off_the_sky_is_named_by_its_file(tmp_path: Path, suffix: str) -> None:
    """Among several files."""
    columns = catalog()
    columns["dec"][STARS + 2] = 91.5
    folder = split(tmp_path / "parts", suffix, columns)
    assert refusal(folder).startswith(f"{folder}/part1{suffix}, row 3: column 'dec': 91.5 is outside [-90, 90]")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_that_stands_in_the_folder_twice_is_refused(tmp_path: Path, suffix: str) -> None:
    """Under another name."""
    folder = split(tmp_path / "parts", suffix, catalog())
    (folder / f"qart{suffix}").write_bytes((folder / f"part1{suffix}").read_bytes())
    message = refusal(folder)
    assert message.startswith(f"{folder}/qart{suffix}, row ")
    assert "identical in every column to" in message
    assert f"{folder}/part1{suffix}, row " in message
    assert "(5 repeated rows)" in message


def test_files_of_one_catalog_have_the_same_columns(tmp_path: Path) -> None:
    """The message names the odd file and the column."""
    folder = split(tmp_path / "parts", ".csv", catalog())
    rows = {name: values[:3] for name, values in catalog().items() if name != "flag_cr"}
    write(folder / "zart.csv", rows)
    message = refusal(folder)
    assert message.startswith(f"{folder}/zart.csv: not the columns of {folder}/part0.csv: flag_cr is in one of them")


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".parquet", ".fits", ".csv.gz", ".fits.gz", ".ecsv.gz", ".h5", ".vot", ".vot.gz"])
def test_a_truncated_file_is_refused_wherever_it_ends(tmp_path: Path, expected: Detections, suffix: str) -> None:
    """Unless nothing but the padding of its last block, or an empty line, is lost."""
    whole = write(tmp_path / f"whole{suffix}", catalog())
    content = whole.read_bytes()
    end = len(content)
    if suffix == ".fits":
        with fits.open(whole) as hdus:
            end = hdus[1].fileinfo()["datLoc"] + hdus[1].header["NAXIS1"] * hdus[1].header["NAXIS2"]
    if suffix == ".vot":
        end = len(content.rstrip())
    sizes = {1, 9, 80, 2880, 5760, end - 1, end // 2, *np.linspace(10, end - 2, 25, dtype=int).tolist()}
    path = tmp_path / f"cat{suffix}"
    for size in sorted(size for size in sizes if size < end):
        path.write_bytes(content[:size])
        assert refusal(path).startswith(f"{path}: "), size
    path.write_bytes(content)
    assert_same(load(path), expected)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".fits", ".fits.gz", ".csv", ".csv.gz", ".ecsv", ".h5", ".vot"])
def test_a_damaged_file_is_read_or_refused(tmp_path: Path, suffix: str) -> None:
    """A byte here or there; nothing but an InputError comes out, and a damaged gzip file is never read."""
    rng = np.random.default_rng(11)
    units = {"ra": "deg"} if suffix != ".csv" else None
    content = write(tmp_path / f"whole{suffix}", catalog(), units).read_bytes()
    path = tmp_path / f"cat{suffix}"
    for _ in range(60):
        damaged = bytearray(content)
        for place in rng.integers(12, len(content), 2):
            damaged[place] = rng.integers(32, 127)
        path.write_bytes(damaged)
        try:
            load(path)
        except InputError as error:
            assert str(path) in str(error)  # noqa: PT017  (damage may hit a digit)


def test_a_gzip_file_that_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before it fills the memory."""
    monkeypatch.setattr(tables, "MAX_UNCOMPRESSED", 1000)
    path = write(tmp_path / "cat.csv.gz", catalog())
    assert refusal(path) == f"{path}: the gzip file unpacks to more than 1000 bytes; unpack it first"


def test_a_parquet_column_that_stands_twice_is_refused(tmp_path: Path) -> None:
    """Nothing says which of the two is meant."""
    columns = catalog()
    path = tmp_path / "cat.parquet"
    pq.write_table(
        pa.Table.from_arrays([pa.array(v) for v in (*columns.values(), columns["ra"])], [*columns, "ra"]), path
    )
    assert refusal(path).startswith(f"{path}: ")


def test_parquet_with_strange_metadata_is_read_or_refused(tmp_path: Path) -> None:
    """Metadata of others is not ours to trust."""
    path = tmp_path / "cat.parquet"
    for strange in (b"[", b"datatype: 3", b"\xff\xfe", b"{}", b"!!python/object/apply:os.system [ls]"):
        table = pa.table(catalog()).replace_schema_metadata({b"table_meta_yaml": strange})
        pq.write_table(table, path)
        try:
            load(path)
        except InputError as error:
            assert str(path) in str(error)  # noqa: PT017  (either is fine)


@pytest.mark.parametrize("suffix", [".parquet", ".fits"])
def test_a_column_of_arrays_is_refused(tmp_path: Path, suffix: str) -> None:
    """One number a row."""
    wide = np.ones((15, 2))
    path = write(tmp_path / f"cat{suffix}", catalog() | {"mag": wide.tolist() if suffix == ".parquet" else wide})
    assert refusal(path).startswith(f"{path}: column 'mag'")
    path.unlink()
    band = [["r"]] * 15 if suffix == ".parquet" else np.full((15, 2), "r")
    write(path, catalog() | {"band": band})
    assert refusal(path).startswith(f"{path}: column 'band'")


def test_a_fits_file_without_a_table_is_refused(tmp_path: Path) -> None:
    """An image, or nothing."""
    path = tmp_path / "image.fits"
    fits.PrimaryHDU(np.ones((3, 3))).writeto(path)
    assert refusal(path) == f"{path}: the FITS file holds no table, only images"


def test_the_table_with_the_required_columns_is_read(tmp_path: Path, expected: Detections) -> None:
    """A note counts the others; images are no tables."""
    path = tmp_path / "cat.fits"
    table = fits.BinTableHDU(astropy_table(catalog()))
    other = fits.BinTableHDU(Table({"x": [1]}))
    fits.HDUList([fits.PrimaryHDU(np.ones(3)), fits.ImageHDU(np.ones((2, 2))), table, other]).writeto(path)
    found = load(path)
    assert found.notes == ("1 table of cat.fits not read, required columns missing: 2",)
    assert_same(dataclasses.replace(found, notes=()), expected)


def test_scaled_fits_integers_are_what_they_stand_for(tmp_path: Path) -> None:
    """TZERO and TSCAL, and unsigned integers."""
    columns = catalog() | {"mag": np.arange(15, dtype=np.int16), "snr": np.arange(50000, 50015, dtype=np.uint16)}
    path = write(tmp_path / "cat.fits", columns)
    number = list(columns).index("mag") + 1
    fits.setval(path, f"TSCAL{number}", value=0.01, ext=1)
    fits.setval(path, f"TZERO{number}", value=20.0, ext=1)
    found = load(path)
    assert found.mag is not None
    np.testing.assert_allclose(found.mag, 20 + np.arange(15) / 100)
    assert found.snr is not None
    assert found.snr.tolist() == list(range(50000, 50015))


# real catalogs


@pytest.fixture(scope="module")
def hsc() -> Any:
    """The HSC table and its header, as astropy reads them."""
    with warnings.catch_warnings(), fits.open(HSC) as hdus:
        warnings.simplefilter("ignore")
        return np.array(hdus[1].data), np.array(hdus[1].data["flags"]), hdus[1].header.copy()


@needs_realdata
def test_the_hsc_catalog_is_read(hsc: Any) -> None:
    """5,891 detections in three visits; angles from radians, bands from codes."""
    data, _, _ = hsc
    found = load(HSC, "hsc-afw")
    assert len(found) == len(data) == 5891
    assert len(found.visits) == 3
    assert found.bands == ("r",)
    assert found.survey == "hsc-afw"
    assert found.sha256 == hashlib.sha256(HSC.read_bytes()).hexdigest()
    np.testing.assert_allclose(found.ra, np.degrees(data["coord_ra"].astype(float)), rtol=4e-16)
    np.testing.assert_allclose(found.dec, np.degrees(data["coord_dec"].astype(float)), rtol=4e-16)
    for ours, theirs in (
        ("mag", "base_PsfFlux_mag"),
        ("mag_err", "base_PsfFlux_magErr"),
        ("snr", "base_PsfFlux_snr"),
        ("extendedness", "base_ClassificationExtendedness_value"),
    ):
        np.testing.assert_array_equal(getattr(found, ours), data[theirs].astype(float), err_msg=ours)
    assert [found.visits[code] for code in found.visit] == [str(visit) for visit in data["visit"]]


@needs_realdata
def test_flags_of_the_hsc_catalog_are_bits_of_one_column(hsc: Any) -> None:
    """Under the numbers that the header gives their names."""
    _, bits, header = hsc
    number = {header[f"TFLAG{k}"]: k - 1 for k in range(1, bits.shape[1] + 1)}
    assert bits.shape == (5891, 119)
    assert len(number) == 119
    found = load(HSC, "hsc-afw").flags
    for flag in ("saturated", "cr", "bad", "edge"):
        np.testing.assert_array_equal(found[flag], bits[:, number[f"base_PixelFlags_flag_{flag}"]], err_msg=flag)
    np.testing.assert_array_equal(found["not_primary"], ~bits[:, number["detect_isPrimary"]])
    assert set(found) == {"saturated", "cr", "bad", "edge", "not_primary", "psf_used"}
    assert found["saturated"].any()
    assert not found["saturated"].all()
    reader = readers.format_of(HSC)
    everything = reader.read(HSC, [0], number, ())[0]
    for name, bit in number.items():
        np.testing.assert_array_equal(everything[name], bits[:, bit], err_msg=name)


@needs_realdata
def test_objects_of_the_hsc_catalog_are_kept(hsc: Any) -> None:
    """Those with two detections in one visit are left out."""
    data, _, _ = hsc
    found = load(HSC, "hsc-afw").object
    assert found is not None
    groups = pd.DataFrame({"object": data["object"].astype(int), "visit": data["visit"].astype(int)})
    twice = groups.duplicated(keep=False).groupby(groups["object"]).transform("any").to_numpy()
    placed = np.isfinite(data["coord_ra"].astype(float)) & np.isfinite(data["coord_dec"].astype(float))
    np.testing.assert_array_equal(found >= 0, placed & ~twice)
    pairs = {(int(a), int(b)) for a, b in zip(found[found >= 0], groups["object"][found >= 0], strict=True)}
    assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})


@needs_realdata
def test_the_hsc_catalog_of_two_bands_is_read() -> None:
    """Codes 3 and 4 are r and i."""
    found = load(REALDATA / "hsc" / "matchedCatalogMulti_0_70.fits.gz", "hsc-afw")
    assert found.bands == ("i", "r")


@needs_realdata
@pytest.mark.parametrize(
    "name",
    [
        "hsc/src_HSC-I_903986_31.fits.gz",
        "refcats/gaia_dr2_20200414_189584.fits.gz",
        "refcats/ps1_pv3_3pi_20170110_189584.fits.gz",
        "ptf/PTF_d002867_f01_c01_sexcat_match.pytable",
        "ztf/ztf_000245_zr_c10_q1_match.pytable",
        "ztf/ztf_000250_zg_c01_q1_dr5.parquet",
        "decam/verify_job_decam_z.json.gz",
    ],
)
@pytest.mark.parametrize("survey", ["generic", "hsc-afw"])
def test_what_is_no_multi_visit_catalog_of_the_survey_is_refused(name: str, survey: str) -> None:
    """Each with its name and a remedy."""
    assert refusal(REALDATA / name, survey=survey).startswith(f"{REALDATA / name}: ")


@needs_realdata
def test_the_wrong_profile_for_a_real_catalog_is_told() -> None:
    """The message sends the user to inspect."""
    message = refusal(HSC)
    assert "no column 'band' (band), 'ra' (ra), 'dec' (dec), which survey profile 'generic' maps" in message
    assert "skyaccept inspect" in message
