r"""Residuals of single measurements: their contributions to errors of a metric.

About the mean of its star (or pair) a residual is made larger by :math:`\sqrt{n/(n-1)}` for the mean of n that it is
part of; against another band or a reference catalog it is the offset. Where the errors are zero points of exposures a
measurement has that of its exposure.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from skyaccept.lib.arrays import FloatArray, IntArray
from skyaccept.lib.exceptions import NotMeasurable
from skyaccept.lib.sample.visit_matrix import VisitMatrix
from skyaccept.lib.uncertainty.estimator import Estimator, MatrixErrors


@dataclass(frozen=True, kw_only=True, eq=False)
class MeasurementResiduals:
    """Residuals of the measurements of a matrix.

    Attributes
    ----------
    values : (m, c) float64
        One column for each component.
    unit, column : (m,) int64
        Row and column of each in the matrix.
    stars : (m, 1 or 2) int64
        Stars that each belongs to.
    text : str
        What they are.
    error_of : {"measurement", "unit", "visit"}
    fitted : int
    factor : float
        As in `skyaccept.lib.uncertainty.estimator.Residuals`.
    """

    values: FloatArray
    unit: IntArray
    column: IntArray
    stars: IntArray
    text: str
    error_of: str = "measurement"
    fitted: int = 0
    factor: float = 1.0


def measurement_residuals(task: MatrixErrors) -> MeasurementResiduals:
    """Residuals of the measurements that the errors of an estimator are made of.

    Raises
    ------
    NotMeasurable
        An error is not that of a single measurement, or no measurement has a residual.
    """
    matrix, kind = task.matrix, task.estimator.residuals
    if kind is None:
        return _of_errors(task)
    values = kind.factor * np.stack(kind.compute(matrix, task.settings), axis=-1)
    unit, column = np.nonzero(np.isfinite(values).all(axis=-1))
    if not len(unit):
        raise NotMeasurable("no star of the sample was measured often enough to have residuals")
    return MeasurementResiduals(
        values=values[unit, column],
        unit=unit,
        column=column,
        stars=matrix.stars[unit],
        text=kind.text.format(unit="pair" if matrix.of_pairs else "star"),
        error_of=kind.error_of,
        fitted=kind.fitted,
        factor=kind.factor,
    )


def _of_errors(task: MatrixErrors) -> MeasurementResiduals:
    """The errors themselves, where each is that of a measurement."""
    errors = task.estimator.errors(task.matrix, task.settings)
    if errors.unit is None or errors.visit is None:
        raise NotMeasurable(_no_residuals(task.estimator))
    return MeasurementResiduals(
        values=np.stack(list(errors.components.values()), axis=-1),
        unit=errors.unit,
        column=errors.visit,
        stars=task.matrix.stars[errors.unit],
        text=f"errors of single measurements ({task.estimator.description})",
    )


def _no_residuals(estimator: Estimator) -> str:
    return f"an error ({estimator.description}) is made of several measurements and is attributed to none of them"


def subsample_text(matrix: VisitMatrix) -> str:
    """Which stars the measurements are of; "" where these are all."""
    return matrix.subsample_note.replace("; replicates of", "measurements of")
