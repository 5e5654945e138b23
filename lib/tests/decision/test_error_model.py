"""Sampling errors of the model against direct simulation with the estimators, and closed forms."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from skyaccept.lib.arrays import FloatArray
from skyaccept.lib.decision.error_model import ErrorModel, SamplingError, SimulatedErrors, _covariances, _slope
from skyaccept.lib.decision.power import _distance_density
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.metrics import METRICS
from skyaccept.lib.metrics.metric import evaluate
from skyaccept.lib.sample.sample import Sample
from skyaccept.lib.tests import samples
from skyaccept.lib.uncertainty.errors import Errors
from skyaccept.lib.uncertainty.statistic import Kind

SIZE = 10.0
"""Standard deviation of the median star: mas, or mmag."""

RADIUS = 20.0
"""Of the simulated field, arcmin."""


LEVEL: Mapping[str, float] = {"AD": 20.0, "AF": 10.0, "PA2": 18.0, "PF1": 10.0}

STARS, VISITS, SURVEYS = 150, 5, 200

CASES: list[tuple[str, str, Kind, float]] = [
    ("pair_separation_rms", "pair_rms", "percentile", 0.5),
    ("pair_separation_percentile", "pair_rms", "percentile", 0.1),
    ("pair_separation_percentile", "deviation", "percentile", 0.1),
    ("pair_separation_outliers", "pair_rms", "above", 0.0),
    ("photometric_repeatability", "magnitude_rms", "percentile", 0.5),
    ("photometric_percentile", "magnitude_deviation", "percentile", 0.1),
    ("photometric_outliers", "magnitude_deviation", "above", 0.0),
]


def survey(rng: np.random.Generator, model: ErrorModel) -> tuple[Sample, Sample]:
    """Samples for the metrics of pairs and of magnitudes: stars of the model in a disc at RA = Dec = 0."""
    distance, angle = RADIUS * np.sqrt(rng.random(STARS)), rng.uniform(0, 2 * math.pi, STARS)
    x, y = distance * np.cos(angle), distance * np.sin(angle)
    sigma = SIZE * np.exp(model.log_sigma_rms * rng.standard_normal((STARS, 1)))
    dx, dy, dm = sigma * rng.standard_normal((3, STARS, VISITS))
    # an affine distortion that changes separations of 5' by `shift` of the median star's error
    k, g, h = SIZE * model.shared_sigma / 5 * rng.standard_normal((3, VISITS))
    dx += np.outer(x, k + g) + np.outer(y, h)
    dy += np.outer(x, h) + np.outer(y, k - g)
    dm += SIZE * model.shared_sigma * rng.standard_normal(VISITS)
    star, visit = (grid.ravel() for grid in np.meshgrid(np.arange(STARS), np.arange(VISITS), indexing="ij"))
    ra, dec = (u[star] / 60 + du.ravel() / 3.6e6 for u, du in ((x, dx), (y, dy)))
    found = samples.detections(ra, dec, star, visit)
    return samples.sample(found), samples.sample(replace(found, mag=20 + dm.ravel() / 1000))


@pytest.fixture(scope="module")
def simulated() -> tuple[ErrorModel, list[FloatArray]]:
    """Values of all cases in simulated surveys, by the code that measures real ones."""
    model, rng = ErrorModel(0.3, 0.3), np.random.default_rng(6)
    known = {"half_width": math.radians(1 / 60), "min_common_visits": 2, "ddof": 1}
    values = np.empty((SURVEYS, len(CASES)))
    for row in values:
        pairs, magnitudes = survey(rng, model)
        errors: dict[str, Errors] = {}
        for number, (metric, estimator, _, _) in enumerate(CASES):
            if estimator not in errors:
                sample = pairs if metric.startswith("pair") else magnitudes
                chosen = METRICS[metric].estimators[estimator]
                settings = chosen.settings(**{name: value for name, value in known.items() if chosen.takes(name)})
                errors[estimator] = chosen.of_sample(sample, {"separation": 5.0}, settings)
            row[number] = evaluate(METRICS[metric].statistic(LEVEL), errors[estimator])[0]
    return model, list(values.T)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(CASES)), ids=lambda k: "-".join(CASES[k][:2]))
def test_the_error_is_that_of_simulated_surveys(simulated: tuple[ErrorModel, list[FloatArray]], number: int) -> None:
    """Scatter and mean of the values; 200 surveys give a scatter to 5 to 8 %, the more the more skewed it is."""
    (metric, estimator, kind, share), (assumed, found) = CASES[number], (simulated[0], simulated[1][number])
    simulated_errors = SimulatedErrors(assumed, estimator, VISITS)
    pairs = 0.0
    if metric.startswith("pair"):
        edges = np.linspace(4 / RADIUS, 6 / RADIUS, 101)
        middles = (edges[1:] + edges[:-1]) / 2
        pairs = STARS * (STARS - 1) / 2 * sum(map(_distance_density, middles)) * (edges[1] - edges[0])
    if kind == "percentile":
        model = simulated_errors.sampling_error(kind, share, STARS, pairs)
        seen = np.log(found).std(ddof=1)
        assert found.mean() == pytest.approx(SIZE * simulated_errors.quantile(share) * model.expected_reading, rel=0.03)
    else:
        seen, model = logit_error(found / 100, simulated_errors, LEVEL["AD" if pairs else "PA2"] / SIZE, STARS, pairs)
        assert found.mean() / 100 == pytest.approx(model.expected_reading, rel=0.08)
    assert seen == pytest.approx(model.error, rel=0.2)


def logit_error(
    found: FloatArray, simulated_errors: SimulatedErrors, x: float, stars: int, pairs: float
) -> tuple[float, SamplingError]:
    """Scatter of observed shares above x, as a scatter of the logit of the true one; and what the model says."""
    share = simulated_errors.fraction_above(x)
    seen = (
        found.std(ddof=1)
        * _slope(simulated_errors.fraction_above, x)
        / (_slope(simulated_errors._simulated_fraction_above, x) * share * (1 - share))
    )
    return float(seen), simulated_errors.sampling_error("above", share, stars, pairs)


@pytest.mark.slow
@pytest.mark.parametrize("estimator", ["offset", "deviation_from_mean", "reference_offset"])
@pytest.mark.parametrize("common", [0.0, 0.3])
def test_offsets_of_positions_against_direct_simulation(estimator: str, common: float) -> None:
    """AB1, AB2, ABF1 and AA1 of one coordinate, written out: the same stars in as many visits of the other band."""
    model, rng, n, v = ErrorModel(0.3, common), np.random.default_rng(7), 100, 4
    simulated_errors = SimulatedErrors(model, estimator, v)
    squares, medians, shares = [], [], []
    for _ in range(2000):
        sigma = np.exp(0.3 * rng.standard_normal((n, 1)))
        x = sigma * rng.standard_normal((n, v)) + model.shared_sigma * rng.standard_normal(v)
        if estimator != "reference_offset":
            r = sigma * rng.standard_normal((n, v)) + model.shared_sigma * rng.standard_normal(v)
            x = x - r.mean(axis=1, keepdims=True)
        if estimator == "deviation_from_mean":
            x = x - x.mean()
        squares.append(np.mean(x**2))
        medians.append(np.median(abs(x)))
        shares.append(np.mean(abs(x) > 2))
    rms = simulated_errors.sampling_error("rms", 0, n)
    assert np.log(squares).std() / 2 == pytest.approx(rms.error, rel=0.1)
    median = simulated_errors.sampling_error("percentile", 0.5, n)
    assert np.log(medians).std() == pytest.approx(median.error, rel=0.1)
    assert np.mean(medians) == pytest.approx(simulated_errors.quantile(0.5) * median.expected_reading, rel=0.03)
    seen, share = logit_error(np.array(shares), simulated_errors, 2.0, n, 0)
    assert seen == pytest.approx(share.error, rel=0.1)


@pytest.mark.parametrize(("visits", "stars"), [(10, 300), (30, 1000)])
def test_many_equal_stars_count_rather_than_pairs(visits: int, stars: int) -> None:
    """The median of pair rms is as uncertain as 1 / (2 sqrt(N (V - 1))), however many pairs there are."""
    simulated_errors = SimulatedErrors(ErrorModel(0.01, 0.0), "pair_rms", visits)
    closed = 1 / (2 * math.sqrt(stars * (visits - 1)))
    for pairs in (1e7, 1e9):
        found = simulated_errors.sampling_error("percentile", 0.5, stars, pairs)
        assert found.visit_variance == 0
        assert found.error == pytest.approx(closed, rel=0.06)


def test_fractions_of_independent_stars_are_binomial() -> None:
    """Stars without anything in common: the median of their rms, by the chi-squared distribution."""
    visits, stars = 5, 400
    found = SimulatedErrors(ErrorModel(0.01, 0.0), "magnitude_rms", visits).sampling_error("percentile", 0.5, stars)
    median = stats.chi2.median(visits - 1)
    density = 2 * median * stats.chi2.pdf(median, visits - 1)
    assert found.error == pytest.approx(0.5 / math.sqrt(stars) / density, rel=0.03)
    assert found.expected_reading == pytest.approx(math.sqrt(median / (visits - 1)), rel=0.005)


def test_covariances_by_plain_loops() -> None:
    """Variance of a unit and covariance of two units of a group, over all pairs of units, one by one."""
    rng = np.random.default_rng(8)
    errors = rng.standard_normal((40, 6)) + 0.7 * rng.standard_normal((40, 1))
    y = [[float(x > 0.5) for x in group] for group in errors]
    mean = sum(map(sum, y)) / 240
    within, n = [], 6
    for group in y:
        own = sum(group) / n
        within.append(sum((x - own) ** 2 for x in group) / (n - 1))
    inside = sum(within) / len(within)
    between = sum((sum(group) / n - mean) ** 2 for group in y) / (len(y) - 1)
    one, common = _covariances(errors, 0.5)
    assert common == pytest.approx(between - inside / n)
    assert one == pytest.approx(inside + common)


@pytest.mark.slow
def test_more_stars_and_visits_help_and_the_seed_is_fixed() -> None:
    for estimator in ("pair_rms", "magnitude_deviation", "reference_offset"):
        few, more = (SimulatedErrors(ErrorModel(), estimator, visits) for visits in (5, 20))
        first = few.sampling_error("percentile", 0.5, 100, 500)
        assert first == SimulatedErrors(ErrorModel(), estimator, 5).sampling_error("percentile", 0.5, 100, 500)
        assert few.sampling_error("percentile", 0.5, 400, 8000).star_variance < first.star_variance / 3
        assert few.sampling_error("percentile", 0.5, 400, 8000).visit_variance == first.visit_variance
        assert more.sampling_error("percentile", 0.5, 100, 500).visit_variance < first.visit_variance / 2


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: ErrorModel(log_sigma_rms=0.0), "--error-spread 0"),
        (lambda: ErrorModel(log_sigma_rms=math.nan), "--error-spread nan"),
        (lambda: ErrorModel(shared_variance_fraction=1.0), "--shared-variance 1"),
        (lambda: SimulatedErrors(ErrorModel(), "excess_rms", 5), "there is no model of the errors of excess_rms"),
        (lambda: SimulatedErrors(ErrorModel(), "pair_rms", 1), "--visits 1: at least two"),
        (
            lambda: SimulatedErrors(ErrorModel(), "pair_rms", 2).sampling_error("above", 1e-7, 100, 500),
            "too close to 0 or 100 %",
        ),
        (
            lambda: SimulatedErrors(ErrorModel(), "pair_rms", 2).sampling_error("mean", 0.5, 100, 500),
            "no error model for the mean of errors",
        ),
    ],
)
def test_an_invalid_model_or_statistic_is_an_input_error(make: Callable[[], object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        make()
