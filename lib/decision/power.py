r"""Planning: how likely a clause passes, fails or stays inconclusive, at a true value and with a sample.

The logarithm of the estimate is Gaussian about that of the true value, with the standard error s of
`skyaccept.lib.decision.error_model`; a share meets its limit where the quantile that so many lie above is at most the
threshold. s is itself estimated, with :math:`\nu` degrees of freedom, those of the blocks of visits for the part that
comes from visits and of the cells of stars for that from stars (`skyaccept.lib.uncertainty.jackknife`), combined
after Welch and Satterthwaite. With t the quantile of Student's distribution at 1 - risk and T the distance of the
estimate from the limit (`skyaccept.lib.uncertainty.distribution.unskewed`) in units of the estimated s, a limit from
above is

- passed where T >= t, failed where T <= -t, and inconclusive between, under ``guarded``;
- T has the noncentral t distribution with :math:`\nu` degrees of freedom about the distance of the true value.

At a true value on the limit this passes with the probability ``risk``. Under ``simple`` the value as defined is
compared with the limit, with what its definition reads high or low. The estimate is taken to have no bias.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from scipy import integrate, stats
from skyaccept.lib.arrays import FloatArray
from skyaccept.lib.decision.error_model import PAIRS, Draws, Law, Scatter
from skyaccept.lib.decision.rule import DecisionRule
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.metrics import METRICS
from skyaccept.lib.requirements.definitions import Definition
from skyaccept.lib.requirements.limits import in_units
from skyaccept.lib.requirements.model import Case
from skyaccept.lib.uncertainty.distribution import unskewed
from skyaccept.lib.uncertainty.jackknife import BLOCKS, CELLS
from skyaccept.lib.uncertainty.statistic import Statistic

MOST_VISITS, MOST_STARS = 200, 1_000_000
"""Largest samples that are looked at."""


@dataclass(frozen=True)
class Chances:
    """Probabilities of the verdicts."""

    passed: float
    inconclusive: float
    failed: float


@dataclass(frozen=True)
class Plan:
    """A clause, the sample that it is to be measured on, and the law of the errors.

    Attributes
    ----------
    case : Case
    definition : Definition
    stars, visits : int
        Stars that pass the cuts, and visits of each.
    rule : DecisionRule
    level : str
    law : Law
    radius : float
        Of the round field that the stars lie in, radians.

    Raises
    ------
    InputError
        The clause states no such level, the definition does not cover the metric or has an estimator that the law
        does not describe, too few visits, or no pair of the separation class in the field.
    """

    case: Case
    definition: Definition
    stars: int
    visits: int
    rule: DecisionRule
    level: str = "design"
    law: Law = field(default_factory=Law)
    radius: float = math.radians(1.75)

    def __post_init__(self) -> None:
        clause = self.case.clause
        if self.level not in clause.levels:
            raise InputError(f"{self.case.id} has no limit at level {self.level} that could be planned for")
        if self.definition.rule(clause.metric) is None:
            raise InputError(f"definition {self.definition.id} does not cover {clause.metric}")
        if not 2 <= self.stars <= MOST_STARS:
            raise InputError(f"--stars {self.stars}: not from 2 to {MOST_STARS:,}")
        if not 2 <= self.visits <= MOST_VISITS:
            raise InputError(f"--visits {self.visits}: not from 2 to {MOST_VISITS:,}")
        if not 0 < self.radius <= math.radians(90):
            raise InputError(f"--field {math.degrees(self.radius):g} deg: not above 0 and up to 90 degrees")
        if self.draws.estimator in PAIRS and self.pairs < 1:
            raise InputError(
                f"no pair of {clause.parameters['separation']:g} among {self.stars} stars within "
                f"{math.degrees(self.radius):g} deg of the centre of the field (--field)"
            )

    @property
    def limit(self) -> float:
        """Limit of the level, in the metric's unit."""
        return float(self.case.clause.levels[self.level].limit.bound.to_value(METRICS[self.case.clause.metric].unit))

    @property
    def relation(self) -> str:
        """How a value has to stand to the limit."""
        return self.case.clause.levels[self.level].limit.operator

    @property
    def of_share(self) -> bool:
        """Whether the metric is a share of the errors."""
        return self.question.kind == "above"

    @cached_property
    def question(self) -> Statistic:
        """Statistic that the level limits."""
        metric, level = METRICS[self.case.clause.metric], self.case.clause.levels[self.level]
        return metric.statistic(in_units(level.parameters, metric.level_parameters))

    @cached_property
    def pairs(self) -> float:
        """Pairs of the separation class to be expected among stars uniform over the field, taken as flat."""
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
    def draws(self) -> Draws:
        """Simulated errors."""
        rule = self.definition.rule(self.case.clause.metric)
        if rule is None:
            raise ValueError(f"definition {self.definition.id} does not cover {self.case.clause.metric}")
        return Draws(self.law, rule.estimator, self.visits, 1 if rule.ddof is None else rule.ddof)

    def scatter(self, true: float) -> Scatter:
        """Sampling error of the estimate at a true value.

        Raises
        ------
        InputError
            Not a value that the metric can have, or one that the law says nothing of.
        """
        unit = METRICS[self.case.clause.metric].unit
        if not (math.isfinite(true) and 0 < true < (100 if self.of_share else math.inf)):
            raise InputError(f"--true-value {true:g}: not a value in {unit} that {self.case.clause.metric} can have")
        asked = self.question
        above = true if self.of_share else 100 - asked.at
        return self.draws.scatter(asked.kind, above / 100, self.stars, self.pairs)

    def chances(self, true: float) -> Chances:
        """Probabilities of the verdicts at a true value, in the metric's unit; InputError as `scatter`."""
        found = self.scatter(true)
        sign = 1.0 if self.relation.startswith("<") else -1.0
        if not self.rule.guarded:
            scale = _logit if self.of_share else math.log
            reads = 100 * found.reads if self.of_share else true * found.reads
            met = float(stats.norm.cdf(sign * (scale(self.limit) - scale(reads)) / found.error))
            return Chances(met, 0.0, 1 - met)
        if self.of_share:
            found = self.draws.scatter("percentile", self.limit / 100, self.stars, self.pairs)
            distance = math.log(self.draws.quantile(true / 100) / self.draws.quantile(self.limit / 100))
        else:
            distance = math.log(self.limit / true)
        away = sign * float(unskewed(np.asarray(distance / found.error), found.error))
        freedom = self.freedom(found)
        asked = float(stats.t.ppf(1 - self.rule.risk, freedom))
        met, missed = _beyond(asked, away, freedom), _beyond(asked, -away, freedom)
        return Chances(met, max(0.0, 1 - met - missed), missed)

    def freedom(self, found: Scatter) -> float:
        """Degrees of freedom of an estimated standard error, after Welch and Satterthwaite."""
        by_stars = found.stars**2 / (min(self.stars, CELLS) - 1)
        by_visits = found.visits**2 / (min(self.visits, BLOCKS) - 1)
        return (found.stars + found.visits) ** 2 / (by_stars + by_visits)

    def meets(self, true: float) -> bool:
        """Whether a true value meets the limit."""
        return (true < self.limit) if self.relation.startswith("<") else (true > self.limit)

    def settled(self, true: float) -> float:
        """Probability of the right verdict at a true value."""
        found = self.chances(true)
        return found.passed if self.meets(true) else found.failed

    def needed(self, true: float, power: float) -> tuple[int | None, int | None]:
        """Stars (with these visits) and visits (with these stars) for the right verdict with a probability.

        Returns
        -------
        stars, visits : int or None
            None where `MOST_STARS`, `MOST_VISITS` are not enough.

        Raises
        ------
        InputError
            Not a probability above the risk, or the true value lies on the limit.
        """
        if not self.rule.risk < power < 1:
            raise InputError(f"--power {power:g}: not a probability above the risk and below 1")
        if true == self.limit:
            raise InputError(f"--true-value {true:g} lies on the limit: no finite sample settles it")

        def with_stars(n: int) -> bool:
            plan = replace(self, stars=n)
            plan.__dict__["draws"] = self.draws  # the same law and visits
            return plan.settled(true) >= power

        def with_visits(n: int) -> bool:
            try:
                return replace(self, visits=n).settled(true) >= power
            except InputError:  # so few visits show no outliers at all
                return False

        fewest = 2 if self.draws.estimator not in PAIRS else max(2, math.ceil(self.stars * self.pairs**-0.5) + 1)
        return _least(with_stars, fewest, MOST_STARS), _least(with_visits, 2, MOST_VISITS)

    def around(self, number: int = 13, reach: float = 4.0) -> FloatArray:
        """True values about the limit, within some standard errors of it, that a table or plot shows."""
        width = reach * self.scatter(self.limit).error
        steps = np.linspace(-width, width, number)
        if self.of_share:
            return np.asarray(100 / (1 + np.exp(-(_logit(self.limit) + steps))))
        return np.asarray(self.limit * np.exp(steps))


def _distance_density(s: float) -> float:
    """Density of the distance of two points uniform in a disc of radius 1 (disc line picking)."""
    return 4 * s / math.pi * math.acos(s / 2) - s * s / math.pi * math.sqrt(max(0.0, 4 - s * s))


def _logit(percent: float) -> float:
    return math.log(percent / (100 - percent))


def _beyond(asked: float, away: float, freedom: float) -> float:
    """Probability that a noncentral t exceeds a value."""
    if abs(away) > 30:  # far beyond what the series is good for, and certain
        return float(away > 0)
    return float(np.clip(stats.nct.sf(asked, freedom, away), 0, 1))


def _least(enough: Callable[[int], bool], low: int, high: int) -> int | None:
    """Least number from ``low`` to ``high`` that is enough, if more are always enough as well."""
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
