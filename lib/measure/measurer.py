"""Measure cases one at a time, sharing samples, errors and estimates."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Hashable, Iterable, Mapping
from functools import cached_property
from typing import cast

from skyaccept.lib.catalog import focal_plane
from skyaccept.lib.catalog.detections import AssociatedDetections
from skyaccept.lib.catalog.visit_groups import group_visits
from skyaccept.lib.diagnostics import breakdown, trends
from skyaccept.lib.exceptions import InputError, NotMeasurable
from skyaccept.lib.measure import plan as plans
from skyaccept.lib.measure.estimates import EstimateCache, identity
from skyaccept.lib.measure.options import CONFIDENCE, Options
from skyaccept.lib.measure.plan import MeasurementPlan
from skyaccept.lib.measure.record import Measurement, histogram, make_result, summarise
from skyaccept.lib.measure.samples import SampleCache
from skyaccept.lib.metrics.metric import evaluate
from skyaccept.lib.requirements.definitions import Definition
from skyaccept.lib.requirements.model import Case, Specification
from skyaccept.lib.results.model import Result, normalize_json
from skyaccept.lib.results.records import (
    DataRecord,
    DatasetRecord,
    HistogramRecord,
    OtherDefinitionRecord,
    ReferenceRecord,
)
from skyaccept.lib.rounding import Json
from skyaccept.lib.sample.sample import Sample
from skyaccept.lib.uncertainty.errors import Errors
from skyaccept.lib.uncertainty.estimator import MatrixErrors
from skyaccept.lib.uncertainty.statistic import Statistic


@dataclasses.dataclass(frozen=True, kw_only=True)
class Remeasured:
    """A value, its statistic, and the visit matrix of its replicates."""

    value: float
    statistic: Statistic
    task: MatrixErrors


class Measurer:
    """Measures cases one at a time, and keeps samples, errors and estimates.

    Parameters
    ----------
    detections : AssociatedDetections
        Associated.
    specification : Specification
    options : Options, optional

    Raises
    ------
    InputError
        The definition or a key of the breakdown does not exist, or visits cannot be grouped as chosen.
    """

    def __init__(
        self, detections: AssociatedDetections, specification: Specification, options: Options | None = None
    ) -> None:
        self._options = options = options or Options()
        options.check_definition(specification)
        self._detections = detections
        self._keys = breakdown.keys(options.breakdown, detections)
        self._definitions = specification.definitions
        self._histograms: dict[Hashable, HistogramRecord] = {}
        self._visit_groups = group_visits(detections, options.visit_groups)
        self._samples = SampleCache(detections, options.reference, self._visit_groups)
        self._estimates = EstimateCache()
        self._cases = specification.cases()
        self._statistics: dict[tuple[str, str], dict[Hashable, dict[Statistic, None]]] = {}

    def dataset(self) -> DatasetRecord:
        """Describe the dataset for the results."""
        d, reference = self._detections, self._options.reference
        about_reference = () if reference is None else reference.notes
        lacking = filter(None, [focal_plane.too_many_detectors(d)])
        return {
            "name": d.name,
            "source": d.source,
            "sha256": d.sha256,
            "survey": d.survey,
            "detections": len(d),
            "objects": d.n_objects,
            "visits": len(set(d.visits)),
            "bands": list(d.bands),
            "reference": None if reference is None else cast("ReferenceRecord", reference.describe()),
            "focal_plane": self._focal_plane,
            "visit_groups": {"kind": self._visit_groups.kind, "number": len(self._visit_groups)},
            "notes": [
                *d.notes,
                *lacking,
                *filter(None, [self._visit_groups.note]),
                *(f"reference catalog: {note}" for note in about_reference),
            ],
        }

    @cached_property
    def _focal_plane(self) -> dict[str, list[float]]:
        return {name: list(place) for name, place in focal_plane.detector_layout(self._detections).items()}

    def measure(self, case: Case) -> Result:
        """Measure one clause in one band.

        Raises
        ------
        InputError
            A column that the clause needs is missing, or holds a value so large that no finite number comes out.
        """
        options = self._options
        definition = self._definitions[options.deciding_definition(case)]
        measurement = self._measure_under(definition, case)
        others: dict[str, OtherDefinitionRecord] = {}
        if options.compare and case.requirement.kind != "diagnostic":
            for other in self._definitions.values():
                if other is not definition and other.rule(case.clause.metric) is not None:
                    found = normalize_json(self._record(case, other, self._measure_or_explain(other, case)).to_json())
                    others[other.id] = {"levels": found["levels"], "sample": found["sample"], "reason": found["reason"]}
        result = dataclasses.replace(self._record(case, definition, measurement), other_definitions=others)
        if options.diagnose:
            data = result.data | self._diagnose(definition, case, result)
            result = dataclasses.replace(result, data=cast("DataRecord", data))
        return result.with_waiver(options.waivers.get(result.test))

    def check(self, cases: Iterable[Case]) -> None:
        """Make sure that the catalog has the columns that the cases need.

        Raises
        ------
        InputError
            A column is missing; the message says who needs it.
        """
        for case in cases:
            definition = self._definitions[self._options.deciding_definition(case)]
            for name in (name for name in plans.columns(definition, case) if not name.startswith("flag_")):
                self._detections.column(name, f"{case.id} under definition {definition.id}")

    def failed(self, case: Case, reason: str) -> Result:
        """Record of a case whose measurement broke."""
        definition = self._options.deciding_definition(case)
        return make_result(case, definition, self._options.level, Measurement(reason=reason, broken=True))

    def remeasure(self, case: Case, definition: str, level: str) -> Remeasured:
        """Measure one clause in one band, with the matrix for replicates.

        Under a definition and at a level.

        Raises
        ------
        NotMeasurable
            The dataset cannot say, the definition does not exist or cover the metric, or there is no matrix.
        InputError
            A column that it needs is missing.
        """
        if definition not in self._definitions:
            raise NotMeasurable(f"definition {definition} does not exist")
        plan = plans.resolve(self._definitions[definition], case)
        sample = self._samples.sample(plan, case.band)
        errors = self._samples.errors(plan, sample)
        statistic = plan.statistics[level if level in plan.statistics else ""]
        value, _ = evaluate(statistic, errors, plan.estimator.measure)
        return Remeasured(value=value, statistic=statistic, task=plan.matrix_errors(sample))

    def _record(self, case: Case, definition: Definition, measurement: Measurement) -> Result:
        options = self._options
        confidence = options.confidence or CONFIDENCE
        return make_result(case, definition.id, options.level, measurement, options.rule, confidence)

    def _measure_or_explain(self, definition: Definition, case: Case) -> Measurement:
        """Measure for a comparison.

        A column that only this definition needs may be missing.
        """
        try:
            return self._measure_under(definition, case)
        except InputError as error:
            return Measurement(reason=str(error))

    def _measure_under(self, definition: Definition, case: Case) -> Measurement:
        """Measure a case under one definition: values, then estimates."""
        try:
            plan = plans.resolve(definition, case)
        except NotMeasurable as reason:
            return Measurement(reason=str(reason))
        sample = self._samples.sample(plan, case.band)
        try:
            errors = self._samples.errors(plan, sample)
        except NotMeasurable as reason:
            return Measurement(reason=str(reason), summary=summarise(sample, plan.cuts, None), data=reason.data)
        measurement = self._values(plan, sample, errors)
        if self._options.confidence is None:
            return dataclasses.replace(
                measurement, estimates=dict.fromkeys(plan.statistics, "no interval was asked for")
            )
        return self._estimated(definition, plan, sample, errors, measurement)

    def _values(self, plan: MeasurementPlan, sample: Sample, errors: Errors) -> Measurement:
        """Measured value of each level."""
        found = {
            level: evaluate(statistic, errors, plan.estimator.measure) for level, statistic in plan.statistics.items()
        }
        for value, _ in found.values():
            if not math.isfinite(value):
                needed = ", ".join(sorted(plan.columns))
                raise InputError(
                    f"{self._detections.source or self._detections.name}: the measured value is {value}; look at the "
                    f"numbers in {needed}, and at those of the reference catalog where there is one"
                )
        key = plan.key(sample.band)
        if key not in self._histograms:
            self._histograms[key] = histogram(errors, plan.estimator)
        data: Json = {"histogram": self._histograms[key]}
        if len(errors.components) > 1:
            data["coordinates"] = {level or "value": by for level, (_, by) in found.items()}
        return Measurement(
            summary=summarise(sample, plan.cuts, errors),
            values={level: value for level, (value, _) in found.items()},
            data=data,
            method=errors.method,
            formulas={level: plan.formula(level) for level in plan.statistics},
        )

    def _estimated(
        self, definition: Definition, plan: MeasurementPlan, sample: Sample, errors: Errors, measurement: Measurement
    ) -> Measurement:
        """Add estimates with their replicates."""
        key, cache = plan.key(sample.band), self._estimates
        if not cache.has(key, plan.statistics.values()):
            shared = self._shared_statistics(definition, sample.band).get(key, ())
            statistics = dict.fromkeys([*plan.statistics.values(), *shared])
            values = {one: evaluate(one, errors, plan.estimator.measure) for one in statistics}
            cache.compute(plan, sample, values)
        by_level = {level: cache.get(key, statistic) for level, statistic in plan.statistics.items()}
        replicates = {level or "value": one.replicates for level, one in by_level.items() if not isinstance(one, str)}
        data = measurement.data | {"replicates": replicates}
        if replicates:
            matrix = cache.matrix_errors(plan, sample).matrix
            data["blocks"] = sample.cached(("identity", key), lambda: identity(matrix, self._detections, sample))
        estimates = {level: one if isinstance(one, str) else one.estimate for level, one in by_level.items()}
        return dataclasses.replace(measurement, data=data, estimates=estimates)

    def _diagnose(self, definition: Definition, case: Case, result: Result) -> Json:
        """Add trends, and a breakdown if the case fails or one was chosen."""
        options = self._options
        failed = result.verdict in ("fail", "inconclusive") and options.confidence is not None
        if result.value is None or not (options.breakdown or options.confidence is not None):
            return {}
        plan = plans.resolve(definition, case)
        sample, found = self._samples.sample(plan, case.band), Json()
        try:
            task: MatrixErrors | NotMeasurable = self._estimates.matrix_errors(plan, sample)
        except NotMeasurable as reason:
            task = reason
        rows = sample.selection.rows
        if options.breakdown or failed:
            statistic = plan.statistics[result.level if result.level in result.levels else ""]
            confidence = options.confidence or CONFIDENCE
            found |= breakdown.breakdown_data(task, statistic, self._detections, rows, self._keys, confidence)
        if options.confidence is not None:
            key = ("trends", plan.key(case.band))
            found |= sample.cached(key, lambda: trends.trend_data(task, self._detections, rows))
        return found

    def _shared_statistics(self, definition: Definition, band: str) -> Mapping[Hashable, Mapping[Statistic, None]]:
        """Statistics that all clauses need of the same errors in a band.

        They can share replicates.
        """
        known = self._statistics.get((definition.id, band))
        if known is None:
            known = self._statistics[definition.id, band] = {}
            for case in self._cases:
                if case.band == band and definition.rule(case.clause.metric) is not None:
                    plan = plans.resolve(definition, case)
                    known.setdefault(plan.key(band), {}).update(dict.fromkeys(plan.statistics.values()))
        return known
