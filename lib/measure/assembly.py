"""Assemble a run: from detections and requirement documents to results."""

from __future__ import annotations

import time
from collections.abc import Iterable

from skyaccept.lib.catalog.detections import AssociatedDetections
from skyaccept.lib.diagnostics import breakdown
from skyaccept.lib.measure import plan
from skyaccept.lib.measure.measurer import Measurer
from skyaccept.lib.measure.options import Options
from skyaccept.lib.metrics import METRICS
from skyaccept.lib.requirements.model import Case, Specification
from skyaccept.lib.results.model import Result, Results, normalize_json
from skyaccept.lib.results.provenance import describe_definitions, document_notes, run_record, uncovered_clauses
from skyaccept.lib.results.records import RunRecord


def run(detections: AssociatedDetections, specification: Specification, options: Options | None = None) -> Results:
    """Measure every clause of a specification on a dataset.

    Parameters
    ----------
    detections : AssociatedDetections
        Associated detections, as `skyaccept.lib.readers.load` returns them.
    specification : Specification
        As `skyaccept.lib.requirements.load` returns it.
    options : Options, optional

    Returns
    -------
    Results
        In document order; shows itself as a table in a notebook.

    Raises
    ------
    InputError
        No clause applies, the definition or key does not exist, or a column that a clause or key needs is missing.
    """
    started = time.time()
    options = options or Options()
    measurer = Measurer(detections, specification, options)
    measured = [measurer.measure(case) for case in specification.cases(options.bands)]
    return assemble(measurer, specification, measured, run_record(started, "skyaccept.lib.measure.run"))


def assemble(measurer: Measurer, specification: Specification, measured: Iterable[Result], run: RunRecord) -> Results:
    """Join the records of the cases, in document order, with those of the run."""
    results = tuple(measured)
    return Results(
        normalize_json(run),
        normalize_json(measurer.dataset()),
        results,
        describe_definitions(results, specification),
        uncovered_clauses(specification),
        notes=document_notes(specification),
    )


def needs(specification: Specification, cases: Iterable[Case], options: Options | None = None) -> frozenset[str]:
    """Columns of a catalog that cases need; flags as ``flag_NAME``.

    Those beyond visit, band, position and object.

    Parameters
    ----------
    specification : Specification
    cases : iterable of Case
    options : Options, optional
        As for `run`.

    Raises
    ------
    InputError
        The definition or a key does not exist.
    """
    options = options or Options()
    options.check_definition(specification)
    # these tell what errors depend on, and which visits share them
    used = {"detector", "mag", "mjd", "airmass", "visit_group", *breakdown.columns(options.breakdown)}
    for case in cases:
        names = [options.deciding_definition(case)]
        if options.compare and case.requirement.kind != "diagnostic":
            names = list(specification.definitions)
        for name in names:
            used.update(plan.columns(specification.definitions[name], case))
            if specification.definitions[name].rule(case.clause.metric) is not None:
                used.update(METRICS[case.clause.metric].optional_columns)
    return frozenset(used)
