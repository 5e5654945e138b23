"""The one orchestration: detections and clauses to results. The pytest cases, the command and notebooks call it."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import astropy.units as u
import numpy as np
from skyaccept.lib import breakdown
from skyaccept.lib.catalog import Detections
from skyaccept.lib.decision import DecisionRule
from skyaccept.lib.errors import InputError, NotMeasurable
from skyaccept.lib.inference import Inferences, identity, known
from skyaccept.lib.metrics import METRICS
from skyaccept.lib.metrics.metric import Errors, Estimator, Sample, Settings, evaluate
from skyaccept.lib.outcome import CONFIDENCE, Outcome, account, histogram, in_units, record
from skyaccept.lib.provenance import describe, notes, run_record, uncovered
from skyaccept.lib.reference import Reference
from skyaccept.lib.replicates import Resampled
from skyaccept.lib.requirements import LEVELS, Case, Definition, Rule, Specification
from skyaccept.lib.results import Json, Result, Results, plain
from skyaccept.lib.selection import Cut, Selection, in_band, select
from skyaccept.lib.waivers import Waiver, apply


def run(
    detections: Detections,
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
    detections : Detections
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
        Reference catalog, as `skyaccept.lib.reference.load` returns it.
    rule : DecisionRule, optional
        How verdicts are made.
    waivers : mapping of str to Waiver, optional
        As `skyaccept.lib.waivers.load` returns it.
    confidence : float, optional
        Of the intervals, between 0 and 1; with None values are measured alone.
    by : sequence of str
        Keys of `skyaccept.lib.cells.KEYS` that all clauses are broken down by; see `skyaccept.lib.breakdown.keys`.

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
        describe(results, clauses),
        uncovered(clauses),
        notes=notes(clauses),
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
    used = {"detector", *breakdown.columns(by)}  # detector tells where a failure comes from
    for case in cases:
        names = [_deciding(case, definition)]
        if compare and case.requirement.kind != "diagnostic":
            names = list(specification.definitions)
        for name in names:
            used.update(_needs_under(specification.definitions[name], case))
            if specification.definitions[name].rule(case.clause.metric) is not None:
                used.update(METRICS[case.clause.metric].optional_columns)
    return frozenset(used)


class Measurer:
    """Measures cases one at a time and keeps what they share: samples and errors."""

    def __init__(
        self,
        detections: Detections,
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
        self._visits: dict[str, int] = {}
        self._histograms: dict[tuple[int, int], Json] = {}
        self._confidence = confidence
        self._selections: dict[tuple[Cut, ...], Selection] = {}
        self._samples: dict[tuple[Any, ...], Sample] = {}
        self._errors: dict[tuple[Any, ...], Errors | NotMeasurable] = {}
        self._inferences = Inferences()

    def dataset(self) -> Json:
        """Describe the dataset for the results."""
        d = self._detections
        return {
            "name": d.name,
            "source": d.source,
            "sha256": d.sha256,
            "survey": d.survey,
            "detections": len(d),
            "objects": d.n_objects,
            "visits": len(d.visits),
            "bands": list(d.bands),
            "reference": self._reference.describe() if self._reference is not None else None,
        }

    def measure(self, case: Case) -> Result:
        """Measure one clause in one band.

        Raises
        ------
        InputError
            A column that the clause needs is missing.
        """
        definition = self._definitions[_deciding(case, self._definition)]
        outcome = self._under(definition, case)
        others: dict[str, Json] = {}
        if self._compare and case.requirement.kind != "diagnostic":
            for other in self._definitions.values():
                if other is not definition and other.rule(case.clause.metric) is not None:
                    found = plain(self._record(case, other, self._try_under(other, case)).to_json())
                    others[other.id] = {key: found[key] for key in ("levels", "sample", "reason")}
        result = dataclasses.replace(self._record(case, definition, outcome), other_definitions=others)
        failed = result.verdict in ("fail", "inconclusive") and self._confidence is not None
        if outcome.broken_down is not None and result.value is not None and (self._always or failed):
            where = outcome.broken_down(result.level if result.level in result.levels else "")
            result = dataclasses.replace(result, data=result.data | where)
        return apply(result, self._waivers)

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
            for name in (name for name in _needs_under(definition, case) if not name.startswith("flag_")):
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
        clause, metric = case.clause, METRICS[case.clause.metric]
        rule = definition.rule(clause.metric)
        if rule is None:
            return Outcome(f"definition {definition.id} does not cover {clause.metric}")
        estimator = metric.estimators[rule.estimator]
        cuts, settings = _cuts_under(definition, case), _settings(definition, rule, case)
        parameters = in_units(clause.parameters, metric.parameters)
        needed_by = f"{case.id} under definition {definition.id}"
        sample = self._sample(case.band, cuts, needed_by, rule.all_bands)
        for name in estimator.reads(settings):
            self._detections.column(name, needed_by)
        key = (sample.band, tuple(cuts), rule.estimator, tuple(parameters.items()), settings)
        try:
            self._check_sample(sample, cuts, settings)
            errors = self._find(key, lambda: estimator.find(sample, parameters, settings))
        except NotMeasurable as reason:
            return Outcome(str(reason), account(sample, cuts, None), data=reason.data)
        thresholds = {name: level.parameters for name, level in clause.levels.items()} or {"": clause.parameters}
        asked = {
            name: metric.asked_of(estimator, in_units(level, metric.level_parameters))
            for name, level in thresholds.items()
        }
        found = {name: evaluate(question, errors, estimator.statistic) for name, question in asked.items()}
        values = {name: value for name, (value, _) in found.items()}
        for value in values.values():
            if not math.isfinite(value):
                raise ValueError(f"the measured value is {value}")
        data: Json = {"histogram": self._histogram(errors, estimator)}
        if errors.coordinates:
            data["coordinates"] = {name or "value": by for name, (_, by) in found.items()}

        def resample() -> Resampled:
            return estimator.replicates(estimator.matrix(sample, parameters, settings, errors), settings)

        def broken_down(level: str) -> Json:
            resampled, rows = partial(self._inferences.resampled, key, resample), sample.selection.rows
            confidence = self._confidence or CONFIDENCE
            return breakdown.record(resampled, asked[level], self._detections, rows, self._by, confidence)

        made = Outcome(None, account(sample, cuts, errors), values, data, errors.method, broken_down=broken_down)
        if self._confidence is None:
            return dataclasses.replace(made, estimates=dict.fromkeys(asked, "no interval was asked for"))
        inferred = self._inferences.infer(key, resample, list(asked.values()), list(found.values()))
        by_level = dict(zip(asked, inferred, strict=True))
        data["replicates"] = {name or "value": one[1] for name, one in by_level.items() if not isinstance(one, str)}
        if data["replicates"]:
            matrix = self._inferences.resampled(key, resample).matrix
            find = partial(identity, matrix, self._detections, sample.positions)
            data["blocks"] = sample.once(("identity", key), find)
        estimates = {name: one if isinstance(one, str) else one[0] for name, one in by_level.items()}
        return dataclasses.replace(made, estimates=estimates)

    def _histogram(self, errors: Errors, estimator: Estimator) -> Json:
        """Histogram of errors that are kept in `_errors`, for the clauses that share them."""
        key = (id(errors), id(estimator))
        if key not in self._histograms:
            self._histograms[key] = histogram(errors, estimator)
        return self._histograms[key]

    def _sample(self, band: str, cuts: Sequence[Cut], needed_by: str, all_bands: bool) -> Sample:
        key = (band, tuple(cuts), all_bands)
        if key not in self._samples:
            if all_bands:
                selection = in_band(self._over_all_bands(cuts, needed_by), self._detections, band)
            else:
                selection = select(self._detections, band, cuts, needed_by)

            def other(band: str) -> Sample:
                return self._sample(band, cuts, needed_by, all_bands)

            self._samples[key] = Sample(self._detections, selection, band, other, self._reference)
        return self._samples[key]

    def _over_all_bands(self, cuts: Sequence[Cut], needed_by: str) -> Selection:
        key = tuple(cuts)
        if key not in self._selections:
            self._selections[key] = select(self._detections, None, cuts, needed_by)
        return self._selections[key]

    def _check_sample(self, sample: Sample, cuts: Sequence[Cut], settings: Settings) -> None:
        """Say why nothing can be measured, where that is plain before any pair is looked at."""
        d, band = self._detections, sample.band
        if band not in d.bands:
            raise NotMeasurable(f"the dataset has no detections in band {band}; it has {', '.join(d.bands)}")
        if band not in self._visits:
            self._visits[band] = int(np.count_nonzero(np.bincount(d.visit[d.band == d.bands.index(band)])))
        visits = self._visits[band]
        least = max(settings.min_common_visits, *(c.min_visits for c in cuts if isinstance(c.min_visits, int)), 1)
        if visits < least:
            raise NotMeasurable(f"needs {least} visits in band {band}, and the dataset has {visits}")
        if not len(sample.selection.rows):
            lost = ", ".join(f"{n} by {reason}" for reason, n in sample.selection.rejected.items())
            raise NotMeasurable(f"no detection in band {band} passes the cuts; rejected: {lost}")

    def _find(self, key: tuple[Any, ...], find: Callable[[], Errors]) -> Errors:
        if key not in self._errors:
            try:
                self._errors[key] = find()
            except NotMeasurable as reason:
                self._errors[key] = reason
        return known(self._errors[key])


def _check_definition(specification: Specification, name: str | None) -> None:
    if name is not None and name not in specification.definitions:
        raise InputError(f"--definition {name}: does not exist; known: {', '.join(specification.definitions)}")


def _deciding(case: Case, chosen: str | None) -> str:
    """Definition that decides a case; a diagnostic is what it is under its own alone, with its own sample."""
    return case.clause.definition if chosen is None or case.requirement.kind == "diagnostic" else chosen


def _needs_under(definition: Definition, case: Case) -> set[str]:
    """Columns that cuts and estimator need, flags as ``flag_NAME``; none where the definition has no rule."""
    rule = definition.rule(case.clause.metric)
    if rule is None:
        return set()
    estimator = METRICS[case.clause.metric].estimators[rule.estimator]
    cut_on = {name for cut in _cuts_under(definition, case) for name in cut.needs}
    return cut_on | set(estimator.reads(_settings(definition, rule, case)))


def _settings(definition: Definition, rule: Rule, case: Case) -> Settings:
    """Settings of a rule, with what the clause changes of its own definition."""
    clause, own = case.clause, definition.id == case.clause.definition
    width = clause.half_width if own and clause.half_width is not None else rule.half_width
    return Settings(
        half_width=0.0 if width is None else float(width.to_value(u.rad)),
        min_common_visits=rule.min_common_visits or 1,
        ddof=rule.ddof,
        subtract_shot_noise=own and clause.subtract_shot_noise,
        against=clause.against,
        radius=None if rule.radius is None else float(rule.radius.to_value(u.rad)),
        all_bands=rule.all_bands,
    )


def _cuts_under(definition: Definition, case: Case) -> tuple[Cut, ...]:
    """Cuts of the definition's sample, or the clause's own under its own definition; none where it has no rule."""
    rule = definition.rule(case.clause.metric)
    if rule is None:
        return ()
    if case.clause.sample is not None and definition.id == case.clause.definition:
        return case.clause.sample
    return definition.samples[rule.sample]
