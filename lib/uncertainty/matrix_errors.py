"""Errors of a visit matrix: scatter and deviations about means, offsets.

Each function is the definition of some errors, for whole matrices and for parts of them alike. Those named
``debiased`` give the errors that infinitely many visits would give (`skyaccept.lib.uncertainty.few_visit_bias`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from skyaccept.lib.arrays import AnyArray, BoolArray, FloatArray
from skyaccept.lib.exceptions import NotMeasurable
from skyaccept.lib.sample.visit_matrix import VisitMatrix
from skyaccept.lib.uncertainty import few_visit_bias
from skyaccept.lib.uncertainty.errors import Errors
from skyaccept.lib.uncertainty.estimator import Residuals

_SHAPED = 60  # visits beyond which the shape of a residual is that of the error

NOTHING_LEFT = "no interval: without the stars of one part of the sky, or some visits, nothing is left to measure"

About = Literal["zero", "mean", "visit"]


def numbers(values: AnyArray) -> FloatArray:
    """Number of measurements of each unit."""
    return np.count_nonzero(np.isfinite(values), axis=1).astype(np.float64)


def unit_means(values: FloatArray) -> FloatArray:
    """Mean of each unit, NaN where it has no measurement."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.nansum(values, axis=1) / numbers(values))


def rms(matrix: VisitMatrix, settings: Any, *, ddof: int | None = None, factor: float = 1.0) -> Errors:
    """Standard deviation of each unit, times a factor; ddof is that of the settings."""
    found = {}
    ddof = settings.ddof if ddof is None else ddof
    for axis, name in enumerate(matrix.components):
        scatter = _scatter(matrix, axis, max(2, ddof + 1, matrix.min_visits))
        used = scatter.measured
        n = scatter.number[used]
        variance = (scatter.squares[used] - _noise(matrix)[used]) * (n - 1) / (n - ddof)
        found[name] = factor * np.sqrt(np.maximum(variance, 0))
    return _by_unit(found, used)


def debiased_rms(
    matrix: VisitMatrix, settings: Any, *, ddof: int | None = None, factor: float = 1.0, gaussian: bool = False
) -> Errors:
    """Standard deviations that infinitely many visits would give.

    Units with a gross error keep theirs.

    Parameters
    ----------
    matrix : VisitMatrix
    settings : object
        ``ddof``, unless it is given.
    ddof : int, optional
    factor : float
    gaussian : bool
        Take measurements for Gaussian where the data cannot tell how the variances of units differ.
    """
    ddof = settings.ddof if ddof is None else ddof
    found, gross = {}, np.zeros(len(matrix.stars), dtype=bool)
    for axis, name in enumerate(matrix.components):
        scatter = _scatter(matrix, axis, max(2, ddof + 1, matrix.min_visits))
        used, good = scatter.measured, scatter.regular
        gross |= used & ~good
        variance = scatter.squares.copy()
        if good.any():
            n, squares = scatter.number[good], scatter.squares[good]
            fitted = scatter.model().fit(np.zeros(len(n), dtype=bool))
            if gaussian:
                eta = few_visit_bias.gaussian_heterogeneity(squares, n, fitted)
            else:
                shared = few_visit_bias.common(scatter.residuals[good], fitted)
                eta = few_visit_bias.heterogeneity(squares, scatter.fourth[good], n, fitted, shared) or 0.0
            variance[good] = few_visit_bias.persistent(squares, n, fitted, eta)
        found[name] = factor * np.sqrt(np.maximum(variance[used] - _noise(matrix)[used], 0))
    return _by_unit(found, used, _gross_note(matrix, int(np.count_nonzero(gross))))


def deviations(
    matrix: VisitMatrix, settings: Any, *, about: Literal["mean", "median"], absolute: bool = False
) -> Errors:
    """Deviation of measurements from mean, or median, of their unit, or its size."""
    found = {}
    used = numbers(matrix.values[0]) >= max(2, matrix.min_visits)
    for values, name in zip(matrix.values, matrix.components, strict=True):
        center = np.nanmedian(values[used], axis=1) if about == "median" else unit_means(values[used])
        found[name] = values[used] - center[:, None]
    return _by_measurement(found, used, absolute=absolute)


def debiased_deviations(matrix: VisitMatrix, settings: Any, *, absolute: bool = False) -> Errors:
    """Deviations about the mean of each unit, as large as of infinitely many visits."""
    found = {}
    used = numbers(matrix.values[0]) >= max(2, matrix.min_visits)
    for axis, name in enumerate(matrix.components):
        values = matrix.values[axis][used]
        number = numbers(values)
        residual = (values - unit_means(values)[:, None]) * np.sqrt(number / (number - 1))[:, None]
        found[name] = np.sign(residual) * _Shape.from_scatter(_scatter(matrix, axis, 2)).corrected(np.abs(residual))
    return _by_measurement(found, used, absolute=absolute)


def differences(matrix: VisitMatrix, settings: Any) -> Errors:
    """Sizes of differences of two measurements over sqrt(2); each unit counts once."""
    (values,) = matrix.values
    number = numbers(values)
    found, unit, weight = [], [], []
    for lag in range(1, values.shape[1]):
        size = np.abs(values[:, lag:] - values[:, :-lag]) / np.sqrt(2)
        row, column = np.nonzero(np.isfinite(size))
        found.append(size[row, column])
        unit.append(row)
        weight.append(2 / (number[row] * (number[row] - 1)))
    sizes, shares = np.concatenate([*found, []]), np.concatenate([*weight, []])
    if not len(sizes):
        raise NotMeasurable(NOTHING_LEFT)
    return Errors(
        components={matrix.components[0]: sizes},
        unit=np.concatenate(unit).astype(np.int64),
        weights=shares / shares.mean(),
    )


def offsets(matrix: VisitMatrix, settings: Any, *, about: About = "zero", absolute: bool = False) -> Errors:
    """Measurements, less the mean of what they are compared with.

    As they are, about their mean, or about that of their visit.

    Parameters
    ----------
    matrix : VisitMatrix
    about : {"zero", "mean", "visit"}
        What is subtracted: nothing, the mean of all, or the median of each visit.
    absolute : bool
    """
    found = {}
    for axis, name in enumerate(matrix.components):
        found[name] = _centred(_compared(matrix, axis)[0], about)
    return _by_measurement(found, np.ones(len(matrix.stars), dtype=bool), absolute=absolute)


def debiased_offsets(matrix: VisitMatrix, settings: Any, *, about: About = "zero", absolute: bool = False) -> Errors:
    """`offsets` without the scatter of the means that measurements are compared with.

    The variance of these means is taken off that of all measurements about their mean.
    """
    found = {}
    for axis, name in enumerate(matrix.components):
        values, noise = _compared(matrix, axis)
        seen = np.isfinite(values)
        if not seen.any():
            raise NotMeasurable(NOTHING_LEFT)
        mean, variance = values[seen].mean(), values[seen].var()
        means = np.broadcast_to(noise[:, None], values.shape)[seen].mean()
        shrunk = mean + (values - mean) * np.sqrt(max(variance - means, 0.0) / variance if variance else 1.0)
        found[name] = _centred(shrunk, about)
    return _by_measurement(found, np.ones(len(matrix.stars), dtype=bool), absolute=absolute)


def means(matrix: VisitMatrix, settings: Any) -> Errors:
    """Mean of each unit, less the mean of what it is compared with; it has no bias."""
    found = {}
    for axis, name in enumerate(matrix.components):
        mean = unit_means(matrix.values[axis])
        found[name] = mean - unit_means(matrix.comparison[axis]) if matrix.comparison else mean
    used = np.isfinite(next(iter(found.values())))
    return _by_unit({name: values[used] for name, values in found.items()}, used)


def visit_rms(matrix: VisitMatrix, settings: Any, *, debiased: bool = False) -> Errors:
    """Root mean square about zero of each visit.

    Without the variance of compared means if ``debiased``.
    """
    found = {}
    for axis, name in enumerate(matrix.components):
        values, noise = _compared(matrix, axis)
        square = by_visit(values**2, np.nanmean)
        if debiased:
            variance = np.where(np.isfinite(values), noise[:, None], np.nan)
            square = np.maximum(square - by_visit(variance, np.nanmean), 0)
        visit = np.flatnonzero(np.isfinite(square))
        if not len(visit):
            raise NotMeasurable(NOTHING_LEFT)
        found[name] = np.sqrt(square[visit])
    return Errors(components=found, visit=visit)


def separation_scatter(matrix: VisitMatrix, settings: Any) -> Errors:
    """Scatter (ddof = 1) of the separations of units between two visits.

    A visit and one compared with; x + i y in mas.
    """
    (here,), there = matrix.values, matrix.comparison[0]
    found = []
    for one in here.T:
        for other in there.T:
            distance = np.abs(one - other)
            distance = distance[np.isfinite(distance)]
            if len(distance) > 1 and distance.any():  # a visit is not compared with itself
                found.append(float(np.std(distance, ddof=1)))
    if not found:
        raise NotMeasurable(NOTHING_LEFT)
    return Errors(components={matrix.components[0]: np.array(found)})


def residuals_about_mean(matrix: VisitMatrix, settings: Any) -> tuple[FloatArray, ...]:
    r"""Residual about the mean of n, times :math:`\sqrt{n / (n - 1)}`."""
    found = []
    for values in matrix.values:
        number = numbers(values)[:, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            wider = np.where(number >= max(2, matrix.min_visits), np.sqrt(number / (number - 1)), np.nan)
        found.append(np.asarray((values - unit_means(values)[:, None]) * wider))
    return tuple(found)


def offsets_from_comparison(matrix: VisitMatrix, settings: Any) -> tuple[FloatArray, ...]:
    """Offset of each measurement from the mean of what it is compared with."""
    return tuple(_compared(matrix, axis)[0] for axis in range(len(matrix.values)))


def offsets_about_mean(matrix: VisitMatrix, settings: Any) -> tuple[FloatArray, ...]:
    """Offset of each measurement, about the mean of all."""
    return tuple(_centred(values, "mean") for values in offsets_from_comparison(matrix, settings))


def offsets_about_visit(matrix: VisitMatrix, settings: Any) -> tuple[FloatArray, ...]:
    """Offset of each measurement, about the median of its visit."""
    return tuple(_centred(values, "visit") for values in offsets_from_comparison(matrix, settings))


def by_visit(values: FloatArray, statistic: Callable[..., FloatArray]) -> FloatArray:
    """Statistic of each column, NaN where it has no measurement."""
    seen = np.isfinite(values).any(axis=0)
    found = np.full(values.shape[1], np.nan)
    found[seen] = statistic(values[:, seen], axis=0)
    return found


def _centred(values: FloatArray, about: About) -> FloatArray:
    if about == "mean":
        return np.asarray(values - np.nanmean(values))
    return np.asarray(values - by_visit(values, np.nanmedian)) if about == "visit" else values


def _compared(matrix: VisitMatrix, axis: int) -> tuple[FloatArray, FloatArray]:
    """Measurements minus the mean that they are compared with.

    And the variance of that mean by unit.
    """
    values = matrix.values[axis]
    if not matrix.comparison:
        return values, np.zeros(len(values))
    other = matrix.comparison[axis]
    number = numbers(other)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.nansum(other, axis=1) / number
        variance = np.nansum((other - mean[:, None]) ** 2, axis=1) / (number - 1)
        typical = np.nanmean(variance) if np.isfinite(variance).any() else 0.0
        noise = np.where(number > 1, variance, typical) / number
    return values - mean[:, None], np.nan_to_num(noise)


def _noise(matrix: VisitMatrix) -> FloatArray:
    return np.zeros(len(matrix.stars)) if matrix.noise is None else matrix.noise


def _by_unit(found: dict[str, FloatArray], used: BoolArray, note: str = "") -> Errors:
    """Errors of the units that are used."""
    if not used.any():
        raise NotMeasurable(NOTHING_LEFT)
    return Errors(components=found, unit=np.flatnonzero(used), notes=(note,) if note else ())


def _by_measurement(found: dict[str, FloatArray], used: BoolArray, *, absolute: bool) -> Errors:
    """Errors of the measurements of the units that are used."""
    row, column = np.nonzero(np.isfinite(next(iter(found.values()))))
    if not len(row):
        raise NotMeasurable(NOTHING_LEFT)
    change = np.abs if absolute else np.positive
    components = {name: change(values[row, column]) for name, values in found.items()}
    return Errors(components=components, unit=np.flatnonzero(used)[row], visit=column)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Scatter:
    """Residuals of units about their means, with their sums.

    Numbers, sample variances and sums of fourth powers.

    Units that are ``measured`` have enough visits; the ``regular`` ones of them have no gross error.
    """

    residuals: FloatArray
    number: FloatArray
    squares: FloatArray
    fourth: FloatArray
    measured: BoolArray
    regular: BoolArray
    columns: FloatArray

    def model(self) -> few_visit_bias.Model:
        """Model of the variances of the regular units."""
        return few_visit_bias.Model.of(
            self.columns[self.regular], self.squares[self.regular], self.number[self.regular] - 1
        )


def _scatter(matrix: VisitMatrix, axis: int, fewest: int) -> _Scatter:
    """Scatter of the units in one component."""
    number = matrix.per_unit(f"number {axis}", lambda part: numbers(part.values[axis]))
    residuals = matrix.per_unit(
        f"residuals {axis}", lambda part: part.values[axis] - unit_means(part.values[axis])[:, None]
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        squares = matrix.per_unit(f"squares {axis}", lambda _: np.nansum(residuals**2, axis=1) / (number - 1))
    fourth = matrix.per_unit(f"fourth {axis}", lambda _: np.nansum(residuals**4, axis=1))
    columns = matrix.per_unit("design", lambda part: few_visit_bias.design(part.brightness, part.stars))
    measured = number >= fewest

    def regular(_: VisitMatrix) -> BoolArray:
        found = measured.copy()
        if found.any():
            largest = np.nanmax(np.abs(residuals[measured]), axis=1)
            found[measured] = ~few_visit_bias.gross(columns[measured], squares[measured], number[measured] - 1, largest)
        return found

    return _Scatter(
        residuals=residuals,
        number=number,
        squares=squares,
        fourth=fourth,
        measured=measured,
        regular=matrix.per_unit(f"regular {axis} {fewest}", regular),
        columns=columns,
    )


def _gross_note(matrix: VisitMatrix, number: int) -> str:
    """Say how many units keep the value that they have; "" for none."""
    if not number:
        return ""
    units = f"{len(matrix.stars):,} {'pairs' if matrix.of_pairs else 'stars'}"
    return (
        f"{number:,} of {units} hold an error beyond {few_visit_bias.GROSS:g} times the scatter of others like them, "
        "and keep their value"
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Shape:
    """Sizes of residuals of few visits, and of errors at the same percentiles."""

    before: FloatArray | None = None
    after: FloatArray | None = None

    @classmethod
    def from_scatter(cls, scatter: _Scatter) -> _Shape:
        """Compare both; without effect where few or many visits leave nothing to correct."""
        used, number = scatter.regular, scatter.number[scatter.regular]
        visits = float(1 / np.mean(1 / number)) if used.any() else 0.0
        if not 3 <= visits <= _SHAPED or not scatter.squares[used].any():
            return cls()
        widths = np.sqrt(scatter.model().fit(np.zeros(len(number), dtype=bool)))
        scaled = scatter.residuals[used] * np.sqrt(number / (number - 1))[:, None] / widths[:, None]
        before, after = few_visit_bias.sizes(scaled[np.isfinite(scaled)], visits, widths)
        return cls(before=before, after=after)

    def corrected(self, size: FloatArray) -> FloatArray:
        """Sizes of errors that residuals of these sizes stand for."""
        if self.before is None or self.after is None:
            return size
        before, after = self.before, self.after
        low, high = (float(after[k] / before[k]) if before[k] > 0 else 1.0 for k in (0, -1))
        inside = np.interp(size, before, after)
        return np.where(size < before[0], size * low, np.where(size > before[-1], size * high, inside))


_ABOUT_MEAN = "residuals of single measurements about the mean of their {unit}"

RESIDUALS_OF_RMS = Residuals(compute=residuals_about_mean, text=_ABOUT_MEAN, error_of="unit", fitted=1)
"""Where an error is the rms of a unit."""

RESIDUALS = Residuals(compute=residuals_about_mean, text=_ABOUT_MEAN, fitted=1)
"""Where an error is a deviation from the mean or median of a unit, or a difference within it."""

OFFSETS = Residuals(compute=offsets_from_comparison, text="offsets of single measurements")
"""Where an error is a measurement, less what it is compared with."""
