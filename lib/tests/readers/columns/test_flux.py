import gzip
import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import astropy.units as u
import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from astropy.table import Table
from skyaccept.lib import measure, readers, requirements
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.tests.realdata import REALDATA, needs_realdata
from skyaccept.lib.tests.reference import haversine

PROFILE = """survey: counts
title: Counts
file_name: "cat_{visit}_{detector}"
columns:
  visit: {field: visit}
  detector: {field: detector}
  band: {header: FILTER, codes: {r-wide: r}}
  mjd: {header: MJD, unit: d}
  ra: {name: ra, unit: deg}
  dec: {name: dec, unit: deg}
flux:
  flux: {name: flux, unit: count}
  error: {name: err, unit: count}
  ZERO
association_radius: 1 arcsec
"""
FLUX = [1000.0, 50.0, 0.0, -3.0, math.nan]


def write(path: Path, **header: object) -> Path:
    """Five detections with fluxes in counts."""
    table = Table({"ra": 10 + np.arange(5) / 100, "dec": np.zeros(5), "flux": FLUX, "err": [10.0, 5.0, 5.0, 5.0, 5.0]})
    table["flux"].unit = table["err"].unit = u.count
    table["cal"] = [2.0, 2.0, 2.0, 2.0, 2.0]
    table["zp"] = [27.0] * 5
    hdu = fits.BinTableHDU(table)
    primary = fits.PrimaryHDU()
    for key, value in {"FILTER": "r-wide", "MJD": 58000.5, **header}.items():
        primary.header[key] = value
    fits.HDUList([primary, hdu]).writeto(path)
    return path


def profile(folder: Path, zero: str, text: str = PROFILE) -> Path:
    path = folder / "counts.yaml"
    path.write_text(text.replace("  ZERO", f"  {zero}" if zero else ""))
    return path


@pytest.mark.parametrize(
    ("zero", "zero_point"),
    [
        ("zero_point: {value: 27.0}", 27.0),
        ("zero_point: {name: zp, unit: mag}", 27.0),
        ("fluxmag0: {header: FLUXMAG0}", 2.5 * math.log10(6.3e10)),
        ("calibration: {name: cal, unit: nJy / count}", 31.4 - 2.5 * math.log10(2.0)),
        ("calibration: {value: 2.0e-3, unit: uJy / count}", 31.4 - 2.5 * math.log10(2.0)),
    ],
)
def test_every_kind_of_zero_point_gives_the_magnitude(tmp_path: Path, zero: str, zero_point: float) -> None:
    """From the header, a column or a value; what is not positive has no magnitude, and keeps its S/N."""
    write(tmp_path / "cat_7_2.fits", FLUXMAG0=6.3e10)
    found = readers.load(tmp_path / "cat_7_2.fits", profile(tmp_path, zero))
    assert found.mag is not None
    assert found.mag_err is not None
    assert found.snr is not None
    expected = [zero_point - 2.5 * math.log10(f) for f in FLUX[:2]]
    assert found.mag.tolist() == pytest.approx([*expected, math.nan, math.nan, math.nan], nan_ok=True)
    assert found.snr.tolist() == pytest.approx([100, 10, 0, -0.6, math.nan], nan_ok=True)
    assert found.mag_err[:2].tolist() == pytest.approx([2.5 / math.log(10) * f for f in (0.01, 0.1)])
    assert np.isnan(found.mag_err[2:]).all()
    assert (found.visits, found.bands) == (("7",), ("r",))
    assert found.mjd is not None
    assert set(found.mjd) == {58000.5}


def test_an_ab_magnitude_is_that_of_astropy() -> None:
    """1 nJy is 31.4 mag."""
    assert (1 * u.nJy).to_value(u.ABmag) == pytest.approx(31.4, abs=1e-9)


def test_files_of_one_detector_each_are_one_dataset(tmp_path: Path) -> None:
    for visit, detector in ((12, 0), (12, 1), (5, 0)):
        path = write(tmp_path / f"cat_{visit}_{detector}.fits", MJD=58000.5 + visit)
        with fits.open(path, mode="update") as hdus:
            hdus[1].data["dec"] += detector
    found = readers.load(tmp_path / "cat_*.fits", profile(tmp_path, "zero_point: {value: 27.0}"))
    assert len(found) == 15
    assert sorted(found.visits) == ["12", "5"]
    assert found.n_objects == 10
    assert found.mjd is not None
    assert {found.visits[v]: t for v, t in zip(found.visit, found.mjd, strict=True)} == {"5": 58005.5, "12": 58012.5}
    by_visit = pd.DataFrame({"visit": [5, 12], "airmass": [1.1, 1.2]})
    by_visit.to_csv(tmp_path / "visits.csv", index=False)
    joined = readers.load(tmp_path / "cat_*.fits", tmp_path / "counts.yaml", tmp_path / "visits.csv")
    assert joined.airmass is not None
    assert sorted(set(joined.airmass)) == [1.1, 1.2]


@pytest.mark.parametrize(
    ("name", "header", "zero", "message"),
    [
        ("other.fits", {}, "zero_point: {value: 27.0}", "no field 'visit' of the name"),
        ("cat_7_2.fits", {"FILTER": "x"}, "zero_point: {value: 27.0}", "'FILTER': code x is not in the survey profile"),
        ("cat_7_2.fits", {"MJD": "soon"}, "zero_point: {value: 27.0}", r"'MJD' \(mjd\): 'soon' is not a number"),
        ("cat_7_2.fits", {}, "fluxmag0: {header: FLUXMAG0}", "no header keyword 'FLUXMAG0'"),
        ("cat_7_2.fits", {"FLUXMAG0": -1.0}, "fluxmag0: {header: FLUXMAG0}", "fluxmag0 is -1; it must be a number"),
        ("cat_7_2.fits", {}, "calibration: {name: nocal, unit: nJy / count}", "no column 'nocal'"),
        ("cat_7_2.fits", {}, "calibration: {name: cal, unit: nJy}", "calibration in nJy makes no flux density"),
        ("cat_7_2.fits", {}, "", "a flux in ct needs a zero_point, fluxmag0 or calibration"),
    ],
)
def test_what_is_missing_is_said(tmp_path: Path, name: str, header: dict[str, object], zero: str, message: str) -> None:
    write(tmp_path / name, **header)
    with pytest.raises(InputError, match=message):
        readers.load(tmp_path / name, profile(tmp_path, zero))


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("ZERO", "zero_point: {value: 27}\n  fluxmag0: {value: 1}", "keys 'zero_point' and 'fluxmag0' exclude"),
        ("{field: detector}", "{field: ccd}", "no field 'ccd' in the profile's key 'file_name'"),
        ("{header: MJD, unit: d}", "{header: MJD}", "a header or file name states no unit"),
        ("{header: MJD, unit: d}", "{header: MJD, value: 1, unit: d}", "give its source once"),
        ("cat_{visit}_{detector}", "cat_{visit}{detector}", "fields are different columns of the detections"),
        ("cat_{visit}_{detector}", "x" * 201, "text of at most 200 characters"),
    ],
)
def test_a_broken_profile_is_refused(tmp_path: Path, before: str, after: str, message: str) -> None:
    write(tmp_path / "cat_7_2.fits")
    broken = profile(tmp_path, "zero_point: {value: 27}", PROFILE.replace(before, after))
    with pytest.raises(InputError, match=re.escape(message)):
        readers.load(tmp_path / "cat_7_2.fits", broken)


@pytest.mark.slow
@needs_realdata
def test_two_visits_of_a_detector_run_from_files_to_report(tmp_path: Path) -> None:
    """Doubled with known shifts: AM1 is that of a plain loop over the shifts, and magnitudes are those of nJy."""
    source = gzip.decompress((REALDATA / "hsc/src_HSC-I_903986_31.fits.gz").read_bytes())
    rng = np.random.default_rng(3)
    (tmp_path / "src_HSC-I_903986_31.fits").write_bytes(source)
    other = tmp_path / "src_HSC-I_903988_31.fits"
    other.write_bytes(source)
    with fits.open(other, mode="update") as hdus:
        data = hdus[1].data
        data["coord_ra"] += np.radians(rng.normal(0, 20, len(data)) / 3.6e6)
        data["coord_dec"] += np.radians(rng.normal(0, 20, len(data)) / 3.6e6)
        flux, calibration = data["base_PsfFlux_instFlux"].astype(float), data["base_LocalPhotoCalib"].astype(float)
    found = readers.load(tmp_path / "src_*.fits", "hsc-src")
    assert len(found) == 2 * 771
    assert (found.visits, found.bands) == (("903986", "903988"), ("i",))
    assert found.mag is not None
    with np.errstate(invalid="ignore", divide="ignore"):
        expected = -2.5 * np.log10(flux * calibration) + 31.4
    np.testing.assert_allclose(found.mag[771:], np.where(flux > 0, expected, np.nan), rtol=1e-12)
    run = measure.run(found, requirements.load(), measure.Options(bands=["i"]))
    am1 = next(r for r in run.results if r.clause == "AM1")
    assert am1.sample is not None
    assert am1.sample.rows_in == am1.sample.rows_used + sum(am1.sample.rejected.values()) == 1542
    definition = requirements.load().definitions["lvv-t1278"]
    from skyaccept.lib.sample.selection import select

    rows = select(found, "i", definition.samples["astrometry"], "test").rows
    place: dict[int, list[tuple[float, float]]] = {}
    for row in rows:
        place.setdefault(int(found.object[row]), []).append((float(found.ra[row]), float(found.dec[row])))
    stars = list(place.values())
    rms = []
    for k, a in enumerate(stars):
        for b in stars[k + 1 :]:
            first, second = (haversine(p, q) for p, q in zip(a, b, strict=True))
            middle = (first + second) / 2
            if 4.5 * 60_000 <= middle < 5.5 * 60_000:
                rms.append(abs(first - second) / math.sqrt(2))
    assert am1.sample.pairs == len(rms) > 50
    assert am1.value == pytest.approx(np.median(rms), rel=1e-5)
    words = f"-m pytest --pyargs skyaccept.acceptance -p no:cacheprovider -q -k AM1 --dataset {tmp_path}/src_*.fits"
    words += " --survey hsc-src --band i --html report.html --results results.json"
    done = subprocess.run(
        [sys.executable, *words.split()],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONWARNINGS": ""},
    )
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["results"][0]["value"] == pytest.approx(am1.value, rel=1e-9), done.stdout
    assert "OSS-REQ-0388-AM1-i" in (tmp_path / "report.html").read_text()
