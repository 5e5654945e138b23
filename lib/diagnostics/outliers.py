"""Sizes that depart from the rest by more than their errors and their scatter."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special
from skyaccept.lib.arrays import FloatArray

SIGNIFICANCE = 0.05
"""Of a departure, corrected for multiple tests."""

TYPICAL, WEIGHT = 0.15, 4
"""What cells of one kind differ by as a rule, in their logarithm, and how many cells that knowledge is worth.

Few cells alone cannot say how much they differ: without it a visit of three times the scatter is not told from chance
among eight.
"""


def departures(sizes: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Ratio of each size to that of the others, and its significance.

    Parameters
    ----------
    sizes : (n, 3) float64
        Logarithm of each size, its variance and the degrees of freedom of that, n >= 3.
    """
    x, variance, freedom = sizes.T
    n = len(x)
    between, outlying = _outliers(x)
    rest = np.setdiff1d(np.arange(n), outlying)
    middle = np.array([x[rest[rest != k]].mean() for k in range(n)])
    known = np.array([variance[rest[rest != k]].mean() / np.count_nonzero(rest != k) for k in range(n)])
    distance = np.abs(x - middle) / np.maximum(np.sqrt(variance + known), np.finfo(float).tiny)
    within = 2 * special.stdtr(freedom, -distance)
    order = np.argsort(within, kind="stable")
    corrected = np.empty(n)
    corrected[order] = np.minimum(1, np.maximum.accumulate(within[order] * (n - np.arange(n))))
    return np.exp(x - middle), np.maximum(between, corrected)


def _outliers(x: FloatArray) -> tuple[FloatArray, NDArray[np.int64]]:
    """Significance of each value as an outlier, and at most a third as outliers."""
    left = np.arange(len(x))
    significance, removed, found = np.ones(len(x)), [], []
    for _ in range(max(1, len(x) // 3)):
        place = int(np.argmax(np.abs(x[left] - x[left].mean())))
        others = np.delete(x[left], place)
        squares, freedom = ((others - others.mean()) ** 2).sum() + WEIGHT * TYPICAL**2, len(others) - 1 + WEIGHT
        scatter = np.sqrt(squares / freedom * (1 + 1 / len(others)))
        tail = float(special.stdtr(freedom, -abs(x[left[place]] - others.mean()) / scatter))
        removed.append(left[place])
        found.append(min(1.0, 2 * len(left) * tail))
        left = np.delete(left, place)
    # as many depart as the last step says that is significant; those before it were hidden by it
    least = np.minimum.accumulate(np.array(found)[::-1])[::-1]
    significance[removed] = least
    return significance, np.array(removed)[least < SIGNIFICANCE].astype(np.int64)
