"""Resolve a definition for a case: sample, estimator, settings and statistics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from skyaccept.lib.exceptions import NotMeasurable
from skyaccept.lib.metrics import METRICS
from skyaccept.lib.requirements.definitions import Definition, Rule
from skyaccept.lib.requirements.limits import in_units
from skyaccept.lib.requirements.model import Case
from skyaccept.lib.sample.cuts import Cut
from skyaccept.lib.sample.sample import Sample
from skyaccept.lib.sample.visit_matrix import LIMIT
from skyaccept.lib.uncertainty.errors import Errors
from skyaccept.lib.uncertainty.estimator import Estimator, MatrixErrors
from skyaccept.lib.uncertainty.statistic import Statistic


@dataclass(frozen=True, kw_only=True)
class MeasurementPlan:
    """A case under a definition.

    Attributes
    ----------
    rule : Rule
    cuts : tuple of Cut
    estimator : Estimator
    parameters : mapping of str to float
        Of the clause, in the metric's units.
    settings : object
        Of the type that the estimator takes.
    statistics : mapping of str to Statistic
        By level; a clause without levels has "".
    requested_by : str
        Case and definition, for messages.
    """

    rule: Rule
    cuts: tuple[Cut, ...]
    estimator: Estimator
    parameters: Mapping[str, float]
    settings: Any
    statistics: Mapping[str, Statistic]
    requested_by: str

    def formula(self, level: str) -> str:
        """Formula of the value at a level; "" where the estimator gives none."""
        ddof = getattr(self.settings, "ddof", None)
        of = self.estimator.formula.replace("{ddof}", "?" if ddof is None else str(ddof)).replace("(n - 0)", "n")
        statistic = self.statistics.get(level) or next(iter(self.statistics.values()))
        return of if self.estimator.measure is not None or not of else f"{statistic.words} {of}"

    def key(self, band: str) -> tuple[Any, ...]:
        """What errors in a band depend on."""
        return band, self.cuts, self.rule.estimator, tuple(self.parameters.items()), self.settings

    @property
    def columns(self) -> set[str]:
        """Columns that cuts and estimator need, flags as ``flag_NAME``."""
        return {name for cut in self.cuts for name in cut.needs} | set(self.estimator.columns_for(self.settings))

    def errors(self, sample: Sample) -> Errors:
        """Errors of a sample; raises `NotMeasurable`."""
        return self.estimator.of_sample(sample, self.parameters, self.settings)

    def matrix_errors(self, sample: Sample) -> MatrixErrors:
        """Estimator and visit matrix for replicates, breakdowns and trends.

        Raises `NotMeasurable`.
        """
        matrix = self.estimator.measurements(sample, self.parameters, self.settings, LIMIT)
        return MatrixErrors(estimator=self.estimator, matrix=matrix, settings=self.settings)


def resolve(definition: Definition, case: Case) -> MeasurementPlan:
    """Resolve a definition for a case.

    Raises `NotMeasurable` where it has no rule for the metric.
    """
    clause, metric = case.clause, METRICS[case.clause.metric]
    rule = definition.rule(clause.metric)
    if rule is None:
        raise NotMeasurable(f"definition {definition.id} does not cover {clause.metric}")
    estimator, own = metric.estimators[rule.estimator], definition.id == clause.definition
    levels = {name: level.parameters for name, level in clause.levels.items()} or {"": clause.parameters}
    return MeasurementPlan(
        rule=rule,
        cuts=clause.sample if own and clause.sample is not None else definition.samples[rule.sample],
        estimator=estimator,
        parameters=in_units(clause.parameters, metric.parameters),
        settings=_settings(estimator, rule, case, own=own),
        statistics={
            name: metric.statistic_of(estimator, in_units(level, metric.level_parameters))
            for name, level in levels.items()
        },
        requested_by=f"{case.id} under definition {definition.id}",
    )


def columns(definition: Definition, case: Case) -> set[str]:
    """Columns that cuts and estimator need, flags as ``flag_NAME``.

    Empty where the definition has no rule.
    """
    if definition.rule(case.clause.metric) is None:
        return set()
    return resolve(definition, case).columns


def _settings(estimator: Estimator, rule: Rule, case: Case, *, own: bool) -> Any:
    """Settings of a rule, with what the clause changes of its own definition."""
    clause = case.clause
    width = clause.half_width if own and clause.half_width is not None else rule.half_width
    known = {
        "half_width": None if width is None else float(width.to_value("rad")),
        "min_common_visits": rule.min_common_visits,
        "ddof": rule.ddof,
        "subtract_shot_noise": own and clause.subtract_shot_noise,
        "reference_band": case.against,
        "radius": None if rule.radius is None else float(rule.radius.to_value("rad")),
        "reference_snr": rule.reference_snr,
        "locus": rule.locus,
        "bins": rule.bins,
    }
    return estimator.settings(**{one.name: known[one.name] for one in fields(estimator.settings)})
