"""Exposures that have a zero point each, and how much of their zero points is noise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from skyaccept.lib.arrays import AnyArray, BoolArray, FloatArray, IntArray
from skyaccept.lib.exceptions import NotMeasurable
from skyaccept.lib.sample.sample import Sample
from skyaccept.lib.sample.visit_matrix import Matrix
from skyaccept.lib.uncertainty.jackknife import Kept, Resampled, Residual, Take
from skyaccept.lib.uncertainty.resampled_errors import LEFT
from skyaccept.lib.uncertainty.statistic import Sorted

Solve = Callable[[IntArray, FloatArray, IntArray], tuple[FloatArray, float]]
"""``solve(star, value, code)``: zero points of exposures about their mean, and their mean variance by noise."""

STARS = 5
"""Fewest stars of an exposure."""

MOST = 0.75
"""Share of the variance of the zero points that may be noise of the solution and is taken off."""


def exposures(sample: Sample) -> tuple[IntArray, str]:
    """Code of the exposure of each selected row, and what one is."""

    def find() -> tuple[IntArray, str]:
        d, rows = sample.detections, sample.selection.rows
        visit = d.visit[rows].astype(np.int64)
        if d.detector is None:
            return visit, "visit: the catalog holds no detectors"
        names, number = np.unique(d.detector[rows], return_inverse=True)
        code = visit * len(names) + number
        typical = float(np.median(np.unique(code, return_counts=True)[1]))
        if typical < STARS:
            return visit, f"visit: one detector of it has {typical:g} stars in the median, and {STARS} are needed"
        return code, "detector in each visit"

    return sample.once("exposures", find)


def by_visit(sample: Sample, values: AnyArray, rows: NDArray[np.bool_]) -> Matrix:
    """Measurements by star and visit of some of the selected rows, ``values`` of these, and their exposures."""
    code = exposures(sample)[0][rows].astype(np.float64)
    visit = sample.detections.visit[sample.selection.rows][rows]
    matrix = sample.matrix(values, code, star=sample.star[rows], visit=visit)
    return replace(matrix, values=matrix.values[:1], exposure=matrix.values[1])


def measured(values: FloatArray, exposure: FloatArray | None) -> tuple[IntArray, FloatArray, IntArray]:
    """Star, value and exposure of each measurement of a matrix of `by_visit`."""
    if exposure is None:
        raise ValueError("the matrix does not say which exposures it holds")
    star, column = np.nonzero(np.isfinite(values))
    return star, values[star, column], exposure[star, column].astype(np.int64)


def resampled(matrix: Matrix, solve: Solve, offsets: FloatArray, noise: float, shown: FloatArray) -> Resampled:
    """Zero points found anew, without their noise where they are to be unbiased.

    Parameters
    ----------
    matrix : Matrix
        Of `by_visit`.
    solve : callable
    offsets : (n_exposures,) float64
        Zero points of the whole matrix.
    noise : float
        Their mean variance by noise.
    shown : (n,) float64
        Zero point of each measurement, in the order of `measured`; NaN where there is none.
    """

    def find(kept: Kept, unbiased: bool) -> Take:
        star, value, code = measured(kept.values, kept.exposure)

        def take(units: BoolArray) -> Sorted:
            chosen = units[star]
            if not chosen.any():
                raise NotMeasurable(LEFT)
            found, variance = solve(star[chosen], value[chosen], code[chosen])
            return np.sort(found * np.sqrt(1 - share_of_noise(variance, found)) if unbiased else found), None

        return take

    zero_points = np.full(matrix.values[0].shape, np.nan)
    zero_points[np.isfinite(matrix.values[0])] = shown
    said = f"; nearly all is noise of the solution, of whose variance {100 * MOST:g} % are taken off"
    return Resampled(
        matrix,
        find,
        fewest=2,
        residual=Residual(about="exposure"),
        note=said if share_of_noise(noise, offsets) == MOST else "",
        independent=len(offsets),
        zero_points=zero_points,
    )


def share_of_noise(noise: float, offsets: FloatArray) -> float:
    """Share of the variance of some zero points that is noise, as far as it is taken off."""
    return min(MOST, noise / max(float(np.mean(offsets**2)), 1e-300))
