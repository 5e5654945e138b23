"""A look at a dataset: the profile that fits, or a draft of one that loads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from astropy.io import fits
from astropy.table import Table
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from skyaccept.lib.catalog.detections import UNITS, Detections
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers import files, guessing, inspection, load, synonyms
from skyaccept.lib.readers import profile as profiles
from skyaccept.lib.readers.inspection import Inspection
from skyaccept.lib.readers.profile_draft import UNKNOWN, Line, format_entry
from skyaccept.lib.tests.readers.catalogs import HSC, assert_same, catalog, split, write
from skyaccept.lib.tests.realdata import REALDATA, needs_realdata

POSITIONS = {"visit": [1, 2], "band": ["r", "r"], "ra": [10.0, 10.0], "dec": [20.0, 20.0]}
DEGREES = {"ra": "deg", "dec": "deg"}


def look(path: Path) -> Inspection:
    return inspection.inspect(str(path))


def saved(path: Path, completed: bool = True) -> Path:
    """The profile of a look, as a user would save it: units filled in where the draft asks for them."""
    text = look(path).advice.text
    if completed:
        text = re.sub(r"unit: \?(.*the file does not say; (\S+)\?)", r"unit: \2\1", text)
        text = re.sub(r"(?m)^#(  (?:mag|mag_err|mjd|snr): [^?]*the file does not say)", r"\1", text)
    target = path.parent / "draft.yaml"
    target.write_text(text)
    return target


def lines(path: Path, key: str) -> list[str]:
    """Lines of a draft for one key, comments among them."""
    return [line for line in look(path).advice.text.splitlines() if line.lstrip("# ").startswith(f"{key}:")]


# shipped profiles


@needs_realdata
def test_a_look_at_the_hsc_catalog_finds_its_profile() -> None:
    """With its flags and its mapping."""
    found = look(HSC)
    assert found.format == "FITS table"
    assert found.advice.survey == "hsc-afw"
    assert {"base_PixelFlags_flag_cr", "detect_isPrimary"} <= {c.name for c in found.columns if c.dtype == "flag"}
    assert "flags" not in {column.name for column in found.columns}
    assert {column.name: column.unit for column in found.columns}["coord_ra"] == "rad"
    text = "\n".join(inspection.describe_inspection(found))
    assert "survey profile 'hsc-afw' fits: --survey hsc-afw" in text
    assert "flags: saturated, cr, bad, edge, not_primary, psf_used" in text


@pytest.mark.slow
@needs_realdata
@pytest.mark.parametrize(
    ("path", "survey"),
    [
        ("hsc/matchedCatalogTract_0_r.fits.gz", "hsc-afw"),
        ("hsc/src_HSC-I_903986_31.fits.gz", "hsc-src"),
        ("ptf/PTF_d002867_f01_c01_sexcat_match.pytable", "ptf-matchfile"),
        ("ztf/ztf_000245_zr_c10_q1_match.pytable", "ztf-matchfile"),
        ("ztf/ztf_000250_zg_c01_q1_dr5.parquet", "ztf-lightcurve"),
    ],
)
def test_what_is_saved_of_a_survey_is_its_profile(tmp_path: Path, path: str, survey: str) -> None:
    """Not a lesser one."""
    found = look(REALDATA / path)
    assert found.advice.survey == survey
    (tmp_path / "saved.yaml").write_text(found.advice.text)
    assert profiles.load(tmp_path / "saved.yaml") == profiles.load(survey)


def test_a_look_at_a_generic_catalog_finds_the_generic_profile(tmp_path: Path) -> None:
    """With its flags; of a folder, the first file is looked at, and what is not read is listed."""
    folder = split(tmp_path / "parts", ".parquet", catalog())
    (folder / "README.txt").write_text("words")
    found = look(folder)
    assert found.format == "Parquet"
    assert found.advice.survey == "generic"
    text = "\n".join(inspection.describe_inspection(found))
    assert "; of the first, Parquet, 15 columns" in text
    assert "\nflags: saturated, cr" in text
    assert "1 file in" in text
    assert "not read: README.txt" in text
    assert [column.name for column in found.columns] == list(catalog())


def test_a_draft_that_finds_more_goes_before_the_generic_profile(tmp_path: Path) -> None:
    """The generic profile would leave the magnitudes aside."""
    columns = {**POSITIONS, "MAG_AUTO": [20.0, 20.0], "MAGERR_AUTO": [0.1, 0.1]}
    path = write(tmp_path / "cat.parquet", columns, {**DEGREES, "MAG_AUTO": "mag", "MAGERR_AUTO": "mag"})
    assert look(path).advice.survey is None
    found = load(path, saved(path, completed=False))
    assert found.mag is not None
    np.testing.assert_array_equal(found.mag, 20.0)


def test_no_profile_is_advised_whose_flags_are_missing(tmp_path: Path) -> None:
    """The reason is given."""
    columns = {**POSITIONS, "detector": [1, 1], "psfFlux": [1e4, 1e4], "psfFluxErr": [1.0, 1.0], "raErr": [1e-6, 1e-6]}
    columns |= {f"pixelFlags_{flag}": [False, False] for flag in ("saturated", "cr", "bad")}
    path = write(tmp_path / "cat.parquet", columns, DEGREES | {"psfFlux": "nJy", "psfFluxErr": "nJy"})
    found = look(path)
    assert found.advice.survey is None
    assert "pixelFlags_saturated" in found.advice.text
    assert load(path, saved(path)).flags.keys() == {"saturated", "cr", "bad"}


def test_isolated_stars_are_not_advised_without_objects(tmp_path: Path) -> None:
    """Constants of a profile are no columns that were found."""
    path = write(tmp_path / "cat.parquet", {**POSITIONS, "detector": [1, 1]}, DEGREES)
    assert look(path).advice.survey == "generic"


# drafts


FOREIGN = {
    "visit": "expNum",
    "detector": "CCDNUM",
    "band": "FILTER",
    "ra": "ALPHA_J2000",
    "dec": "DELTA_J2000",
    "mag": "MAG_AUTO",
    "mag_err": "MAGERR_AUTO",
    "mjd": "mjdobs",
}


def foreign(folder: Path, suffix: str = ".csv") -> Path:
    """A catalog under other names."""
    units = {"ALPHA_J2000": "deg", "DELTA_J2000": "deg", "MAG_AUTO": "mag", "MAGERR_AUTO": "mag", "mjdobs": "d"}
    columns = {theirs: catalog()[ours] for ours, theirs in FOREIGN.items()}
    return write(folder / f"foreign{suffix}", columns, units if suffix != ".csv" else None)


@pytest.mark.slow
def test_a_look_at_a_foreign_catalog_guesses_the_mapping(tmp_path: Path) -> None:
    """By the names that surveys use, whatever their case; no unit is guessed."""
    found = look(foreign(tmp_path))
    assert found.advice.survey is None
    for ours, theirs in FOREIGN.items():
        assert any(theirs in line for line in lines(tmp_path / "foreign.csv", ours)), ours
    assert "  ra: {name: ALPHA_J2000, unit: ?}   # by its name; the file does not say; deg?" in found.advice.text
    assert "no shipped survey profile fits" in "\n".join(inspection.describe_inspection(found))
    assert {"ra", "dec", "mag", "mag_err", "snr", "mjd"} <= set(found.advice.to_complete)
    assert set(found.missing) == set(UNITS) - {"visit", "detector", "band"}


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".csv", ".fits", ".ecsv", ".parquet"])
def test_a_draft_that_is_completed_reads_the_catalog(tmp_path: Path, suffix: str) -> None:
    """Where the file states all units, the draft reads it as it is."""
    path = foreign(tmp_path, suffix)
    found = load(path, saved(path, completed=suffix == ".csv"))
    expected = catalog()
    np.testing.assert_array_equal(found.ra, expected["ra"])
    assert found.mag is not None
    assert found.snr is not None
    np.testing.assert_array_equal(found.mag, expected["mag"])
    np.testing.assert_allclose(found.snr, 2.5 / np.log(10) / expected["mag_err"])
    if suffix != ".csv":
        np.testing.assert_array_equal(found.mjd, expected["mjd"])


def test_snr_is_offered_from_magnitude_errors(tmp_path: Path) -> None:
    """Where there is no column of it; the draft says on what it rests."""
    path = write(tmp_path / "a.parquet", {**POSITIONS, "psfMag": [20.0, 20.0], "psfMagErr": [0.1, 0.1]}, DEGREES)
    (line,) = lines(path, "snr")
    assert "{name: psfMagErr, unit: ?, magnitude_error: true}" in line
    assert "there is no column of S/N" in line
    write(path, {**POSITIONS, "psfMagErr": [0.1, 0.1], "psfMag": [20.0, 20.0], "SNR": [9.0, 9.0]}, DEGREES)
    assert "  snr: SNR   # by its name" in lines(path, "snr")


def sextractor(folder: Path, **columns: Any) -> Path:
    """A catalog of SExtractor; visit and band stand in its header and its name only."""
    n = 4
    found: dict[str, Any] = {
        "NUMBER": np.arange(n),
        "X_WORLD": 150 + np.arange(n) / 1e3,
        "Y_WORLD": np.full(n, 2.0),
        "MAG_AUTO": np.array([20.0, 99.0, 21.0, 22.0]),
        "MAGERR_AUTO": np.array([0.1, 99.0, 0.1, 0.1]),
        "FLAGS": np.array([0, 4, 8, 3], dtype=np.int16),
        "CLASS_STAR": np.array([0.98, 0.98, 0.98, 0.03]),
    }
    units = {"X_WORLD": "deg", "Y_WORLD": "deg", "MAG_AUTO": "mag", "MAGERR_AUTO": "mag"}
    path = folder / "night_1234_r.fits"
    Table(found | columns, units=units).write(path, overwrite=True)
    with fits.open(path, mode="update") as hdus:
        hdus[1].header.update({"EXPNUM": 1234, "FILTER": "r DECam", "MJD-OBS": 57000.25, "AIRMASS": 1.2})
    return path


def test_a_catalog_of_sextractor_is_drafted_with_its_conventions(tmp_path: Path) -> None:
    """Positions, 99 for none, the bits of FLAGS, CLASS_STAR turned round; keywords of the header where columns lack."""
    path = sextractor(tmp_path)
    text = look(path).advice.text
    assert "ra: {name: X_WORLD, unit: deg}" in text
    assert "  saturated: {name: FLAGS, bits: 4}" in text
    assert "  edge: {name: FLAGS, bits: 8}" in text
    assert "#  blended: {name: FLAGS, bits: 3}" in text
    assert "#  visit: {header: EXPNUM}   # keyword of the header, here 1234" in text
    assert "#  band: {header: FILTER, codes: {r DECam: ?}}   # keyword of the header, here r DECam" in text
    assert "#  mjd: {header: MJD-OBS, time: {format: mjd}}" in text
    assert "#file_name: night_{visit}_{band}" in text.replace("'", "")
    with pytest.raises(InputError, match="key 'visit' is missing"):
        load(path, saved(path))
    text = re.sub(r"(?m)^#(  (visit|mjd|airmass): \{header.*)$", r"\1", text)
    text = text.replace(
        "#  band: {header: FILTER, codes: {r DECam: ?}}", "  band: {header: FILTER, codes: {r DECam: r}}"
    )
    (tmp_path / "completed.yaml").write_text(text)
    found = load(path, tmp_path / "completed.yaml")
    assert (found.visits, found.bands) == (("1234",), ("r",))
    assert found.mag is not None
    assert found.extendedness is not None
    assert np.isnan(found.mag[1])
    assert found.extendedness.tolist() == [0.0, 0.0, 0.0, 1.0]
    assert found.flags["saturated"].tolist() == [False, True, False, False]
    assert found.flags["edge"].tolist() == [False, False, True, False]
    np.testing.assert_array_equal(found.mjd, 57000.25)


def test_fields_of_the_file_name_are_a_way_that_works(tmp_path: Path) -> None:
    path = sextractor(tmp_path)
    text = look(path).advice.text.replace("#file_name", "file_name")
    text = text.replace("columns:\n", "columns:\n  visit: {field: visit}\n  band: {field: band}\n")
    (tmp_path / "completed.yaml").write_text(text)
    found = load(path, tmp_path / "completed.yaml")
    assert (found.visits, found.bands) == (("1234",), ("r",))


def test_an_array_is_offered_only_where_there_is_nothing_else(tmp_path: Path) -> None:
    """Which element is for the user to say."""
    path = sextractor(tmp_path, MAG_APER=np.full((4, 3), 20.0), MAGERR_APER=np.full((4, 3), 0.1))
    assert "MAG_AUTO" in lines(path, "mag")[0]
    assert any(
        "arrays of 3: choose one with element: 0 to 2" in line for line in inspection.describe_inspection(look(path))
    )
    table = Table.read(path)
    table.remove_columns(["MAG_AUTO", "MAGERR_AUTO"])
    table.write(path, overwrite=True)
    (line,) = lines(path, "mag")
    assert line.startswith("#  mag: {name: MAG_APER, unit: ?, element: ?,")
    assert "an array of 3: choose an element, 0 to 2" in line


@pytest.mark.parametrize(
    ("values", "unit", "line"),
    [
        (
            [60000.5, 60001.5],
            "d",
            "  mjd: {name: mjd, unit: d}   # by its name and unit; its values are 60000.5 to 60001.5",
        ),
        ([60000.5, 60001.5], "", "#  mjd: {name: mjd, time: {format: mjd}}   # by its name; its values are 60000.5 to"),
        (
            [2460000.5, 2460001.5],
            "d",
            "#  mjd: {name: mjd, time: {format: jd}}   # by its name; its values are 2460000.5",
        ),
        ([1.7e9, 1.71e9], "s", "#  mjd: {name: mjd, time: {format: unix}}"),
        ([2016.5, 2017.5], "yr", "#  mjd: {name: mjd, time: {format: decimalyear}}"),
        ([-5.0, -6.0], "", "#  mjd: {name: mjd, time: {format: ?}}   # its values are -6 to -5: how are they written?"),
    ],
)
def test_how_times_are_written_is_suggested_and_not_applied(
    tmp_path: Path, values: list[float], unit: str, line: str
) -> None:
    """Only a stated unit with values that fit it is taken."""
    columns = {**POSITIONS, "expnum": [1, 2], "mjd": values, "merr": [0.1, 0.1], "mag": [1.0, 1.0]}
    del columns["visit"]
    path = write(tmp_path / "cat.parquet", columns, DEGREES | ({"mjd": unit} if unit else {}))
    assert lines(path, "mjd")[0].startswith(line)


def test_inverse_variances_are_offered_as_errors(tmp_path: Path) -> None:
    columns = {**POSITIONS, "psfFlux": [1e4, 1e4], "psfFluxIvar": [0.01, 0.01]}
    units = DEGREES | {"psfFlux": "nJy", "psfFluxIvar": "nJy-2"}
    path = write(tmp_path / "cat.parquet", columns, units)
    assert "inverse_variance: true" in lines(path, "error")[0]
    found = load(path, saved(path, completed=False))
    assert found.snr is not None
    np.testing.assert_allclose(found.snr, 1000.0)


@pytest.mark.slow
@pytest.mark.parametrize("unit", ["ct", "nJy"])
def test_a_draft_of_fluxes_has_a_zero_point_unless_calibrated(tmp_path: Path, unit: str) -> None:
    """Until then the flux is a comment, and the rest can be read."""
    columns = {**POSITIONS, "psfFlux": [1000.0, 1000.0], "psfFluxErr": [10.0, 10.0]}
    path = write(tmp_path / "cat.parquet", columns, DEGREES | {"psfFlux": unit, "psfFluxErr": unit})
    found = look(path)
    assert {"mag", "mag_err", "snr"}.isdisjoint(found.missing) == (unit == "nJy")
    draft = saved(path, completed=False)
    assert (load(path, draft).mag is None) == (unit == "ct")
    text = re.sub(r"(?m)^#(flux:|  flux:|  error:|  zero_point:)", r"\1", draft.read_text())
    draft.write_text(text.replace("value: ?", "value: 31.4"))
    mag = load(path, draft).mag
    assert mag is not None
    np.testing.assert_allclose(mag, 31.4 - 7.5, atol=1e-6)


def test_bands_that_no_clause_knows_are_named_with_the_remedy(tmp_path: Path) -> None:
    columns = {"oid": [1, 1], "expid": [1, 2], "filtercode": ["zg", "zr"], "ra": [10.0, 10.0], "dec": [20.0, 20.0]}
    (line,) = lines(write(tmp_path / "lc.parquet", columns, DEGREES), "band")
    assert "its values are zg, zr: a name other than u, g, r, i, z, y needs codes: {zg: r}" in line


def test_right_ascension_and_declination_are_taken_from_one_pair(tmp_path: Path) -> None:
    """Those of the mean of an object are not mixed with those of the detection."""
    columns = {"visit": [1], "band": ["r"], "raMean": [1.0], "decMean": [2.0], "RAJ2000": [1.0], "delta": [2.0]}
    path = write(tmp_path / "cat.parquet", columns)
    assert "raMean" in lines(path, "ra")[0]
    assert "decMean" in lines(path, "dec")[0]


def test_a_look_says_what_is_missing(tmp_path: Path) -> None:
    """All at once, with the lines to be completed."""
    path = write(tmp_path / "cat.csv", {"ra": [1.0], "mag": [20.0]})
    found = look(path)
    assert found.advice.survey is None
    assert {"visit", "band", "ra", "dec", "mag", "snr", "extendedness"} <= set(found.missing)
    assert {"visit", "band", "ra", "dec", "mag"} <= set(found.advice.to_complete)


def test_light_curves_are_drafted_with_their_lists(tmp_path: Path) -> None:
    columns: dict[str, Any] = {"objectid": [1, 2], "ra": [1.0, 2.0], "dec": [0.0, 0.0], "band": ["r", "r"]}
    columns |= {"expid": [[1, 2], [1]], "mag": [[20.0, 20.5], [21.0]], "magerr": [[0.1, 0.1], [0.1]]}
    path = write(tmp_path / "curves.parquet", columns, DEGREES | {"mag": "mag", "magerr": "mag"})
    assert any("lists: a row is a light curve" in line for line in inspection.describe_inspection(look(path)))
    assert len(load(path, saved(path, completed=False))) == 3


def test_structs_of_lists_are_drafted_by_epoch(tmp_path: Path) -> None:
    """Not with the means that stand beside them."""
    epochs = [{"expid": [1, 2], "mag": [20.0, 20.5]}, {"expid": [1], "mag": [21.0]}]
    columns: dict[str, Any] = {"objectid": [1, 2], "ra": [1.0, 2.0], "dec": [0.0, 0.0], "band": ["r", "r"]}
    path = write(tmp_path / "nested.parquet", columns | {"mag": [20.25, 21.0], "lc": epochs}, DEGREES)
    assert "name: lc.mag[]" in lines(path, "mag")[0].replace("'", "")
    found = load(path, saved(path))
    assert found.visits == ("1", "2")
    assert found.mag is not None
    assert found.mag.tolist() == [20.0, 20.5, 21.0]


WORDS = sorted(
    {word for words in (*synonyms.COLUMNS.values(), *synonyms.FLAGS.values()) for word in words}
    | {word for pair in (*synonyms.POSITIONS, *synonyms.MAGNITUDES, *synonyms.FLUXES) for word in pair}
    | {*synonyms.BITS, *synonyms.ZERO_POINTS, *synonyms.DIFFERENCE, "flag_x", "deblend_nChild", "detect_isPrimary"}
)
VALUES: list[list[Any]] = [[1.5, None], [1, 2], ["a", "r"], [True, False], [[1.0, 2.0], [3.0]], [2460000.0, 1e300]]


@pytest.mark.slow
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), names=st.lists(st.sampled_from(WORDS), min_size=1, max_size=20, unique=True))
def test_every_draft_loads_once_what_is_required_is_complete(
    tmp_path: Path, data: st.DataObject, names: list[str]
) -> None:
    """Whatever names, types and units a file has."""
    columns = {name: data.draw(st.sampled_from(VALUES)) for name in names}
    units = {
        name: data.draw(st.sampled_from(["", "deg", "mag", "d", "nJy", "ct", "furlong", "mag(AB)"])) for name in names
    }
    path = write(tmp_path / "c_1234_r.parquet", columns, units)
    part = files.file_tables(files.find_files(path), path)[0]
    text = (
        guessing.draft_profile(part)
        .to_yaml(path.name)
        .replace("unit: ?", "unit: deg")
        .replace("element: ?", "element: 0")
    )
    there = {line.split(":")[0].strip() for line in text.splitlines() if line.startswith("  ")}
    required = {"visit": "x", "band": "x", "ra": "{name: x, unit: deg}", "dec": "{name: x, unit: deg}"}
    added = "".join(f"  {ours}: {written}\n" for ours, written in required.items() if ours not in there)
    (tmp_path / "draft.yaml").write_text(text.replace("columns:\n", f"columns:\n{added}"))
    assert set(profiles.load(tmp_path / "draft.yaml").columns) >= set(required)


# names that are no plain words


def test_a_draft_may_hold_names_that_yaml_takes_amiss() -> None:
    """They are quoted; a ? is one to be filled in, or text."""
    for name in ("on", "a: b", "x, y", "#d", "?", "1.5", "null", "a\nb", "é"):
        text = f"visit: {format_entry(name=name)}\n"
        assert yaml.safe_load(text) == {"visit": name}, text
        assert yaml.safe_load(f"v: {format_entry(name=name, bits=4)}") == {"v": {"name": name, "bits": 4}}
    assert format_entry(name="a", unit=UNKNOWN) == "{name: a, unit: ?}"


def test_control_characters_of_the_file_begin_no_line_in_a_draft(tmp_path: Path) -> None:
    """Neither in comments, nor by a keyword of the header."""
    assert Line("ra", "x", "one\ntwo: \x1b[2J").text("  ") == "  ra: x   # one\\ntwo: \\x1b[2J"
    path = write(tmp_path / "a\nsurvey: evil.parquet", {"visit": [1], "ra": [1.0], "FILTER\n": ["r"]})
    text = look(path).advice.text
    assert [line for line in text.splitlines() if line.startswith("survey:")] == ["survey: my-survey"]


# folders and tables


def test_partitions_of_hive_are_named(tmp_path: Path) -> None:
    for visit in (1, 2):
        folder = tmp_path / f"band=r/visit={visit}/mjd={60000 + visit}"
        folder.mkdir(parents=True)
        write(folder / "part-0.parquet", {"ra": [1.0], "dec": [2.0]})
    found = look(tmp_path)
    assert found.notes == ("columns in the names of folders (hive partitions): band, visit, mjd",)
    assert "#  mjd: {name: mjd, time: {format: ?}}" in guessing.draft_profile(found.part).to_yaml("")
    assert found.advice.survey == "generic"


def hats_catalog(folder: Path, kind: str, rows: Mapping[str, Any]) -> None:
    """A HATS catalog as hats-import writes it."""
    partition = folder / "dataset/Norder=0/Dir=0"
    partition.mkdir(parents=True)
    pq.write_table(pa.table(dict(rows)), partition / "Npix=4.parquet")
    (folder / "dataset/_metadata").write_bytes(b"PAR1")
    (folder / "partition_info.csv").write_text("Norder,Npix\n0,4\n")
    n = len(rows["visit"])
    (folder / "hats.properties").write_text(
        f"#HATS catalog\nobs_collection={folder.name}\ndataproduct_type={kind}\nhats_nrows={n}\n"
    )


def test_a_hats_catalog_is_named_and_its_data_set_alone_is_read(tmp_path: Path) -> None:
    rows = {name: catalog()[name] for name in ("visit", "band", "ra", "dec", "mag")}
    hats_catalog(tmp_path / "stars", "source", rows)
    found = look(tmp_path / "stars")
    assert found.notes[0] == "HATS catalog 'stars' (source, 15 rows), by HEALPix pixel"
    assert "partition_info.csv" in found.notes[1]
    assert len(load(tmp_path / "stars")) == 15


def test_margin_caches_of_a_collection_are_left_out_by_name(tmp_path: Path) -> None:
    """Their rows are copies of those of the catalog."""
    rows = {name: catalog()[name] for name in ("visit", "band", "ra", "dec", "mag")}
    hats_catalog(tmp_path / "stars", "source", rows)
    hats_catalog(tmp_path / "stars_60arcs", "margin", {name: values[:3] for name, values in rows.items()})
    (tmp_path / "collection.properties").write_text("obs_collection=c\nhats_primary_table_url=stars\n")
    found = look(tmp_path)
    assert found.notes[0].startswith("HATS collection")
    assert "stars_60arcs (HATS margin)" in found.notes[1]
    loaded = load(tmp_path)
    assert len(loaded) == 15
    assert any("stars_60arcs (HATS margin)" in note for note in loaded.notes)
    with pytest.raises(InputError, match=r"no catalog in this folder.*not read: \. \(HATS margin\)"):
        load(tmp_path / "stars_60arcs")


def test_all_tables_of_a_file_are_listed(tmp_path: Path) -> None:
    """With those that the profile reads."""
    columns = {name: catalog()[name] for name in ("visit", "band", "ra", "dec", "mag")}
    hdus = fits.HDUList([fits.PrimaryHDU(), fits.table_to_hdu(Table({"EXTRA": [1.0]}))])
    hdus.append(fits.table_to_hdu(Table(columns)))
    hdus[1].name, hdus[2].name = "LOG", "STARS"
    hdus.writeto(tmp_path / "cat.fits")
    text = inspection.describe_inspection(look(tmp_path / "cat.fits"))
    assert "  2 tables, one of which can be chosen with FILE#NAME or FILE#NUMBER:" in text
    assert "    #1 LOG, 1 columns, not read" in text
    assert "    #2 STARS, 5 columns, read; its columns are listed below" in text
    assert any(line.startswith("note: 1 table of cat.fits not read") for line in text)
    assert len(inspection.inspect(f"{tmp_path / 'cat.fits'}#LOG").columns) == 1


def test_synonyms_are_in_lower_case_and_stand_once() -> None:
    """Else they would never be found."""
    for name, words in synonyms.COLUMNS.items():
        assert len(set(words)) == len(words), name
        assert all(word == word.lower() for word in words)
    pairs = (synonyms.POSITIONS, synonyms.MAGNITUDES, synonyms.FLUXES)
    for group in pairs:
        assert len(set(group)) == len(group)
        assert all(word == word.lower() for pair in group for word in pair)


@needs_realdata
def test_the_saved_profile_of_a_real_catalog_reads_it_alike(tmp_path: Path) -> None:
    (tmp_path / "saved.yaml").write_text(look(HSC).advice.text)
    mine: Detections = load(HSC, tmp_path / "saved.yaml")
    assert_same(mine, load(HSC, "hsc-afw"))
