"""Exposures that have a zero point each, and the noise of their zero points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from skyaccept.lib.arrays import AnyArray, BoolArray, FloatArray, IntArray
from skyaccept.lib.sample.sample import Sample
from skyaccept.lib.sample.visit_matrix import VisitMatrix
from skyaccept.lib.uncertainty.errors import Errors

EXPOSURE, SIGMA = "exposure", "sigma"
"""Columns of a visit matrix: code of the exposure of each measurement, and standard error of the measurement."""

STARS = 5
"""Fewest stars of an exposure."""

MOST = 0.75
"""Share of the variance of the zero points that may be noise of the solution and is taken off."""


def exposures(sample: Sample) -> tuple[IntArray, str]:
    """Code of the exposure of each selected row, and what one is."""

    def compute() -> tuple[IntArray, str]:
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

    return sample.cached("exposures", compute)


def matrix_by_exposure(
    sample: Sample, values: AnyArray, rows: BoolArray, limit: int | None, extra: Mapping[str, AnyArray]
) -> VisitMatrix:
    """Measurements of some rows by star and visit, with their exposures.

    ``extra`` columns are added.
    """
    return sample.matrix(
        values,
        star=sample.star_index[rows],
        visit=sample.detections.visit[sample.selection.rows][rows],
        extra={EXPOSURE: exposures(sample)[0][rows], **extra},
        limit=limit,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Measurements:
    """Star, value, exposure and further columns of each measurement.

    Of a matrix of `matrix_by_exposure`.
    """

    star: IntArray
    value: FloatArray
    exposure: IntArray
    extra: Mapping[str, FloatArray]

    @classmethod
    def from_matrix(cls, matrix: VisitMatrix) -> Measurements:
        """List those that a matrix holds."""
        (values,) = matrix.values
        star, column = np.nonzero(np.isfinite(values))
        extra = {name: column_values[star, column] for name, column_values in matrix.extra.items()}
        return cls(star=star, value=values[star, column], exposure=extra[EXPOSURE].astype(np.int64), extra=extra)


def less_noise(offsets: FloatArray, noise: float) -> Errors:
    """Zero points about their mean, shrunk by the mean variance of their ``noise``."""
    fraction = noise_fraction(noise, offsets)
    note = f"nearly all is noise of the solution, of whose variance {100 * MOST:g} % are taken off"
    errors = Errors(components={"value": offsets * np.sqrt(1 - fraction)})
    return replace(errors, notes=(note,)) if fraction == MOST else errors


def shown(matrix: VisitMatrix, zero_points: FloatArray) -> tuple[FloatArray, ...]:
    """Zero points of the exposures of all measurements, by unit and visit.

    In the order of `Measurements`.
    """
    found = np.full(matrix.values[0].shape, np.nan)
    found[np.isfinite(matrix.values[0])] = zero_points
    return (found,)


def noise_fraction(noise: float, offsets: FloatArray) -> float:
    """Fraction of the variance of zero points that is noise and taken off."""
    return min(MOST, noise / max(float(np.mean(offsets**2)), 1e-300))
