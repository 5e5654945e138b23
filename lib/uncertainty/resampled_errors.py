"""Errors of units by visit, for replicates: as their definition has them, and as many visits would give them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from skyaccept.lib.arrays import BoolArray, FloatArray
from skyaccept.lib.exceptions import NotMeasurable
from skyaccept.lib.sample.visit_matrix import Matrix
from skyaccept.lib.uncertainty import few_visit_bias, jackknife_bias, order_statistics
from skyaccept.lib.uncertainty.jackknife import Find, Kept, Resampled, Residual, Take, number_of_blocks, whole
from skyaccept.lib.uncertainty.statistic import Sorted, without_signs

_SHAPED = 60  # visits beyond which the shape of a residual is that of the error

LEFT = "no interval: without the stars of one part of the sky, or some visits, nothing is left to measure"


def rms(matrix: Matrix, ddof: int, factor: float = 1.0) -> Resampled:
    """Standard deviation of each unit; without bias, the square roots of `bias.persistent`."""
    visits = _numbers(matrix.values[0])
    few = np.count_nonzero(visits >= few_visit_bias.FEWEST) < max(2, 0.5 * len(visits))
    extreme = _scatter(ddof, factor, opposite=True) if few else None
    residual = Residual(of="unit", factor=factor)
    note = _gross(matrix, max(2, ddof + 1, matrix.least))
    return Resampled(
        matrix,
        _scatter(ddof, factor),
        fewest=2,
        extreme=extreme,
        residual=residual,
        note=note,
        excess=_excess(matrix),
    )


def deviation(matrix: Matrix, about: str, signed: bool = False) -> Resampled:
    """Deviation of each measurement from the mean, or median, of its unit; without bias, from that of many visits."""

    def find(kept: Kept, unbiased: bool) -> Take:
        number = _numbers(kept.values)
        units = number >= max(2, kept.least)
        values = kept.values[units]
        middle = np.nanmedian(values, axis=1) if about == "median" and not unbiased else np.nanmean(values, axis=1)
        found = values - middle[:, None]
        if unbiased:
            found = found * np.sqrt(number[units] / (number[units] - 1))[:, None]
            found = np.sign(found) * _shape(kept)(np.abs(found))
        row, column = np.nonzero(np.isfinite(found))
        sizes = found[row, column]
        return elements(sizes if signed else np.abs(sizes), np.flatnonzero(units)[row], None)

    return Resampled(matrix, find, fewest=2, residual=Residual(signed=signed), excess=_excess(matrix))


def difference(matrix: Matrix) -> Resampled:
    """Sizes of differences of two measurements of a unit over sqrt(2), each unit counting once."""

    def find(kept: Kept, unbiased: bool) -> Take:
        number = _numbers(kept.values)
        found, unit, share = [], [], []
        for lag in range(1, kept.values.shape[1]):
            size = np.abs(kept.values[:, lag:] - kept.values[:, :-lag]) / np.sqrt(2)
            row, column = np.nonzero(np.isfinite(size))
            found.append(size[row, column])
            unit.append(row)
            share.append(2 / (number[row] * (number[row] - 1)))
        return elements(np.concatenate(found), np.concatenate(unit), np.concatenate(share))

    return Resampled(matrix, find, fewest=2, residual=Residual(), excess=_excess(matrix))


def offset(matrix: Matrix, about: Literal["zero", "mean", "visit"], sizes: bool = False) -> Resampled:
    """Measurements as they stand, about their mean, or each about the median of its visit; with sizes or signs.

    What they are compared with, the mean of `Matrix.other`, is uncertain itself where visits are few: without bias the
    variance of the means is taken off that of all measurements about their mean.
    """

    def find(kept: Kept, unbiased: bool) -> Take:
        values, noise = _compared(kept)

        def take(units: BoolArray) -> Sorted:
            found = values[units]
            seen = np.isfinite(found)
            if not seen.any():
                raise NotMeasurable(LEFT)
            mean = found[seen].mean()
            if unbiased:
                variance, means = found[seen].var(), np.broadcast_to(noise[units][:, None], found.shape)[seen].mean()
                found = mean + (found - mean) * np.sqrt(max(variance - means, 0.0) / variance if variance else 1.0)
            if about == "mean":
                found = found - mean
            elif about == "visit":
                found = found - _by_visit(found, np.nanmedian)
            return np.sort(np.abs(found[seen]) if sizes else found[seen]), None

        return take

    residual = Residual(about, signed=not sizes)
    return Resampled(matrix, find, residual=residual, excess=_excess(matrix) if matrix.other else 1.0)


def mean(matrix: Matrix) -> Resampled:
    """Mean of each unit, minus that of what it is compared with; it has no bias."""

    def find(kept: Kept, unbiased: bool) -> Take:
        found = _means(kept.values)
        if kept.other is not None:
            found = found - _means(kept.other)
        units = np.flatnonzero(np.isfinite(found))
        return elements(found[units], units, None)

    return Resampled(matrix, find, residual=Residual("zero", signed=True))


def visit_rms(matrix: Matrix) -> Resampled:
    """Rms about zero of the measurements of each visit; without bias as in `offset`."""

    def find(kept: Kept, unbiased: bool) -> Take:
        values, noise = _compared(kept)

        def take(units: BoolArray) -> Sorted:
            square = _by_visit(values[units] ** 2, np.nanmean)
            if unbiased:
                means = np.where(np.isfinite(values[units]), noise[units][:, None], np.nan)
                square = np.maximum(square - _by_visit(means, np.nanmean), 0)
            if not np.isfinite(square).any():
                raise NotMeasurable(LEFT)
            return np.sort(np.sqrt(square[np.isfinite(square)])), None

        return take

    return Resampled(matrix, find, residual=Residual("zero", of="visit"))


def separation_std(matrix: Matrix) -> Resampled:
    """Scatter of the separations of units in two visits, one of each side; positions are complex numbers x + i y."""

    def find(kept: Kept, unbiased: bool) -> Take:
        other = kept.other

        def take(units: BoolArray) -> Sorted:
            found = []
            for here in kept.values[units].T:
                for there in np.empty((0, 0)) if other is None else other[units].T:
                    distance = np.abs(here - there)
                    distance = distance[np.isfinite(distance)]
                    if len(distance) > 1 and distance.any():  # a visit is not compared with itself
                        found.append(float(np.std(distance, ddof=1)))
            if not found:
                raise NotMeasurable(LEFT)
            return np.sort(found), None

        return take

    return Resampled(matrix, find)


def recentred(resampled: Resampled, signed: bool = False) -> Resampled:
    """The same errors about the median of all of them."""

    def about_median(find: Find) -> Find:
        def found(kept: Kept, unbiased: bool) -> Take:
            take = find(kept, unbiased)

            def centred(units: BoolArray) -> Sorted:
                values, weights = take(units)
                errors = values - order_statistics.median(values, weights), weights
                return errors if signed else without_signs(errors)

            return centred

        return found

    extreme = None if resampled.extreme is None else about_median(resampled.extreme)
    residual = resampled.residual and replace(resampled.residual, centered=True, sized=not signed)
    return replace(resampled, find=about_median(resampled.find), extreme=extreme, residual=residual)


def _by_visit(values: FloatArray, statistic: Callable[..., FloatArray]) -> FloatArray:
    """Statistic of each column, NaN where it has no measurement."""
    seen = np.isfinite(values).any(axis=0)
    found = np.full(values.shape[1], np.nan)
    found[seen] = statistic(values[:, seen], axis=0)
    return found


def _compared(kept: Kept) -> tuple[FloatArray, FloatArray]:
    """Measurements minus what they are compared with, and the variance of the mean that this is, by unit."""
    if kept.other is None:
        return kept.values, np.zeros(len(kept.values))
    number = _numbers(kept.other)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.nansum(kept.other, axis=1) / number
        variance = np.nansum((kept.other - mean[:, None]) ** 2, axis=1) / (number - 1)
        typical = np.nanmean(variance) if np.isfinite(variance).any() else 0.0
        noise = np.where(number > 1, variance, typical) / number
    return kept.values - mean[:, None], np.nan_to_num(noise)


@dataclass(frozen=True)
class _Spread:
    """Residuals of units about their means, their numbers and sample variances.

    Those that are ``known`` were measured often enough; the ``scattered`` ones of them have no gross error, and columns
    of the model.
    """

    residuals: FloatArray
    number: FloatArray
    squares: FloatArray
    known: BoolArray
    scattered: BoolArray
    columns: FloatArray

    @classmethod
    def of(cls, kept: Kept, fewest: int) -> _Spread:
        """Spread of some measurements."""
        number = _numbers(kept.values)
        known = number >= fewest
        with np.errstate(invalid="ignore", divide="ignore"):
            residuals = kept.values - (np.nansum(kept.values, axis=1) / number)[:, None]
            squares = np.nansum(residuals**2, axis=1) / (number - 1)
        columns = few_visit_bias.design(kept.matrix.brightness, kept.matrix.stars)
        scattered = known.copy()
        if known.any():
            largest = np.nanmax(np.abs(residuals[known]), axis=1)
            scattered[known] = ~few_visit_bias.gross(columns[known], squares[known], number[known] - 1, largest)
        return cls(residuals, number, squares, known, scattered, columns[scattered])

    def model(self) -> few_visit_bias.Model:
        """Model of the variances."""
        return few_visit_bias.Model.of(self.columns, self.squares[self.scattered], self.number[self.scattered] - 1)


def _gross(matrix: Matrix, fewest: int) -> str:
    """Say how many units keep the value that they have, where there are such."""
    spreads = [_Spread.of(whole(matrix, axis), fewest) for axis in range(len(matrix.values))]
    number = int(np.count_nonzero(np.any([spread.known & ~spread.scattered for spread in spreads], axis=0)))
    of = f"{len(matrix.stars):,} {'pairs' if matrix.stars.shape[1] == 2 else 'stars'}"
    said = f"; {number:,} of {of} hold an error beyond {few_visit_bias.GROSS:g} times the scatter of others like them"
    return f"{said}, and keep their value" if number else ""


def _scatter(ddof: int, factor: float, opposite: bool = False) -> Find:
    def find(kept: Kept, unbiased: bool) -> Take:
        spread = _Spread.of(kept, max(2, ddof + 1, kept.least))
        number, squares = spread.number, spread.squares
        noise = np.zeros(len(number)) if kept.matrix.noise is None else kept.matrix.noise
        model = spread.model() if unbiased and spread.scattered.any() else None
        fourth = np.nansum(spread.residuals**4, axis=1)

        def persistent(units: BoolArray) -> FloatArray:
            """Variances that many visits would give; of units with a gross error as they are."""
            found, good = squares.copy(), units & spread.scattered
            if model is not None and good.any():
                n, fitted = number[good], model.fit(~units[spread.scattered])
                if opposite:
                    eta = few_visit_bias.gaussian_heterogeneity(squares[good], n, fitted)
                else:
                    shared = few_visit_bias.common(spread.residuals[good], fitted)
                    eta = few_visit_bias.heterogeneity(squares[good], fourth[good], n, fitted, shared) or 0.0
                found[good] = few_visit_bias.persistent(squares[good], n, fitted, eta)
            return found[units & spread.known]

        def take(units: BoolArray) -> Sorted:
            used = units & spread.known
            if not used.any():
                raise NotMeasurable(LEFT)
            if unbiased:
                found = persistent(units) - noise[used]
            else:
                n = number[used]
                found = (squares[used] - noise[used]) * (n - 1) / (n - ddof)
            return factor * np.sort(np.sqrt(np.maximum(found, 0))), None

        return take

    return find


def _shape(kept: Kept) -> Callable[[FloatArray], FloatArray]:
    """How sizes of residuals become those that the errors of many visits have."""
    spread = _Spread.of(kept, 2)
    used, number = spread.scattered, spread.number[spread.scattered]
    visits = float(1 / np.mean(1 / number)) if used.any() else 0.0
    if not 3 <= visits <= _SHAPED:
        return lambda size: size
    fitted = spread.model().fit(np.zeros(len(number), dtype=bool))
    if not spread.squares[used].any():
        return lambda size: size
    widths = np.sqrt(fitted)
    scaled = spread.residuals[used] * np.sqrt(number / (number - 1))[:, None] / widths[:, None]
    before, after = few_visit_bias.sizes(scaled[np.isfinite(scaled)], visits, widths)
    low, high = (float(after[k] / before[k]) if before[k] > 0 else 1.0 for k in (0, -1))

    def sizes(size: FloatArray) -> FloatArray:
        inside = np.interp(size, before, after)
        return np.where(size < before[0], size * low, np.where(size > before[-1], size * high, inside))

    return sizes


def elements(values: FloatArray, unit: NDArray[np.int64], weights: FloatArray | None) -> Take:
    """Errors one by one, with the unit of each."""
    order = np.argsort(values, kind="stable")
    ordered, units_of = values[order], unit[order]
    shares = None if weights is None else weights[order]

    def take(units: BoolArray) -> Sorted:
        chosen = units[units_of]
        if not chosen.any():
            raise NotMeasurable(LEFT)
        if shares is None:
            return ordered[chosen], None
        part = shares[chosen]
        return ordered[chosen], part / part.mean()

    return take


def _excess(matrix: Matrix) -> float:
    """By what factor the variance by visits of a scatter about the mean of its unit, or of the others, is too large."""
    visits, number = float(_numbers(matrix.values[0]).mean()), number_of_blocks(matrix)
    if not matrix.other:
        return jackknife_bias.of_visits(visits, number)
    if matrix.other[0].shape[1] < number:  # then they are left as they are
        return 1.0
    return jackknife_bias.of_offsets(visits, float(_numbers(matrix.other[0]).mean()), number)


def _means(values: FloatArray) -> FloatArray:
    """Mean of each unit, NaN where it has no measurement."""
    with np.errstate(invalid="ignore"):
        return np.asarray(np.nansum(values, axis=1) / _numbers(values))


def _numbers(values: FloatArray) -> FloatArray:
    return np.count_nonzero(np.isfinite(values), axis=1).astype(np.float64)
