"""Profiles of reference catalogs that archives hand out: under their names, types and null values."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.table import MaskedColumn, Table
from astropy.units import Unit
from skyaccept.lib.catalog.reference import Reference
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers import reference as reader

GAIA_UNITS = {
    "ref_epoch": "yr",
    "ra": "deg",
    "ra_error": "mas",
    "dec": "deg",
    "dec_error": "mas",
    "parallax": "mas",
    "parallax_error": "mas",
    "pmra": "mas.yr**-1",
    "pmra_error": "mas.yr**-1",
    "pmdec": "mas.yr**-1",
    "pmdec_error": "mas.yr**-1",
    "phot_g_mean_flux": "'electron'.s**-1",
    "phot_g_mean_flux_error": "'electron'.s**-1",
    "phot_g_mean_mag": "mag",
    "phot_bp_mean_flux": "'electron'.s**-1",
    "phot_bp_mean_flux_error": "'electron'.s**-1",
    "phot_rp_mean_flux": "'electron'.s**-1",
    "phot_rp_mean_flux_error": "'electron'.s**-1",
}
"""As the VOTables of the Gaia archive write them."""


def gaia() -> Table:
    """Three sources: one with all, one with a position alone, one without BP and RP."""
    two = np.array([False, True, False])
    table = Table(
        {
            "source_id": np.array([5853498713190525696, 4472832130942575872, 2], dtype=np.int64),
            "ref_epoch": np.full(3, 2016.0),
            "ra": [217.3923214720088, 269.44850252543836, 10.0],
            "ra_error": np.array([0.0239, 1.2, 0.02], dtype=np.float32),
            "dec": [-62.676075116767425, 4.739420051112412, 20.0],
            "dec_error": np.array([0.0335, 1.5, 0.02], dtype=np.float32),
            "parallax": MaskedColumn([768.0665391873573, 0.0, 1.0], mask=two),
            "parallax_error": MaskedColumn(np.array([0.0498, 0.0, 0.02], dtype=np.float32), mask=two),
            "pmra": MaskedColumn([-3781.741008265163, 0.0, 2.0], mask=two),
            "pmra_error": MaskedColumn(np.array([0.0313, 0.0, 0.02], dtype=np.float32), mask=two),
            "pmdec": MaskedColumn([769.4650146478623, 0.0, 3.0], mask=two),
            "pmdec_error": MaskedColumn(np.array([0.0508, 0.0, 0.02], dtype=np.float32), mask=two),
            "phot_g_mean_flux": [4889380.0, 100.0, 1000.0],
            "phot_g_mean_flux_error": np.array([800.0, 1.0, 2.0], dtype=np.float32),
            "phot_g_mean_mag": np.array([8.984749, 20.6874, 18.1874], dtype=np.float32),
            "phot_bp_mean_flux": MaskedColumn([377000.0, 50.0, 0.0], mask=[False, False, True]),
            "phot_bp_mean_flux_error": MaskedColumn(
                np.array([800.0, 5.0, 0.0], dtype=np.float32), mask=[False, False, True]
            ),
            "phot_rp_mean_flux": MaskedColumn([7900000.0, 80.0, 0.0], mask=[False, False, True]),
            "phot_rp_mean_flux_error": MaskedColumn(
                np.array([800.0, 5.0, 0.0], dtype=np.float32), mask=[False, False, True]
            ),
        }
    )
    for name, unit in GAIA_UNITS.items():
        table[name].unit = Unit(unit, format="vounit")
    return table


def arrow(table: Table) -> pa.Table:
    """With nulls, and without units, as tools that know of neither astropy nor the VO write it."""
    columns = {}
    for name in table.colnames:
        values = table[name]
        missing = np.ma.getmaskarray(values.data) if isinstance(values, MaskedColumn) else None
        columns[name] = pa.array(np.ma.getdata(values.data), mask=missing)
    return pa.table(columns)


def saved(folder: Path, suffix: str) -> Path:
    """A result of a query in a format of the archive."""
    path = folder / f"gaia{suffix}"
    if suffix == ".parquet":
        pq.write_table(arrow(gaia()), path)
    elif suffix == ".csv.gz":
        gaia().write(folder / "gaia.csv", format="ascii.csv")
        path.write_bytes(gzip.compress((folder / "gaia.csv").read_bytes()))
    elif suffix == ".vot":
        gaia().write(path, format="votable", tabledata_format="binary2")
    else:
        gaia().write(path)
    return path


@pytest.mark.filterwarnings("ignore:The unit")
@pytest.mark.parametrize("suffix", [".csv.gz", ".vot", ".fits", ".parquet"])
def test_a_query_of_gaia_dr3_is_read_in_every_format(tmp_path: Path, suffix: str) -> None:
    """AB magnitudes from fluxes, errors in mas, the epoch of the catalog, nulls as none."""
    found = reader.load(saved(tmp_path, suffix), "gaia-dr3")
    source = gaia()
    np.testing.assert_array_equal(found.ra, source["ra"])
    np.testing.assert_array_equal(found.mjd, 57388.5)
    assert np.isnan(found.pmra[1])
    np.testing.assert_allclose(found.pmra[[0, 2]], [-3781.741008265163, 2.0])
    np.testing.assert_allclose(found.parallax[[0, 2]], [768.0665391873573, 1.0])
    assert np.isnan(found.parallax[1])
    np.testing.assert_allclose(found.errors["ra"], [0.0239, 1.2, 0.02], rtol=1e-6)
    np.testing.assert_allclose(found.mags["phot_g_mean"], 25.8010 - 2.5 * np.log10([4889380.0, 100.0, 1000.0]))
    np.testing.assert_allclose(found.mag_errs["phot_g_mean"][1], 2.5 / np.log(10) * 0.01)
    np.testing.assert_allclose(found.mags["phot_bp_mean"][:2], 25.3540 - 2.5 * np.log10([377000.0, 50.0]))
    np.testing.assert_allclose(found.mags["phot_rp_mean"][:2], 25.1040 - 2.5 * np.log10([7900000.0, 80.0]))
    assert np.isnan(found.mags["phot_bp_mean"][2])
    # the magnitudes of the archive are on the Vega scale, 0.1136 brighter in G
    np.testing.assert_allclose(found.mags["phot_g_mean"][1:] - source["phot_g_mean_mag"][1:], 0.1136, atol=1e-4)
    assert found.notes == ()


def pan_starrs() -> Table:
    """Four mean objects under the names and types of MeanObjectView; -999 is none."""
    table = Table(
        {
            "objName": ["PSO J210.8024+54.3487"] * 4,
            "objID": np.array([173312108024000001, 173312108024000002, 173312108024000003, 4], dtype=np.int64),
            "raMean": [210.80242, 210.80300, 210.80400, -999.0],
            "decMean": [54.34875, 54.34900, 54.34950, -999.0],
            "raMeanErr": np.array([0.0021, 0.0100, -999.0, -999.0]),
            "decMeanErr": np.array([0.0018, 0.0100, -999.0, -999.0]),
            "epochMean": [56000.125, 56100.5, 56200.25, -999.0],
            "raStack": [210.80243, 210.80301, -999.0, 210.9],
            "decStack": [54.34876, 54.34901, -999.0, 54.4],
            "nDetections": np.array([40, 12, 3, 0], dtype=np.int16),
        }
    )
    for number, band in enumerate("grizy"):
        table[f"{band}MeanPSFMag"] = np.array([18.5 + number, -999.0, 20.0, -999.0], dtype=np.float32)
        table[f"{band}MeanPSFMagErr"] = np.array([0.01, -999.0, 0.05, -999.0], dtype=np.float32)
    return table


@pytest.mark.parametrize("suffix", [".csv", ".vot", ".fits", ".parquet"])
def test_mean_objects_of_pan_starrs_are_read_in_every_format(tmp_path: Path, suffix: str) -> None:
    """AB magnitudes, errors in arcsec, the mean epoch of each star; -999 is none, also in single precision."""
    path = tmp_path / f"ps1{suffix}"
    if suffix == ".parquet":
        pq.write_table(arrow(pan_starrs()), path)
    else:
        pan_starrs().write(path, format={".csv": "ascii.csv", ".vot": "votable", ".fits": "fits"}[suffix])
    found: Reference = reader.load(path, "ps1-archive")
    np.testing.assert_array_equal(found.ra, pan_starrs()["raMean"][:3])
    np.testing.assert_array_equal(found.mjd, [56000.125, 56100.5, 56200.25])
    np.testing.assert_allclose(found.errors["ra"], [2.1, 10.0, np.nan])
    assert list(found.mags) == list("grizy")
    for number, band in enumerate("grizy"):
        np.testing.assert_allclose(found.mags[band], [18.5 + number, np.nan, 20.0], rtol=1e-7)
        np.testing.assert_allclose(found.mag_errs[band], [0.01, np.nan, 0.05], rtol=1e-7)
    assert found.notes == ("1 of 4 stars left out: they have no position",)
    assert found.survey == "ps1"


def test_columns_in_small_letters_are_found(tmp_path: Path) -> None:
    """Services other than the archive's own hand them out so."""
    table = pan_starrs()[:3]
    table.rename_columns(table.colnames, [name.lower() for name in table.colnames])
    table.write(tmp_path / "ps1.csv", format="ascii.csv")
    found = reader.load(tmp_path / "ps1.csv", "ps1-archive")
    assert found.notes == ()
    np.testing.assert_allclose(found.mags["y"], [22.5, np.nan, 20.0])


def test_a_query_without_some_columns_is_read_with_a_note(tmp_path: Path) -> None:
    """Of those that the profile maps."""
    table = gaia()
    table.keep_columns(["ra", "dec", "phot_g_mean_mag"])
    table.write(tmp_path / "gaia.csv", format="ascii.csv")
    found = reader.load(tmp_path / "gaia.csv", "gaia-dr3")
    assert found.mags == {}
    assert len(found.notes) == 1
    assert found.notes[0].startswith("columns of its profile that it does not have: ra_error, dec_error, ref_epoch")


def test_stars_without_positions_alone_are_no_reference_catalog(tmp_path: Path) -> None:
    pan_starrs()[3:].write(tmp_path / "ps1.csv", format="ascii.csv")
    with pytest.raises(InputError, match="no star of the reference catalog has a position"):
        reader.load(tmp_path / "ps1.csv", "ps1-archive")
