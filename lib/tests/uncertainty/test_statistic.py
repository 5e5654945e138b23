"""Answers against plain loops, in any order and with weights, and what is shared between estimators."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from skyaccept.lib.metrics import METRICS
from skyaccept.lib.metrics.metric import evaluate
from skyaccept.lib.metrics.photometric_repeatability import MagnitudeRmsSettings
from skyaccept.lib.sample.visit_matrix import LIMIT, VisitMatrix
from skyaccept.lib.tests import samples
from skyaccept.lib.uncertainty.errors import Errors
from skyaccept.lib.uncertainty.statistic import Kind, Statistic, level, views

ARCMIN = math.pi / 180 / 60


def in_a_loop(question: Statistic, values: list[float]) -> float:
    """Each statistic as its definition has it."""
    errors = sorted(abs(v) if question.sized else v for v in values)
    number = len(errors)
    if question.kind == "above":
        return 100 * sum(v > question.at for v in errors) / number
    if question.kind == "mean":
        return sum(errors) / number
    if question.kind == "rms":
        return math.sqrt(sum(v * v for v in errors) / number)
    place = (number - 1) * (question.at if question.kind == "percentile" else 50) / 100
    low = int(place)
    found = errors[low] + (errors[min(low + 1, number - 1)] - errors[low]) * (place - low)
    return abs(found) if question.kind == "size" else question.factor * found


@pytest.mark.parametrize("number", [1, 2, 7, 100])
@pytest.mark.parametrize("sized", [False, True])
@pytest.mark.parametrize(
    ("kind", "at"), [("percentile", 50), ("percentile", 90), ("above", 3), ("rms", 50), ("mean", 50), ("size", 50)]
)
def test_answers_agree_with_plain_loops(kind: Kind, at: float, sized: bool, number: int) -> None:
    """Of errors as they come, of the same in order, and of errors that count several times."""
    question = Statistic(kind, at, sized=sized, factor=1.5 if kind == "percentile" else 1.0)
    rng = np.random.default_rng(number)
    values, counts = rng.normal(-1, 4, number), rng.integers(1, 4, number)
    expected = in_a_loop(question, values.tolist())
    assert evaluate(question, Errors(components={"value": values}))[0] == pytest.approx(expected)
    assert question.answer(*question.prepare((np.sort(values), None))) == pytest.approx(expected)
    repeated = in_a_loop(question, np.repeat(values, counts).tolist())
    assert evaluate(question, Errors(components={"value": values}, weights=counts))[0] == pytest.approx(repeated)
    order = np.argsort(values)
    assert question.answer(*question.prepare((values[order], counts[order].astype(np.float64)))) == pytest.approx(
        repeated
    )


def test_a_limit_on_each_coordinate_is_one_on_the_larger() -> None:
    """The total stands beside them and decides nothing."""
    by = {"ra": np.array([-3.0, 1.0, 2.0]), "dec": np.array([-9.0, 0.0, 8.0])}
    errors = Errors(components=by, total=np.full(3, 99.0))
    value, found = evaluate(Statistic("percentile", 50, sized=True), errors)
    assert found == {"ra": 2.0, "dec": 8.0, "total": 99.0}
    assert value == 8.0


SHARED = [
    ("separation", "pair_separation_rms", "pair_rms", "deviation"),
    ("separation", "pair_separation_outliers", "excess_rms", "pooled_deviation"),
    ("", "photometric_outliers", "magnitude_deviation", "excess_magnitude_rms"),
    ("", "band_offset_rms", "offset", "deviation_from_mean"),
    ("", "band_offset_rms", "visit_rms", "deviation_from_median"),
    ("", "position_rms", "object_rms", "residual"),
]


@pytest.mark.parametrize(("parameter", "metric", "one", "other"), SHARED)
def test_estimators_share_the_same_measurements(parameter: str, metric: str, one: str, other: str) -> None:
    """Also where one of them states a ddof; each on a sample where it comes first as on one where it comes second."""
    ra, dec, obj, visit = samples.scattered(np.random.default_rng(5), 40, 10, 10.0, (0.0, 60.0))
    found = samples.detections(ra, dec, obj, visit, visit % 2)
    found = replace(found, mag=18 + np.random.default_rng(6).normal(0, 0.01, len(ra)))
    parameters = {parameter: 5.0} if parameter else {}
    tables = []
    for order in ((one, other), (other, one)):
        sample, made = samples.sample(found, "i"), {}
        for name in order:
            estimator = METRICS[metric].estimators[name]
            given = {"half_width": 2 * ARCMIN, "min_common_visits": 2, "ddof": 1, "reference_band": "r"}
            settings = estimator.settings(**{key: value for key, value in given.items() if estimator.takes(key)})
            made[name] = estimator.measurements(sample, parameters, settings, LIMIT)
        assert made[one] is made[other]
        assert np.count_nonzero(np.isfinite(made[one].values[0])) > 50
        tables.append(made[one].values)
    for first, second in zip(*tables, strict=True):
        np.testing.assert_array_equal(first, second)


def test_shot_noise_is_taken_off_where_a_clause_asks_for_it_only() -> None:
    ra, dec, obj, visit = samples.scattered(np.random.default_rng(5), 40, 5, 10.0, (0.0, 60.0))
    found = replace(samples.detections(ra, dec, obj, visit), mag_err=np.full(len(ra), 0.004))
    sample, rms = samples.sample(found), METRICS["photometric_repeatability"].estimators["magnitude_rms"]

    def matrix(subtract: bool) -> VisitMatrix:
        settings = MagnitudeRmsSettings(ddof=1, subtract_shot_noise=subtract)
        return rms.measurements(sample, {}, settings, LIMIT)

    assert matrix(True).noise == pytest.approx(np.full(40, 16.0))
    assert matrix(False).noise is None
    assert matrix(True).values is matrix(False).values


def test_a_level_is_the_mean_of_nearby_answers() -> None:
    """Quantiles within 25 points and 0.7 of the way to the ends; percentages beyond nearby thresholds."""
    errors = np.sort(np.random.default_rng(2).exponential(5, 400))
    for at, half in ((50, 25), (90, 7), (4, 2.8)):
        answers = [Statistic("percentile", at + half * k / 8, factor=3).answer(errors) for k in range(-8, 9)]
        question = Statistic("percentile", at, factor=3)
        assert level(question, (errors, None), 400)((errors, None)) == pytest.approx(np.mean(answers))
    question = Statistic("above", 6.0)
    half = 2 * 100 * math.sqrt((share := question.answer(errors) / 100) * (1 - share) / 400)
    ends = [np.percentile(errors, 100 * (1 - share) + sign * half) for sign in (-1, 1)]
    near = 6 + (ends[1] - ends[0]) / 2 * np.linspace(-1, 1, 9)
    found = level(question, (errors, None), 400)((errors * 1.1, None))
    assert found == pytest.approx(np.mean([100 * np.mean(errors * 1.1 > threshold) for threshold in near]))
    signed = np.sort(errors - 20)
    answers = [np.percentile(signed, 50 + 25 * k / 8) for k in range(-8, 9)]
    assert level(Statistic("size"), (signed, None), 400)((signed, None)) == pytest.approx(-np.mean(answers))
    assert level(Statistic("rms", sized=True), (signed, None), 400)((signed, None)) == pytest.approx(
        np.sqrt(np.mean(signed**2))
    )


SHAPES: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "even": lambda rng, number: rng.uniform(1, 2, number),
    "Gaussian": lambda rng, number: np.abs(rng.normal(size=number)),
    "outliers": lambda rng, number: np.abs(rng.normal(size=number) * np.where(rng.random(number) < 0.03, 5, 1)),
}


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("at", "number", "stars"), [(50.0, 100, 100), (90.0, 1000, 100), (90.0, 400, 400)])
def test_a_mean_of_quantiles_varies_less_than_one_quantile(at: float, number: int, stars: int, shape: str) -> None:
    """By as much as the view says on average, whatever the errors are like."""
    rng = np.random.default_rng(5)
    question, middle, mean, said = Statistic("percentile", at), [], [], []
    (view,) = views(question, (np.sort(SHAPES[shape](rng, number)), None), stars, 1)
    for k in range(4000):
        errors = np.sort(SHAPES[shape](rng, number)), None
        middle.append(math.log(question.answer(*errors)))
        mean.append(view.place(errors))
        if k < 200:
            said.append(views(question, errors, stars, 1)[0].smoothed)
    assert np.mean(said) == pytest.approx(np.var(middle) / np.var(mean), rel=0.06)
    assert view.smoothed > 1.05
    assert np.mean(said) > 1.05


def test_unknown_slopes_are_assumed_equal() -> None:
    errors = np.sort(np.concatenate([np.zeros(60), np.arange(1, 41)])).astype(float), None
    (view,) = views(Statistic("percentile", 75), errors, 100, 1)
    assert 1.1 < view.smoothed < 1.4
    (view,) = views(Statistic("percentile", 100), errors, 100, 1)
    assert view.smoothed == 1.0
