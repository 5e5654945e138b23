r"""Expected values of metrics, by closed forms or by simulations.

For independent normal errors of known size, the distribution of each error that an estimator computes is known. The
errors of a sample are a mixture over all stars, pairs or measurements, each with its own error and number of visits:

=================== ============================================ ==============================================
errors              distribution                                 scale s
=================== ============================================ ==============================================
pair_rms            :math:`s \sqrt{\chi^2_{n-1} / (n-1)}`         :math:`s^2 = \sigma_i^2 + \sigma_j^2`
magnitude_rms       the same, n visits of the star               error of a magnitude
magnitude_deviation normal, absolute value                       :math:`s^2 = \sigma^2 (1 - 1/n)`
offset              normal, absolute value                       :math:`s^2 = \sigma^2 + \sigma_r^2 / n_r`
deviation_from_mean the same                                     the same
reference_offset    normal, absolute value                       :math:`s^2 = \sigma^2 + \sigma_\mathrm{ref}^2`
mean_difference     normal, absolute value of the median         :math:`s^2 = \sigma^2 / n + \sigma_\mathrm{ref}^2`
=================== ============================================ ==============================================

The median of N normal errors of scales :math:`s_k` is normal with the standard error
:math:`\sqrt{\pi / 2} / (\sqrt N \, \mathrm{mean}(1 / s_k))`, and PA6 is its mean absolute value. In PA5, the square of
the scale is the sum over both bands.

AM, PA1 and AA1 are medians of the mixture, AF, PF1 and ABF1 its fraction above a threshold, AD, PA2 and AB2 its
percentiles, and AB1 is its rms. This is the expected value for the sample at hand. In the limit of many visits n is
infinite; this is what a debiased value estimates. The errors are those that the simulation states, squared and averaged
over the visits of a star. If a limit applies to the larger of RA and Dec, each of them has this expected value, and the
larger one exceeds it by about its sampling error.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

import astropy.units as u
import numpy as np
from scipy import optimize, special
from scipy.spatial import cKDTree
from skyaccept.lib import atomic_write, measure, requirements
from skyaccept.lib.arrays import AnyArray, FloatArray
from skyaccept.lib.catalog.association import RADIUS, associate
from skyaccept.lib.catalog.detections import AssociatedDetections
from skyaccept.lib.catalog.reference import JULIAN_YEAR, Reference, earth_position
from skyaccept.lib.exceptions import InputError, NotMeasurable
from skyaccept.lib.metrics import METRICS
from skyaccept.lib.requirements.model import Case, Specification
from skyaccept.lib.sample.selection import select
from skyaccept.lib.sphere import chord, tangent_basis, unit_vectors
from skyaccept.synthetic.scenario_schema import Scenario
from skyaccept.synthetic.survey import Survey, reference, reference_sources, simulate


@dataclass(frozen=True)
class Mixture:
    """Mixture of scaled chi distributions of errors.

    An error is ``scale`` times chi / sqrt(``freedom``).

    Attributes
    ----------
    scale : (n,) float64
    freedom : (n,) float64
        Degrees of freedom: 1 for the absolute value of a normal error, infinite if the error is the scale itself.
    weight : (n,) float64
        Relative frequency of each component.
    """

    scale: FloatArray
    freedom: FloatArray
    weight: FloatArray

    def fraction_above(self, size: float) -> float:
        """Return the expected fraction of errors above a size."""
        finite = np.isfinite(self.freedom)
        above = np.where(self.scale > size, 1.0, 0.0)
        square = self.freedom[finite] * (size / self.scale[finite]) ** 2
        above[finite] = special.chdtrc(self.freedom[finite], square)
        return float(np.average(above, weights=self.weight))

    def quantile(self, fraction: float) -> float:
        """Return the size below which the given fraction of the errors is."""
        high = 20 * float(self.scale.max())
        return float(optimize.brentq(lambda size: 1 - self.fraction_above(size) - fraction, 0.0, high, xtol=1e-6))

    def expected_size_of_median(self) -> float:
        """Return the expected absolute median of normal errors with these scales."""
        error = np.sqrt(np.pi / 2) / (np.sqrt(len(self.scale)) * np.mean(1 / self.scale))
        return float(error * np.sqrt(2 / np.pi))

    def rms(self) -> float:
        """Return the root mean square."""
        return float(np.sqrt(np.average(self.scale**2, weights=self.weight)))


def expected_values(
    scenario: Scenario, specification: Specification, seed: int = 1, limit: bool = False
) -> dict[str, float]:
    """Compute the expected value of every clause at its design level.

    Parameters
    ----------
    scenario : Scenario
        It must have only independent normal errors: no turbulence, refraction, calibration errors, variables,
        companions or faults. For others see `mean_of_simulations`.
    specification : Specification
    seed : int
    limit : bool
        Whether to compute the limit of infinitely many visits, without the few-visit bias.

    Returns
    -------
    dict of str to float
        Values by test id, in the unit of the metric. Clauses that cannot be measured, or whose estimator has no closed
        form here, are left out.

    Raises
    ------
    InputError
        The errors of the scenario are not independent and normal.
    """
    stars = scenario.stars
    others = (scenario.atmosphere, scenario.calibration, stars.variables, stars.companions, scenario.faults or None)
    if any(effect is not None for effect in others):
        raise InputError(
            f"scenario {scenario.scenario} has more than independent normal errors, so there is no closed form: "
            "simulate it with many seeds, as skyaccept.synthetic.expectation.mean_of_simulations does"
        )
    simulated = simulate(scenario, seed)
    detections, listed = associate(simulated.detections, RADIUS), reference_sources(scenario, simulated.truth.sky)
    sample = _Truth(simulated, detections, reference(scenario, seed), listed, limit)
    values: dict[str, float] = {}
    mixtures: dict[tuple[str, str, str | None, str], Mixture] = {}
    for case in specification.cases(scenario.visits.number):
        rule = specification.definitions[case.clause.definition].rule(case.clause.metric)
        make_mixture = None if rule is None else _MIXTURES.get(rule.estimator)
        if make_mixture is None:
            continue
        key = (make_mixture.__name__, case.band, case.against, str(case.clause.parameters))
        try:
            if key not in mixtures:
                mixtures[key] = make_mixture(sample, case, specification)
        except NotMeasurable:
            continue
        values[case.id] = _statistic(case, mixtures[key])
    return values


def write_expected(scenario: Scenario, seed: int, path: Path) -> None:
    """Write the expected values of LSE-30 as CSV.

    Columns are ``test``, ``expected``, and ``limit`` for infinitely many visits.

    Raises
    ------
    InputError
        As `expected_values`.
    """
    specification = requirements.load()
    values, limits = (expected_values(scenario, specification, seed, limit) for limit in (False, True))
    lines = ["test,expected,limit", *(f"{test},{value!r},{limits[test]!r}" for test, value in values.items())]
    atomic_write.write(path, "\n".join(lines) + "\n")


def mean_of_simulations(
    scenario: Scenario, specification: Specification, seeds: Iterable[int], bands: Collection[str] | None = None
) -> dict[str, tuple[float, float]]:
    """Return mean and standard error of every value over simulated surveys.

    This gives the expected value for any scenario, including the bias of the estimator at its number of visits. For the
    limit, use a scenario with many visits.
    """
    values: dict[str, list[float]] = {}
    for seed in seeds:
        detections = associate(simulate(scenario, seed).detections, RADIUS)
        catalog = reference(scenario, seed)
        run = measure.run(detections, specification, measure.Options(bands=bands, reference=catalog, confidence=None))
        for result in run.results:
            if result.value is not None:
                values.setdefault(result.test, []).append(result.value)
    return {
        test: (float(np.mean(found)), float(np.std(found, ddof=1) / np.sqrt(len(found))) if len(found) > 1 else np.inf)
        for test, found in values.items()
    }


@dataclass(frozen=True)
class _Stars:
    """Stars of a sample in one band.

    Fields are sources, numbers of visits, mean square errors, and the visits with detections.
    """

    source: AnyArray
    number: FloatArray
    position: FloatArray
    magnitude: FloatArray
    seen: AnyArray


@dataclass(frozen=True)
class _Truth:
    made: Survey
    detections: AssociatedDetections
    catalog: Reference | None
    listed: AnyArray
    limit: bool

    def stars(self, case: Case, specification: Specification, band: str) -> _Stars:
        """Return the stars that pass the cuts of a case."""
        d, clause = self.detections, case.clause
        definition = specification.definitions[clause.definition]
        rule = definition.rule(clause.metric)
        if rule is None or band not in d.bands:
            raise NotMeasurable(band)
        cuts = clause.sample if clause.sample is not None else definition.samples[rule.sample]
        rows = select(d, band, cuts, case.id).rows
        source = self.made.truth.star[rows]
        rows, source = rows[source >= 0], source[source >= 0]
        if not len(rows):
            raise NotMeasurable(band)
        stars, index = np.unique(source, return_inverse=True)
        number = np.bincount(index).astype(float)
        seen = np.zeros((len(stars), len(d.visits)), dtype=bool)
        seen[index, d.visit[rows]] = True
        squares = [np.bincount(index, d.column(name, case.id)[rows] ** 2) / number for name in ("ra_err", "mag_err")]
        return _Stars(stars, number, squares[0], squares[1], seen)

    def freedom(self, number: FloatArray) -> FloatArray:
        """Return the degrees of freedom of a standard deviation over visits."""
        return np.full(len(number), np.inf) if self.limit else number - 1


def _statistic(case: Case, errors: Mixture) -> float:
    """Apply the statistic of a case's metric to a distribution."""
    metric, level = METRICS[case.clause.metric], case.clause.levels["design"].parameters
    values = {name: float(level[name].to_value(unit)) for name, unit in metric.level_parameters.items()}
    if metric.name.endswith("zero_point"):
        return errors.expected_size_of_median()
    kind = metric.name.rpartition("_")[2]
    if kind == "outliers":
        return 100 * errors.fraction_above(next(iter(values.values())))
    if kind == "percentile":
        return errors.quantile(1 - next(iter(values.values())) / 100)
    return errors.rms() if metric.name == "band_offset_rms" else errors.quantile(0.5)


def _pairs(truth: _Truth, case: Case, specification: Specification) -> Mixture:
    stars = truth.stars(case, specification, case.band)
    rule = specification.definitions[case.clause.definition].rule(case.clause.metric)
    if rule is None or rule.half_width is None:
        raise NotMeasurable(case.id)
    middle = case.clause.parameters["separation"].to_value(u.rad)
    width = (case.clause.half_width or rule.half_width).to_value(u.rad)
    tree = cKDTree(unit_vectors(truth.made.truth.ra, truth.made.truth.dec)[stars.source])
    near, far = (tree.query_pairs(chord(middle + step), output_type="ndarray") for step in (-width, width))
    n = len(stars.source)
    i, j = np.divmod(np.setdiff1d(far[:, 0] * n + far[:, 1], near[:, 0] * n + near[:, 1]), n)
    common = (stars.seen[i] & stars.seen[j]).sum(axis=1)
    enough = common >= max(2, rule.min_common_visits or 2)
    if not enough.any():
        raise NotMeasurable(case.id)
    scale = np.sqrt(stars.position[i] + stars.position[j])[enough]
    return Mixture(scale, truth.freedom(common[enough].astype(float)), np.ones(len(scale)))


def _magnitude_rms(truth: _Truth, case: Case, specification: Specification) -> Mixture:
    stars = truth.stars(case, specification, case.band)
    return Mixture(1000 * np.sqrt(stars.magnitude), truth.freedom(stars.number), np.ones(len(stars.source)))


def _magnitude_deviation(truth: _Truth, case: Case, specification: Specification) -> Mixture:
    stars = truth.stars(case, specification, case.band)
    low = 0.0 if truth.limit else 1 / stars.number
    return Mixture(1000 * np.sqrt(stars.magnitude * (1 - low)), np.ones(len(stars.source)), stars.number)


def _offset(truth: _Truth, case: Case, specification: Specification) -> Mixture:
    if case.against is None:
        raise NotMeasurable(case.id)
    own, other = (truth.stars(case, specification, band) for band in (case.band, case.against))
    _, a, b = np.intersect1d(own.source, other.source, assume_unique=True, return_indices=True)
    if not len(a):
        raise NotMeasurable(case.id)
    mean = 0.0 if truth.limit else other.position[b] / other.number[b]
    return Mixture(np.sqrt(own.position[a] + mean), np.ones(len(a)), own.number[a])


def _reference_offset(truth: _Truth, case: Case, specification: Specification) -> Mixture:
    """Add the errors of the reference star in RA at the middle of the survey.

    They come from position, motion and parallax.
    """
    stars, catalog, sky = truth.stars(case, specification, case.band), truth.catalog, truth.made.truth.sky
    if catalog is None:
        raise NotMeasurable(case.id)
    _, a, b = np.intersect1d(stars.source, truth.listed, assume_unique=True, return_indices=True)
    if not len(a):
        raise NotMeasurable(case.id)
    middle = float(np.mean([visit.mjd for visit in truth.made.truth.visits if visit.band == case.band]))
    years = (middle - catalog.mjd[b]) / JULIAN_YEAR
    east, _ = tangent_basis(sky.direction[truth.listed[b]])
    parallax_factor = np.einsum("ij,j->i", east, earth_position(np.array([middle]))[0])
    errors = catalog.errors
    square = errors["ra"][b] ** 2 + (errors["pmra"][b] * years) ** 2 + (errors["parallax"][b] * parallax_factor) ** 2
    return Mixture(np.sqrt(stars.position[a] + square), np.ones(len(a)), stars.number[a])


def _mean_difference(truth: _Truth, case: Case, specification: Specification) -> Mixture:
    """Add the errors of mean magnitude and reference star; for PA5 of both bands."""
    squares: list[dict[int, float]] = []
    for band in filter(None, (case.band, case.against)):
        stars, catalog = truth.stars(case, specification, band), truth.catalog
        if catalog is None or band not in catalog.mags:
            raise NotMeasurable(case.id)
        _, a, b = np.intersect1d(stars.source, truth.listed, assume_unique=True, return_indices=True)
        mean = np.zeros(len(a)) if truth.limit else (stars.magnitude / stars.number)[a]
        square = mean + catalog.mag_errs.get(band, np.zeros(len(catalog)))[b] ** 2
        squares.append(dict(zip(stars.source[a].tolist(), square.tolist(), strict=True)))
    common = sorted(set(squares[0]).intersection(*squares))
    scale = 1000 * np.sqrt([sum(variances[star] for variances in squares) for star in common])
    if not len(scale) or not scale.all():
        raise NotMeasurable(case.id)
    return Mixture(scale, np.ones(len(scale)), np.ones(len(scale)))


_MIXTURES: dict[str, Callable[[_Truth, Case, Specification], Mixture]] = {
    "pair_rms": _pairs,
    "magnitude_rms": _magnitude_rms,
    "magnitude_deviation": _magnitude_deviation,
    "offset": _offset,
    "deviation_from_mean": _offset,
    "reference_offset": _reference_offset,
    "mean_difference": _mean_difference,
    "mean_color_difference": _mean_difference,
}
