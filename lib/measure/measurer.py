"""The one orchestration: detections and clauses to results. The pytest cases, the command and notebooks call it."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from functools import cached_property, partial
from typing import cast

from skyaccept.lib.catalog import focal_plane
from skyaccept.lib.catalog.detections import AssociatedDetections
from skyaccept.lib.catalog.reference import Reference
from skyaccept.lib.decision.rule import DecisionRule
from skyaccept.lib.diagnostics import breakdown, trends
from skyaccept.lib.exceptions import InputError, NotMeasurable
from skyaccept.lib.measure import plan
from skyaccept.lib.measure.estimates import Inferences, identity
from skyaccept.lib.measure.record import CONFIDENCE, Outcome, account, histogram, record
from skyaccept.lib.measure.samples import Samples
from skyaccept.lib.metrics import METRICS
from skyaccept.lib.metrics.metric import Errors, Estimator, evaluate
from skyaccept.lib.requirements.definitions import Definition
from skyaccept.lib.requirements.model import LEVELS, Case, Specification
from skyaccept.lib.requirements.waivers import Waiver
from skyaccept.lib.results.model import Result, Results, normalize_json
from skyaccept.lib.results.provenance import describe_definitions, document_notes, run_record, uncovered_clauses
from skyaccept.lib.results.records import (
    DataRecord,
    DatasetRecord,
    HistogramRecord,
    OtherDefinitionRecord,
    ReferenceRecord,
)
from skyaccept.lib.rounding import Json
from skyaccept.lib.sample.visit_matrix import Matrix
from skyaccept.lib.uncertainty.jackknife import Resampled
from skyaccept.lib.uncertainty.statistic import Question


def run(
    detections: AssociatedDetections,
    clauses: Specification,
    *,
    bands: Iterable[str] | None = None,
    level: str = "design",
    definition: str | None = None,
    compare: bool = False,
    reference: Reference | None = None,
    rule: DecisionRule | None = None,
    waivers: Mapping[str, Waiver] | None = None,
    confidence: float | None = CONFIDENCE,
    by: Sequence[str] = (),
) -> Results:
    """Measure every clause of a specification on a dataset.

    Parameters
    ----------
    detections : AssociatedDetections
        Associated detections, as `skyaccept.lib.readers.load` returns them.
    clauses : Specification
        As `skyaccept.lib.requirements.load` returns it.
    bands : iterable of str, optional
        Only these bands; all that the clauses apply to by default.
    level : {"design", "minimum", "stretch"}
        Level that decides the verdict; all levels are reported.
    definition : str, optional
        Measure everything under this definition instead of each clause's own.
    compare : bool
        Measure under every other definition that covers the metric as well.
    reference : Reference, optional
        Reference catalog, as `skyaccept.lib.catalog.reference.load` returns it.
    rule : DecisionRule, optional
        How verdicts are made.
    waivers : mapping of str to Waiver, optional
        As `skyaccept.lib.requirements.waivers.load` returns it.
    confidence : float, optional
        Of the intervals, between 0 and 1; with None values are measured alone.
    by : sequence of str
        Keys of `skyaccept.lib.diagnostics.groups.KEYS` that all clauses are broken down by; see
        `skyaccept.lib.diagnostics.breakdown.keys`.

    Returns
    -------
    Results
        In document order; shows itself as a table in a notebook.

    Raises
    ------
    InputError
        No clause applies, the definition, level or key does not exist, the confidence is not between 0 and 1, or a
        column that a clause or key needs is missing.
    """
    started = time.time()
    measurer = Measurer(
        detections,
        clauses,
        level=level,
        definition=definition,
        compare=compare,
        reference=reference,
        rule=rule,
        waivers=waivers,
        confidence=confidence,
        by=by,
    )
    results = tuple(measurer.measure(case) for case in clauses.cases(bands))
    provenance = run_record(started, "skyaccept.lib.measure.run")
    return Results(
        provenance,
        measurer.dataset(),
        results,
        describe_definitions(results, clauses),
        uncovered_clauses(clauses),
        notes=document_notes(clauses),
    )


def needs(
    specification: Specification,
    cases: Iterable[Case],
    *,
    definition: str | None = None,
    compare: bool = False,
    by: Sequence[str] = (),
) -> frozenset[str]:
    """Columns of a catalog that cases need beside visit, band, position and object; flags as ``flag_NAME``.

    Parameters
    ----------
    specification : Specification
    cases : iterable of Case
    definition : str, optional
        As for `run`.
    compare : bool
        Under every definition instead of the deciding one alone.
    by : sequence of str
        As for `run`.

    Raises
    ------
    InputError
        The definition or a key does not exist.
    """
    _check_definition(specification, definition)
    used = {"detector", "mag", "mjd", "airmass", *breakdown.columns(by)}  # tell what errors depend on
    for case in cases:
        names = [_deciding(case, definition)]
        if compare and case.requirement.kind != "diagnostic":
            names = list(specification.definitions)
        for name in names:
            used.update(plan.columns(specification.definitions[name], case))
            if specification.definitions[name].rule(case.clause.metric) is not None:
                used.update(METRICS[case.clause.metric].optional_columns)
    return frozenset(used)


@dataclasses.dataclass(frozen=True)
class Measured:
    """A value, the question that it answers, and the matrix that replicates of it are made of.

    ``resampled(matrix)`` says how errors follow from the matrix, or from a part of it.
    """

    value: float
    question: Question
    matrix: Matrix
    resampled: Callable[[Matrix], Resampled]


class Measurer:
    """Measures cases one at a time and keeps what they share: samples and errors."""

    def __init__(
        self,
        detections: AssociatedDetections,
        specification: Specification,
        *,
        level: str = "design",
        definition: str | None = None,
        compare: bool = False,
        reference: Reference | None = None,
        rule: DecisionRule | None = None,
        waivers: Mapping[str, Waiver] | None = None,
        confidence: float | None = CONFIDENCE,
        by: Sequence[str] = (),
    ) -> None:
        if level not in LEVELS:
            raise InputError(f"--level {level}: not one of {', '.join(LEVELS)}")
        if confidence is not None and not 0 < confidence < 1:
            raise InputError(f"--confidence {confidence:g}: not between 0 and 1")
        _check_definition(specification, definition)
        self._detections = detections
        self._always = bool(by)
        self._by = breakdown.keys(by, detections)
        self._definitions = specification.definitions
        self._level = level
        self._definition = definition
        self._compare = compare
        self._reference = reference
        self._rule = rule
        self._waivers = waivers or {}
        self._histograms: dict[tuple[int, int], HistogramRecord] = {}
        self._confidence = confidence
        self._samples = Samples(detections, reference)
        self._inferences = Inferences()
        self._cases = specification.cases()
        self._asked: dict[tuple[str, str], dict[Hashable, dict[Question, None]]] = {}

    def dataset(self) -> DatasetRecord:
        """Describe the dataset for the results."""
        d = self._detections
        about_reference = () if self._reference is None else self._reference.notes
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
            "reference": cast("ReferenceRecord", self._reference.describe()) if self._reference is not None else None,
            "focal_plane": self._focal_plane,
            "notes": [*d.notes, *lacking, *(f"reference catalog: {note}" for note in about_reference)],
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
        definition = self._definitions[_deciding(case, self._definition)]
        outcome = self._under(definition, case)
        others: dict[str, OtherDefinitionRecord] = {}
        if self._compare and case.requirement.kind != "diagnostic":
            for other in self._definitions.values():
                if other is not definition and other.rule(case.clause.metric) is not None:
                    found = normalize_json(self._record(case, other, self._try_under(other, case)).to_json())
                    others[other.id] = {"levels": found["levels"], "sample": found["sample"], "reason": found["reason"]}
        result = dataclasses.replace(self._record(case, definition, outcome), other_definitions=others)
        failed = result.verdict in ("fail", "inconclusive") and self._confidence is not None
        if outcome.broken_down is not None and result.value is not None and (self._always or failed):
            where = outcome.broken_down(result.level if result.level in result.levels else "")
            result = dataclasses.replace(result, data=cast("DataRecord", result.data | where))
        if outcome.dependence is not None and self._confidence is not None:
            result = dataclasses.replace(result, data=cast("DataRecord", result.data | outcome.dependence()))
        return result.with_waiver(self._waivers.get(result.test))

    def _record(self, case: Case, definition: Definition, outcome: Outcome) -> Result:
        return record(case, definition.id, self._level, outcome, self._rule, self._confidence or CONFIDENCE)

    def check(self, cases: Iterable[Case]) -> None:
        """Make sure that the catalog has the columns that the cases need, before anything is measured.

        Raises
        ------
        InputError
            A column is missing; the message says who needs it.
        """
        for case in cases:
            definition = self._definitions[_deciding(case, self._definition)]
            for name in (name for name in plan.columns(definition, case) if not name.startswith("flag_")):
                self._detections.column(name, f"{case.id} under definition {definition.id}")

    def failed(self, case: Case, reason: str) -> Result:
        """Record of a case whose measurement broke."""
        return record(case, _deciding(case, self._definition), self._level, Outcome(reason, broken=True))

    def _try_under(self, definition: Definition, case: Case) -> Outcome:
        """As `_under`, for a comparison: a column that only this definition needs may be missing."""
        try:
            return self._under(definition, case)
        except InputError as error:
            return Outcome(str(error))

    def _under(self, definition: Definition, case: Case) -> Outcome:
        """Measure a case under one definition."""
        try:
            task = plan.of(definition, case)
        except NotMeasurable as reason:
            return Outcome(str(reason))
        sample, estimator, asked = self._samples.of(task, case.band), task.estimator, task.asked
        try:
            errors = self._samples.errors(task, sample)
        except NotMeasurable as reason:
            return Outcome(str(reason), account(sample, task.cuts, None), data=reason.data)
        found = {name: evaluate(question, errors, estimator.statistic) for name, question in asked.items()}
        values = {name: value for name, (value, _) in found.items()}
        for value in values.values():
            if not math.isfinite(value):
                columns = ", ".join(sorted(plan.columns(definition, case)))
                raise InputError(
                    f"{self._detections.source or self._detections.name}: the measured value is {value}; look at the "
                    f"numbers in {columns}, and at those of the reference catalog where there is one"
                )
        data: Json = {"histogram": self._histogram(errors, estimator)}
        if errors.coordinates:
            data["coordinates"] = {name or "value": by for name, (_, by) in found.items()}

        key, rows = task.key(sample.band), sample.selection.rows

        def make() -> Resampled:
            return task.resampled(task.matrix(sample, errors))

        resampled = partial(self._inferences.resampled, key, make)

        def broken_down(level: str) -> Json:
            confidence = self._confidence or CONFIDENCE
            return breakdown.record(resampled, asked[level], self._detections, rows, self._by, confidence)

        def dependent() -> Json:
            return sample.once(("dependence", key), lambda: trends.record(resampled, self._detections, rows))

        made = Outcome(
            None,
            account(sample, task.cuts, errors),
            values,
            data,
            errors.method,
            broken_down=broken_down,
            dependence=dependent,
            formula=task.formula,
        )
        if self._confidence is None:
            return dataclasses.replace(made, estimates=dict.fromkeys(asked, "no interval was asked for"))
        if not self._inferences.known(key, asked.values()):
            questions = dict.fromkeys([*asked.values(), *self._asked_of(definition, case.band).get(key, ())])
            self._inferences.infer(
                key, make, {question: evaluate(question, errors, estimator.statistic) for question in questions}
            )
        by_level = {name: self._inferences.found(key, question) for name, question in asked.items()}
        data["replicates"] = {name or "value": one[1] for name, one in by_level.items() if not isinstance(one, str)}
        if data["replicates"]:
            matrix = resampled().matrix
            find = partial(identity, matrix, self._detections, sample.positions)
            data["blocks"] = sample.once(("identity", key), find)
        estimates = {name: one if isinstance(one, str) else one[0] for name, one in by_level.items()}
        return dataclasses.replace(made, estimates=estimates)

    def _asked_of(self, definition: Definition, band: str) -> Mapping[Hashable, Mapping[Question, None]]:
        """What all clauses ask of the same errors in a band, as they can share replicates."""
        known = self._asked.get((definition.id, band))
        if known is None:
            known = self._asked[definition.id, band] = {}
            for case in self._cases:
                if case.band == band and definition.rule(case.clause.metric) is not None:
                    task = plan.of(definition, case)
                    known.setdefault(task.key(band), {}).update(dict.fromkeys(task.asked.values()))
        return known

    def measured(self, case: Case, definition: str, level: str) -> Measured:
        """Measure one clause in one band under a definition and at a level, for replicates of one's own.

        Raises
        ------
        NotMeasurable
            The dataset cannot say, the definition does not exist or cover the metric, or there is no matrix.
        InputError
            A column that it needs is missing.
        """
        if definition not in self._definitions:
            raise NotMeasurable(f"definition {definition} does not exist")
        task = plan.of(self._definitions[definition], case)
        sample = self._samples.of(task, case.band)
        errors = self._samples.errors(task, sample)
        question = task.asked[level if level in task.asked else ""]
        value, _ = evaluate(question, errors, task.estimator.statistic)
        return Measured(value, question, task.matrix(sample, errors), task.resampled)

    def _histogram(self, errors: Errors, estimator: Estimator) -> HistogramRecord:
        """Histogram of errors that are kept in `_errors`, for the clauses that share them."""
        key = (id(errors), id(estimator))
        if key not in self._histograms:
            self._histograms[key] = histogram(errors, estimator)
        return self._histograms[key]


def _check_definition(specification: Specification, name: str | None) -> None:
    if name is not None and name not in specification.definitions:
        raise InputError(f"--definition {name}: does not exist; known: {', '.join(specification.definitions)}")


def _deciding(case: Case, chosen: str | None) -> str:
    """Definition that decides a case; a diagnostic is what it is under its own alone, with its own sample."""
    return case.clause.definition if chosen is None or case.requirement.kind == "diagnostic" else chosen
