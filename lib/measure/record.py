"""The measurement of a case, and its result record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np
from skyaccept.lib.decision.rule import (
    Decision,
    DecisionRule,
    Verdict,
    decide,
    explain_inconclusive,
)
from skyaccept.lib.measure.options import CONFIDENCE
from skyaccept.lib.metrics import METRICS
from skyaccept.lib.requirements.limits import Level
from skyaccept.lib.requirements.model import Case
from skyaccept.lib.results.model import LevelResult, Result, SampleSummary
from skyaccept.lib.results.records import DataRecord, DecisionRecord, HistogramRecord, IntervalRecord
from skyaccept.lib.results.schema import LARGEST
from skyaccept.lib.rounding import Json, round_significant
from skyaccept.lib.sample.cuts import Cut
from skyaccept.lib.sample.sample import Sample
from skyaccept.lib.strict_yaml import text_of
from skyaccept.lib.uncertainty import order_statistics
from skyaccept.lib.uncertainty.distribution import Estimate
from skyaccept.lib.uncertainty.errors import Errors
from skyaccept.lib.uncertainty.estimator import Estimator

BINS = 100


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """What was measured under one definition.

    A value for each level, or the reason why there is none.

    Attributes
    ----------
    reason : str, optional
        Why there is no value.
    summary : SampleSummary, optional
    values : mapping of str to float
        By level; a diagnostic has no levels, its value is that of level "".
    data : mapping
        For the record: histogram, replicates.
    method : str, optional
        How the errors were computed.
    broken : bool
        Whether the measurement failed with an error.
    estimates : mapping of str to Estimate or str
        By level; the reason in place of one without an interval.
    formulas : mapping of str to str
        Formula of the value, by level.
    """

    reason: str | None = None
    summary: SampleSummary | None = None
    values: Mapping[str, float] = field(default_factory=dict)
    data: Json = field(default_factory=dict)
    method: str | None = None
    broken: bool = False
    estimates: Mapping[str, Estimate | str] = field(default_factory=dict)
    formulas: Mapping[str, str] = field(default_factory=dict)

    def estimate(self, level: str) -> Estimate | str:
        """Estimate at a level, or the reason why there is none."""
        return self.estimates.get(level, "nothing was measured")


def make_result(
    case: Case,
    definition: str,
    level: str,
    measurement: Measurement,
    rule: DecisionRule | None = None,
    confidence: float = CONFIDENCE,
) -> Result:
    """Make the result of a case that was measured under a definition.

    ``level`` and ``rule`` decide the verdict.
    """
    rule = rule or DecisionRule()
    clause, metric, kind = case.clause, METRICS[case.clause.metric], case.requirement.kind
    levels = {
        name: _level_result(stated, metric.unit, name, measurement, kind, rule, confidence)
        for name, stated in clause.levels.items()
    }
    if kind == "capability" and level not in levels:
        level = next(iter(levels))  # targets decide nothing, so any will do
    decisive = levels.get(level)
    reason = measurement.reason
    if decisive is None and reason is None and kind != "diagnostic":
        reason = f"the clause states no limit at level {level}"
    value = decisive.value if decisive else measurement.values.get("")
    known = measurement.estimate(level if decisive else "")
    verdict = decisive.verdict if decisive else _without_limit(value, measurement)
    if kind == "capability" and value is not None:
        verdict = "pass"
    if decisive is not None and decisive.decision is not None:
        reason = decisive.decision["reason"]
    return Result(
        requirement=case.requirement.id,
        clause=clause.id,
        document=case.document,
        kind=kind,
        metric=clause.metric,
        title=metric.title,
        text=clause.text,
        definition=definition,
        band=case.band,
        unit=metric.unit,
        operator=next(((decisive or stated).operator for stated in levels.values()), None),
        level=level,
        value=value,
        limit=decisive.limit if decisive else None,
        verdict=verdict,
        reason=reason,
        parameters={name: text_of(value) for name, value in clause.parameters.items()},
        levels=levels,
        sample=measurement.summary,
        test=case.id,
        value_unbiased=None if isinstance(known, str) else known.value,
        interval=_interval(known, confidence),
        no_interval=known if isinstance(known, str) and value is not None else None,
        limited_by=None if isinstance(known, str) else known.limited_by,
        method=measurement.method,
        formula=measurement.formulas.get(level if decisive else ""),
        verification=clause.verification,
        data=cast("DataRecord", measurement.data),
        decision=decisive.decision if decisive else None,
    )


def _level_result(
    level: Level, unit: str, name: str, measurement: Measurement, kind: str, rule: DecisionRule, confidence: float
) -> LevelResult:
    limit = float(level.limit.bound.to_value(unit))
    value, known = measurement.values.get(name), measurement.estimate(name)
    verdict, decided = _without_limit(value, measurement), None
    if value is not None and kind == "performance":
        decided = decide(value, level.limit.operator, limit, rule, measurement.estimate(name))
        verdict = decided.verdict
    return LevelResult(
        parameters={name: text_of(threshold) for name, threshold in level.parameters.items()},
        operator=level.limit.operator,
        limit=limit,
        source=str(level.source),
        value=value,
        verdict=verdict,
        value_unbiased=None if isinstance(known, str) else known.value,
        interval=_interval(known, confidence),
        conformance=None if isinstance(known, str) else known.conformance(level.limit.operator, limit),
        decision=_decision(decided, measurement, name) if decided else None,
    )


def _decision(decided: Decision, measurement: Measurement, level: str) -> DecisionRecord:
    """Decision as in the results.

    An inconclusive one says what limits it and what would settle it.
    """
    found: DecisionRecord = {
        "rule": decided.rule,
        "risk": decided.risk,
        "conformance": decided.conformance,
        "bound": _stated(decided.bound),
        "growth": decided.sample_factor,
        "note": decided.note,
        "reason": decided.reason,
    }
    known = measurement.estimate(level)
    if decided.verdict != "inconclusive" or decided.reason is not None or isinstance(known, str):
        return found
    if measurement.summary is not None:
        found["limited_by"] = known.limited_by
        found["reason"] = explain_inconclusive(
            decided, known.limited_by, measurement.summary.objects, measurement.summary.visits
        )
    return found


def _interval(known: Estimate | str, confidence: float) -> IntervalRecord | None:
    """Interval for the record; None where there is none."""
    if isinstance(known, str):
        return None
    low, high = map(_stated, known.interval(confidence))
    return {"confidence": confidence, "low": low, "high": high, "method": known.method}


def _stated(end: float | None) -> float | None:
    """End of an interval for the record.

    None where it is not finite, or so far away that it bounds nothing.
    """
    return end if end is not None and abs(end) <= LARGEST else None


def _without_limit(value: float | None, measurement: Measurement) -> Verdict | None:
    """Verdict before a limit is looked at: none where there is a value."""
    if value is not None:
        return None
    return "error" if measurement.broken else "not_measurable"


def summarise(sample: Sample, cuts: Sequence[Cut], errors: Errors | None) -> SampleSummary:
    """Account of a sample, and of what was measured in it."""
    chosen, lacking = sample.selection, errors.rejected if errors else {}
    return SampleSummary(
        objects=len(sample.groups.start),
        visits=sample.visits,
        pairs=errors.pairs if errors else 0,
        measurements=errors.measurements if errors else 0,
        rows_in=chosen.rows_in,
        rows_used=len(chosen.rows) - sum(lacking.values()),
        rejected={**chosen.rejected, **lacking},
        cuts=tuple(str(cut) for cut in cuts),
        notes=chosen.notes + (errors.notes if errors else ()),
    )


def histogram(errors: Errors, estimator: Estimator) -> HistogramRecord:
    """Binned errors for the plots.

    The last edge leaves out at most the largest 0.5 %, which are counted.
    """
    values, times = errors.values, errors.weights
    low, high = min(0.0, float(values.min())), order_statistics.percentile(values, 99.5, times)
    edges = np.linspace(low, high if high > low else low + 1.0, BINS + 1)
    counts, _ = np.histogram(values, edges, weights=times)
    of = len(values) if times is None else round(times.sum())
    return {
        "errors": estimator.description,
        "unit": estimator.unit,
        "edges": [round_significant(edge) for edge in edges],
        "counts": counts.tolist() if counts.dtype.kind == "i" else [round_significant(count) for count in counts],
        "above": max(0, of - round(counts.sum())),
        "median": order_statistics.median(values, times),
        "of": of,
    }
