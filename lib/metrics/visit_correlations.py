"""Correlations of the ellipticities of stars in a visit matrix."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from skyaccept.lib.arrays import ComplexArray, FloatArray
from skyaccept.lib.exceptions import NotMeasurable
from skyaccept.lib.sample.visit_matrix import VisitMatrix
from skyaccept.lib.uncertainty.errors import Errors
from skyaccept.lib.uncertainty.matrix_errors import NOTHING_LEFT

SQUARES = "squares of products in "
"""Name of a column of a visit matrix, before that of the component."""

Combine = Callable[[FloatArray], FloatArray]
"""Correlations by class and visit, NaN where there is no pair, as one number a visit."""


def visit_correlations(matrix: VisitMatrix, settings: Any, *, combine: Combine, debiased: bool = False) -> Errors:
    """Correlation of each visit, from sums and numbers by pair of cells.

    Sums of products are the real, numbers of pairs the imaginary part.

    What the noise of single ellipticities adds to the scatter of visits about their mean is, in each class, the mean
    of the sum of squared products over the squared number of pairs, as products of two different stars have no
    covariance with those of others. Debiased, the scatter is that much less.

    Parameters
    ----------
    matrix : VisitMatrix
        Units are pairs of cells, in classes of separation or of components.
    settings : object
    combine : callable
        Correlations (n_classes, n_visits) as one number a visit.
    debiased : bool
    """
    components = {}
    for values, name in zip(matrix.values, matrix.components, strict=True):
        sums = _by_class(matrix, values)
        found = correlations(sums.real, sums.imag)
        if debiased:
            squares = _by_class(matrix, matrix.extra[SQUARES + name])
            found = _without_noise(found, correlations(squares, sums.imag**2))
        visit = np.flatnonzero(np.isfinite(found).any(axis=0))
        if not len(visit):
            raise NotMeasurable(NOTHING_LEFT)
        components[name] = combine(found[:, visit])
    return Errors(components=components, visit=visit)


def star_correlation(
    matrix: VisitMatrix, settings: Any, *, center: Callable[..., FloatArray], combine: Combine
) -> Errors:
    """One correlation of all visits, of the median, or mean, of each star.

    Ellipticities are complex, e1 + i e2.
    """
    (values,), name = matrix.values, matrix.components[0]
    if matrix.pairs is None or not len(matrix.pairs):
        raise NotMeasurable(NOTHING_LEFT)
    star = matrix.per_unit(f"ellipticity by {center.__name__}", lambda _: star_ellipticity(values, center))
    first, second, bin_of = matrix.pairs.T
    product = np.real(star[first] * np.conj(star[second]))
    seen = np.isfinite(product)
    if not seen.any():
        raise NotMeasurable(NOTHING_LEFT)
    number = np.bincount(bin_of[seen]).astype(np.float64)
    found = correlations(np.bincount(bin_of[seen], product[seen]).astype(np.float64), number)
    return Errors(components={name: combine(found[:, None])})


def correlations(total: FloatArray, number: FloatArray) -> FloatArray:
    """Means of products; NaN where there is no pair."""
    return np.divide(total, number, out=np.full(np.broadcast(total, number).shape, np.nan), where=number > 0)


def star_ellipticity(values: FloatArray | ComplexArray, center: Callable[..., FloatArray]) -> ComplexArray:
    """Median, or mean, of each row of complex numbers.

    Of the real and the imaginary part; NaN where there is no number.
    """
    found = np.full(len(values), complex(np.nan, np.nan))
    some = np.isfinite(values).any(axis=1)
    found[some] = center(values.real[some], axis=1) + 1j * center(values.imag[some], axis=1)
    return found


def largest(values: FloatArray) -> FloatArray:
    """Largest size over the classes."""
    return np.asarray(np.abs(values).max(axis=0))


def single(values: FloatArray) -> FloatArray:
    """Value of the one class."""
    return np.asarray(values[0])


def mean(values: FloatArray) -> FloatArray:
    """Mean over the classes that have pairs."""
    return np.asarray(np.nanmean(values, axis=0))


def mean_size(values: FloatArray) -> FloatArray:
    """Mean size over the classes that have pairs."""
    return np.asarray(np.nanmean(np.abs(values), axis=0))


def _by_class(matrix: VisitMatrix, values: FloatArray | ComplexArray) -> Any:
    """Sum over the units of each class, (n_classes, n_visits)."""
    classes = np.zeros(len(values), dtype=np.int64) if matrix.unit_class is None else matrix.unit_class
    total = np.zeros((int(classes.max(initial=0)) + 1, values.shape[1]), dtype=values.dtype)
    np.add.at(total, classes, values)
    return total


def _without_noise(found: FloatArray, noise: FloatArray) -> FloatArray:
    """Correlations drawn to the mean of their class.

    They scatter as without the variance by noise.
    """
    drawn = found.copy()
    for row, (values, variance) in enumerate(zip(found, noise, strict=True)):
        seen = np.isfinite(values)
        if np.count_nonzero(seen) > 1 and (scatter := float(values[seen].var(ddof=1))) > 0:
            fraction = max(scatter - float(variance[seen].mean()), 0.0) / scatter
            drawn[row] = values[seen].mean() + (values - values[seen].mean()) * np.sqrt(fraction)
    return drawn
