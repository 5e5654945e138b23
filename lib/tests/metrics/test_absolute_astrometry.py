import dataclasses

import numpy as np
import pytest
from scipy import stats
from skyaccept.lib import measure, readers, requirements
from skyaccept.lib.catalog.crossmatch import match_unique
from skyaccept.lib.catalog.detections import AssociatedDetections
from skyaccept.lib.catalog.reference import Reference
from skyaccept.lib.metrics.absolute_astrometry import ESTIMATORS, METRICS, MatchSettings, without_motion
from skyaccept.lib.metrics.metric import evaluate
from skyaccept.lib.readers import reference as reader
from skyaccept.lib.results.model import Result
from skyaccept.lib.sphere import MAS
from skyaccept.lib.tests.realdata import REALDATA, needs_realdata
from skyaccept.lib.tests.samples import moving_stars, offset, rotated, sample
from skyaccept.lib.uncertainty.statistic import Statistic

SETTINGS = MatchSettings(radius=1000 * MAS)


def result(found: AssociatedDetections, reference: Reference | None, definition: str | None = None) -> Result:
    """AA1 in r."""
    run = measure.run(
        found, requirements.load(), measure.Options(bands=["r"], definition=definition, reference=reference)
    )
    return next(r for r in run.results if r.clause == "AA1")


@pytest.mark.slow
@pytest.mark.parametrize("center", [(0.0, 0.0), (210.0, -60.0), (80.0, 89.0)])
def test_the_injected_error_comes_out_with_motion_applied(center: tuple[float, float]) -> None:
    """The median size of a Gaussian error is 0.6745 sigma; motions of 20 mas a year and parallaxes leave no trace."""
    found, reference = moving_stars(np.random.default_rng(1), 400, 6, 10.0, center=center)
    aa1 = result(found, reference)
    middle = 10 * stats.norm.ppf(0.75)
    assert aa1.value == pytest.approx(middle, abs=0.45)
    by = aa1.data["coordinates"]["design"]
    assert (by["ra"], by["dec"]) == pytest.approx((middle, middle), abs=0.45)
    assert by["total"] == pytest.approx(10 * np.sqrt(2 * np.log(2)), abs=0.5)
    assert aa1.verdict == "pass"
    assert aa1.sample is not None
    assert aa1.sample.measurements == 2400
    assert 'of 400 objects, within 1" of reference stars: 400 matched, 0 ambiguous, 0 unmatched' in aa1.sample.notes
    exact, reference = moving_stars(np.random.default_rng(1), 400, 6, 0.01, center=center)
    assert result(exact, reference).value == pytest.approx(0.01 * stats.norm.ppf(0.75), rel=0.1)


def test_places_without_any_error_are_no_measurement() -> None:
    """Those of the reference catalog itself."""
    exact, reference = moving_stars(np.random.default_rng(1), 400, 6, 0.0)
    aa1 = result(exact, reference)
    assert aa1.verdict == "not_measurable"
    assert "100 % of the errors are exactly 0" in str(aa1.reason)


def test_the_values_agree_with_a_plain_loop() -> None:
    found, reference = moving_stars(np.random.default_rng(2), 80, 3, 8.0, center=(33.0, 40.0))
    sizes: list[list[float]] = [[], []]
    for k in range(len(found)):
        star = int(found.object[k])
        place = reference.directions_at(np.array([star]), np.array([found.mjd[k]]))[0]  # type: ignore[index]
        origin = np.degrees(np.arctan2(place[1], place[0])), np.degrees(np.arcsin(place[2]))
        for c, value in enumerate(offset(origin, (found.ra[k], found.dec[k]))):
            sizes[c].append(abs(value))
    assert result(found, reference).value == pytest.approx(max(map(np.median, sizes)), rel=1e-6)


@pytest.mark.slow
def test_signed_medians_cancel_and_the_requirement_does_not() -> None:
    """Errors of either sign: half the stars 80 mas east, half 80 mas west."""
    found, reference = moving_stars(np.random.default_rng(3), 400, 4, 3.0)
    side = np.where(found.object % 2 == 0, 80.0, -80.0) / 3.6e6
    split = dataclasses.replace(found, ra=(found.ra + side) % 360)
    assert result(split, reference).verdict == "fail"
    assert result(split, reference).value == pytest.approx(80.0, abs=0.5)
    one_sided, reference = moving_stars(np.random.default_rng(3), 400, 4, 3.0, bias=-60.0)
    assert result(one_sided, reference, "analysis_tools").value == pytest.approx(60.0, abs=0.5)
    assert result(one_sided, reference, "analysis_tools").verdict == "fail"
    signed = ESTIMATORS["signed_reference_offset"]
    errors = signed.of_sample(sample(split, reference=reference), {}, SETTINGS)
    _, by = evaluate(METRICS[0].statistic_of(signed, {}), errors)
    assert by["ra"] < 81
    assert by["dec"] < 0.5


def test_without_epochs_only_a_diagnostic_is_shown() -> None:
    found, reference = moving_stars(np.random.default_rng(4), 100, 4, 2.0)
    aa1 = result(dataclasses.replace(found, mjd=None), reference)
    assert (aa1.verdict, aa1.value) == ("not_measurable", None)
    assert "the visits have no epochs" in str(aa1.reason)
    assert "a diagnostic without motion: median sizes of the offsets RA" in str(aa1.reason)
    # some three years of 20 mas a year
    assert 20 < aa1.data["without_motion"]["ra"] < 80
    still = dataclasses.replace(reference, pmra=np.full(100, np.nan))
    assert "gives no epoch, proper motion and parallax of any star" in str(result(found, still).reason)
    assert "no reference catalog is named (--reference)" in str(result(found, None).reason)
    away = dataclasses.replace(reference, dec=reference.dec + 1)
    assert "0 matched, 0 ambiguous, 100 unmatched" in str(result(found, away).reason)


def test_stars_and_detections_that_cannot_be_used_are_counted() -> None:
    found, reference = moving_stars(np.random.default_rng(5), 50, 4, 2.0)
    reference.pmra[:5] = np.nan
    assert found.mjd is not None
    found.mjd[found.visit == 0] = np.nan
    aa1 = result(found, reference)
    assert aa1.sample is not None
    assert aa1.sample.measurements == 45 * 3
    assert "5 of 50 reference stars have no proper motion: left out of the matching" in aa1.sample.notes
    assert aa1.sample.rejected == {"epoch:not finite": 50}
    assert aa1.sample.rows_in == aa1.sample.rows_used + 50


def test_a_rotation_keeps_the_total_and_squares_add_up() -> None:
    found, reference = moving_stars(np.random.default_rng(6), 100, 1, 20.0, center=(20.0, 30.0))
    own = sample(found, reference=reference)
    by = evaluate(Statistic("rms"), ESTIMATORS["reference_offset"].of_sample(own, {}, SETTINGS))[1]
    assert by["total"] ** 2 == pytest.approx(by["ra"] ** 2 + by["dec"] ** 2, rel=1e-12)
    here = without_motion(own, reference, 1000 * MAS)
    axis = np.array([2.0, -1.0, 1.0])
    ra, dec = rotated(found.ra, found.dec, axis, 0.9)
    moved_ra, moved_dec = rotated(reference.ra, reference.dec, axis, 0.9)
    turned = dataclasses.replace(reference, ra=moved_ra, dec=moved_dec)
    there = without_motion(sample(dataclasses.replace(found, ra=ra, dec=dec), reference=turned), turned, 1000 * MAS)
    total, turned_total = (np.sqrt(np.mean(one.x**2 + one.y**2)) for one in (here, there))
    assert turned_total == pytest.approx(total, rel=1e-6)


@pytest.mark.slow
@needs_realdata
def test_hsc_r_against_gaia_without_motion() -> None:
    """As docs/validation.md has it: 9 mas a coordinate, 15 mas in total, from stars that are all matched."""
    found = readers.load(REALDATA / "hsc/matchedCatalogTract_0_r.fits.gz", "hsc-afw")
    gaia = reader.load(REALDATA / "refcats" / "gaia_dr2_*", "gaia-dr2")
    aa1 = result(found, gaia)
    assert aa1.verdict == "not_measurable"
    assert "169 matched, 0 ambiguous, 0 unmatched" in str(aa1.reason)
    shown = aa1.data["without_motion"]
    assert (shown["ra"], shown["dec"], shown["total"]) == pytest.approx((8.6716, 9.3697, 15.0984), abs=1e-3)
    every = sample(found, reference=gaia)
    matches = match_unique(every.positions.direction, gaia.directions(), 1000 * MAS)
    assert matches.counts()["matched"] + matches.counts()["ambiguous"] > 400


@needs_realdata
def test_hsc_r_against_ps1_photometry() -> None:
    """As docs/validation.md has it: stars of magnitude 17 to 21 agree with PS1 within a few hundredths in r."""
    found = readers.load(REALDATA / "hsc/matchedCatalogTract_0_r.fits.gz", "hsc-afw")
    ps1 = reader.load(REALDATA / "refcats" / "ps1_*", "ps1")
    cuts = requirements.load().definitions["srd"].samples["positions"]
    from skyaccept.lib.sample.sample import Sample
    from skyaccept.lib.sample.selection import select

    own = Sample(found, select(found, "r", cuts, "test"), "r")
    star = match_unique(own.positions.direction, ps1.directions(), 1000 * MAS).star
    by_object = np.full(found.n_objects, -1)
    by_object[own.positions.objects] = star
    rows = own.selection.rows
    assert found.mag is not None
    matched = by_object[found.object[rows]]
    rows, matched = rows[matched >= 0], matched[matched >= 0]
    difference = found.mag[rows] - ps1.mags["r"][matched]
    difference = difference[np.isfinite(difference)]
    assert len(difference) > 200
    assert abs(np.median(difference)) < 0.03
