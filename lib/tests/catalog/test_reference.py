from pathlib import Path

import astropy.units as u
import numpy as np
import pandas as pd
import pytest
from astropy.coordinates import SkyCoord, get_body_barycentric
from astropy.time import Time
from skyaccept.lib.catalog.reference import Reference
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers import reference as reader
from skyaccept.lib.sphere import MAS, separation
from skyaccept.lib.tests.realdata import REALDATA, needs_realdata


def stars(n: int, seed: int = 1) -> Reference:
    """Stars all over the sky that move fast."""
    rng = np.random.default_rng(seed)
    return Reference(
        ra=rng.uniform(0, 360, n),
        dec=np.degrees(np.arcsin(rng.uniform(-1, 1, n))),
        mjd=np.full(n, 57205.875),
        pmra=rng.normal(0, 300, n),
        pmdec=rng.normal(0, 300, n),
        parallax=rng.uniform(1, 300, n),
    )


def test_positions_at_an_epoch_agree_with_astropy() -> None:
    """Space motion by astropy (ERFA), and the parallax as a shift of the origin to the Earth."""
    found, mjd = stars(50), 58900.25
    here = found.directions_at(np.arange(50), np.full(50, mjd))
    for k in range(50):
        star = SkyCoord(
            found.ra[k] * u.deg,
            found.dec[k] * u.deg,
            distance=u.Quantity(1000 / found.parallax[k], u.pc),
            pm_ra_cosdec=found.pmra[k] * u.mas / u.yr,
            pm_dec=found.pmdec[k] * u.mas / u.yr,
            radial_velocity=0 * u.km / u.s,
            obstime=Time(found.mjd[k], format="mjd", scale="tdb"),
        )
        moved = star.apply_space_motion(new_obstime=Time(mjd, format="mjd", scale="tdb")).cartesian
        earth = get_body_barycentric("earth", Time(mjd, format="mjd", scale="tdb"), ephemeris="builtin")
        seen = (moved.xyz - earth.xyz).to_value(u.au)
        # light-travel time and special relativity, which astropy takes into account, are second order in v / c
        assert separation(here[k], seen / np.linalg.norm(seen)) / MAS < 5e-3


def test_at_its_own_epoch_a_star_moves_by_its_parallax_only() -> None:
    found = stars(200)
    still = Reference(found.ra, found.dec, found.mjd, found.pmra, found.pmdec, np.zeros(200))
    every = np.arange(200)
    assert separation(still.directions_at(every, found.mjd), still.directions()).max() / MAS < 1e-6
    shift = separation(found.directions_at(every, found.mjd), found.directions()) / MAS
    assert np.all(shift <= 1.02 * found.parallax)
    assert np.any(shift > 0.9 * found.parallax)


def test_the_position_is_unknown_where_the_motion_or_the_time_is() -> None:
    found = stars(3)
    found.pmra[0] = np.nan
    here = found.directions_at(np.arange(3), np.array([58000.0, np.nan, 58000.0]))
    assert np.isfinite(here).all(axis=1).tolist() == [False, False, True]
    assert found.moving.tolist() == [False, True, True]


def test_a_generic_catalog_of_several_files_with_its_units(tmp_path: Path) -> None:
    rows = {"ra": [10.0, 11.0], "dec": [-5.0, 6.0], "epoch": [2015.5, 2015.5], "pmra": [3.0, 4.0], "pmdec": [1.0, 2.0]}
    rows |= {"pmra_err": [0.1, 0.0], "pmdec_err": [0.1, 0.0], "parallax": [2.0, 2.0], "mag_r": [18.0, 19.0]}
    pd.DataFrame(rows).iloc[:1].to_csv(tmp_path / "a.csv", index=False)
    pd.DataFrame(rows).iloc[1:].to_csv(tmp_path / "b.csv", index=False)
    found = reader.load(tmp_path)
    assert found.ra.tolist() == [10.0, 11.0]
    assert found.mjd.tolist() == pytest.approx([57205.875, 57205.875])
    assert found.pmra[0] == 3.0
    assert np.isnan(found.pmra[1])
    assert np.isnan(found.pmdec[1])
    assert found.mags["r"].tolist() == [18.0, 19.0]
    assert found.moving.tolist() == [True, False]
    assert found.describe()["stars"] == 2


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({"ra": [10.0], "x": [1.0]}, "no column 'dec', which reference profile 'generic' maps"),
        ({"ra": [10.0], "dec": [95.0]}, r"row 1: dec is 95, not within \[-90, 90\]"),
        ({"ra": [np.nan], "dec": [5.0]}, r"no star of the reference catalog has a position"),
        ({"ra": ["x"], "dec": [5.0]}, "column 'ra', row 1: 'x' is not a number"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, rows: dict[str, list[float]], message: str) -> None:
    pd.DataFrame(rows).to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(InputError, match=message):
        reader.load(tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, value) for name in ("parallax", "pmra", "pmdec") for value in (-999.0, -9999.0, 999.0, 1e20, -1e20)),
        *((name, 1e20) for name in ("ra_err", "dec_err", "pmra_err", "parallax_err", "mag_r", "mag_err_r")),
        *((name, -999.0) for name in ("ra", "dec", "ra_err", "mag_r", "mag_err_r")),
    ],
)
def test_values_that_no_star_has_are_refused(tmp_path: Path, name: str, value: float) -> None:
    """Markers of missing values, with the remedy."""
    row = np.arange(9)
    names = ("pmra", "pmdec", "parallax", "ra_err", "dec_err", "pmra_err", "parallax_err", "mag_err_r")
    rows = {"ra": 10.0 + row, "dec": 5.0 + row, "mjd": 57000.0 + row, "mag_r": 18.5 + row}
    rows |= dict.fromkeys(names, 0.5 + row / 8)
    table = pd.DataFrame(rows)
    table.to_csv(tmp_path / "a.csv", index=False)
    reader.load(tmp_path / "a.csv")
    table.loc[4, name] = value
    table.to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(InputError, match=r"row 5: .* is .*`missing: \[") as caught:
        reader.load(tmp_path / "a.csv")
    assert f"missing: [{value:.10g}]" in str(caught.value)


def test_fast_and_near_stars_are_read(tmp_path: Path) -> None:
    """Barnard's star, Proxima Centauri, a bad solution of Gaia; and whole numbers, where 999 is one of many."""
    rows = {"ra": [269.45, 217.39, 10.0], "dec": [4.74, -62.68, 5.0], "pmra": [-801.55, -3781.74, -99.0]}
    rows |= {"pmdec": [10362.39, 769.47, 999.0], "parallax": [546.98, 768.07, -187.03]}
    rows["pmdec"][2] = 998.7
    pd.DataFrame(rows).to_csv(tmp_path / "a.csv", index=False)
    assert reader.load(tmp_path / "a.csv").parallax.tolist() == rows["parallax"]
    whole = np.arange(900, 1100).astype(float)
    pd.DataFrame({"ra": whole / 10, "dec": whole / 100, "pmra": whole, "pmdec": -whole}).to_csv(
        tmp_path / "a.csv", index=False
    )
    assert len(reader.load(tmp_path / "a.csv")) == 200


def test_a_broken_profile_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--reference-survey gaia-dr9: no such file, and not one of gaia-dr2"):
        reader.load(tmp_path, "gaia-dr9")
    profile = tmp_path / "p.yaml"
    profile.write_text("survey: p\ntitle: P\ncolumns:\n  ra: {name: ra, unit: deg}\n  dec: {name: dec, unit: mag}\n")
    with pytest.raises(InputError, match="line 5: key 'unit': dec is not measured in mag"):
        reader.load(tmp_path, profile)


@needs_realdata
def test_the_shards_of_gaia_are_one_catalog_in_our_units() -> None:
    """Figures of the files' own headers: radians, rad / yr, epoch J2015.5; 12 % of the stars have a position only."""
    found = reader.load(REALDATA / "refcats" / "gaia_dr2_*", "gaia-dr2")
    assert len(found) == 2762 + 2977
    assert np.abs(found.ra - np.degrees(5.596289774860214)).min() < 1e-12
    assert np.unique(found.mjd).tolist() == pytest.approx([57205.874409], abs=1e-5)
    assert int(found.moving.sum()) == 5029
    # what field stars of magnitude 19 do: a wrong unit would be off by orders of magnitude
    assert 5 < np.nanmedian(np.hypot(found.pmra, found.pmdec)) < 10
    assert 0.3 < np.nanmedian(found.parallax) < 1.0
    assert 19 < np.nanmedian(found.mags["phot_g_mean"]) < 20


@needs_realdata
def test_the_shards_of_ps1_give_magnitudes_and_no_motion() -> None:
    found = reader.load(REALDATA / "refcats" / "ps1_*", "ps1")
    assert len(found) == 35202
    assert set(found.mags) == {"g", "r", "i", "z", "y"}
    assert not found.moving.any()
    assert found.mags["r"][0] == pytest.approx(31.4 - 2.5 * np.log10(4524.05765827), abs=1e-9)
