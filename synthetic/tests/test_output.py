"""Tests of the files of simulated surveys."""

from pathlib import Path

import astropy.units as u
import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from skyaccept.lib import sphere
from skyaccept.lib.exceptions import InputError
from skyaccept.synthetic import output, scenario, sky, survey, visits
from skyaccept.synthetic.tests.surveys import nominal, plain


def test_fits_file_passes_the_verification_of_astropy(tmp_path: Path) -> None:
    """Units, types, logical columns, text and padding are correct."""
    path = tmp_path / "survey.fits"
    chosen = scenario.override(nominal(), stars=200)
    n = output.stream(chosen, 1, path)
    assert path.stat().st_size % 2880 == 0
    made = survey.simulate(chosen).detections
    with fits.open(path) as file:
        file.verify("exception")
        table = file[1]
        assert len(table.data) == n.detections == len(made)
        assert table.columns["ra"].unit == "deg"
        assert table.columns["flag_cr"].format == "L"
        np.testing.assert_array_equal(table.data["flag_edge"], made.flags["edge"])
        np.testing.assert_array_equal(table.data["mag"], made.mag)
        assert set(table.data["band"]) == {"r", "i"}


def test_visit_without_detections_is_not_written(tmp_path: Path) -> None:
    """The catalog in memory has no such visit either."""
    few = scenario.override(plain(stars=1), visits=3)
    n = output.stream(few, 1, tmp_path / "few.parquet")
    table = pd.read_parquet(tmp_path / "few.parquet")
    made = survey.simulate(few).detections
    assert n.detections == len(table) == len(made)
    assert {str(visit) for visit in table["visit"]} == set(made.visits)


def test_shapes_are_written(tmp_path: Path) -> None:
    """They are the last columns, and spurious detections have none."""
    chosen = scenario.override(scenario.load("lsst-year"), stars=50, visits=1, bands=["r"])
    output.stream(chosen, 1, tmp_path / "survey.parquet")
    table = pd.read_parquet(tmp_path / "survey.parquet")
    spurious = np.isnan(np.asarray(table["psf_e1"]))
    assert 0 < spurious.sum() < len(table)
    assert np.std(np.asarray(table["psf_e2"])[~spurious]) < 0.05


def test_truth_is_written_for_every_source_and_visit(tmp_path: Path) -> None:
    chosen = scenario.load("lsst-year")
    output.write_truth(chosen, 3, tmp_path / "truth")
    sources, table = (pd.read_parquet(tmp_path / "truth" / f"{name}.parquet") for name in ("sources", "visits"))
    whole, plan = sky.draw(chosen, 3), visits.plan(chosen, 3)
    assert len(sources) == len(whole)
    np.testing.assert_array_equal(sources["mag_u"], whole.magnitude("u"))
    np.testing.assert_array_equal(sources["pmra"], whole.motion[:, 0])
    np.testing.assert_array_equal(sources["galaxy"], whole.galaxy)
    ra, dec = sphere.to_degrees(whole.direction)
    np.testing.assert_array_equal(sources["ra"], ra)
    np.testing.assert_array_equal(sources["dec"], dec)
    assert [str(band) for band in table["band"]] == [visit.band for visit in plan]
    np.testing.assert_array_equal(table["mjd"], [visit.mjd for visit in plan])
    np.testing.assert_array_equal(table["visit"], survey.FIRST_VISIT + np.arange(len(plan)))
    np.testing.assert_allclose(table["pointing_dec"], -28.1, atol=(20 * u.arcmin).to_value(u.deg))


def test_visits_of_catalog_and_truth_agree(tmp_path: Path) -> None:
    """Epochs and airmasses are the same for the same visit names."""
    output.stream(nominal(), 1, tmp_path / "survey.parquet")
    output.write_truth(nominal(), 1, tmp_path)
    table, found = (pd.read_parquet(tmp_path / f"{name}.parquet") for name in ("visits", "survey"))
    for _, visit in table.iterrows():
        rows = found[found["visit"] == visit["visit"]]
        assert len(rows) > 1000
        for name in ("mjd", "airmass", "band"):
            assert set(rows[name]) == {visit[name]}


@pytest.mark.parametrize("name", ["survey.csv", "survey.fits.gz"])
def test_unknown_kind_of_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"unknown kind of file; name it \*\.parquet or \*\.fits"):
        output.stream(nominal(), 1, tmp_path / name)
    assert not list(tmp_path.iterdir())
