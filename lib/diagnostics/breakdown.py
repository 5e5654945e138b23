r"""Errors of a metric by visit, detector, airmass, magnitude or place on the sky.

The residuals (`skyaccept.lib.diagnostics.residuals`) of a cell, say a visit, yield a value with an interval, and
their size, a quantile of their absolute values, is compared with that of all other cells:

- within: is the difference of the logarithms larger than the scatter of the stars allows? The error of each side is
  that of a delete-block jackknife over stars (Shao and Wu 1989), the significance corrected after Holm (1979);
- between: is the cell an outlier among the cells, which scatter by what visits, say, have in common as well? The
  generalised extreme studentised deviate (Rosner 1983) lets several bad cells not hide each other.

A cell departs from the rest if both say so. Each significance is corrected (Bonferroni) for the keys, the bands and the
`FAMILIES` of clauses of a run, so that it is about a run in which nothing is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from scipy import special
from skyaccept.lib.arrays import FloatArray, IntArray
from skyaccept.lib.catalog.detections import AssociatedDetections
from skyaccept.lib.diagnostics import groups
from skyaccept.lib.diagnostics.outliers import SIGNIFICANCE, departures
from skyaccept.lib.diagnostics.residuals import MeasurementResiduals, measurement_residuals, subsample_text
from skyaccept.lib.exceptions import InputError, NotMeasurable
from skyaccept.lib.rounding import Json, round_significant
from skyaccept.lib.uncertainty import order_statistics
from skyaccept.lib.uncertainty.estimator import Estimator, MatrixErrors
from skyaccept.lib.uncertainty.statistic import Statistic

Value = Callable[[FloatArray], float]

BLOCKS = 20
"""Blocks of stars that are left out one after the other."""

FEWEST = 20
"""Measurements below which a cell is not judged; also if fewer than `BEYOND` are expected beyond its quantile."""

BEYOND = 5

FAMILIES = 8
"""Clauses of a band whose errors are of different kinds: magnitudes, zero points, PA6, AM at 3 separations, AB, AA."""

_WINDOW = 10.0  # percentiles to either side of the one that is compared, less where it is near 100

SHOWN = 10
"""Cells of a key that are kept in the results."""


@dataclass(frozen=True)
class Cell:
    """One visit, detector, ... and what its measurements say.

    Attributes
    ----------
    name : str
    value, low, high : float or None
        Value of the metric's statistic in the cell, and its interval from the scatter of the stars; None where the
        cell has too few measurements or stars.
    measurements, objects : int
    ratio : float or None
        Size of its residuals over that of all others.
    significance : float or None
        Probability of a departure as large as this if the cell were like the others, corrected for multiple tests.
    departs : bool
    """

    name: str
    value: float | None
    low: float | None
    high: float | None
    measurements: int
    objects: int
    ratio: float | None = None
    significance: float | None = None
    departs: bool = False


@dataclass(frozen=True)
class Breakdown:
    """Cells, the worst first.

    ``value`` is the same statistic of all measurements, of which ``outside`` are in no cell; ``of`` says what it is.
    """

    by: str
    cells: tuple[Cell, ...]
    value: float
    outside: int = 0
    of: str = ""

    @property
    def departing(self) -> int:
        """Number of cells that depart from the rest."""
        return sum(cell.departs for cell in self.cells)

    @property
    def worst(self) -> Cell | None:
        """The departing cell whose residuals are larger than the others by most."""
        found = [cell for cell in self.cells if cell.departs and cell.ratio is not None and cell.ratio > 1]
        return max(found, key=lambda cell: cell.ratio or 0.0, default=None)

    def to_json(self, confidence: float) -> Json:
        """For the results; of the cells at most `SHOWN`, the departing ones first."""
        return {
            "of": self.of,
            "value": self.value,
            "confidence": confidence,
            "count": len(self.cells),
            "judged": sum(cell.ratio is not None for cell in self.cells),
            "departing": self.departing,
            "worst": None if self.worst is None else self.worst.name,
            "outside": self.outside,
            "cells": [_rounded(asdict(cell)) for cell in self.cells[:SHOWN]],
        }


def _rounded(cell: Json) -> Json:
    return {key: round_significant(value) if isinstance(value, float) else value for key, value in cell.items()}


def columns(by: Sequence[str]) -> list[str]:
    """Columns of a catalog that keys need.

    Raises
    ------
    InputError
        Something is no key.
    """
    for key in by:
        if key not in groups.KEYS:
            raise InputError(f"--breakdown {key}: not one of {', '.join(groups.KEYS)}")
    return [groups.COLUMNS[key] for key in by if key in groups.COLUMNS]


def keys(by: Sequence[str], detections: AssociatedDetections) -> tuple[str, ...]:
    """Keys of a breakdown: those that were chosen, or those that explain a failure.

    The latter are visit, sky and, where the catalog has it, detector.

    Raises
    ------
    InputError
        Something is no key, or the catalog lacks its column.
    """
    for name in columns(by):
        detections.column(name, f"--breakdown {','.join(by)}")
    if by:
        return tuple(dict.fromkeys(by))
    return ("visit", "sky") if detections.detector is None else ("visit", "detector", "sky")


def breakdown_data(
    task: MatrixErrors | NotMeasurable,
    statistic: Statistic,
    detections: AssociatedDetections,
    rows: IntArray,
    by: Sequence[str],
    confidence: float,
) -> Json:
    """Breakdown of one metric for the results, or why there is none.

    Parameters
    ----------
    task : MatrixErrors or NotMeasurable
        The estimator at work on its visit matrix, or the reason why there is none.
    statistic : Statistic
        Of the errors.
    detections : AssociatedDetections
    rows : (n_rows,) int64
        AssociatedDetections of the sample.
    by : sequence of str
        Keys.
    confidence : float
        Of the intervals.
    """
    try:
        if isinstance(task, NotMeasurable):
            raise task
        broken = break_down(task, statistic, detections, rows, by, confidence)
    except NotMeasurable as reason:
        return {"no_breakdown": f"no breakdown: {str(reason).removeprefix('no interval: ')}"}
    note = subsample_text(task.matrix)
    return {"breakdown": {one.by: one.to_json(confidence) | {"note": note} for one in broken}}


def break_down(
    task: MatrixErrors,
    statistic: Statistic,
    detections: AssociatedDetections,
    rows: IntArray,
    by: Sequence[str],
    confidence: float = 0.95,
) -> list[Breakdown]:
    """Break the errors of a metric down by keys; parameters as `breakdown_data`.

    Raises
    ------
    InputError
        The catalog lacks the column of a key.
    NotMeasurable
        An error is not that of a single measurement, or no measurement has a residual.
    """
    found = measurement_residuals(task)
    matrix, flat = task.matrix, found.values
    place = groups.locate(matrix, detections, rows, found)
    values = [GroupStatistic.from_residuals(statistic, task.estimator, found, whole) for whole in flat.T]

    def largest(part: FloatArray) -> float:
        return max(one.value(along) for one, along in zip(values, part.T, strict=True))

    tests = FAMILIES * len(by) * len(detections.bands)
    ask = Ask(largest, _percentile(statistic, largest(flat)), confidence, statistic.kind == "above", tests)
    text = values[0].text(found.text) + ("; shot noise is not subtracted" if matrix.noise is not None else "")
    return [replace(compare(key, flat, groups.KEYS[key](place), found.stars, ask), of=text) for key in by]


@dataclass(frozen=True)
class Ask:
    """How cells are compared.

    ``statistic`` is that of residuals, (m, c), and the percentile ``share`` of their sizes is compared.
    ``percentage`` says whether the statistic is one; ``tests`` is how many breakdowns are looked at.
    """

    statistic: Value
    share: float
    confidence: float = 0.95
    percentage: bool = False
    tests: int = 1


@dataclass(frozen=True, kw_only=True)
class GroupStatistic:
    """Statistic of the residuals of a group, comparable with that of the errors.

    Attributes
    ----------
    statistic : Statistic
    width : float
        Quantile of the sizes of normal errors of unit width, where an error is the rms of a unit: the quantile of
        residuals divided by it stands for that of the rms. Otherwise 1.
    center : float
        Subtracted from all groups alike.
    signed, absolute : bool
        Whether errors have signs, and whether only sizes count after the center was subtracted.
    centred : bool
    """

    statistic: Statistic
    width: float
    center: float
    signed: bool
    absolute: bool
    centred: bool

    @classmethod
    def from_residuals(
        cls, statistic: Statistic, estimator: Estimator, residuals: MeasurementResiduals, whole: FloatArray
    ) -> GroupStatistic:
        """Statistic of one component, with the residuals of all groups."""
        if residuals.error_of == "visit":
            statistic = Statistic("rms")
        of_unit = residuals.error_of == "unit"
        errors = whole if estimator.signed else np.abs(whole)
        center = 0.0
        if estimator.subtract_median:
            center = order_statistics.median(errors) / (_normal_quantile(50) if of_unit else 1.0)
        return cls(
            statistic=statistic,
            width=_normal_quantile(statistic.at) if of_unit and statistic.kind == "percentile" else 1.0,
            center=center,
            signed=estimator.signed,
            absolute=statistic.sized or (estimator.subtract_median and estimator.absolute),
            centred=estimator.subtract_median,
        )

    def value(self, residuals: FloatArray) -> float:
        """Value of the residuals of a group."""
        found = (residuals if self.signed else np.abs(residuals)) / self.width - self.center
        return self.statistic.answer(np.abs(found) if self.absolute else found)

    def text(self, residuals: str) -> str:
        """What the value is."""
        size = residuals if self.signed and not self.absolute else f"sizes of {residuals}"
        percent = self.statistic.at
        found = {
            "percentile": f"{percent:g} % quantile of {size}" + (f", over {self.width:.4f}" if self.width != 1 else ""),
            "above": f"percentage of {size} above {percent:g}",
            "rms": f"rms of {residuals}",
            "mean": f"mean of {size}",
            "size": f"size of the median of {residuals}",
        }[self.statistic.kind]
        return found + (", less the median of all" if self.centred else "")


def _normal_quantile(percent: float) -> float:
    """Quantile of the sizes of normal errors of unit width."""
    return float(special.ndtri(0.5 + percent / 200))


def _percentile(statistic: Statistic, value: float) -> float:
    """Percentile of sizes that is compared: where the metric looks."""
    if statistic.kind == "percentile":
        return statistic.at
    return float(np.clip(100 - value, 50, 95)) if statistic.kind == "above" else 50.0


def compare(
    by: str, values: FloatArray, members: Sequence[tuple[str, IntArray]], objects: IntArray, ask: Ask
) -> Breakdown:
    """Values of cells, and which of them depart from the rest.

    Parameters
    ----------
    by : str
    values : (m, c) float64
        Residuals, one column for each coordinate; of several the largest value counts.
    members : sequence of (str, (p,) int64)
        Name of each cell and the measurements that belong to it.
    objects : (m, k) int64
        Stars that each measurement belongs to, numbered along the sky.
    ask : Ask

    Returns
    -------
    Breakdown
        Cells in order: those that depart first, by how far; the others by their size.
    """
    found = [_cell(name, values[part], objects[part], ask) for name, part in members]
    judged = [k for k, (_, size) in enumerate(found) if size is not None]
    result = [cell for cell, _ in found]
    if len(judged) >= 3:
        ratio, significance = departures(np.array([found[k][1] for k in judged], dtype=np.float64))
        for k, r, p in zip(judged, ratio, np.minimum(1, ask.tests * significance), strict=True):
            result[k] = replace(result[k], ratio=float(r), significance=float(p), departs=bool(p < SIGNIFICANCE))
    inside = np.zeros(len(values), dtype=bool)
    for _, part in members:
        inside[part] = True
    outside = int(np.count_nonzero(~inside))
    return Breakdown(by, tuple(sorted(result, key=_rank)), ask.statistic(values), outside)


def _rank(cell: Cell) -> tuple[Any, ...]:
    return (not cell.departs, cell.ratio is None, -(cell.ratio or 0.0), cell.name)


def _cell(name: str, values: FloatArray, objects: IntArray, ask: Ask) -> tuple[Cell, tuple[float, float, float] | None]:
    """Value of a cell with its interval, and the size of its residuals.

    The logarithm of the size has a variance and degrees of freedom.
    """
    number, stars = len(values), len(np.unique(objects))
    # stars that stand together fall into different blocks
    block = objects % BLOCKS
    used = np.unique(block)
    if number < max(FEWEST, BEYOND / (1 - ask.share / 100)) or len(used) < BLOCKS // 2:
        return Cell(name, None, None, None, number, stars), None

    def both(part: FloatArray) -> tuple[float, float]:
        return ask.statistic(part), max(_size(along, ask.share) for along in part.T)

    value, size = both(values)
    parts = [values[(block != one).all(axis=1)] for one in used]
    without = np.array([both(part) for part in parts if len(part)])
    if len(without) < len(used):
        return Cell(name, value, None, None, number, stars), None
    freedom = len(used) - 1
    with np.errstate(invalid="ignore"):
        variance = freedom / len(used) * ((without - without.mean(axis=0)) ** 2).sum(axis=0)
    half = float(special.stdtrit(freedom, 0.5 + ask.confidence / 2)) * float(np.sqrt(variance[0]))
    low, high = max(0.0, value - half) if value >= 0 else value - half, value + half
    if ask.percentage:
        least, most = _binomial(value, stars, ask.confidence)
        low, high = min(low, least), min(100.0, max(high, most))
    known = bool(np.isfinite(size) and np.isfinite(variance[1]))
    return Cell(name, value, low, high, number, stars), (size, float(variance[1]), freedom) if known else None


def _size(values: FloatArray, share: float) -> float:
    """Mean logarithm of neighbouring percentiles of sizes; one alone would jump."""
    around = share + min(_WINDOW, (100 - share) / 2) * np.linspace(-1, 1, 9)
    # numpy.percentile, which costs ten times as much for so few values
    found = np.interp((len(values) - 1) * around / 100, np.arange(len(values)), np.sort(np.abs(values)))
    with np.errstate(divide="ignore"):
        return float(np.mean(np.log(found)))


def _binomial(percentage: float, stars: int, confidence: float) -> tuple[float, float]:
    """Interval of a percentage of independent stars (Clopper and Pearson 1934)."""
    hits, tail = percentage / 100 * stars, (1 - confidence) / 2
    low = float(special.betaincinv(hits, stars - hits + 1, tail)) if hits > 0 else 0.0
    high = float(special.betaincinv(hits + 1, stars - hits, 1 - tail)) if hits < stars else 1.0
    return 100 * low, 100 * high
