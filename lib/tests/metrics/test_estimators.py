"""Every estimator: its fast path against the one definition of its errors, and replicates against parts of a sample."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from skyaccept.lib import requirements
from skyaccept.lib.arrays import FloatArray
from skyaccept.lib.catalog.colors import ColorRange, Locus
from skyaccept.lib.catalog.detections import AssociatedDetections
from skyaccept.lib.catalog.reference import Reference
from skyaccept.lib.exceptions import NotMeasurable
from skyaccept.lib.metrics import METRICS
from skyaccept.lib.sample.sample import Sample
from skyaccept.lib.sample.visit_matrix import LIMIT
from skyaccept.lib.separation.separation_bins import SeparationBins
from skyaccept.lib.sphere import ARCMIN
from skyaccept.lib.tests import samples
from skyaccept.lib.uncertainty.errors import Errors
from skyaccept.lib.uncertainty.estimator import Estimator

STARS = 60
LOCUS = Locus(
    ColorRange(("g", "r"), at_least=0.2, at_most=1.6), ColorRange(("r", "i"), at_least=-1.0, at_most=2.0), (4.0,)
)
PARAMETERS = {"separation": 5.0, "nearest": 0.5, "farthest": 6.0}
GIVEN: dict[str, Any] = {
    "half_width": 2 * ARCMIN,
    "min_common_visits": 2,
    "ddof": 1,
    "radius": 0.5 * ARCMIN / 60,
    "reference_snr": 10.0,
    "reference_band": "i",
    "locus": LOCUS,
    "bins": SeparationBins(3, 0.5 * ARCMIN),
}

EVERY = [(metric.name, name) for metric in METRICS.values() for name in metric.estimators]
ESTIMATORS: dict[tuple[str, str], Estimator] = {}
"""One of each: metrics of a family share their estimators."""
for key in EVERY:
    used = METRICS[key[0]].estimators[key[1]]
    if not any(used is other for other in ESTIMATORS.values()):
        ESTIMATORS[key] = used
OPTIONS = [
    (metric, name, shot)
    for (metric, name), estimator in ESTIMATORS.items()
    if estimator.fast is not None
    for shot in ((False, True) if estimator.takes("subtract_shot_noise") else (False,))
]


def survey(center: tuple[float, float], visits: int, seed: int = 1) -> tuple[AssociatedDetections, Reference]:
    """Stars in three bands with motions, magnitudes along a locus and ellipticities, some of them missed or unknown."""
    rng = np.random.default_rng(seed)
    dec = np.minimum(center[1] + rng.uniform(-0.06, 0.06, STARS), 89.9999)
    ra = (center[0] + rng.uniform(-0.06, 0.06, STARS) / np.maximum(np.cos(np.radians(dec)), 1e-3)) % 360
    if center[1] > 89:
        ra = rng.uniform(0, 360, STARS)
    ra[1], dec[1] = ra[0], dec[0]  # two objects at one place
    color = rng.uniform(0.3, 1.5, STARS)
    mags = {"g": 19 + color, "r": np.full(STARS, 19.0), "i": 19 - 0.4 * color + rng.normal(0, 0.02, STARS)}
    reference = Reference(
        ra,
        dec,
        np.full(STARS, 58000.0),
        rng.normal(0, 20, STARS),
        rng.normal(0, 20, STARS),
        rng.uniform(0.5, 5, STARS),
        mags=mags,
        mag_errs={band: np.full(STARS, 0.01) for band in mags},
        name="stars",
    )
    obj, visit = (grid.ravel() for grid in np.meshgrid(np.arange(STARS), np.arange(3 * visits), indexing="ij"))
    seen = rng.random(len(obj)) > 0.15
    obj, visit = obj[seen], visit[seen]
    band = visit // visits
    mjd = 58000.0 + 11.0 * visit
    place = reference.directions_at(obj, mjd)
    n = len(obj)
    shift = rng.normal(0, 10, (2, n)) / 3.6e6
    here = np.degrees(np.arcsin(place[:, 2])) + shift[1]
    ellipticity = rng.normal(0, 0.05, (4, n))
    ellipticity[:, rng.random(n) < 0.05] = np.nan
    found = AssociatedDetections(
        ra=(np.degrees(np.arctan2(place[:, 1], place[:, 0])) + shift[0] / np.cos(np.radians(here))) % 360,
        dec=here,
        visit=visit,
        band=band.astype(np.int16),
        visits=tuple(f"visit {k}" for k in range(3 * visits)),
        bands=("g", "r", "i"),
        object=obj,
        mag=np.stack([mags[one] for one in "gri"])[band, obj]
        + rng.normal(0, 0.01, n)
        + rng.normal(0, 0.01, 3 * visits)[visit],
        mag_err=rng.uniform(0.004, 0.012, n),
        snr=np.full(n, 200.0),
        mjd=mjd,
        e1=ellipticity[0],
        e2=ellipticity[1],
        psf_e1=ellipticity[2],
        psf_e2=ellipticity[3],
        name="all",
    )
    return found, reference


PLACES = {"RA = 0": (0.0, 30.0), "pole": (10.0, 90.0)}
SURVEYS = {(place, visits): survey(center, visits) for place, center in PLACES.items() for visits in (1, 2, 7)}


def settings_of(estimator: Estimator, shot: bool = False) -> Any:
    given = GIVEN | {"subtract_shot_noise": shot}
    return estimator.settings(**{name: value for name, value in given.items() if estimator.takes(name)})


def in_order(errors: Errors) -> Iterator[tuple[str, FloatArray, FloatArray]]:
    """Components in ascending order, with the weights of their values, about a mean of 1."""
    for name, values in errors.components.items():
        order = np.argsort(values, kind="stable")
        weights = np.ones(len(values)) if errors.weights is None else errors.weights / errors.weights.mean()
        yield name, values[order], weights[order]


def either(compute: Any, *arguments: Any) -> Errors | str:
    """Errors, or the fact that there are none."""
    try:
        found: Errors = compute(*arguments)
    except NotMeasurable:
        return "not measurable"
    return found


@pytest.mark.parametrize("where", SURVEYS, ids=lambda where: f"{where[0]}, {where[1]} visits")
@pytest.mark.parametrize(("metric", "name", "shot"), OPTIONS, ids=str)
def test_fast_paths_give_the_errors_of_the_definition(
    metric: str, name: str, shot: bool, where: tuple[str, int]
) -> None:
    found, reference = SURVEYS[where]
    estimator = ESTIMATORS[metric, name]
    settings = settings_of(estimator, shot)
    sample = samples.sample(found, "r", reference)
    assert estimator.fast is not None

    def defined() -> Errors:
        matrix = estimator.measurements(sample, PARAMETERS, settings, None)
        return estimator.finish(estimator.errors(matrix, settings))

    def fast() -> Errors:
        assert estimator.fast is not None
        return estimator.finish(estimator.fast(sample, PARAMETERS, settings))

    expected, measured = either(defined), either(fast)
    assert isinstance(expected, str) == isinstance(measured, str), (expected, measured)
    if isinstance(expected, str) or isinstance(measured, str):
        assert where[1] == 1 or (name == "visit_difference") == (where[1] > 2)
        return
    for (component, values, weights), (other, fast_values, fast_weights) in zip(
        in_order(expected), in_order(measured), strict=True
    ):
        assert component == other
        np.testing.assert_allclose(fast_values, values, rtol=1e-6, atol=2e-5)
        np.testing.assert_allclose(fast_weights, weights, rtol=1e-9)


@pytest.mark.parametrize(("metric", "name"), ESTIMATORS, ids=str)
def test_separable_errors_of_a_unit_depend_on_no_other(metric: str, name: str) -> None:
    """A selection of all units changes nothing, and errors of a third are a third of the errors."""
    found, reference = SURVEYS["RA = 0", 2 if name == "visit_difference" else 7]
    estimator = ESTIMATORS[metric, name]
    settings = settings_of(estimator)
    whole = samples.sample(found, "r", reference)
    matrix = estimator.measurements(whole, PARAMETERS, settings, LIMIT)
    units = matrix.select(units=np.arange(len(matrix.stars)))
    first, second = (estimator.errors(one, settings) for one in (matrix, units))
    for (_, values, _), (_, again, _) in zip(in_order(first), in_order(second), strict=True):
        np.testing.assert_array_equal(values, again)
    if estimator.separable:
        assert first.unit is not None
        part = matrix.select(units=np.arange(len(matrix.stars)) % 3 > 0)
        found_errors = estimator.errors(part, settings)
        for component, values in first.components.items():
            expected = np.sort(values[first.unit % 3 > 0])
            np.testing.assert_allclose(np.sort(found_errors.components[component]), expected, rtol=1e-12)


@pytest.mark.parametrize(("metric", "name"), ESTIMATORS, ids=str)
def test_the_order_of_rows_changes_nothing(metric: str, name: str) -> None:
    found, reference = SURVEYS["RA = 0", 2 if name == "visit_difference" else 7]
    estimator = ESTIMATORS[metric, name]
    settings = settings_of(estimator)
    order = np.random.default_rng(3).permutation(len(found))
    columns = {
        key: value[order]
        for key in (
            "ra",
            "dec",
            "visit",
            "band",
            "object",
            "mag",
            "mag_err",
            "snr",
            "mjd",
            "e1",
            "e2",
            "psf_e1",
            "psf_e2",
        )
        if (value := getattr(found, key)) is not None
    }
    results = []
    for one in (found, replace(found, **columns)):
        sample: Sample = samples.sample(one, "r", reference)
        matrix = estimator.measurements(sample, PARAMETERS, settings, LIMIT)
        results.append([values for _, values, _ in in_order(estimator.errors(matrix, settings))])
    for first, second in zip(*results, strict=True):
        np.testing.assert_allclose(second, first, rtol=1e-9, atol=1e-9)


def test_every_estimator_is_used_by_a_shipped_definition() -> None:
    used = {
        (metric, rule.estimator)
        for definition in requirements.load().definitions.values()
        for rule in definition.rules
        for metric in rule.metrics
    }
    assert used <= set(EVERY)
    assert {name for _, name in EVERY} == {name for _, name in used}
