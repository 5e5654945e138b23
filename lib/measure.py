"""The one orchestration: detections and clauses to results. The pytest cases, the command and notebooks call it."""

from __future__ import annotations

import dataclasses
import platform
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

import astropy.units as u
import numpy as np
import skyaccept
from skyaccept.lib.catalog import Detections
from skyaccept.lib.errors import InputError, NotMeasurable
from skyaccept.lib.metrics import METRICS
from skyaccept.lib.metrics.metric import Errors, Sample, Settings
from skyaccept.lib.outcome import Outcome, account, histogram, in_units, record
from skyaccept.lib.requirements import LEVELS, Case, Definition, Specification
from skyaccept.lib.results import Json, Result, Results, plain
from skyaccept.lib.selection import Cut, select

BINS = 100
_PACKAGES = ("numpy", "numba", "scipy", "astropy", "pandas", "pyarrow", "pytest")


def run(
    detections: Detections,
    clauses: Specification,
    *,
    bands: Iterable[str] | None = None,
    level: str = "design",
    definition: str | None = None,
    compare: bool = False,
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
        Measure under every other definition as well.

    Returns
    -------
    Results
        In document order; shows itself as a table in a notebook.

    Raises
    ------
    InputError
        No clause applies, the definition or level does not exist, or a column that a clause needs is missing.
    """
    started = time.time()
    measurer = Measurer(detections, clauses, level=level, definition=definition, compare=compare)
    results = tuple(measurer.measure(case) for case in clauses.cases(bands))
    record = run_record(started, "skyaccept.lib.measure.run")
    return Results(record, measurer.dataset(), results, describe(results, clauses))


def needs(
    specification: Specification, cases: Iterable[Case], *, definition: str | None = None, compare: bool = False
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

    Raises
    ------
    InputError
        The definition does not exist.
    """
    _check_definition(specification, definition)
    used: set[str] = set()
    for case in cases:
        names = specification.definitions if compare else (definition or case.clause.definition,)
        for cut in (cut for name in names for cut in _cuts_under(specification.definitions[name], case)):
            used.update(cut.needs)
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
    ) -> None:
        if level not in LEVELS:
            raise InputError(f"--level {level}: not one of {', '.join(LEVELS)}")
        _check_definition(specification, definition)
        self._detections = detections
        self._definitions = specification.definitions
        self._level = level
        self._definition = definition
        self._compare = compare
        self._samples: dict[tuple[Any, ...], Sample] = {}
        self._errors: dict[tuple[Any, ...], Errors | NotMeasurable] = {}

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
        }

    def measure(self, case: Case) -> Result:
        """Measure one clause in one band.

        Raises
        ------
        InputError
            A column that the clause needs is missing.
        """
        definition = self._definitions[self._definition or case.clause.definition]
        outcome = self._under(definition, case)
        others: dict[str, Json] = {}
        if self._compare:
            for other in self._definitions.values():
                if other is not definition:
                    found = plain(record(case, other.id, self._level, self._try_under(other, case)).to_json())
                    others[other.id] = {key: found[key] for key in ("levels", "sample", "reason")}
        return dataclasses.replace(record(case, definition.id, self._level, outcome), other_definitions=others)

    def check(self, cases: Iterable[Case]) -> None:
        """Make sure that the catalog has the columns that the cases need, before anything is measured.

        Raises
        ------
        InputError
            A column is missing; the message says who needs it.
        """
        for case in cases:
            definition = self._definitions[self._definition or case.clause.definition]
            for name in (name for cut in _cuts_under(definition, case) if not cut.flags for name in cut.needs):
                self._detections.column(name, f"{case.id} under definition {definition.id}")

    def failed(self, case: Case, reason: str) -> Result:
        """Record of a case whose measurement broke."""
        definition = self._definition or case.clause.definition
        return record(case, definition, self._level, Outcome(reason, broken=True))

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
        own = definition.id == clause.definition
        cuts = _cuts_under(definition, case)
        width = clause.half_width if own and clause.half_width is not None else rule.half_width
        settings = Settings(float(width.to_value(u.rad)), rule.min_common_visits, rule.ddof)
        parameters = {name: float(clause.parameters[name].to_value(unit)) for name, unit in metric.parameters.items()}
        sample = self._sample(case.band, cuts, f"{case.id} under definition {definition.id}")
        try:
            self._check_sample(sample, settings)
            errors = self._find(sample, cuts, clause.metric, rule.estimator, parameters, settings)
        except NotMeasurable as reason:
            return Outcome(str(reason), account(sample, cuts, None))
        values = {
            name: metric.statistic(errors, in_units(level.parameters, metric.level_parameters))
            for name, level in clause.levels.items()
        }
        data = {"histogram": histogram(errors)}
        return Outcome(None, account(sample, cuts, errors), values, data, errors.method)

    def _sample(self, band: str, cuts: Sequence[Cut], needed_by: str) -> Sample:
        key = (band, tuple(cuts))
        if key not in self._samples:
            selection = select(self._detections, band, cuts, needed_by)
            self._samples[key] = Sample(self._detections, selection, band)
        return self._samples[key]

    def _check_sample(self, sample: Sample, settings: Settings) -> None:
        """Say why nothing can be measured, where that is plain before any pair is looked at."""
        d, band = self._detections, sample.band
        if band not in d.bands:
            raise NotMeasurable(f"the dataset has no detections in band {band}; it has {', '.join(d.bands)}")
        visits = len(np.unique(d.visit[d.band == d.bands.index(band)]))
        if visits < settings.min_common_visits:
            raise NotMeasurable(
                f"needs {settings.min_common_visits} visits in band {band}, and the dataset has {visits}"
            )
        if not len(sample.selection.rows):
            lost = ", ".join(f"{n} by {reason}" for reason, n in sample.selection.rejected.items())
            raise NotMeasurable(f"no detection in band {band} passes the cuts; rejected: {lost}")

    def _find(
        self,
        sample: Sample,
        cuts: Sequence[Cut],
        metric: str,
        estimator: str,
        parameters: Mapping[str, float],
        settings: Settings,
    ) -> Errors:
        key = (sample.band, tuple(cuts), estimator, tuple(parameters.items()), settings)
        if key not in self._errors:
            try:
                self._errors[key] = METRICS[metric].estimators[estimator].find(sample, parameters, settings)
            except NotMeasurable as reason:
                self._errors[key] = reason
        found = self._errors[key]
        if isinstance(found, NotMeasurable):
            raise NotMeasurable(*found.args)
        return found


def _check_definition(specification: Specification, name: str | None) -> None:
    if name is not None and name not in specification.definitions:
        raise InputError(f"--definition {name}: does not exist; known: {', '.join(specification.definitions)}")


def _cuts_under(definition: Definition, case: Case) -> tuple[Cut, ...]:
    """Cuts of the definition's sample, or the clause's own under its own definition; none where it has no rule."""
    rule = definition.rule(case.clause.metric)
    if rule is None:
        return ()
    if case.clause.sample is not None and definition.id == case.clause.definition:
        return case.clause.sample
    return definition.samples[rule.sample]


def describe(results: Iterable[Result], specification: Specification) -> dict[str, Json]:
    """Describe the definitions that results were measured under, for the results and the report."""
    used = {name for result in results for name in (result.definition, *result.other_definitions)}
    return {
        name: {"title": d.title, "text": d.text, "quirks": list(d.quirks)}
        for name, d in specification.definitions.items()
        if name in used
    }


def run_record(started: float, command: str) -> Json:
    """Provenance of a run that began at ``started`` (seconds since the epoch)."""
    return {
        "skyaccept": skyaccept.__version__,
        "started": datetime.fromtimestamp(started, UTC).isoformat(timespec="seconds"),
        "seconds": round(time.time() - started, 3),
        "command": command,
        "python": platform.python_version(),
        "packages": {name: metadata.version(name) for name in _PACKAGES},
    }
