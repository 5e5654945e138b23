r"""Compare two runs clause by clause: baseline and new run, or two processings.

The difference of two estimates of the true value has its own uncertainty. If both use the same visits and the same
cells of the sky (`skyaccept.lib.measure.estimates.identity`), their common errors cancel: the replicates are subtracted
block by block. With B blocks of visits and G cells the differences give

.. math:: \operatorname{var} d = \tfrac{B-1}{B} \sum_b (d_b - \bar d)^2 + \tfrac{G-1}{G} \sum_c (d_c - \bar d)^2,

the sum of both delete-block jackknife variances. It counts the noise of single measurements twice, so it is never too
small; a correction needs replicates without both a block and a cell, which results do not store. Otherwise the runs are
taken as independent, each with its own sum. If both datasets are available, `skyaccept.lib.measure.paired` is more
precise.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import cast

import numpy as np
from scipy import special
from skyaccept.lib.arrays import FloatArray
from skyaccept.lib.exceptions import NotMeasurable
from skyaccept.lib.results.model import Result, Results
from skyaccept.lib.results.records import BaselineRecord, BlocksRecord, ChangeRecord, Flag
from skyaccept.lib.sphere import separation, unit_vectors

REGRESSIONS: tuple[Flag, ...] = ("worse", "changed", "gone")
"""Flags that fail a run with ``--fail-on-regression``."""

TOLERANCE = 1e-9
"""Largest relative change of a value of the same data under the same definition."""

ESTIMATE_TOLERANCE = 1e-6
"""The same for estimates and ends of intervals, which are found iteratively."""

_NEAR = 0.25  # largest shift of a cell by a few stars, in units of the distance of neighbouring cells


PAIRED = {True: "the same visits and stars", False: "as independent"}
"""Description of the comparison of stored replicates."""


@dataclass(frozen=True)
class Difference:
    """Difference of two estimates with its interval; see `Change.pairing`.

    After minus before.
    """

    value: float
    low: float
    high: float
    paired: bool
    pairing: str


Pair = Callable[[Result, Result, float], Difference]
"""``pair(before, after, confidence)`` measures both results again, or raises `NotMeasurable`."""


@dataclass(frozen=True)
class Change:
    """One clause in one band, before and after; numbers in the unit of its metric.

    Attributes
    ----------
    test, unit : str
    before, after : float or None
        Values as defined.
    difference, low, high : float or None
        Of the estimates of the true value, after minus before, and its interval.
    flag : str
        ``worse`` and ``better``: by more than the uncertainty. ``changed``: another value of the same data under the
        same definition. ``gone`` and ``new``: no longer measured, or only now. ``same``. ``not_comparable``, see
        ``reason``.
    paired : bool
        Whether both use the same visits and stars.
    pairing : str or None
        Description of the comparison.
    verdicts : tuple of str or None
        Before and after.
    reason : str or None
    """

    test: str
    unit: str
    before: float | None
    after: float | None
    flag: Flag
    verdicts: tuple[str | None, str | None]
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    paired: bool = False
    pairing: str | None = None
    reason: str | None = None

    def to_json(self) -> ChangeRecord:
        """Return plain JSON types."""
        return cast("ChangeRecord", asdict(self) | {"verdicts": list(self.verdicts)})


def compare(before: Results, after: Results, confidence: float = 0.95, pair: Pair | None = None) -> tuple[Change, ...]:
    """Compare two runs.

    Parameters
    ----------
    before, after : Results
        As `skyaccept.lib.measure.run` or `skyaccept.lib.results.model.load` returns them.
    confidence : float
        Of the intervals of differences.
    pair : callable, optional
        Such as a `skyaccept.lib.measure.paired.Pairing`; used instead of the stored replicates if possible.

    Returns
    -------
    tuple of Change
        Clauses of ``after`` in their order, then those that only ``before`` has.
    """
    return tuple(_changes(before, after, confidence, pair))


def with_baseline(baseline: Results, found: Results, source: str, left_out: Collection[str] = ()) -> Results:
    """Return results with the changes since a baseline.

    Clauses that the run did not select have none.
    """
    asked = tuple(result for result in baseline.results if result.test not in left_out)
    changes = compare(replace(baseline, results=asked), found)
    record: BaselineRecord = {
        "source": source,
        "dataset": baseline.dataset,
        "changes": [change.to_json() for change in changes],
    }
    return replace(found, baseline=record)


def regressions(found: Results) -> list[str]:
    """Return the clauses that are worse than in the baseline, changed or gone."""
    changes = found.baseline["changes"] if found.baseline is not None else []
    return [change["test"] for change in changes if change["flag"] in REGRESSIONS]


def any_compared(found: Results) -> bool:
    """Return True if any measured clause of the baseline could be compared."""
    changes = found.baseline["changes"] if found.baseline is not None else []
    return any(change["before"] is not None and change["flag"] != "not_comparable" for change in changes)


def _changes(before: Results, after: Results, confidence: float, pair: Pair | None) -> Iterator[Change]:
    remaining = {result.test: result for result in before.results}
    for new in after.results:
        old = remaining.pop(new.test, None)
        if old is None:
            yield Change(new.test, new.unit, None, new.value, "new", (None, new.verdict), reason="not in the other run")
        else:
            yield _change(before, after, old, new, confidence, pair)
    for old in remaining.values():
        yield Change(old.test, old.unit, old.value, None, "gone", (old.verdict, None), reason="not in this run")


def _change(before: Results, after: Results, old: Result, new: Result, confidence: float, pair: Pair | None) -> Change:
    """Apply the first rule that fits.

    Other quantity, not measured, same data, then measured or stored pairs.
    """
    base = Change(new.test, new.unit, old.value, new.value, "same", (old.verdict, new.verdict))
    incomparable = _explain_incomparable(before, after, old, new)
    if incomparable is not None:
        return replace(base, flag="not_comparable", reason=incomparable)
    if old.value is None or new.value is None:
        return _change_of_measured(base, old, new)
    if before.dataset["sha256"] == after.dataset["sha256"]:
        return _change_of_same_data(base, old, new)
    unpaired = ""
    if pair is not None:
        try:
            return _flagged(base, pair(old, new, confidence), new.operator)
        except NotMeasurable as reason:
            unpaired = f"; not by star and visit: {reason}"
    return _change_of_replicates(base, old, new, confidence, unpaired)


def _change_of_measured(base: Change, old: Result, new: Result) -> Change:
    """Compare two results that do not both have a value."""
    if old.value is None and new.value is None:
        return base
    return replace(base, flag="gone" if new.value is None else "new", reason=new.reason)


def _change_of_same_data(base: Change, old: Result, new: Result) -> Change:
    """Compare two values of the same data, which have to be the same."""
    changed = _changed_number(old, new)
    if changed is None:
        return replace(base, difference=0.0, paired=True)
    reason = f"{changed}, of the same data under the same definition"
    difference = (new.value or 0.0) - (old.value or 0.0)
    return replace(base, flag="changed", difference=difference, paired=True, reason=reason)


def _change_of_replicates(base: Change, old: Result, new: Result, confidence: float, unpaired: str) -> Change:
    """Compare two estimates by their stored replicates."""
    here, there = _replicates(old), _replicates(new)
    if here is None or there is None:
        reason = f"no interval in one of the runs: {old.no_interval or new.no_interval}{unpaired}"
        return replace(base, flag="not_comparable", reason=reason)
    paired = here.like(there) and _same_blocks(old.data.get("blocks"), new.data.get("blocks"))
    difference, error, freedom = _difference(here, there, paired=paired)
    if not error > 0:
        flag: Flag = "same" if difference == 0 else "not_comparable"
        reason = f"the difference is the same without any block of visits or stars, so it has no interval{unpaired}"
        return replace(base, flag=flag, difference=difference, paired=paired, reason=reason)
    half = float(special.stdtrit(freedom, 0.5 + confidence / 2)) * error
    return _flagged(
        base,
        Difference(difference, difference - half, difference + half, paired, PAIRED[paired] + unpaired),
        new.operator,
    )


def _explain_incomparable(before: Results, after: Results, old: Result, new: Result) -> str | None:
    """Say why two results are not of the same quantity; None if they are."""
    rules = (
        (
            old.definition != new.definition,
            f"measured under {old.definition} before, under {new.definition} now",
        ),
        (
            before.definitions.get(old.definition) != after.definitions.get(new.definition),
            f"definition {new.definition} is not the same in both runs",
        ),
        (
            (old.metric, old.unit, old.parameters, _thresholds(old))
            != (new.metric, new.unit, new.parameters, _thresholds(new)),
            "the clause does not state the same parameters in both runs",
        ),
    )
    return next((reason for applies, reason in rules if applies), None)


def _thresholds(result: Result) -> Mapping[str, str]:
    level = result.levels.get(result.level)
    return {} if level is None else level.parameters


def _flagged(base: Change, found: Difference, operator: str | None) -> Change:
    """Return a change with its difference and flag.

    It is flagged if it exceeds its uncertainty and rounding.
    """
    change = replace(
        base,
        difference=found.value,
        low=found.low,
        high=found.high,
        paired=found.paired,
        pairing=found.pairing,
    )
    rounding = TOLERANCE * max(abs(base.before or 0.0), abs(base.after or 0.0))
    if found.low <= 0 <= found.high or abs(found.value) <= rounding:
        return change
    if operator is None:
        return replace(change, flag="changed", reason="no limit says which way is better")
    return replace(change, flag="worse" if (found.value > 0) == operator.startswith("<") else "better")


def _changed_number(old: Result, new: Result) -> str | None:
    """Name the number that changed; None if none did.

    Intervals at other confidences are not compared.
    """
    numbers = [("another value", old.value, new.value, TOLERANCE)]
    here, there = old.interval, new.interval
    if here is not None and there is not None:
        numbers.append(
            ("another estimate of the true value", old.value_unbiased, new.value_unbiased, ESTIMATE_TOLERANCE)
        )
        if here["confidence"] == there["confidence"]:
            numbers += [("another interval", here[end], there[end], ESTIMATE_TOLERANCE) for end in ("low", "high")]
    for what, before, after, tolerance in numbers:
        if before is None or after is None:
            if before is not after:
                return what
        elif not math.isclose(before, after, rel_tol=tolerance, abs_tol=tolerance):
            return what
    return None


@dataclass(frozen=True)
class _Replicates:
    """A value, and its replicates without each block of visits and each cell."""

    value: float
    visits: FloatArray
    stars: FloatArray

    def like(self, other: _Replicates) -> bool:
        """Return True if both have the same number of blocks and cells."""
        return self.visits.shape == other.visits.shape and self.stars.shape == other.stars.shape


def _replicates(result: Result) -> _Replicates | None:
    """Return the replicates at the deciding level.

    Each is the larger value of its coordinates.
    """
    kept = result.data.get("replicates", {}).get(result.level if result.level in result.levels else "value")
    if not kept:
        return None
    whole, visits, stars = (
        np.max([np.asarray(axis[name], dtype=np.float64) for axis in kept.values()], axis=0)
        for name in ("all", "visits", "stars")
    )
    return _Replicates(float(whole[0]), visits, stars)


def _difference(old: _Replicates, new: _Replicates, *, paired: bool) -> tuple[float, float, float]:
    """Return the difference of two values, its standard error and degrees of freedom."""
    if paired:
        parts = [_jackknife(new.visits - old.visits), _jackknife(new.stars - old.stars)]
    else:
        parts = [_jackknife(table) for run in (old, new) for table in (run.visits, run.stars)]
    variance = sum(found for found, _ in parts)
    freedom = 1 / sum((found / variance) ** 2 / free for found, free in parts) if variance > 0 else 1.0
    return new.value - old.value, math.sqrt(variance), freedom


def _jackknife(replicates: FloatArray) -> tuple[float, int]:
    """Return the delete-block variance and its degrees of freedom."""
    blocks = len(replicates)
    return (blocks - 1) * float(replicates.var()), blocks - 1


def _same_blocks(old: BlocksRecord | None, new: BlocksRecord | None) -> bool:
    """Return True if two results use the same visits and cells of the sky."""
    if not old or not new or old["visits"] != new["visits"] or len(old["cells"]) != len(new["cells"]):
        return False
    here, there = (unit_vectors(*np.array(one["cells"], dtype=np.float64).T) for one in (old, new))
    between = separation(here[:, None], here[None])
    np.fill_diagonal(between, np.inf)
    return bool(np.all(separation(here, there) <= _NEAR * between.min(axis=1)))
