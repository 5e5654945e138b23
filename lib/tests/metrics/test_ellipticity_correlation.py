"""Residual ellipticity against plain loops, fields of known correlation, and its conventions."""

from __future__ import annotations

import dataclasses
import statistics
from typing import Any

import numba
import numpy as np
import pytest
from numpy.typing import NDArray
from skyaccept.lib import measure, readers, requirements, sphere
from skyaccept.lib.arrays import ComplexArray
from skyaccept.lib.catalog.detections import AssociatedDetections
from skyaccept.lib.exceptions import NotMeasurable
from skyaccept.lib.metrics.ellipticity_correlation import ESTIMATORS, BinSettings
from skyaccept.lib.metrics.metric import evaluate
from skyaccept.lib.numba_cache import share_cores
from skyaccept.lib.results.model import Result
from skyaccept.lib.sample.visit_matrix import LIMIT
from skyaccept.lib.separation.correlation import COMPONENTS
from skyaccept.lib.separation.separation_bins import SeparationBins
from skyaccept.lib.sphere import unit_vectors
from skyaccept.lib.tests.realdata import REALDATA, needs_realdata
from skyaccept.lib.tests.records import interval_of
from skyaccept.lib.tests.reference import (
    Star,
    bearing,
    carried,
    ellipticity_products,
    haversine,
    mean_position,
    percentile,
)
from skyaccept.lib.tests.samples import detections, rotated, sample
from skyaccept.lib.uncertainty.errors import Errors
from skyaccept.lib.uncertainty.estimator import MatrixErrors, NoSettings
from skyaccept.lib.uncertainty.jackknife import cells, estimates
from skyaccept.lib.uncertainty.statistic import Statistic
from skyaccept.lib.uncertainty.visit_blocks import blocks_of_visits, without_block

SETTINGS = NoSettings()
NEAR, FAR = {"nearest": 0.0, "farthest": 1.0}, {"nearest": 5.0, "farthest": 20.0}
ARCMIN = np.pi / 180 / 60
BINS = BinSettings(bins=SeparationBins(10, 0.25 * ARCMIN))
PLACES = [(150.0, 2.0), (0.0, -30.0), (40.0, 75.0), (200.0, 89.95), (10.0, -90.0)]


def catalog(ra: Any, dec: Any, shapes: ComplexArray, psf: complex = 0j) -> AssociatedDetections:
    """Stars seen in every visit, where ``shapes`` (stars by visits) has them, with a model of the PSF."""
    obj, visit = np.nonzero(np.isfinite(shapes) | np.isnan(shapes.imag))
    image = shapes[obj, visit] + psf
    made = detections(np.asarray(ra)[obj], np.asarray(dec)[obj], obj, visit)
    n = len(obj)
    return dataclasses.replace(
        made, e1=image.real, e2=image.imag, psf_e1=np.full(n, psf.real), psf_e2=np.full(n, psf.imag)
    )


def field(
    rng: np.random.Generator, stars: int, center: tuple[float, float], width: float = 0.15
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Places of stars, degrees, uniform in a square of the plane tangent at a centre."""
    x, y = np.radians(rng.uniform(-width, width, (2, stars)))
    ra = np.radians(center[0])
    middle = unit_vectors(*np.array([[center[0]], [center[1]]]))[0]
    east = np.array([-np.sin(ra), np.cos(ra), 0])
    v = middle + np.outer(x, east) + np.outer(y, np.cross(middle, east))
    return np.degrees(np.arctan2(v[:, 1], v[:, 0])) % 360, np.degrees(np.arctan2(v[:, 2], np.hypot(v[:, 0], v[:, 1])))


def direction(ra: float, dec: float) -> NDArray[np.float64]:
    """One unit vector, (1, 3)."""
    return unit_vectors(np.array([ra]), np.array([dec]))


def noise(rng: np.random.Generator, *shape: int) -> ComplexArray:
    """Complex numbers with parts of unit variance."""
    return np.asarray(rng.standard_normal(shape) + 1j * rng.standard_normal(shape))


def plain(found: AssociatedDetections) -> tuple[list[Star], list[dict[int, complex]]]:
    """Stars and their residuals by visit."""
    stars = [Star({}) for _ in range(found.n_objects)]
    shapes: list[dict[int, complex]] = [{} for _ in stars]
    for k in range(len(found)):
        star, visit = int(found.object[k]), int(found.visit[k])
        stars[star].seen[visit] = (float(found.ra[k]), float(found.dec[k]))
        residual = complex(found.e1[k] - found.psf_e1[k], found.e2[k] - found.psf_e2[k])  # type: ignore[index]
        if np.isfinite(residual):
            shapes[star][visit] = residual
    return stars, shapes


def by_visit(found: AssociatedDetections, low: float, high: float) -> dict[str, list[float]]:
    """E1, E2 and EX of each visit that has pairs, in plain loops; arcmin."""
    products = ellipticity_products(*plain(found), low * 60_000, high * 60_000, by_visit=True)
    values: dict[str, list[float]] = {name: [] for name in COMPONENTS}
    for pairs in products.values():
        if pairs:
            values["E1"].append(statistics.fmean(a.real * b.real for a, b in pairs))
            values["E2"].append(statistics.fmean(a.imag * b.imag for a, b in pairs))
            values["EX"].append(statistics.fmean((a.real * b.imag + a.imag * b.real) / 2 for a, b in pairs))
    return values


def results(found: AssociatedDetections, definition: str | None = None) -> dict[str, Result]:
    """The clauses of LSE-30 in r, by name."""
    run = measure.run(found, requirements.load(), measure.Options(bands=["r"], definition=definition))
    return {result.clause: result for result in run.results if result.requirement == "OSS-REQ-0403"}


def mixed(center: tuple[float, float], stars: int = 60, visits: int = 6) -> AssociatedDetections:
    """Stars of which some are missing in some visits, some have no shape, with residuals that visits share in part."""
    rng = np.random.default_rng(4)
    shapes = 0.01 * noise(rng, stars, visits) + 0.01 * noise(rng, 1, visits)
    made = catalog(*field(rng, stars, center, 0.1), shapes, psf=0.05 - 0.02j)
    assert made.e1 is not None
    made = dataclasses.replace(made, e1=np.where(rng.random(len(made)) < 0.05, np.nan, made.e1))
    kept = rng.random(len(made)) < 0.9
    columns = {f.name: getattr(made, f.name) for f in dataclasses.fields(made)}
    changed: dict[str, Any] = {name: v[kept] for name, v in columns.items() if isinstance(v, np.ndarray)}
    return dataclasses.replace(made, **changed, flags={name: v[kept] for name, v in made.flags.items()})


@pytest.mark.slow
@pytest.mark.parametrize("center", PLACES)
def test_the_clauses_agree_with_plain_loops(center: tuple[float, float]) -> None:
    """At every level; at RA = 0 and at the poles, with stars missing and shapes NaN."""
    found = mixed(center)
    run = results(found)
    for scale, (low, high), limits in (
        ("13", (0.0, 1.0), (4e-5, 6e-5, 2e-5)),
        ("24", (5.0, 20.0), (2e-7, 5e-7, 1e-7)),
    ):
        values = by_visit(found, low, high)
        typical = {name: abs(statistics.median(one)) for name, one in values.items()}
        largest = [max(map(abs, one)) for one in zip(*values.values(), strict=True)]
        one = run[f"TE{scale[0]}"]
        assert one.value == pytest.approx(max(typical.values()), rel=1e-7)
        assert one.coordinates == pytest.approx(typical, rel=1e-7)
        for level, limit, share in zip(("design", "minimum", "stretch"), limits, (15, 15, 10), strict=True):
            assert run[f"TE{scale[1]}"].levels[level].value == pytest.approx(percentile(largest, 100 - share), rel=1e-7)
            beyond = 100 * sum(x > limit for x in largest) / len(largest)
            assert run[f"TEF-TE{scale[1]}"].levels[level].value == pytest.approx(beyond)
    account = run["TE1"].sample
    assert account is not None
    unknown = np.count_nonzero(np.isnan(found.e1))  # type: ignore[arg-type]
    assert account.rejected == {"ellipticity:not finite": unknown}
    assert account.rows_used == len(found) - unknown


@pytest.mark.slow
@pytest.mark.parametrize("center", PLACES)
def test_the_definitions_of_the_peers_agree_with_plain_loops(center: tuple[float, float]) -> None:
    """Medians or means of stars over visits, xi+ in bins, and the same in each visit."""
    found = mixed(center)
    stars, shapes = plain(found)
    drp, faro = results(found, "validate_drp"), results(found, "faro")

    def xi(edges: list[tuple[float, float]], middle: Any) -> list[float]:
        """Of the middle of each star, carried first: all in one visit of their own."""
        values = []
        for low, high in edges:
            pairs = _of_stars(stars, shapes, low, high, middle)
            if pairs:
                values.append(statistics.fmean((a * b.conjugate()).real for a, b in pairs))
        return values

    def logarithmic(low: float, high: float, number: int) -> list[tuple[float, float]]:
        step = (high / low) ** (1 / number)
        return [(low * step**k, low * step ** (k + 1)) for k in range(number)]

    for clause, (low, high) in (("TE1", (0.0, 1.0)), ("TE2", (5.0, 20.0))):
        chosen = [(a, b) for a, b in logarithmic(0.25, 20, 20) if low <= (a * b) ** 0.5 <= high]
        expected = abs(statistics.fmean(xi(chosen, statistics.median)))
        assert drp[clause].value == pytest.approx(expected, rel=1e-6)
        edges = logarithmic(max(low, 0.25), high, 10)
        assert faro[clause].value == pytest.approx(statistics.fmean(map(abs, xi(edges, statistics.fmean))), rel=1e-6)
        sizes: dict[int, list[float]] = {}
        for a, b in edges:
            for visit, pairs in ellipticity_products(stars, shapes, a * 60_000, b * 60_000, by_visit=True).items():
                if pairs:
                    size = abs(statistics.fmean((p * q.conjugate()).real for p, q in pairs))
                    sizes.setdefault(visit, []).append(size)
        visits = [statistics.fmean(one) for one in sizes.values()]
        image = "TE3" if clause == "TE1" else "TE4"
        assert faro[image].value == pytest.approx(percentile(visits, 85), rel=1e-6)
    assert drp["TE3"].verdict == drp["TEF-TE4"].verdict == "not_measurable"


def _of_stars(
    stars: list[Star], shapes: list[dict[int, complex]], low: float, high: float, middle: Any
) -> list[tuple[complex, complex]]:
    """Pairs of what ``middle`` makes of the residuals of each star, in the axes at the middle of all detections."""
    places = [mean_position(star) for star in stars]
    every = [places[k] for k, star in enumerate(stars) for _ in star.seen]
    center = mean_position(Star(dict(enumerate(every))))
    typical = {}
    for k, seen in enumerate(shapes):
        if seen:
            there = [carried(e, stars[k].seen[visit], center) for visit, e in seen.items()]
            typical[k] = complex(middle([e.real for e in there]), middle([e.imag for e in there]))
    return [
        (typical[i], typical[j])
        for i in typical
        for j in typical
        if j < i and low * 60_000 <= haversine(places[i], places[j]) < high * 60_000
    ]


def components(found: AssociatedDetections, parameters: dict[str, float] = FAR) -> NDArray[np.float64]:
    """E1, E2 and EX by visit."""
    errors = ESTIMATORS["visit_correlation"].of_sample(sample(found), parameters, SETTINGS)
    return np.stack([errors.components[name] for name in COMPONENTS])


@pytest.mark.slow
def test_axes_are_east_and_north() -> None:
    """Turned shapes exchange E1 and E2, mirrored ones change the sign of EX; a shift in RA changes nothing."""
    rng = np.random.default_rng(8)
    ra, dec = field(rng, 100, (359.95, 40.0))
    shapes = 0.01 * noise(rng, 100, 3) + 0.02 * noise(rng, 1, 3)
    e1, e2, ex = components(catalog(ra, dec, shapes))
    np.testing.assert_allclose(components(catalog((ra + 123) % 360, dec, shapes)), [e1, e2, ex], rtol=1e-9)
    np.testing.assert_allclose(components(catalog(-ra % 360, dec, shapes.conj())), [e1, e2, -ex], rtol=1e-9)
    # axes of the camera at 45 degrees to the north
    turned = components(catalog(ra, dec, shapes * np.exp(2j * np.pi / 4)))
    np.testing.assert_allclose(turned, [e2, e1, -ex], rtol=1e-9)


def test_northward_elongation_is_kept_along_a_meridian() -> None:
    """Carried along a meridian over the pole, an ellipse that points to the north still points along the meridian."""
    north = np.array([-1.0 + 0j])
    to = sphere.parallel_transport(north, direction(30.0, 80.0), direction(210.0, 80.0))
    np.testing.assert_allclose(to, north, atol=1e-12)
    # along the equator angles to it stay; around a triangle of three right angles an ellipse turns by one
    slanted = np.array([0.3 + 0.4j])
    corners = [direction(ra, dec) for ra, dec in ((0.0, 0.0), (90.0, 0.0), (0.0, 90.0), (0.0, 0.0))]
    there = sphere.parallel_transport(slanted, corners[0], corners[1])
    np.testing.assert_allclose(there, slanted, atol=1e-12)
    back = sphere.parallel_transport(sphere.parallel_transport(there, corners[1], corners[2]), corners[2], corners[3])
    np.testing.assert_allclose(back, -slanted, atol=1e-12)
    np.testing.assert_allclose(sphere.parallel_transport(slanted, corners[0], corners[0]), slanted, atol=1e-15)


def test_a_rotation_of_the_sky_leaves_what_has_no_axes() -> None:
    """E1 + E2, and the size of (E1 - E2) / 2 + i EX, within the area of the triangles."""
    rng = np.random.default_rng(9)
    ra, dec = field(rng, 100, (10.0, 0.0))
    shapes = 0.01 * noise(rng, 100, 3) + 0.02 * noise(rng, 1, 3)
    e1, e2, ex = components(catalog(ra, dec, shapes))
    moved = rotated(ra, dec, np.array([0.3, -1.0, 0.1]), 1.5)
    # an ellipse keeps its angle to the way to a point that is moved as well
    point = (10.0, 20.0)
    goal = tuple(float(x[0]) for x in rotated(np.array([10.0]), np.array([20.0]), np.array([0.3, -1.0, 0.1]), 1.5))
    turn = [
        bearing((a, d), point) - bearing((b, f), goal)  # type: ignore[arg-type]
        for a, d, b, f in zip(ra, dec, *moved, strict=True)
    ]
    there = shapes * np.exp(2j * np.array(turn))[:, None]
    f1, f2, fx = components(catalog(*moved, there))
    np.testing.assert_allclose(f1 + f2, e1 + e2, rtol=1e-4)
    np.testing.assert_allclose(np.hypot((f1 - f2) / 2, fx), np.hypot((e1 - e2) / 2, ex), rtol=1e-3)


def gaussian_field(rng: np.random.Generator, x: Any, y: Any, rms: float, scale: float) -> ComplexArray:
    """Field of spin 0 in each component with the correlation rms^2 exp(-r^2 / (2 scale^2)), exactly Gaussian."""
    distance = (x[:, None] - x) ** 2 + (y[:, None] - y) ** 2
    factor = np.linalg.cholesky(np.exp(-distance / (2 * scale**2)) + 1e-9 * np.eye(len(x)))
    return np.asarray(rms * (factor @ noise(rng, len(x), 1))[:, 0])


@pytest.mark.slow
def test_a_known_correlation_function_is_recovered() -> None:
    """The mean over 400 visits of each component, within five standard errors, near and far; EX is nil."""
    rng = np.random.default_rng(11)
    stars, visits, rms, scale = 150, 400, 0.01, 3.0
    x, y = rng.uniform(-6, 6, (2, stars))
    shapes = np.stack([gaussian_field(rng, x, y, rms, scale) for _ in range(visits)], axis=1)
    shapes = shapes + 0.02 * noise(rng, stars, visits)
    found = catalog((x / 60) % 360, y / 60, shapes, psf=0.1 + 0.1j)
    i, j = np.triu_indices(stars, 1)
    apart = np.hypot(x[i] - x[j], y[i] - y[j])
    for parameters in (NEAR, {"nearest": 2.0, "farthest": 4.0}, FAR):
        inside = (apart >= parameters["nearest"]) & (apart < parameters["farthest"])
        expected = rms**2 * np.exp(-(apart[inside] ** 2) / (2 * scale**2)).mean()
        values = components(found, parameters)
        error = values.std(axis=1, ddof=1) / np.sqrt(visits)
        assert (np.abs(values.mean(axis=1) - [expected, expected, 0]) < 5 * error).all()
        assert error[0] < 0.15 * rms**2


@pytest.mark.slow
def test_noise_alone_gives_nothing_and_the_model_cancels() -> None:
    """Intervals of TE1 and TE2 hold what is nearly nil; another model under the same residuals changes nothing."""
    rng = np.random.default_rng(12)
    ra, dec = field(rng, 400, (150.0, 2.0), 0.2)
    shapes = 0.005 * noise(rng, 400, 12)
    run, other = results(catalog(ra, dec, shapes)), results(catalog(ra, dec, shapes, psf=0.2 + 0.3j))
    for clause, result in run.items():
        assert other[clause].value == pytest.approx(result.value, rel=1e-6, abs=1e-15)
    for clause in ("TE1", "TE2"):
        low, high = interval_of(run[clause])
        assert low < 0.05 * high
    # what single images scatter by is noise, and taken off
    far = run["TE4"]
    assert far.value is not None
    assert far.value_unbiased is not None
    assert far.value_unbiased < 0.7 * far.value


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(ESTIMATORS))
def test_replicates_are_what_is_measured_without_stars_or_visits(name: str) -> None:
    """On all of the sample, without one cell of the sky and without a block of visits, by the estimator itself."""
    rng = np.random.default_rng(13)
    ra, dec = field(rng, 120, (150.0, 2.0), 0.1)
    shapes = 0.01 * noise(rng, 120, 5) + 0.01 * noise(rng, 1, 5)
    estimator, here = ESTIMATORS[name], sample(catalog(ra, dec, shapes))
    settings = BINS if estimator.takes("bins") else SETTINGS
    matrix = estimator.measurements(here, FAR, settings, None)
    cell = cells(matrix, np.arange(120))
    star = here.positions.objects  # in the order of the cells
    left = np.sort(star[cell != 3])
    part = sample(catalog(ra[left], dec[left], shapes[left]))

    def sizes(errors: Errors) -> list[NDArray[Any]]:
        return [np.sort(v) for v in errors.components.values()]

    def compare(errors: Errors, expected: Errors, rtol: float, atol: float = 0.0) -> None:
        for found, known in zip(sizes(errors), sizes(expected), strict=True):
            np.testing.assert_allclose(found, known, rtol=rtol, atol=atol)

    compare(estimator.errors(matrix, settings), estimator.of_sample(here, FAR, settings), rtol=1e-9)
    kept = (cells(matrix, matrix.stars) != 3).all(axis=1)
    without = estimator.errors(matrix.select(units=kept), settings)
    # the middles of the visits move by as little as a star in sixteen can move them
    compare(without, estimator.of_sample(part, FAR, settings), rtol=1e-5, atol=1e-9)
    assert matrix.visit_groups is not None
    (blocks,) = blocks_of_visits([matrix.visit_groups], matrix.n_visits)
    (out,) = np.flatnonzero(blocks == 2)
    fewer = sample(catalog(ra, dec, np.delete(shapes, out, axis=1)))
    without = estimator.errors(without_block(matrix, 2), settings)
    compare(without, estimator.of_sample(fewer, FAR, settings), rtol=1e-9)


def test_the_same_bits_whatever_the_number_of_threads() -> None:
    rng = np.random.default_rng(14)
    found = catalog(*field(rng, 500, (150.0, 2.0), 0.3), 0.01 * noise(rng, 500, 4))
    before = numba.get_num_threads()
    try:
        share_cores(1)
        many = components(found)
        numba.set_num_threads(1)
        np.testing.assert_array_equal(components(found), many)
    finally:
        numba.set_num_threads(before)


def test_a_catalog_without_ellipticities_is_not_measurable() -> None:
    """With the reason, and no error: the clauses are part of the documents that run by default."""
    rng = np.random.default_rng(15)
    made = detections(*field(rng, 30, (150.0, 2.0)), np.arange(30), np.zeros(30, dtype=np.int64))
    found = results(made)
    assert len(found) == 6
    for result in found.values():
        assert result.verdict == "not_measurable"
        assert "has no ellipticities of stars and PSF model (no column for e1, e2, psf_e1, psf_e2" in str(result.reason)


def test_what_cannot_be_measured_says_why() -> None:
    """No shape that is finite, no pair, no bin; a single visit has a value and no interval."""
    rng = np.random.default_rng(16)
    ra, dec = field(rng, 30, (150.0, 2.0))
    nothing = catalog(ra, dec, 0.01 * noise(rng, 30, 3))
    assert nothing.e1 is not None
    nothing.e1[:] = np.nan
    with pytest.raises(NotMeasurable, match="none of the 90 selected detections has ellipticities"):
        ESTIMATORS["visit_correlation"].of_sample(sample(nothing), NEAR, SETTINGS)
    apart = catalog(np.arange(5.0), np.zeros(5), 0.01 * noise(rng, 5, 3))
    for estimator in ESTIMATORS.values():
        settings = BINS if estimator.takes("bins") else SETTINGS
        with pytest.raises(NotMeasurable, match="no pair of stars 5 to 20 arcmin apart"):
            estimator.of_sample(sample(apart), FAR, settings)
        with pytest.raises(NotMeasurable, match=r"no pair of|nothing is left to measure"):
            estimator.errors(estimator.measurements(sample(apart), FAR, settings, None), settings)
    xi = ESTIMATORS["visit_xi"]
    with pytest.raises(NotMeasurable, match=r"begin at 2 arcmin"):
        xi.of_sample(sample(apart), NEAR, BinSettings(bins=SeparationBins(10, 2 * ARCMIN)))
    with pytest.raises(NotMeasurable, match="no bin of the definition"):
        xi.of_sample(sample(apart), FAR, BinSettings(bins=SeparationBins(5, 0.25 * ARCMIN, 2 * ARCMIN)))
    single = results(catalog(ra, dec, 0.01 * noise(rng, 30, 1)))["TE2"]
    assert single.value is not None
    assert str(single.no_interval).startswith("no interval: 1 visit cannot tell")
    alone = results(catalog([10.0], [0.0], 0.01 * noise(rng, 1, 3)))["TE1"]
    assert "no pair of stars 0 to 1 arcmin apart" in str(alone.reason)


def test_visits_without_pairs_are_counted() -> None:
    rng = np.random.default_rng(17)
    shapes = 0.01 * noise(rng, 2, 4)
    shapes[1, 2] = complex(np.nan, np.nan)
    largest = ESTIMATORS["visit_largest"]
    errors = largest.of_sample(sample(catalog([10.0, 10.1], [0.0, 0.0], shapes)), FAR, SETTINGS)
    assert (len(errors.values), errors.pairs, errors.measurements) == (3, 1, 3)
    assert "1 visits have no pair of stars at these separations" in errors.notes


def test_psf_stars_are_left_out_and_pixel_axes_noted() -> None:
    rng = np.random.default_rng(18)
    ra, dec = field(rng, 80, (150.0, 60.0))
    found = catalog(ra, dec, 0.01 * noise(rng, 80, 4))
    used = np.asarray(found.object) < 40
    flagged = dataclasses.replace(found, flags={**found.flags, "psf_used": used}, shape_axes="pixels")
    run = results(flagged)["TE2"]
    assert run.sample is not None
    assert (run.sample.objects, run.sample.rejected["flag:psf_used"]) == (40, 160)
    assert "ellipticities along the axes of the pixels" in run.sample.notes[-1]
    # parallel as they stand: nothing is carried
    products = [(a, b) for visit in range(4) for a, b in _pixel_pairs(flagged, visit)]
    errors = ESTIMATORS["visit_correlation"].of_sample(sample(flagged), FAR, SETTINGS)
    mean = np.average(errors.components["E1"])
    assert mean == pytest.approx(np.mean([a.real * b.real for a, b in products]), rel=1e-9)


def _pixel_pairs(found: AssociatedDetections, visit: int) -> list[tuple[complex, complex]]:
    rows = np.flatnonzero(found.visit == visit)
    assert found.e1 is not None
    assert found.e2 is not None
    e = (found.e1 + 1j * found.e2).tolist()
    return [
        (e[i], e[j])
        for k, i in enumerate(rows)
        for j in rows[:k]
        if 5 * 60_000 <= haversine((found.ra[i], found.dec[i]), (found.ra[j], found.dec[j])) < 20 * 60_000
    ]


def test_intervals_are_about_the_value_and_have_each_component() -> None:
    rng = np.random.default_rng(19)
    found = catalog(*field(rng, 200, (150.0, 2.0)), 0.01 * noise(rng, 200, 8) + 0.003 * noise(rng, 1, 8))
    here = sample(found)
    estimator, statistic = ESTIMATORS["visit_correlation"], Statistic("size")
    value, by = evaluate(statistic, estimator.of_sample(here, FAR, SETTINGS))
    assert set(by) == set(COMPONENTS)
    matrix = estimator.measurements(here, FAR, SETTINGS, LIMIT)
    (one,) = estimates(MatrixErrors(estimator=estimator, matrix=matrix, settings=SETTINGS), [statistic])
    assert isinstance(one, tuple)
    known, tables = one
    assert len(tables) == 3
    low, high = known.interval(0.95)
    assert 0 <= low < value < high
    assert known.value == pytest.approx(value, rel=0.5)


@needs_realdata
def test_moments_of_hsc_give_the_correlation_of_a_visit() -> None:
    """Of one detector, along the pixels, without the stars of the model; with one visit there is no interval."""
    found = readers.load(REALDATA / "hsc" / "src_HSC-I_903986_31.fits.gz", "hsc-src")
    assert found.shape_axes == "pixels"
    run = measure.run(found, requirements.load(), measure.Options(bands=["i"]))
    far = next(result for result in run.results if result.clause == "TE2")
    assert far.value is not None, far.reason
    assert 1e-8 < far.value < 1e-3
    assert far.sample is not None
    assert far.sample.rejected["flag:psf_used"] > 0
    assert str(far.no_interval).startswith("no interval: 1 visit")


@pytest.mark.slow
@needs_realdata
def test_blank_moments_are_not_measurable() -> None:
    """Those of the matched catalogs are zeros; all other clauses are measured as ever."""
    found = readers.load(REALDATA / "hsc" / "matchedCatalogTract_0_r.fits.gz", "hsc-afw")
    result = results(found)["TE2"]
    assert "detections has ellipticities of itself and the PSF" in str(result.reason)
