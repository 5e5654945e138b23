r"""Probability of each verdict for a sample, and the sample that a clause needs.

The logarithm of the estimate is Gaussian about that of the true value, with the standard error s of
`skyaccept.lib.decision.error_model`. A fraction meets its limit if the quantile with that fraction above it is at most
the threshold. s is itself estimated with :math:`\nu` degrees of freedom: those of the blocks of visits for the part
from visits, and those of the cells of stars for the part from stars (`skyaccept.lib.uncertainty.jackknife`), combined
after Welch and Satterthwaite. Let t be the quantile of Student's distribution at 1 - risk, and T the distance of the
estimate from the limit (`skyaccept.lib.uncertainty.distribution.unskewed`) in units of the estimated s. Under
``guarded`` an upper limit is

- passed if T >= t, failed if T <= -t, and inconclusive in between;
- T has the noncentral t distribution with :math:`\nu` degrees of freedom about the distance of the true value.

A true value on the limit passes with the probability ``risk``. Under ``simple`` the value as defined is compared with
the limit, including the bias of its definition. The estimate is taken to be unbiased.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from scipy import integrate, stats
from skyaccept.lib.arrays import FloatArray
from skyaccept.lib.decision.error_model import PAIR_ESTIMATORS, ErrorModel, SamplingError, SimulatedErrors
from skyaccept.lib.decision.rule import DecisionRule
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.metrics import METRICS
from skyaccept.lib.requirements.definitions import Definition
from skyaccept.lib.requirements.limits import in_units
from skyaccept.lib.requirements.model import Case
from skyaccept.lib.uncertainty.distribution import unskewed
from skyaccept.lib.uncertainty.jackknife import CELLS
from skyaccept.lib.uncertainty.statistic import Statistic
from skyaccept.lib.uncertainty.visit_blocks import BLOCKS

MAX_VISITS, MAX_STARS = 200, 1_000_000
"""Largest samples that are tried."""


@dataclass(frozen=True)
class VerdictProbabilities:
    """Probability of each verdict."""

    passed: float
    inconclusive: float
    failed: float


@dataclass(frozen=True)
class Plan:
    """A clause, a planned sample, and a model of the errors.

    Attributes
    ----------
    case : Case
    definition : Definition
    stars, visits : int
        Stars that pass the cuts, and visits of each.
    rule : DecisionRule
    level : str
    model : ErrorModel
    radius : float
        Of the round field that contains the stars, radians.

    Raises
    ------
    InputError
        The clause has no such level, the definition does not cover the metric or has an estimator that the model does
        not describe, there are too few visits, or no pair of the separation class fits into the field.
    """

    case: Case
    definition: Definition
    stars: int
    visits: int
    rule: DecisionRule
    level: str = "design"
    model: ErrorModel = field(default_factory=ErrorModel)
    radius: float = math.radians(1.75)

    def __post_init__(self) -> None:
        clause = self.case.clause
        if self.level not in clause.levels:
            raise InputError(f"{self.case.id} has no limit at level {self.level} to plan for")
        if self.definition.rule(clause.metric) is None:
            raise InputError(f"definition {self.definition.id} does not cover {clause.metric}")
        if not 2 <= self.stars <= MAX_STARS:
            raise InputError(f"--stars {self.stars}: not from 2 to {MAX_STARS:,}")
        if not 2 <= self.visits <= MAX_VISITS:
            raise InputError(f"--visits {self.visits}: not from 2 to {MAX_VISITS:,}")
        if not 0 < self.radius <= math.radians(90):
            raise InputError(f"--field {math.degrees(self.radius):g} deg: not above 0 and up to 90 degrees")
        if self.simulated.estimator in PAIR_ESTIMATORS and self.pairs < 1:
            raise InputError(
                f"no pair of {clause.parameters['separation']:g} among {self.stars} stars within "
                f"{math.degrees(self.radius):g} deg of the centre of the field (--field)"
            )

    @property
    def limit(self) -> float:
        """Limit of the level, in the metric's unit."""
        return float(self.case.clause.levels[self.level].limit.bound.to_value(METRICS[self.case.clause.metric].unit))

    @property
    def operator(self) -> str:
        """Relation that a value must have to the limit."""
        return self.case.clause.levels[self.level].limit.operator

    @property
    def is_fraction(self) -> bool:
        """Whether the metric is a fraction of the errors."""
        return self.question.kind == "above"

    @cached_property
    def question(self) -> Statistic:
        """Statistic that the level limits."""
        metric, level = METRICS[self.case.clause.metric], self.case.clause.levels[self.level]
        return metric.statistic(in_units(level.parameters, metric.level_parameters))

    @cached_property
    def pairs(self) -> float:
        """Expected number of pairs of the separation class.

        Stars are uniform over the field, which is taken as flat.
        """
        own = self.definition.id == self.case.clause.definition
        rule = self.definition.rule(self.case.clause.metric)
        width = self.case.clause.half_width if own and self.case.clause.half_width is not None else None
        width = width if width is not None or rule is None else rule.half_width
        if width is None:
            return 0.0
        middle, half = (float(q.to_value("rad")) for q in (self.case.clause.parameters["separation"], width))
        low, high = (min(max(0.0, edge) / self.radius, 2.0) for edge in (middle - half, middle + half))
        return self.stars * (self.stars - 1) / 2 * float(integrate.quad(_distance_density, low, high)[0])

    @cached_property
    def simulated(self) -> SimulatedErrors:
        """Simulated errors; they depend on the visits, not on the number of stars."""
        rule = self.definition.rule(self.case.clause.metric)
        if rule is None:
            raise ValueError(f"definition {self.definition.id} does not cover {self.case.clause.metric}")
        return SimulatedErrors(self.model, rule.estimator, self.visits, 1 if rule.ddof is None else rule.ddof)

    def sampling_error(self, true_value: float, simulated: SimulatedErrors | None = None) -> SamplingError:
        """Return the sampling error of the estimate.

        Parameters
        ----------
        true_value : float
            In the metric's unit.
        simulated : SimulatedErrors, optional
            Those of a plan with the same visits, to reuse them.

        Raises
        ------
        InputError
            A value that the metric cannot have, or one that the model does not cover.
        """
        unit = METRICS[self.case.clause.metric].unit
        if not (math.isfinite(true_value) and 0 < true_value < (100 if self.is_fraction else math.inf)):
            raise InputError(
                f"--true-value {true_value:g}: not a value in {unit} that {self.case.clause.metric} can have"
            )
        question = self.question
        percent_above = true_value if self.is_fraction else 100 - question.at
        simulated = simulated or self.simulated
        return simulated.sampling_error(question.kind, percent_above / 100, self.stars, self.pairs)

    def verdict_probabilities(
        self, true_value: float, simulated: SimulatedErrors | None = None
    ) -> VerdictProbabilities:
        """Return the probability of each verdict.

        Parameters and errors as for `sampling_error`.
        """
        simulated = simulated or self.simulated
        error = self.sampling_error(true_value, simulated)
        sign = 1.0 if self.operator.startswith("<") else -1.0
        if not self.rule.guarded:
            transform = _logit if self.is_fraction else math.log
            reading = self.reading(true_value, error)
            passed = float(stats.norm.cdf(sign * (transform(self.limit) - transform(reading)) / error.error))
            return VerdictProbabilities(passed, 0.0, 1 - passed)
        if self.is_fraction:
            error = simulated.sampling_error("percentile", self.limit / 100, self.stars, self.pairs)
            distance = math.log(simulated.quantile(true_value / 100) / simulated.quantile(self.limit / 100))
        else:
            distance = math.log(self.limit / true_value)
        distance = sign * float(unskewed(np.asarray(distance / error.error), error.error))
        freedom = self.degrees_of_freedom(error)
        threshold = float(stats.t.ppf(1 - self.rule.risk, freedom))
        passed, failed = _tail(threshold, distance, freedom), _tail(threshold, -distance, freedom)
        return VerdictProbabilities(passed, max(0.0, 1 - passed - failed), failed)

    def reading(self, true_value: float, error: SamplingError) -> float:
        """Return the expected value as defined, in the metric's unit."""
        return 100 * error.expected_reading if self.is_fraction else true_value * error.expected_reading

    def degrees_of_freedom(self, error: SamplingError) -> float:
        """Return the degrees of freedom of an estimated standard error.

        After Welch and Satterthwaite.
        """
        stars = error.star_variance**2 / (min(self.stars, CELLS) - 1)
        visits = error.visit_variance**2 / (min(self.visits, BLOCKS) - 1)
        return (error.star_variance + error.visit_variance) ** 2 / (stars + visits)

    def meets(self, true_value: float) -> bool:
        """Return True if a true value meets the limit."""
        return (true_value < self.limit) if self.operator.startswith("<") else (true_value > self.limit)

    def correct_probability(self, true_value: float, simulated: SimulatedErrors | None = None) -> float:
        """Return the probability of the right verdict.

        Parameters and errors as for `sampling_error`.
        """
        probabilities = self.verdict_probabilities(true_value, simulated)
        return probabilities.passed if self.meets(true_value) else probabilities.failed

    def required_sample(self, true_value: float, power: float) -> tuple[int | None, int | None]:
        """Return the smallest samples that give the right verdict with a probability.

        Parameters
        ----------
        true_value : float
            In the metric's unit.
        power : float
            Probability of the right verdict.

        Returns
        -------
        stars, visits : int or None
            Stars for these visits, and visits for these stars; None if `MAX_STARS`, `MAX_VISITS` are not enough.

        Raises
        ------
        InputError
            Not a probability above the risk, or the true value lies on the limit.
        """
        if not self.rule.risk < power < 1:
            raise InputError(f"--power {power:g}: not a probability above the risk and below 1")
        if true_value == self.limit:
            raise InputError(f"--true-value {true_value:g} lies on the limit: no finite sample settles it")

        def enough_stars(n: int) -> bool:
            return replace(self, stars=n).correct_probability(true_value, self.simulated) >= power

        def enough_visits(n: int) -> bool:
            try:
                return replace(self, visits=n).correct_probability(true_value) >= power
            except InputError:  # with so few visits there are no outliers at all
                return False

        fewest = 2
        if self.simulated.estimator in PAIR_ESTIMATORS:
            fewest = max(2, math.ceil(self.stars * self.pairs**-0.5) + 1)
        return _smallest(enough_stars, fewest, MAX_STARS), _smallest(enough_visits, 2, MAX_VISITS)

    def grid(self, number: int = 13, reach: float = 4.0) -> FloatArray:
        """Return true values around the limit for a table or a plot.

        Parameters
        ----------
        number : int
        reach : float
            Standard errors to either side of the limit.
        """
        width = reach * self.sampling_error(self.limit).error
        steps = np.linspace(-width, width, number)
        if self.is_fraction:
            return np.asarray(100 / (1 + np.exp(-(_logit(self.limit) + steps))))
        return np.asarray(self.limit * np.exp(steps))


def _distance_density(s: float) -> float:
    """Density of the distance of two points in a disc of radius 1.

    The points are uniform (disc line picking).
    """
    return 4 * s / math.pi * math.acos(s / 2) - s * s / math.pi * math.sqrt(max(0.0, 4 - s * s))


def _logit(percent: float) -> float:
    return math.log(percent / (100 - percent))


def _tail(threshold: float, distance: float, freedom: float) -> float:
    """Probability that a noncentral t exceeds a threshold."""
    if abs(distance) > 30:  # beyond the range of the series, and certain
        return float(distance > 0)
    return float(np.clip(stats.nct.sf(threshold, freedom, distance), 0, 1))


def _smallest(enough: Callable[[int], bool], low: int, high: int) -> int | None:
    """Smallest sufficient number from ``low`` to ``high``.

    Every number larger than a sufficient one has to be sufficient as well.
    """
    if enough(low):
        return low
    step = low
    while not enough(step):
        if step == high:
            return None
        low, step = step, min(2 * step, high)
    while step - low > 1:
        middle = (low + step) // 2
        low, step = (low, middle) if enough(middle) else (middle, step)
    return step
