"""What came out of a measurement, and the record that is made of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import astropy.units as u
import numpy as np
from skyaccept.lib import quantile
from skyaccept.lib.decision import Verdict, decide
from skyaccept.lib.document import text_of
from skyaccept.lib.limit import Level
from skyaccept.lib.metrics import METRICS
from skyaccept.lib.metrics.metric import Errors, Estimator, Sample
from skyaccept.lib.requirements import Case
from skyaccept.lib.results import Json, LevelResult, Result, SampleAccount
from skyaccept.lib.selection import Cut

BINS = 100


@dataclass(frozen=True)
class Outcome:
    """What came out under one definition: a value per level and how it was found, or the reason why there is none.

    A diagnostic has no levels; its value is that of level "".
    """

    reason: str | None
    sample: SampleAccount | None = None
    values: Mapping[str, float] = field(default_factory=dict)
    data: Json = field(default_factory=dict)
    method: str | None = None
    broken: bool = False


def record(case: Case, definition: str, level: str, outcome: Outcome) -> Result:
    """Record of a case that was measured under a definition; ``level`` decides the verdict."""
    clause, metric, kind = case.clause, METRICS[case.clause.metric], case.requirement.kind
    levels = {name: _level_result(stated, metric.unit, name, outcome, kind) for name, stated in clause.levels.items()}
    if kind == "capability" and level not in levels:
        level = next(iter(levels))  # targets decide nothing, so any will do
    decisive = levels.get(level)
    reason = outcome.reason
    if decisive is None and reason is None and kind != "diagnostic":
        reason = f"the clause states no limit at level {level}"
    value = decisive.value if decisive else outcome.values.get("")
    verdict = decisive.verdict if decisive else _without_limit(value, outcome)
    if kind == "capability" and value is not None:
        verdict = "pass"
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
        sample=outcome.sample,
        test=case.id,
        method=outcome.method,
        verification=clause.verification,
        data=outcome.data,
    )


def _level_result(level: Level, unit: str, name: str, outcome: Outcome, kind: str) -> LevelResult:
    limit = float(level.limit.bound.to_value(unit))
    value = outcome.values.get(name)
    verdict = _without_limit(value, outcome)
    if value is not None and kind == "performance":
        verdict = decide(value, level.limit.operator, limit)
    return LevelResult(
        parameters={name: text_of(threshold) for name, threshold in level.parameters.items()},
        operator=level.limit.operator,
        limit=limit,
        source=str(level.source),
        value=value,
        verdict=verdict,
    )


def _without_limit(value: float | None, outcome: Outcome) -> Verdict | None:
    """What can be said before a limit is looked at: no verdict where there is a value."""
    if value is not None:
        return None
    return "error" if outcome.broken else "not_measurable"


def in_units(parameters: Mapping[str, u.Quantity], units: Mapping[str, str]) -> dict[str, float]:
    """Numbers of some quantities, each in its unit."""
    return {name: float(parameters[name].to_value(unit)) for name, unit in units.items()}


def account(sample: Sample, cuts: Sequence[Cut], errors: Errors | None) -> SampleAccount:
    """Account of a sample, and of what was measured in it."""
    chosen = sample.selection
    return SampleAccount(
        objects=len(sample.groups.start),
        visits=sample.visits,
        pairs=errors.pairs if errors else 0,
        measurements=errors.measurements if errors else 0,
        rows_in=chosen.rows_in,
        rows_used=len(chosen.rows),
        rejected=dict(chosen.rejected),
        cuts=tuple(str(cut) for cut in cuts),
        notes=chosen.notes + (errors.notes if errors else ()),
    )


def histogram(errors: Errors, estimator: Estimator) -> Json:
    """Binned errors for the plots; the last edge leaves out at most the largest 0.5 %, which are counted."""
    values, times = errors.values, errors.counts
    low, high = min(0.0, float(values.min())), quantile.percentile(values, 99.5, times)
    edges = np.linspace(low, high if high > low else low + 1.0, BINS + 1)
    counts, _ = np.histogram(values, edges, weights=times)
    of = len(values) if times is None else round(times.sum())
    return {
        "errors": estimator.of,
        "unit": estimator.unit,
        "edges": [float(f"{edge:.6g}") for edge in edges],
        "counts": counts.tolist() if counts.dtype.kind == "i" else [float(f"{count:.6g}") for count in counts],
        "above": max(0, of - round(counts.sum())),
        "median": quantile.median(values, times),
        "of": of,
    }
