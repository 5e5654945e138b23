"""What came out of a measurement, and the record that is made of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import astropy.units as u
import numpy as np
from skyaccept.lib import quantile
from skyaccept.lib.decision import Verdict, decide
from skyaccept.lib.document import text_of
from skyaccept.lib.metrics import METRICS
from skyaccept.lib.metrics.metric import Errors, Sample
from skyaccept.lib.requirements import Case, Level
from skyaccept.lib.results import Json, LevelResult, Result, SampleAccount
from skyaccept.lib.selection import Cut

BINS = 100


@dataclass(frozen=True)
class Outcome:
    """What came out under one definition: a value per level and how it was found, or the reason why there is none."""

    reason: str | None
    sample: SampleAccount | None = None
    values: Mapping[str, float] = field(default_factory=dict)
    data: Json = field(default_factory=dict)
    method: str | None = None
    broken: bool = False


def record(case: Case, definition: str, level: str, outcome: Outcome) -> Result:
    """Record of a case that was measured under a definition; ``level`` decides the verdict."""
    clause, metric = case.clause, METRICS[case.clause.metric]
    levels = {name: _level_result(level, metric.unit, name, outcome) for name, level in clause.levels.items()}
    decisive = levels.get(level)
    reason = outcome.reason
    if decisive is None and reason is None:
        reason = f"the clause states no limit at level {level}"
    return Result(
        requirement=case.requirement.id,
        clause=clause.id,
        document=case.document,
        kind=case.requirement.kind,
        metric=clause.metric,
        title=metric.title,
        text=clause.text,
        definition=definition,
        band=case.band,
        unit=metric.unit,
        operator=(decisive or next(iter(levels.values()))).operator,
        level=level,
        value=decisive.value if decisive else None,
        limit=decisive.limit if decisive else None,
        verdict=decisive.verdict if decisive else "not_measurable",
        reason=reason,
        parameters={name: text_of(value) for name, value in clause.parameters.items()},
        levels=levels,
        sample=outcome.sample,
        test=case.id,
        method=outcome.method,
        verification=clause.verification,
        data=outcome.data,
    )


def _level_result(level: Level, unit: str, name: str, outcome: Outcome) -> LevelResult:
    limit = float(level.limit.bound.to_value(unit))
    value = outcome.values.get(name)
    verdict: Verdict = "error" if outcome.broken else "not_measurable"
    if value is not None:
        verdict = decide(value, level.limit.operator, limit)
    return LevelResult(
        parameters={name: text_of(threshold) for name, threshold in level.parameters.items()},
        operator=level.limit.operator,
        limit=limit,
        source=str(level.source),
        value=value,
        verdict=verdict,
    )


def in_units(parameters: Mapping[str, u.Quantity], units: Mapping[str, str]) -> dict[str, float]:
    """Numbers of some quantities, each in its unit."""
    return {name: float(parameters[name].to_value(unit)) for name, unit in units.items()}


def account(sample: Sample, cuts: Sequence[Cut], errors: Errors | None) -> SampleAccount:
    """Account of a sample, and of what was measured in it."""
    chosen = sample.selection
    return SampleAccount(
        objects=len(sample.positions.direction),
        visits=int(sample.positions.seen.shape[1]),
        pairs=errors.pairs if errors else 0,
        measurements=errors.measurements if errors else 0,
        rows_in=chosen.rows_in,
        rows_used=len(chosen.rows),
        rejected=dict(chosen.rejected),
        cuts=tuple(str(cut) for cut in cuts),
        notes=chosen.notes,
    )


def histogram(errors: Errors) -> Json:
    """Binned errors for the plots; the last edge leaves out at most the largest 0.5 %, which are counted."""
    values, times = errors.values, errors.counts
    low, high = min(0.0, float(values.min())), quantile.percentile(values, 99.5, times)
    edges = np.linspace(low, high if high > low else low + 1.0, BINS + 1)
    counts, _ = np.histogram(values, edges, weights=times)
    of = len(values) if times is None else int(times.sum())
    return {
        "edges": [float(f"{edge:.6g}") for edge in edges],
        "counts": counts.tolist(),
        "above": of - int(counts.sum()),
        "median": quantile.median(values, times),
        "of": of,
    }
