"""Real catalogs of surveys."""

from __future__ import annotations

import hashlib
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from astropy.io import fits
from skyaccept.lib import readers
from skyaccept.lib.readers import inspection, load
from skyaccept.lib.readers.formats import hdf5
from skyaccept.lib.tests.readers import catalogs, survey_files
from skyaccept.lib.tests.realdata import REALDATA, needs_realdata


@pytest.fixture(scope="module")
def hsc() -> Any:
    """The HSC table and its header, as astropy reads them."""
    with warnings.catch_warnings(), fits.open(catalogs.HSC) as hdus:
        warnings.simplefilter("ignore")
        return np.array(hdus[1].data), np.array(hdus[1].data["flags"]), hdus[1].header.copy()


@needs_realdata
def test_the_hsc_catalog_is_read(hsc: Any) -> None:
    """5,891 detections in three visits; angles from radians, bands from codes."""
    data, _, _ = hsc
    found = load(catalogs.HSC, "hsc-afw")
    assert len(found) == len(data) == 5891
    assert len(found.visits) == 3
    assert found.bands == ("r",)
    assert found.survey == "hsc-afw"
    assert found.sha256 == hashlib.sha256(catalogs.HSC.read_bytes()).hexdigest()
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
    found = load(catalogs.HSC, "hsc-afw").flags
    for flag in ("saturated", "cr", "bad", "edge"):
        np.testing.assert_array_equal(found[flag], bits[:, number[f"base_PixelFlags_flag_{flag}"]], err_msg=flag)
    np.testing.assert_array_equal(found["not_primary"], ~bits[:, number["detect_isPrimary"]])
    assert set(found) == {"saturated", "cr", "bad", "edge", "not_primary", "psf_used"}
    assert found["saturated"].any()
    assert not found["saturated"].all()
    reader = readers.format_of(catalogs.HSC)
    everything = reader.read(catalogs.HSC, [0], number, ())[0]
    for name, bit in number.items():
        np.testing.assert_array_equal(everything[name], bits[:, bit], err_msg=name)


@needs_realdata
def test_objects_of_the_hsc_catalog_are_kept(hsc: Any) -> None:
    """Those with two detections in one visit are left out."""
    data, _, _ = hsc
    found = load(catalogs.HSC, "hsc-afw").object
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
    assert catalogs.refusal(REALDATA / name, survey=survey).startswith(f"{REALDATA / name}: ")


@needs_realdata
def test_the_wrong_profile_for_a_real_catalog_is_told() -> None:
    """The message sends the user to inspect."""
    message = catalogs.refusal(catalogs.HSC)
    assert "no column 'band' (band), 'ra' (ra), 'dec' (dec), which survey profile 'generic' maps" in message
    assert "skyaccept inspect" in message


PTF = REALDATA / "ptf" / "PTF_d002867_f01_c01_sexcat_match.pytable"


ZTF = REALDATA / "ztf" / "ztf_000245_zr_c10_q1_match.pytable"


CURVES = REALDATA / "ztf" / "ztf_000250_zg_c01_q1_dr5.parquet"


@pytest.mark.slow
@needs_realdata
@pytest.mark.parametrize(
    ("path", "survey", "counts"),
    [
        (PTF, "ptf-matchfile", (2147, 1145, 2, ("g",))),
        (ZTF, "ztf-matchfile", (336, 9, 68, ("r",))),
        (CURVES, "ztf-lightcurve", (106588, 5449, 105, ("g",))),
    ],
)
def test_the_real_files_are_read(path: Path, survey: str, counts: tuple[Any, ...]) -> None:
    """Detections, objects, visits and bands as their README counts them; the look at each finds its profile."""
    d = survey_files.load(path, survey)
    assert (len(d), d.n_objects, len(d.visits), d.bands) == counts
    assert (d.object >= 0).all()
    found = inspection.inspect(str(path))
    assert found.advice.survey == survey
    assert all(name in inspection.describe_inspection(found)[0] for name in (str(path), found.format))


@needs_realdata
def test_ztf_light_curves_repeat_to_18_mmag() -> None:
    """The median rms of stars of magnitude 13 to 15, by a plain loop over the file and by the detections."""
    d = survey_files.load(CURVES, "ztf-lightcurve")
    stored = pq.read_table(CURVES)
    rms, plain = [], []
    curves = np.split(d.mag, np.cumsum(np.bincount(d.object))[:-1])
    for mag, own, flags in zip(curves, stored["mag"].to_pylist(), stored["catflags"].to_pylist(), strict=True):
        good = [m for m, flag in zip(own, flags, strict=True) if not flag & survey_files.BAD_EPOCH]
        if len(good) > 2 and 13 <= np.median(good) < 15:
            plain.append(np.std(good, ddof=1))
            rms.append(np.std(mag[np.isfinite(mag)], ddof=1))
    assert len(rms) > 50
    np.testing.assert_allclose(rms, plain, rtol=1e-12)
    assert np.median(rms) == pytest.approx(0.018, abs=0.001)


@pytest.mark.slow
@needs_realdata
def test_ztf_light_curves_have_verdicts() -> None:
    """Photometry fails the limits of LSST by far; there is no astrometry; no star has an S/N of 200."""
    d = survey_files.load(CURVES, "ztf-lightcurve")
    found = survey_files.results(d, "validate_drp", "g")
    assert found["PA1gri"].verdict == "fail"
    assert found["PA1gri"].value == pytest.approx(19.62, abs=0.01)
    assert survey_files.results(d, "analysis_tools", "g")["AB1"].verdict == "not_measurable"
    bright = survey_files.results(d, "srd", "g")["PA1gri"]
    assert bright.verdict == "not_measurable"
    assert "98209 by snr:median" in str(bright.reason)


@needs_realdata
def test_match_files_go_from_file_to_value() -> None:
    """Values stand, though two visits, or two stars, allow no interval and so no verdict."""
    ptf = survey_files.results(survey_files.load(PTF, "ptf-matchfile"), "srd", "g")["PA1gri"]
    assert ptf.verdict == "inconclusive"
    assert ptf.value is not None
    assert 5 < ptf.value < 40
    assert "2 visits in 1 night cannot tell" in str(ptf.reason)
    ztf = survey_files.results(survey_files.load(ZTF, "ztf-matchfile"), "validate_drp", "r")["PA1gri"]
    assert ztf.value is not None
    assert 10 < ztf.value < 40
    assert "2 stars cannot tell" in str(ztf.reason)


@needs_realdata
def test_the_scatter_of_a_ztf_star_is_that_of_its_match_file() -> None:
    """The rms that the pipeline stored for each star, from the same epochs."""
    d = survey_files.load(ZTF, "ztf-matchfile")
    stored = hdf5.read(ZTF, [0], ["sources/matchid", "sources/magrms", "sources/ngoodobs"], ())[0]
    raw = hdf5.read(ZTF, [0], ["sourcedata/matchid"], ())[0]["sourcedata/matchid"]
    compared = 0
    for star, rms, good in zip(
        *(stored[f"sources/{n}"].tolist() for n in ("matchid", "magrms", "ngoodobs")), strict=True
    ):
        mags = d.mag[(raw == star) & np.isfinite(d.mag)]
        if good > 30 and len(mags) > 30:
            compared += 1
            assert np.std(mags, ddof=1) == pytest.approx(rms, rel=0.25), star
    assert compared >= 4
