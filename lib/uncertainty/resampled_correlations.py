"""Correlations of the ellipticities of stars, for replicates."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from skyaccept.lib.arrays import BoolArray, ComplexArray, FloatArray
from skyaccept.lib.exceptions import NotMeasurable
from skyaccept.lib.sample.visit_matrix import Matrix
from skyaccept.lib.uncertainty.jackknife import Kept, Resampled, Take
from skyaccept.lib.uncertainty.resampled_errors import LEFT
from skyaccept.lib.uncertainty.statistic import Sorted

Combine = Callable[[FloatArray], FloatArray]
"""Correlations by part and visit, NaN where there is no pair, as one number a visit."""


def visit_correlation(matrix: Matrix, parts: int, combine: Combine) -> Resampled:
    """Correlations of each visit, from sums of products (real) and numbers of pairs (imaginary) by part and cells.

    What the noise of single ellipticities adds to the scatter of visits about their mean is, in each part, the mean of
    the sum of squared products over the squared number of pairs, as products of two different stars have no covariance
    with those of others. Without bias the scatter is that much less.
    """

    def find(kept: Kept, unbiased: bool) -> Take:
        squares = kept.other
        if squares is None:
            raise ValueError("the matrix has no squares of products")

        def total(values: FloatArray, units: BoolArray) -> FloatArray:
            return np.where(units[:, None], values, 0).reshape(parts, -1, values.shape[1]).sum(axis=1)

        def take(units: BoolArray) -> Sorted:
            sums = total(kept.values, units)
            found = correlations(sums.real, sums.imag)
            if unbiased:
                found = _without_noise(found, correlations(total(squares, units), sums.imag**2))
            errors = combine(found[:, np.isfinite(found).any(axis=0)])
            if not len(errors):
                raise NotMeasurable(LEFT)
            return np.sort(errors), None

        return take

    return Resampled(matrix, find, fewest=2, independent=matrix.values[0].shape[1])


def star_correlation(matrix: Matrix, middle: Callable[..., FloatArray], bins: int, combine: Combine) -> Resampled:
    """One correlation of all visits: of the median, or mean, of each star, complex e1 + i e2, over its visits."""

    def find(kept: Kept, unbiased: bool) -> Take:
        first, second, bin_of = (kept.matrix.pairs if kept.matrix.pairs is not None else np.empty((0, 3), np.int64)).T
        star = star_ellipticity(kept.values, middle)
        product = np.real(star[first] * np.conj(star[second]))
        seen = np.isfinite(product)

        def take(units: BoolArray) -> Sorted:
            used = seen & units[first] & units[second]
            if not used.any():
                raise NotMeasurable(LEFT)
            number = np.bincount(bin_of[used], minlength=bins).astype(np.float64)
            found = correlations(np.bincount(bin_of[used], product[used], minlength=bins).astype(np.float64), number)
            return np.sort(combine(found[:, None])), None

        return take

    return Resampled(matrix, find, fewest=2)


def correlations(total: FloatArray, number: FloatArray) -> FloatArray:
    """Means of products; NaN where there is no pair."""
    return np.divide(total, number, out=np.full(np.broadcast(total, number).shape, np.nan), where=number > 0)


def star_ellipticity(values: FloatArray | ComplexArray, middle: Callable[..., FloatArray]) -> ComplexArray:
    """Median, or mean, of each row of complex numbers, of the real and the imaginary part; NaN where there is none."""
    found = np.full(len(values), complex(np.nan, np.nan))
    some = np.isfinite(values).any(axis=1)
    found[some] = middle(values.real[some], axis=1) + 1j * middle(values.imag[some], axis=1)
    return found


def _without_noise(found: FloatArray, noise: FloatArray) -> FloatArray:
    """Correlations drawn to the mean of their part, so that they scatter as they would without some variances."""
    drawn = found.copy()
    for part, (row, variance) in enumerate(zip(found, noise, strict=True)):
        seen = np.isfinite(row)
        if np.count_nonzero(seen) > 1 and (scatter := float(row[seen].var(ddof=1))) > 0:
            share = max(scatter - float(variance[seen].mean()), 0.0) / scatter
            drawn[part] = row[seen].mean() + (row - row[seen].mean()) * np.sqrt(share)
    return drawn
