"""Tests of the faults, by themselves and through the metrics."""

from dataclasses import replace

import astropy.units as u
import numpy as np
import pytest
from scipy import stats
from skyaccept.lib.catalog.association import AMBIGUOUS, CONFLICT, RADIUS, associate
from skyaccept.lib.catalog.detections import Detections
from skyaccept.lib.catalog.reference import JULIAN_YEAR
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.sphere import MAS
from skyaccept.synthetic import camera, scenario, survey, visits
from skyaccept.synthetic.exposure import Exposure
from skyaccept.synthetic.faults import FAULTS, shapes
from skyaccept.synthetic.random_streams import stream
from skyaccept.synthetic.scenario_schema import Atmosphere, Camera, Colors, Galaxies, Scenario
from skyaccept.synthetic.tests.surveys import first, nominal, one_magnitude, plain, sharp, shifts, verify

SAME = [name for name in FAULTS if name not in ("unflagged_saturation", "misassociation")]
SHAPES = [fault.name for fault in shapes.FAULTS]


def complete_scenario(name: str) -> Scenario:
    """Return a survey to which every fault can apply."""
    return scenario.load("shapes") if name in SHAPES else nominal()


def simulated(base: Scenario, *chosen: str, seed: int = 1) -> Detections:
    """Simulate the catalog of a scenario with faults."""
    return survey.simulate(scenario.override(base, faults=chosen), seed).detections


def with_and_without(base: Scenario, name: str, strength: float, number: int = 0) -> tuple[Exposure, Exposure]:
    """Expose a visit with a fault, and without."""
    good = first(base, number=number)
    made = FAULTS[name].apply(good, strength)
    assert made is not None
    return made, good


def with_detectors(**size: u.Quantity) -> Scenario:
    """Return a scenario without noise, on detectors of 30 arcmin."""
    detector = size.get("detector", 30 * u.arcmin)
    return replace(sharp(plain(stars=3000)), camera=Camera(detector, 10 * u.arcsec, 0 * u.arcsec))


def focal_plane_shifts(made: Exposure, good: Exposure) -> tuple[np.ndarray, np.ndarray]:
    """Return shifts along the axes of the focal plane, mas, near the pointing."""
    vectors = shifts(made, good)
    return vectors @ camera.focal_plane_axes(good.visit)[0], vectors @ camera.focal_plane_axes(good.visit)[1]


def rms_error(detections: Detections, band: str) -> float:
    """Return the rms of the stated position errors in a band, mas."""
    assert detections.ra_err is not None
    return float(np.sqrt(np.mean(detections.ra_err[detections.band == detections.bands.index(band)] ** 2)))


@pytest.mark.parametrize("name", SAME)
def test_strength_of_zero_changes_nothing(name: str) -> None:
    made, good = with_and_without(complete_scenario(name), name, 0.0)
    assert len(made) == len(good)
    for column, values in good.columns.items():
        tolerance = 1e-13 if column in ("ra", "dec") else 0.0
        np.testing.assert_allclose(made.columns[column], values, rtol=tolerance, err_msg=column)


@pytest.mark.parametrize("name", FAULTS)
def test_faults_are_reproducible_and_keep_their_input(name: str) -> None:
    """The input exposure keeps its columns, and a second application gives the same result."""
    good = first(complete_scenario(name))
    before = {column: values.copy() for column, values in good.columns.items()}
    twice = [FAULTS[name].apply(good, 40.0) for _ in range(2)]
    for column, values in before.items():
        np.testing.assert_array_equal(good.columns[column], values)
    assert (twice[0] is None) == (twice[1] is None)
    if twice[0] is not None and twice[1] is not None:
        for column, values in twice[0].columns.items():
            np.testing.assert_array_equal(twice[1].columns[column], values)


# effects on metrics, in closed form


@pytest.mark.slow
def test_jitter_adds_in_quadrature_to_astrometric_metrics() -> None:
    """In AM, AB1 and AA1 of equal stars sigma^2 becomes sigma^2 + s^2."""
    base = one_magnitude(plain(), 19)
    base = replace(base, reference=nominal().reference, visits=replace(base.visits, view_radius=3 * u.deg))
    detections = simulated(base, "jitter=12mas")
    found = verify(detections, survey.reference(base))
    sigma = {band: np.hypot(12, rms_error(detections, band)) for band in "ri"}
    median = np.sqrt(stats.chi2.median(7) / 7)
    assert found["OSS-REQ-0388-AM2-r"].value == pytest.approx(np.sqrt(2) * sigma["r"] * median, rel=0.02)
    offset = np.hypot(sigma["i"], sigma["r"] / np.sqrt(8))
    assert found["OSS-REQ-0388-AB1-i"].value == pytest.approx(offset, rel=0.02)
    reference = 0.5 * 10 ** (0.2 * (19 - 21))
    motion = (60690 - 57388.5) / JULIAN_YEAR * reference
    total = np.sqrt(sigma["r"] ** 2 + reference**2 + motion**2)
    assert found["OSS-REQ-0388-AA1-r"].value == pytest.approx(stats.norm.ppf(0.75) * total, rel=0.02)


@pytest.mark.slow
def test_plate_scale_changes_separations_in_proportion() -> None:
    """Without noise AM is the separation times the standard deviation of the scales of the visits."""
    base = sharp(plain())
    base = replace(base, visits=replace(base.visits, view_radius=3 * u.deg))
    found = verify(simulated(base, "plate_scale=0.002percent"))
    ratio = [found[f"OSS-REQ-0388-AM{k}-r"].value for k in (1, 2, 3)]
    plan = [visit for visit in visits.plan(base, 1) if visit.band == "r"]
    drawn = [stream(1, "fault plate_scale r", visit.index).standard_normal() for visit in plan]
    spread = 2e-5 * np.std(drawn, ddof=1)
    for value, minutes in zip(ratio, (5, 20, 200), strict=True):
        assert value == pytest.approx(spread * np.radians(minutes / 60) / MAS, rel=0.02)


@pytest.mark.slow
def test_band_offset_affects_ab1_and_not_residuals() -> None:
    """AB1^2 grows by s^2; AM, ABF1 and AB2 of the same detections do not change."""
    good, bad = (verify(simulated(plain(), *chosen)) for chosen in ((), ("band_offset=15mas",)))
    for clause in ("AM1-i", "AM2-i", "AF1-i", "ABF1-i", "AB2-i"):
        assert bad[f"OSS-REQ-0388-{clause}"].value == pytest.approx(good[f"OSS-REQ-0388-{clause}"].value, abs=1e-3)
    coordinates = bad["OSS-REQ-0388-AB1-i"].data["coordinates"]["design"]
    without = good["OSS-REQ-0388-AB1-i"].data["coordinates"]["design"]
    assert coordinates["ra"] == pytest.approx(without["ra"], abs=1e-3)
    assert coordinates["dec"] == pytest.approx(np.hypot(15, without["dec"]), rel=0.01)


@pytest.mark.slow
def test_zero_point_of_one_visit_gives_pa1_of_s_over_root_n() -> None:
    """Without noise a step of 30 mmag makes one measurement in eight deviate by 26.25 mmag, the others by 3.75."""
    base = sharp(plain(stars=1000))
    base = replace(base, visits=replace(base.visits, view_radius=3 * u.deg))
    found = verify(simulated(base, "visit_zero_point=30mmag"))
    assert found["OSS-REQ-0387-PA1gri-r"].value == pytest.approx(30 / np.sqrt(8), abs=1e-6)
    assert found["OSS-REQ-0387-PF1gri-r"].value == pytest.approx(100 / 8)
    assert found["OSS-REQ-0387-PA2gri-r"].value == pytest.approx(30 * 7 / 8, abs=1e-6)


@pytest.mark.slow
def test_band_zero_point_affects_only_reference_photometry() -> None:
    """With 20 mmag in all bands but r, PA6 of i and PA5 of r - i react; deviations from means do not change."""
    catalog = survey.reference(nominal())
    good, bad = (verify(simulated(nominal(), *chosen), catalog) for chosen in ((), ("band_zero_point=20mmag",)))
    for clause in ("PA6-i", "PA5-r"):
        assert bad[f"OSS-REQ-0387-{clause}"].value == pytest.approx(20, abs=1)
        assert good[f"OSS-REQ-0387-{clause}"].value == pytest.approx(0, abs=1)
    for clause in ("PA6-r", "PA1gri-r", "PA1gri-i", "PF1gri-i", "PA2gri-i"):
        assert bad[f"OSS-REQ-0387-{clause}"].value == pytest.approx(good[f"OSS-REQ-0387-{clause}"].value, rel=1e-9)


@pytest.mark.slow
def test_wrong_epoch_displaces_by_proper_motion() -> None:
    """AA1 of stars with normal motions is 0.6745 times the motion in s years, plus noise."""
    found = verify(simulated(nominal(), "wrong_epoch=50yr"), survey.reference(nominal()))
    assert found["OSS-REQ-0388-AA1-r"].value == pytest.approx(stats.norm.ppf(0.75) * np.hypot(5 * 50, 4.5), rel=0.15)


# effects on detections


def test_distortion_grows_as_the_cube_of_the_distance() -> None:
    """Displacement over r^3 is constant within a visit, and scatters over visits by the strength."""
    sizes = []
    base = replace(with_detectors(), visits=replace(with_detectors().visits, number={"r": 60}))
    for number in range(60):
        made, good = with_and_without(base, "distortion", 30.0, number)
        x, y = focal_plane_shifts(made, good)
        reach = np.hypot(good.x, good.y) / np.radians(1.75)
        radial = (x * good.x + y * good.y) / np.hypot(good.x, good.y)
        size = np.median(radial / reach**3)
        np.testing.assert_allclose(radial, size * reach**3, atol=abs(size) * 2e-3 + 1e-4)
        sizes.append(size)
    assert np.sqrt(np.mean(np.square(sizes))) == pytest.approx(30, rel=5 / np.sqrt(120))


def test_each_detector_is_shifted_by_its_constant() -> None:
    x_of: dict[int, list[float]] = {}
    for number in (0, 3):
        made, good = with_and_without(with_detectors(), "detector_shift", 30.0, number)
        x, _ = focal_plane_shifts(made, good)
        for detector, value in zip(good.columns["detector"], x, strict=True):
            x_of.setdefault(int(detector), []).append(value)
    for values in x_of.values():
        np.testing.assert_allclose(values, values[0], atol=0.2)  # tangent planes differ by a part in a thousand
    spread = np.std([values[0] for values in x_of.values()])
    assert spread == pytest.approx(30, rel=5 / np.sqrt(2 * len(x_of)))


def test_rotated_detector_keeps_its_inner_separations() -> None:
    """Displacements are perpendicular to the direction from the centre and grow with the distance."""
    made, good = with_and_without(with_detectors(), "detector_rotation", 10.0)
    x, y = focal_plane_shifts(made, good)
    center_x, center_y = good.detectors.center(good.columns["detector"])
    dx, dy = good.x - center_x, good.y - center_y
    np.testing.assert_allclose(x * dx + y * dy, 0, atol=1e-3 * np.abs(x).max() * np.abs(dx).max())
    turn = np.hypot(x, y) / np.hypot(dx, dy)
    for detector in np.unique(good.columns["detector"]):
        turns = turn[good.columns["detector"] == detector]
        np.testing.assert_allclose(turns, turns[0], rtol=3e-3)


def test_mirrored_detectors_cancel_in_the_mean() -> None:
    """Only the two detectors of 30 arcmin on either side of the middle one move."""
    made, good = with_and_without(with_detectors(), "mirrored_detectors", 300.0)
    x, y = focal_plane_shifts(made, good)
    detector, middle = good.columns["detector"], good.detectors.number // 2
    assert good.detectors.center(np.array([middle]))[0][0] == 0
    for shifted, value in ((middle + 1, 300.0), (middle - 1, -300.0)):
        assert np.any(detector == shifted)
        np.testing.assert_allclose(x[detector == shifted], value, rtol=1e-3)
    np.testing.assert_allclose(x[np.abs(detector - middle) != 1], 0, atol=1e-6)
    np.testing.assert_allclose(y, 0, atol=1)


def test_refraction_agrees_with_the_atmosphere() -> None:
    """A fault of 40 percent equals a fraction of 0.4 in the scenario."""
    base = sharp(plain())
    base = replace(base, stars=replace(base.stars, colors=Colors(1 * u.mag, 0.5 * u.mag)))
    made, _ = with_and_without(base, "refraction", 40.0)
    built_in = first(replace(base, atmosphere=Atmosphere(refraction=0.4)))
    np.testing.assert_allclose(shifts(made, built_in), 0, atol=1e-5)
    with pytest.raises(InputError, match="fault refraction needs stars with colors"):
        with_and_without(plain(), "refraction", 40.0)


def test_proper_motion_is_linear_in_time() -> None:
    """Each coordinate changes by s (t - middle) times its own normal number."""
    base = sharp(plain(stars=2000))
    moved = []
    for number in (0, 5):
        made, good = with_and_without(base, "proper_motion", 200.0, number)
        times = [visit.mjd for visit in good.plan]
        years = (good.visit.mjd - np.mean(times)) / JULIAN_YEAR
        per_star = np.full((len(good.sky), 3), np.nan)
        per_star[good.source] = shifts(made, good) / years
        moved.append(per_star)
    both = np.isfinite(moved[0] + moved[1]).all(axis=1)
    np.testing.assert_allclose(moved[0][both], moved[1][both], atol=0.1)
    rms = np.sqrt((moved[0][both] ** 2).sum(axis=1).mean() / 2)
    assert rms == pytest.approx(200, rel=5 / np.sqrt(4 * both.sum()))


def test_truncation_rounds_to_the_step() -> None:
    """Errors are uniform, with variance step^2 / 12; the step of float32 is 55 mas at RA 150."""
    made, good = with_and_without(plain(stars=20000), "truncation", 55.0)
    for name in ("ra", "dec"):
        steps = made.columns[name] * 3_600_000 / 55
        np.testing.assert_allclose(steps, np.round(steps), atol=1e-3)
        error = (made.columns[name] - good.columns[name]) * 3_600_000
        assert np.abs(error).max() <= 27.6
        assert error.std() == pytest.approx(55 / np.sqrt(12), rel=0.02)
    single = good.columns["ra"].astype(np.float32).astype(float) - good.columns["ra"]
    assert single.std() * 3_600_000 == pytest.approx(55 / np.sqrt(12), rel=0.02)


def test_radians_and_wrapped_ra_affect_their_fraction_of_visits() -> None:
    base = replace(plain(355.0, stars=50), visits=replace(plain().visits, number={"r": 20}))
    for name, right in (
        ("radians", lambda bad, good: np.allclose(np.degrees(bad), good)),
        ("wrapped_ra", lambda bad, good: np.allclose(bad + 360, good) and (bad < 0).all()),
    ):
        hit = 0
        for number in range(20):
            made, good = with_and_without(base, name, 30.0, number)
            changed = not np.array_equal(made.columns["ra"], good.columns["ra"])
            assert not changed or right(made.columns["ra"], good.columns["ra"])
            hit += changed
        assert hit == 6
    with pytest.raises(InputError, match=r"column 'ra': -.* is outside \[0, 360\] degrees"):
        simulated(base, "wrapped_ra=30percent")
    wrapped = simulated(base, "wrapped_ra=100percent")
    np.testing.assert_allclose(wrapped.ra, simulated(base).ra, rtol=1e-14)
    assert wrapped.notes == (f"right ascension wrapped into 0 to 360 degrees for {len(wrapped):,} rows",)


def test_detector_zero_points_and_gradient_follow_focal_plane() -> None:
    made, good = with_and_without(with_detectors(), "gradient", 30.0)
    change = made.columns["mag"] - good.columns["mag"]
    np.testing.assert_allclose(change, 0.030 * good.x / np.radians(1.75), atol=1e-12)
    made, good = with_and_without(with_detectors(), "detector_zero_point", 10.0)
    change = made.columns["mag"] - good.columns["mag"]
    found = [np.unique(change[good.columns["detector"] == k].round(9)) for k in np.unique(good.columns["detector"])]
    assert all(len(values) == 1 for values in found)
    assert np.std([values[0] for values in found]) == pytest.approx(0.010, rel=5 / np.sqrt(2 * len(found)))


def test_wrong_gain_changes_only_errors_and_snr() -> None:
    made, good = with_and_without(nominal(), "wrong_gain", 50.0)
    np.testing.assert_allclose(made.columns["snr"], good.columns["snr"] * np.sqrt(1.5))
    np.testing.assert_allclose(made.columns["mag_err"], good.columns["mag_err"] / np.sqrt(1.5))
    np.testing.assert_array_equal(made.columns["mag"], good.columns["mag"])


def test_unflagged_saturation_loses_light_without_flags() -> None:
    """With 1 mag it loses as much as a survey that saturates 1 mag fainter."""
    base = sharp(plain(stars=3000))
    base = replace(base, measurement=replace(base.measurement, saturation=18 * u.mag))
    made, _ = with_and_without(base, "unflagged_saturation", 1.0)
    deeper = first(replace(base, measurement=replace(base.measurement, saturation=19 * u.mag)))
    np.testing.assert_allclose(made.columns["mag"], deeper.columns["mag"], atol=1e-9)
    assert not made.columns["flag_saturated"].any()
    assert deeper.columns["flag_saturated"].any()


def test_misclassified_galaxies_are_the_same_in_all_visits() -> None:
    base = replace(plain(stars=100), galaxies=Galaxies(4000, 17 * u.mag, 21 * u.mag, 0.3, 0.5 * u.arcsec))
    mistaken: list[set[int]] = []
    for number in (0, 9):
        made, good = with_and_without(base, "galaxies_as_stars", 30.0, number)
        changed = made.columns["extendedness"] != good.columns["extendedness"]
        assert (made.columns["extendedness"][changed] == 0).all()
        assert good.sky.galaxy[good.source[changed]].all()
        share = changed.sum() / good.sky.galaxy[good.source].sum()
        assert share == pytest.approx(0.3, abs=5 * np.sqrt(0.21 / 3000))
        mistaken.append(set(good.source[changed].tolist()))
    assert len(mistaken[0] & mistaken[1]) > 0.8 * len(mistaken[0])


def test_duplicates_exclude_visits_of_objects() -> None:
    """A detection and its duplicate are both left out and counted."""
    base = replace(plain(), visits=replace(plain().visits, view_radius=3 * u.deg))
    made = survey.simulate(scenario.override(base, faults=["duplicates=3percent"]))
    found = associate(made.detections, RADIUS).object
    assert found is not None
    lost = np.count_nonzero(found == CONFLICT) / len(found)
    assert lost == pytest.approx(0.06 / 1.03, abs=5 * np.sqrt(0.06 / len(found)))
    assert np.count_nonzero(found == AMBIGUOUS) < 0.1 * np.count_nonzero(found == CONFLICT)


def test_repeated_rows_are_refused() -> None:
    with pytest.raises(InputError, match="identical in every column"):
        simulated(nominal(), "repeated_rows=0.1percent")


def test_swapped_visits_exchange_their_bands() -> None:
    good, bad = (simulated(nominal(), *chosen) for chosen in ((), ("swapped_visits=25percent",)))
    changed = np.unique(good.visit[good.band != bad.band])
    assert len(changed) == 4
    of = [good.bands[good.band[good.visit == visit][0]] for visit in changed]
    assert sorted(of) == ["i", "i", "r", "r"]
    np.testing.assert_array_equal(good.mag, bad.mag)
    alone = scenario.override(nominal(), bands=["r"], faults=["swapped_visits=25percent"])
    with pytest.raises(InputError, match="fault swapped_visits needs two bands"):
        survey.simulate(alone)


def test_fraction_of_detections_is_not_a_number() -> None:
    found = simulated(plain(stars=2000), "not_a_number=10percent")
    assert found.mag is not None
    unknown = np.isnan(found.ra)
    assert unknown.mean() == pytest.approx(0.1, abs=5 * 0.3 / np.sqrt(len(found)))
    np.testing.assert_array_equal(unknown, np.isnan(found.dec))
    np.testing.assert_array_equal(unknown, np.isnan(found.mag))


def test_half_the_visits_are_missing() -> None:
    good, bad = (simulated(nominal(), *chosen) for chosen in ((), ("missing_visits=50percent",)))
    assert len(good.visits) == 16
    assert len(bad.visits) == 8
    assert set(bad.visits) < set(good.visits)


def test_misassociation_exchanges_a_fraction_with_neighbours() -> None:
    """Each wrong detection has the object next to it, and no object occurs twice in a visit."""
    base = replace(nominal(), measurement=replace(nominal().measurement, spurious=50.0))
    made = survey.simulate(scenario.override(base, faults=["misassociation=4percent"]))
    d, star = made.detections, made.truth.star
    assert d.object is not None
    owner = np.full(d.object.max() + 1, -5)
    # the object of a star is the most frequent one of its detections
    for source in np.unique(star[star >= 0]):
        owner[np.bincount(d.object[star == source]).argmax()] = source
    wrong = (owner[d.object] != star) & (star >= 0)
    assert wrong.mean() == pytest.approx(0.04, abs=0.004)
    keys = d.object.astype(np.int64) * len(d.visits) + d.visit
    assert len(np.unique(keys)) == len(keys)


# invalid faults


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nonsense=3mas", "'nonsense' is not one of jitter, distortion"),
        ("jitter", "expected NAME=STRENGTH, such as jitter=10mas"),
        ("jitter=3", "has no unit"),
        ("jitter=3mmag", "not convertible to mas"),
        ("jitter=-3mas", "must be from 0 to"),
        ("duplicates=101percent", "must be from 0 to 100 percent"),
    ],
)
def test_invalid_faults_are_refused(text: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        scenario.override(nominal(), faults=[text])
    assert words in str(caught.value)
    assert str(caught.value).startswith(f"--fault {text}: ")


def test_strengths_can_have_any_unit_of_their_kind() -> None:
    one, other = (simulated(plain(stars=20), f"jitter={strength}") for strength in ("10mas", "0.01 arcsec"))
    np.testing.assert_allclose(one.ra, other.ra, rtol=1e-15)


def test_faults_are_applied_in_order() -> None:
    """The band offset is in the coordinates that are converted to radians."""
    base = sharp(plain(stars=100))
    both = simulated(base, "band_offset=30mas", "radians=100percent")
    alone = simulated(base, "band_offset=30mas")
    np.testing.assert_allclose(np.degrees(both.dec), alone.dec, rtol=1e-12)
