"""What a definition prescribes for a case: the sample, how errors are found in it, and what is asked of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from skyaccept.lib.exceptions import NotMeasurable
from skyaccept.lib.metrics import METRICS
from skyaccept.lib.metrics.metric import Errors, Estimator, Settings
from skyaccept.lib.requirements.definitions import Definition, Rule
from skyaccept.lib.requirements.limits import in_units
from skyaccept.lib.requirements.model import Case
from skyaccept.lib.sample.cuts import Cut
from skyaccept.lib.sample.sample import Sample
from skyaccept.lib.sample.visit_matrix import Matrix
from skyaccept.lib.uncertainty.jackknife import Resampled
from skyaccept.lib.uncertainty.statistic import Question


@dataclass(frozen=True)
class Prescription:
    """A case under a definition.

    Attributes
    ----------
    rule : Rule
    cuts : tuple of Cut
    estimator : Estimator
    parameters : mapping of str to float
        Of the clause, in the metric's units.
    settings : Settings
    asked : mapping of str to Question
        By level; a clause without levels has "".
    needed_by : str
        Case and definition, for messages.
    """

    rule: Rule
    cuts: tuple[Cut, ...]
    estimator: Estimator
    parameters: Mapping[str, float]
    settings: Settings
    asked: Mapping[str, Question]
    needed_by: str

    def formula(self, level: str) -> str:
        """How the value at a level is made; "" where the estimator does not say."""
        ddof = self.settings.ddof
        of = self.estimator.formula.replace("{ddof}", "?" if ddof is None else str(ddof)).replace("(n - 0)", "n")
        question = self.asked.get(level) or next(iter(self.asked.values()))
        return of if self.estimator.statistic is not None or not of else f"{question.words} {of}"

    def key(self, band: str) -> tuple[Any, ...]:
        """What errors in a band depend on."""
        return band, self.cuts, self.rule.estimator, tuple(self.parameters.items()), self.settings

    def find(self, sample: Sample) -> Errors:
        """Errors of a sample; raises `NotMeasurable`."""
        return self.estimator.find(sample, self.parameters, self.settings)

    def matrix(self, sample: Sample, errors: Errors) -> Matrix:
        """Measurements that the errors rest on, by unit and visit."""
        return self.estimator.matrix(sample, self.parameters, self.settings, errors)

    def resampled(self, matrix: Matrix) -> Resampled:
        """How errors follow from a matrix, or from a part of one."""
        return self.estimator.replicates(matrix, self.settings)


def of(definition: Definition, case: Case) -> Prescription:
    """What a definition prescribes for a case; raises `NotMeasurable` where it has no rule for the metric."""
    clause, metric = case.clause, METRICS[case.clause.metric]
    rule = definition.rule(clause.metric)
    if rule is None:
        raise NotMeasurable(f"definition {definition.id} does not cover {clause.metric}")
    estimator, own = metric.estimators[rule.estimator], definition.id == clause.definition
    levels = {name: level.parameters for name, level in clause.levels.items()} or {"": clause.parameters}
    return Prescription(
        rule,
        clause.sample if own and clause.sample is not None else definition.samples[rule.sample],
        estimator,
        in_units(clause.parameters, metric.parameters),
        _settings(rule, case, own),
        {name: metric.asked_of(estimator, in_units(level, metric.level_parameters)) for name, level in levels.items()},
        f"{case.id} under definition {definition.id}",
    )


def columns(definition: Definition, case: Case) -> set[str]:
    """Columns that cuts and estimator need, flags as ``flag_NAME``; none where the definition has no rule."""
    if definition.rule(case.clause.metric) is None:
        return set()
    found = of(definition, case)
    return {name for cut in found.cuts for name in cut.needs} | set(found.estimator.reads(found.settings))


def _settings(rule: Rule, case: Case, own: bool) -> Settings:
    """Settings of a rule, with what the clause changes of its own definition."""
    clause = case.clause
    width = clause.half_width if own and clause.half_width is not None else rule.half_width
    return Settings(
        half_width=0.0 if width is None else float(width.to_value("rad")),
        min_common_visits=rule.min_common_visits or 1,
        ddof=rule.ddof,
        subtract_shot_noise=own and clause.subtract_shot_noise,
        against=case.against,
        radius=None if rule.radius is None else float(rule.radius.to_value("rad")),
        all_bands=rule.all_bands,
        reference_snr=rule.reference_snr,
        locus=rule.locus,
        bins=rule.bins,
    )
