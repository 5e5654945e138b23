"""Errors of proper motions: against plain loops, a closed form, and the interval against the scatter of surveys."""

import math

import numpy as np
import pytest
from skyaccept.lib import measure, requirements
from skyaccept.lib.arrays import FloatArray
from skyaccept.lib.catalog.detections import AssociatedDetections
from skyaccept.lib.exceptions import NotMeasurable
from skyaccept.lib.metrics.metric import evaluate
from skyaccept.lib.metrics.proper_motion import ESTIMATORS, METRICS
from skyaccept.lib.results.model import Result
from skyaccept.lib.tests.reference import Star, mean_position
from skyaccept.lib.tests.samples import detections, offset, sample, scattered
from skyaccept.lib.uncertainty import jackknife
from skyaccept.lib.uncertainty.estimator import MatrixErrors, NoSettings

(METRIC,) = METRICS
SLOPE = ESTIMATORS["slope_error"]
SIGMA = 10.0


def epochs(visits: int) -> FloatArray:
    return 58000 + np.sort(np.random.default_rng(1).uniform(0, 3652.5, visits))


def survey(seed: int, stars: int, visits: int, center: tuple[float, float] = (0.0, 30.0)) -> AssociatedDetections:
    ra, dec, obj, visit = scattered(np.random.default_rng(seed), stars, visits, SIGMA, center)
    return detections(ra, dec, obj, visit, mjd=epochs(visits)[visit])


def closed_form(visits: int) -> float:
    return SIGMA / math.sqrt(sum((t - epochs(visits).mean()) ** 2 for t in epochs(visits))) * 365.25


def measured(found: AssociatedDetections) -> tuple[float, dict[str, float]]:
    return evaluate(METRIC.statistic({}), SLOPE.of_sample(sample(found), {}, NoSettings()))


def by_hand(places: list[tuple[float, float]], times: list[float]) -> list[float]:
    """Standard errors of both slopes, mas/yr, by numpy.polyfit."""
    origin = mean_position(Star(dict(enumerate(places))))
    years = np.array(times) / 365.25 - np.mean(times) / 365.25
    found = []
    for values in np.array([offset(origin, place) for place in places]).T:
        residuals = values - np.polyval(np.polyfit(years, values, 1), years)
        found.append(math.sqrt(np.sum(residuals**2) / (len(years) - 2) / np.sum(years**2)))
    return found


@pytest.mark.parametrize("center", [(0.0, 30.0), (200.0, 89.9)], ids=["RA = 0", "pole"])
def test_the_value_agrees_with_a_plain_loop(center: tuple[float, float]) -> None:
    """Objects seen in 1 to 9 of 9 visits, some detections without an epoch."""
    rng = np.random.default_rng(4)
    ra, dec, obj, visit = scattered(rng, 40, 9, 30.0, center, 0.02)
    keep = rng.random(len(ra)) < 0.6
    ra, dec, obj, visit = ra[keep] % 360, dec[keep], obj[keep], visit[keep]
    mjd = np.where(rng.random(len(ra)) < 0.05, np.nan, epochs(9)[visit])
    each = []
    for k in range(40):
        places = [(float(a), float(d)) for a, d in zip(ra[obj == k], dec[obj == k], strict=True)]
        timed = [(place, float(t)) for place, t in zip(places, mjd[obj == k], strict=True) if math.isfinite(t)]
        if len(timed) > 2:
            each.append(by_hand([place for place, _ in timed], [t for _, t in timed]))
    errors = SLOPE.of_sample(sample(detections(ra, dec, obj, visit, mjd=mjd)), {}, NoSettings())
    value, by = evaluate(METRIC.statistic({}), errors)
    assert len(errors) == len(each)
    assert [by["ra"], by["dec"]] == pytest.approx(np.median(each, axis=0), rel=1e-5)
    assert value == max(by["ra"], by["dec"])
    assert errors.rejected == {"epoch:not finite": np.count_nonzero(np.isnan(mjd))}


def test_what_has_no_error_is_said() -> None:
    with pytest.raises(NotMeasurable, match="three visits with epochs that differ"):
        measured(survey(1, 10, 1))
    with pytest.raises(NotMeasurable, match="three visits with epochs that differ"):
        measured(detections(*scattered(np.random.default_rng(1), 10, 4, SIGMA, (0, 0)), mjd=np.full(40, 58000.1)))
    for mjd in (None, np.full(40, np.nan)):
        with pytest.raises(NotMeasurable, match="the visits have no epochs"):
            measured(detections(*scattered(np.random.default_rng(1), 10, 4, SIGMA, (0, 0)), mjd=mjd))


def test_gaussian_errors_give_the_closed_form_despite_motions() -> None:
    found = survey(2, 400, 40)
    value, by = measured(found)
    assert by["ra"] == pytest.approx(closed_form(40), rel=0.03)
    assert by["dec"] == pytest.approx(closed_form(40), rel=0.03)
    assert found.mjd is not None
    found.dec[:] += (found.mjd - 58000) / 365.25 * (found.object % 7) * 20 / 3.6e6
    assert measured(found)[0] == pytest.approx(value, rel=1e-3)


def result_of(found: AssociatedDetections, breakdown: tuple[str, ...] = (), confidence: float | None = None) -> Result:
    options = measure.Options(bands=["r"], breakdown=breakdown, confidence=confidence)
    results = measure.run(found, requirements.load(["diagnostics"]), options).results
    return next(one for one in results if one.metric == METRIC.name)


def test_detections_without_an_epoch_are_rejected_rows() -> None:
    found = survey(3, 30, 6)
    assert found.mjd is not None
    found.mjd[found.visit == 2] = np.nan
    counted = result_of(found).sample
    assert counted is not None
    assert counted.rejected["epoch:not finite"] == 30
    assert counted.rows_in == counted.rows_used + sum(counted.rejected.values()) == 180
    assert counted.measurements == counted.rows_used == 150


def test_the_rms_of_the_residuals_of_an_object_is_its_error() -> None:
    found = survey(5, 30, 6)
    assert found.mjd is not None
    found.mjd[::7] = np.nan
    matrix = SLOPE.measurements(sample(found), {}, NoSettings(), None)
    errors = SLOPE.errors(matrix, NoSettings())
    assert SLOPE.residuals is not None
    for name, values in zip(("ra", "dec"), SLOPE.residuals.compute(matrix, NoSettings()), strict=True):
        assert np.sqrt(np.nanmean(values**2, axis=1)) == pytest.approx(errors.components[name], rel=1e-12)


def test_breakdown_and_trends_show_a_bad_visit() -> None:
    found = survey(6, 200, 12)
    shift = np.random.default_rng(7).normal(0, 3 * SIGMA / 3.6e6, len(found))
    found.dec[:] += np.where(found.visit == 4, shift, 0)
    result = result_of(found, ("visit",), 0.95)
    by = result.data["breakdown"]["visit"]
    assert (by["worst"], by["departing"]) == ("4", 1)
    assert by["value"] == pytest.approx(result.value, rel=0.15)
    visits = result.data["dependence"]["visits"]
    assert visits["name"][int(np.argmax([size or 0 for size in visits["size"]]))] == "4"


@pytest.mark.slow
def test_the_interval_is_as_wide_as_surveys_scatter() -> None:
    values, estimates, widths = [], [], []
    for seed in range(40):
        matrix = SLOPE.measurements(sample(survey(seed, 100, 20)), {}, NoSettings(), None)
        task = MatrixErrors(estimator=SLOPE, matrix=matrix, settings=NoSettings())
        (found,) = jackknife.estimates(task, [METRIC.statistic({})])
        assert not isinstance(found, NotMeasurable)
        low, high = found[0].interval(0.95)
        values.append(evaluate(METRIC.statistic({}), SLOPE.errors(matrix, NoSettings()))[0])
        estimates.append(found[0].value)
        widths.append(high - low)
    assert np.mean(estimates) == pytest.approx(closed_form(20), rel=0.03)
    assert 1 / 1.5 < np.mean(widths) / 3.92 / np.std(values, ddof=1) < 1.5
