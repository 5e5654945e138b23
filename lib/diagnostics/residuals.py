r"""Residuals of single measurements: how the errors of a metric fall to them.

About the mean of its star (or pair) a residual is made larger by :math:`\sqrt{n/(n-1)}` for the mean of n that it is
part of; against another band or a reference catalog it stands as it is. Where the errors are zero points of exposures
a measurement has that of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from skyaccept.lib.arrays import FloatArray, IntArray
from skyaccept.lib.exceptions import NotMeasurable
from skyaccept.lib.sample.visit_matrix import Matrix
from skyaccept.lib.uncertainty.jackknife import Resampled, Residual


@dataclass(frozen=True)
class Residuals:
    """Residuals of the measurements of a matrix.

    Attributes
    ----------
    kind : Residual
    values : (m, c) float64
        One column for each coordinate.
    unit, column : (m,) int64
        Row and column of each in the matrix.
    stars : (m, 1 or 2) int64
        Stars that each belongs to.
    """

    kind: Residual
    values: FloatArray
    unit: IntArray
    column: IntArray
    stars: IntArray


def residuals(resampled: Resampled) -> Residuals:
    """Residuals of what replicates are made of.

    Raises
    ------
    NotMeasurable
        An error is not that of a single measurement, or no measurement has a residual.
    """
    matrix, kind = resampled.matrix, resampled.residual
    if kind is None:
        raise NotMeasurable("what is compared are several visits or stars at once, not measurements one by one")
    if resampled.zero_points is not None:
        values = resampled.zero_points[:, :, None]
    else:
        values = np.stack([_of_coordinate(matrix, axis, kind) for axis in range(len(matrix.values))], axis=-1)
    unit, column = np.nonzero(np.isfinite(values).all(axis=-1))
    if not len(unit):
        raise NotMeasurable("no star of the sample was measured often enough to have residuals")
    return Residuals(kind, values[unit, column], unit, column, matrix.stars[unit])


def words(kind: Residual, matrix: Matrix) -> str:
    """What the residuals are."""
    unit = "pair" if matrix.stars.shape[1] == 2 else "star"
    return {
        "unit": f"residuals of single measurements about the mean of their {unit}",
        "zero": "offsets of single measurements",
        "mean": "offsets of single measurements from their mean",
        "visit": "offsets of single measurements from the median of their visit",
        "exposure": "zero points of the exposures of single measurements",
    }[kind.about]


def chosen(matrix: Matrix) -> str:
    """Which stars the measurements are of; "" where these are all."""
    return matrix.note.replace("; replicates of", "measurements of")


def _of_coordinate(matrix: Matrix, axis: int, kind: Residual) -> FloatArray:
    values = matrix.values[axis]
    if matrix.other:
        values = values - _mean(matrix.other[axis])[0]
    if kind.about == "zero":
        return values
    if kind.about == "mean":
        return np.asarray(values - np.nanmean(values))
    if kind.about == "visit":
        seen = np.isfinite(values).any(axis=0)
        return np.asarray(values - np.where(seen, np.nanmedian(np.where(seen, values, 0.0), axis=0), np.nan))
    mean, number = _mean(values)
    with np.errstate(divide="ignore", invalid="ignore"):
        wider = np.where(number >= max(2, matrix.least), np.sqrt(number / (number - 1)), np.nan)
    return np.asarray(kind.factor * (values - mean) * wider)


def _mean(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean of each unit and the number of its measurements, (n, 1)."""
    number = np.count_nonzero(np.isfinite(values), axis=1)[:, None].astype(np.float64)
    with np.errstate(invalid="ignore"):
        return np.nansum(values, axis=1)[:, None] / number, number
