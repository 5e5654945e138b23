"""Tests of the simulation of a visit."""

from dataclasses import replace

import astropy.units as u
import numpy as np
import pytest
from scipy import stats
from skyaccept.lib.arrays import AnyArray, FloatArray
from skyaccept.lib.sphere import MAS, parallel_transport, unit_vectors
from skyaccept.synthetic import camera, random_fields, sky, visits
from skyaccept.synthetic.atmosphere import refraction
from skyaccept.synthetic.exposure import SPURIOUS, Exposure, expose
from skyaccept.synthetic.photometry import FWHM
from skyaccept.synthetic.random_streams import stream
from skyaccept.synthetic.scenario_schema import (
    Atmosphere,
    Calibration,
    Camera,
    Colors,
    Companions,
    Ellipticity,
    Flat,
    Galaxies,
    Turbulence,
    Variables,
)
from skyaccept.synthetic.tests.surveys import first, one_magnitude, plain, sharp, shifts


def test_magnitudes_scatter_by_their_errors() -> None:
    """Deviations from the truth in units of the stated error are standard normal."""
    made = first(plain(stars=20000))
    deviation = (made.columns["mag"] - made.true_mag) / made.columns["mag_err"]
    n = len(made)
    assert deviation.mean() == pytest.approx(0, abs=5 / np.sqrt(n))
    assert deviation.std() == pytest.approx(1, rel=5 / np.sqrt(2 * n))
    assert stats.kstest(deviation, "norm").pvalue > 1e-4


def test_position_errors_follow_seeing_and_snr() -> None:
    made = first(plain())
    expected = np.hypot(4, made.visit.seeing / (FWHM * made.columns["snr"]))
    np.testing.assert_allclose(made.columns["ra_err"], expected)


@pytest.mark.slow
def test_number_of_missed_detections_is_poisson() -> None:
    """Compare mean and variance over visits; a binomial number with a small probability is nearly Poisson."""
    base = replace(plain(stars=2000, visits=300), measurement=replace(plain().measurement, missed=0.01))
    base = replace(base, visits=replace(base.visits, number={"r": 300}))
    whole, plan = sky.draw(base, 1), visits.plan(base, 1)
    seen = replace(base, measurement=replace(base.measurement, missed=0.0))
    missed = np.array([len(expose(seen, whole, plan, k, 1)) - len(expose(base, whole, plan, k, 1)) for k in range(300)])
    mean = 0.01 * len(expose(seen, whole, plan, 0, 1))
    assert missed.mean() == pytest.approx(mean, abs=5 * np.sqrt(mean / 300))
    assert missed.var() / missed.mean() == pytest.approx(1, abs=5 * np.sqrt(2 / 300))


def test_detection_probability_of_faint_stars_follows_noise() -> None:
    """It is the probability that noise of one standard deviation lifts a star above S/N 5."""
    base = plain(stars=5000)
    visit = first(base).visit
    for mag in (visit.depth - 0.2, visit.depth, visit.depth + 0.2):
        made = first(one_magnitude(base, float(mag)))
        everything = first(one_magnitude(base, 20.0))
        x = 10 ** (0.4 * (mag - visit.depth))
        snr = 2.5 / np.log(10) / np.sqrt(0.001 * x + 0.039 * x**2)
        share = stats.norm.cdf(snr - 5)
        n = len(everything)
        assert len(made) / n == pytest.approx(share, abs=5 * np.sqrt(share * (1 - share) / n))


def test_spurious_detections_are_poisson_without_source() -> None:
    """They are faint and on detectors, and their number is Poisson over visits."""
    base = plain(stars=10, visits=300)
    base = replace(base, visits=replace(base.visits, number={"r": 300}))
    base = replace(base, measurement=replace(base.measurement, spurious=20.0))
    whole, plan = sky.draw(base, 1), visits.plan(base, 1)
    made = [expose(base, whole, plan, k, 1) for k in range(300)]
    numbers = np.array([np.count_nonzero(part.source == SPURIOUS) for part in made])
    assert numbers.mean() == pytest.approx(20, abs=5 * np.sqrt(20 / 300))
    assert numbers.var() / numbers.mean() == pytest.approx(1, abs=5 * np.sqrt(2 / 300))
    nothing = made[0].select(made[0].source == SPURIOUS)
    assert (nothing.columns["snr"] >= 5).all()
    assert np.isnan(nothing.true_mag).all()
    gaps = replace(base, camera=Camera(13 * u.arcmin, 2 * u.arcmin, 0 * u.arcsec))
    parts = [expose(gaps, whole, plan, k, 1) for k in range(300)]
    share = sum(len(part) for part in parts) / sum(len(part) for part in made)
    assert share == pytest.approx((13 / 15) ** 2, abs=0.03)
    assert min(part.columns["detector"].min() for part in parts) >= 0


def test_effects_do_not_change_draws_of_other_effects() -> None:
    """Positions and magnitudes of the same stars are equal to the bit, whatever else is detected or missed."""
    base = plain(stars=1000)
    others = replace(
        base,
        galaxies=Galaxies(500, 17 * u.mag, 22 * u.mag, 0.3, 0.5 * u.arcsec),
        camera=Camera(13 * u.arcmin, 30 * u.arcsec, 1 * u.arcsec),
        ellipticity=Ellipticity(0.01, 5 * u.arcmin, 0.01),
        measurement=replace(base.measurement, missed=0.1, spurious=30.0),
    )
    plainly, fully = first(base), first(others)
    common, a, b = np.intersect1d(plainly.source, fully.source, return_indices=True)
    assert 500 < len(common[common >= 0]) < len(plainly)
    for name in ("ra", "dec", "mag", "snr"):
        np.testing.assert_array_equal(plainly.columns[name][a], fully.columns[name][b])


@pytest.mark.parametrize(("ra", "dec"), [(150.0, 2.0), (0.0, 0.0), (10.0, 90.0), (0.0, -89.5)])
def test_turbulence_displaces_by_the_field_of_the_visit(ra: float, dec: float) -> None:
    """Compare with the plain sum of waves; neighbours move together, visits are independent."""
    base = sharp(plain(ra, dec, stars=2000))
    stormy = replace(base, atmosphere=Atmosphere(Turbulence(10 * u.mas, 5 * u.arcmin)))
    moved, still = first(stormy), first(base)
    vectors = shifts(moved, still)
    pattern = random_fields.draw(stream(1, f"turbulence {still.visit.band}", 0), np.radians(5 / 60))
    along_x, along_y = 10 * random_fields.gradient(pattern, still.x, still.y)
    x_axis, y_axis = camera.focal_plane_axes(still.visit)
    expected = along_x[:, None] * x_axis + along_y[:, None] * y_axis
    # the tangent planes at star and pointing differ by at most 2 degrees
    np.testing.assert_allclose(vectors, expected, atol=10 * 5 * 0.04)
    assert not np.allclose(shifts(first(stormy, number=1), first(base, number=1))[0], vectors[0], atol=0.1)


def test_refraction_displaces_by_the_uncorrected_fraction() -> None:
    base = sharp(plain())
    base = replace(base, stars=replace(base.stars, colors=Colors(1 * u.mag, 0.5 * u.mag)))
    left = replace(base, atmosphere=Atmosphere(refraction=0.5))
    still = first(base)
    vectors = shifts(first(left), still)
    place = unit_vectors(still.columns["ra"], still.columns["dec"])
    color = still.sky.color
    assert color is not None
    whole = refraction(base, still.visit.band, color[still.source], place, still.visit.zenith) / MAS
    np.testing.assert_allclose(vectors, 0.5 * whole, atol=1e-4)
    assert np.linalg.norm(vectors, axis=1).max() > 0.5


def test_zero_points_of_visits_detectors_and_flat_add_up() -> None:
    """Visits scatter by their rms, detectors are the same in all visits, and the flat follows the focal plane."""
    base = sharp(plain(stars=2000), camera=Camera(30 * u.arcmin, 10 * u.arcsec, 0 * u.arcsec))
    base = replace(base, visits=replace(base.visits, number={"r": 100}))
    whole, plan = sky.draw(base, 1), visits.plan(base, 1)
    errors = replace(base, calibration=Calibration(visits=5 * u.mmag))
    steps = []
    for k in range(100):
        change = expose(errors, whole, plan, k, 1).columns["mag"] - expose(base, whole, plan, k, 1).columns["mag"]
        np.testing.assert_allclose(change, change[0], atol=1e-12)
        steps.append(change[0])
    assert np.std(steps) == pytest.approx(5e-3, rel=5 / np.sqrt(200))
    by_detector = replace(base, calibration=Calibration(detectors=5 * u.mmag))
    found: dict[int, float] = {}
    for k in (0, 7):
        made, still = expose(by_detector, whole, plan, k, 1), expose(base, whole, plan, k, 1)
        for detector, change in zip(made.columns["detector"], made.columns["mag"] - still.columns["mag"], strict=True):
            assert change == pytest.approx(found.setdefault(int(detector), change), abs=1e-12)
    assert np.std(list(found.values())) == pytest.approx(5e-3, rel=5 / np.sqrt(2 * len(found)))
    flat = replace(base, calibration=Calibration(flat=Flat(5 * u.mmag, 20 * u.arcmin)))
    made, still = expose(flat, whole, plan, 3, 1), expose(base, whole, plan, 3, 1)
    pattern = random_fields.draw(stream(1, "flat r"), np.radians(20 / 60))
    expected = 5e-3 * random_fields.scalar(pattern, still.x, still.y)
    np.testing.assert_allclose(made.columns["mag"] - still.columns["mag"], expected, atol=1e-12)


def test_psf_magnitudes_of_galaxies_lose_light() -> None:
    """Compare with sums over pixels: a least-squares fit of a PSF with the same seeing to the wider image."""
    size, base = 0.8, sharp(plain(stars=10))
    made = first(replace(base, galaxies=Galaxies(500, 18 * u.mag, 18.5 * u.mag, 0.3, size * u.arcsec)))
    galaxies = made.select(made.sky.galaxy[made.source])
    assert (galaxies.columns["extendedness"] == 1).all()
    psf, wide = made.visit.seeing / FWHM, np.hypot(made.visit.seeing, size * 1000) / FWHM
    axis = np.arange(-4000, 4001, 25.0)
    square = axis[:, None] ** 2 + axis[None, :] ** 2
    model, image = (np.exp(-square / 2 / sigma**2) / sigma**2 for sigma in (psf, wide))
    expected = -2.5 * np.log10((model * image).sum() / (model * model).sum())
    np.testing.assert_allclose(galaxies.columns["mag"] - galaxies.true_mag, expected, atol=1e-5)


def test_companion_changes_position_and_flux_as_a_fit_does() -> None:
    """Compare with a least-squares fit of one PSF to pixels of two, to first order in the companion's flux."""
    ratio, base = 0.01, sharp(plain(stars=400))
    stars = replace(base.stars, companions=Companions(0.5, 1 * u.arcsec, 5 * u.mag))
    made, still = first(replace(base, stars=stars)), first(base)
    vectors, change = shifts(made, still), made.columns["mag"] - still.columns["mag"]
    psf = made.visit.seeing / FWHM
    axis = np.arange(-3000, 3001, 30.0)
    pixels = np.stack(np.meshgrid(axis, axis, indexing="ij"))

    def image(x: float) -> FloatArray:
        return np.asarray(np.exp(-((pixels[0] - x) ** 2 + pixels[1] ** 2) / 2 / psf**2))

    for k in np.flatnonzero(made.sky.share[made.source] > 0)[:5]:
        distance = float(np.hypot(*made.sky.companion[made.source[k]]))
        both = image(0.0) + ratio * image(distance)
        slope = (image(1.0) - image(-1.0)) / 2
        fit = np.linalg.lstsq(np.stack([image(0.0).ravel(), slope.ravel()], axis=1), both.ravel(), rcond=None)[0]
        assert np.linalg.norm(vectors[k]) == pytest.approx(fit[1], abs=0.02 * ratio * distance + 1e-3)
        assert change[k] == pytest.approx(-2.5 * np.log10(fit[0]), abs=1e-4)
    lonely = made.sky.share[made.source] == 0
    np.testing.assert_allclose(vectors[lonely], 0, atol=1e-6)


def test_saturated_stars_are_flagged_lose_light_and_scatter() -> None:
    base = sharp(plain(stars=3000))
    full = replace(base, measurement=replace(base.measurement, saturation=19 * u.mag))
    made, still = first(full), first(base)
    flagged = made.columns["flag_saturated"]
    np.testing.assert_array_equal(flagged, made.true_mag < made.visit.saturation)
    loss = np.maximum(made.visit.saturation - made.true_mag, 0) / 2
    np.testing.assert_allclose(made.columns["mag"] - still.columns["mag"], loss, atol=1e-9)
    vectors = shifts(made, still)
    np.testing.assert_allclose(vectors[~flagged], 0, atol=1e-6)
    rms = np.sqrt((vectors[flagged] ** 2).sum(axis=1).mean() / 2)
    assert rms == pytest.approx(0.05 * made.visit.seeing, rel=5 / np.sqrt(4 * flagged.sum()))


def test_cosmic_rays_change_only_their_fraction() -> None:
    base = sharp(plain(stars=20000))
    made, still = first(replace(base, measurement=replace(base.measurement, cosmic_rays=0.05))), first(base)
    hit = made.columns["flag_cr"]
    assert hit.mean() == pytest.approx(0.05, abs=5 * np.sqrt(0.05 / len(made)))
    change = made.columns["mag"] - still.columns["mag"]
    np.testing.assert_array_equal(change[~hit], 0)
    assert (change[hit] < 0).all()


def test_edges_are_flagged_within_their_width() -> None:
    """The flagged fraction is the area of a detector closer to its edge than the width."""
    made = first(replace(plain(stars=20000), camera=Camera(10 * u.arcmin, 10 * u.arcsec, 15 * u.arcsec)))
    share = 1 - (1 - 2 * 15 / 600) ** 2
    assert made.columns["flag_edge"].mean() == pytest.approx(share, abs=5 * np.sqrt(share / len(made)))


def test_only_variable_stars_vary() -> None:
    base = sharp(plain(stars=500))
    stars = replace(base.stars, variables=Variables(0.3, 0.1 * u.mag, 1 * u.day, 50 * u.day))
    made = first(replace(base, stars=stars))
    change = made.true_mag - made.sky.mag[made.source]
    np.testing.assert_array_equal(change == 0, made.sky.amplitude[made.source] == 0)
    assert np.abs(change).max() <= 0.1


def focal_plane(made: Exposure, e1: FloatArray, e2: FloatArray) -> AnyArray:
    """Return ellipticities in the axes of the focal plane as complex numbers."""
    place = unit_vectors(made.columns["ra"], made.columns["dec"])
    pointing = np.broadcast_to(made.visit.pointing, place.shape)
    return parallel_transport(e1 + 1j * e2, place, pointing) * np.exp(-2j * made.visit.rotation)


def test_ellipticities_are_field_plus_errors() -> None:
    """Image minus PSF model has the expected rms, and the model is zero by default."""
    shape = Ellipticity(0.01, 5 * u.arcmin, 0.002)
    made = first(replace(plain(stars=5000), ellipticity=shape))
    pattern = random_fields.draw(stream(1, f"ellipticity {made.visit.band}", 0), np.radians(5 / 60))
    e1, e2 = 0.01 * random_fields.ellipticity(pattern, made.x, made.y)
    found = focal_plane(made, *(made.columns[name] - made.columns[f"psf_{name}"] for name in ("e1", "e2")))
    for noise in (found.real - e1, found.imag - e2):
        assert noise.std() == pytest.approx(0.002, rel=5 / np.sqrt(2 * len(made)))
    assert not made.columns["psf_e1"].any()


def test_ellipticities_rotate_with_the_focal_plane() -> None:
    """The model is constant within a visit, in axes transported to the north of each position."""
    shape = Ellipticity(0.0, 5 * u.arcmin, 0.0, 0.1)
    base = replace(plain(stars=500), ellipticity=shape)
    turned = replace(base, visits=replace(base.visits, rotation=90 * u.deg))
    made, other = first(base), first(turned)
    model, again = (focal_plane(part, part.columns["psf_e1"], part.columns["psf_e2"]) for part in (made, other))
    assert np.ptp(model.real) + np.ptp(model.imag) < 1e-6
    np.testing.assert_allclose(again.mean(), model.mean(), rtol=1e-6)
    assert not np.allclose(other.columns["psf_e1"], made.columns["psf_e1"][0])
    np.testing.assert_array_equal(made.columns["e1"], made.columns["psf_e1"])


@pytest.mark.parametrize(("ra", "dec"), [(0.0, 0.0), (200.0, 89.999), (0.0, -90.0)])
def test_shifts_are_along_the_sky_or_the_focal_plane(ra: float, dec: float) -> None:
    """Lengths are as given, also at RA = 0 and at the poles; 100 mas to the north is 100 mas of declination."""
    made = first(sharp(plain(ra, dec, stars=200)))
    for moved in (
        made.shift_on_sky(60.0, 80.0),
        made.shift_on_focal_plane(np.full(len(made), 60.0), np.full(len(made), 80.0)),
    ):
        np.testing.assert_allclose(np.linalg.norm(shifts(moved, made), axis=1), 100, rtol=2e-3)
    north = made.shift_on_sky(0.0, 100.0).columns["dec"] - made.columns["dec"]
    np.testing.assert_allclose(np.abs(north) * 3_600_000, 100, rtol=1e-5)
