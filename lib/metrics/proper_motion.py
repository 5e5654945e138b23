r"""Proper-motion error: standard error of the slope of a line through positions.

With residuals r of n positions about the line of least squares (intercept and slope) against time t, by coordinate,
:math:`\sqrt{\sum r_k^2 / (n - 2)} / \sqrt{\sum (t_k - \bar t)^2}` (Draper and Smith 1998, 1.4), mas/yr of 365.25 d.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from skyaccept.lib.arrays import FloatArray, IntArray
from skyaccept.lib.exceptions import NotMeasurable
from skyaccept.lib.metrics.metric import Metric, median
from skyaccept.lib.sample.sample import Sample
from skyaccept.lib.sample.visit_matrix import VisitMatrix
from skyaccept.lib.uncertainty import matrix_errors
from skyaccept.lib.uncertainty.errors import Errors
from skyaccept.lib.uncertainty.estimator import Estimator, Parameters, Residuals


def measurements(sample: Sample, parameters: Parameters, settings: object, limit: int | None) -> VisitMatrix:
    """Positions by visit, mas, with their epochs, years.

    ``squares`` is the sum of squares of the epochs of an object about their mean.
    """
    mjd = sample.detections.mjd
    if mjd is None or not np.isfinite(mjd[sample.selection.rows]).any():
        raise NotMeasurable("the visits have no epochs (a column mjd, or a table with --visits)")
    years = (mjd[sample.selection.rows] - np.nanmedian(mjd)) / 365.25
    matrix = sample.matrix(*sample.offsets, limit=limit, extra={"time": years})
    time = matrix.extra["time"] - matrix_errors.unit_means(matrix.extra["time"])[:, None]
    # parts keep that of all epochs: these are known, and what a replicate lacks of them is no uncertainty
    return replace(matrix, extra={"time": time, "squares": np.nansum(time**2, 1, keepdims=True) + 0 * time})


@dataclass(frozen=True, kw_only=True, eq=False)
class Lines:
    """Residuals about the line of each object by coordinate, mas.

    NaN where fewer than three epochs tell none.

    ``number`` of positions with an epoch, and ``root`` of the sum of squares of all epochs, years, are (n_units, 1).
    """

    residuals: tuple[FloatArray, ...]
    number: IntArray
    root: FloatArray


def fit_lines(matrix: VisitMatrix) -> Lines:
    """Fit a line to the positions of each object that have an epoch."""
    timed = [values + 0 * matrix.extra["time"] for values in (*matrix.values, matrix.extra["time"])]
    *offsets, time = (values - matrix_errors.unit_means(values)[:, None] for values in timed)
    number, squares = np.isfinite(time).sum(1, keepdims=True), np.nansum(time**2, 1, keepdims=True)
    used = (number > 2) & (squares > 1e-20)  # 3 ms
    if not used.any():
        raise NotMeasurable("no object has three visits with epochs that differ")
    root = np.full(used.shape, np.nan)
    root[used] = np.sqrt(np.nanmax(matrix.extra["squares"][used[:, 0]], axis=1))
    squares = np.where(used, squares, np.nan)
    residuals = tuple(x - time * np.nansum(time * x, 1, keepdims=True) / squares for x in offsets)
    return Lines(residuals=residuals, number=number, root=root)


def slope_errors(matrix: VisitMatrix, settings: object, scatter: Callable[..., Errors] = matrix_errors.rms) -> Errors:
    """Scatter about the line over the root of the sum of squared epochs, mas/yr.

    Parts of a matrix keep the epochs of the whole. The interval is thus that of the errors at these epochs: it holds
    their spread fixed where replicates leave visits out.
    """
    lines = fit_lines(matrix)
    used, number = np.isfinite(lines.root), lines.number
    wider = np.sqrt((number - 1) / np.maximum(number - 2, 1))  # scatter divides by n - 1
    part = replace(matrix, values=tuple(x * wider for x in lines.residuals))
    found = scatter(part, settings, ddof=1).map(lambda values: values / lines.root[used])
    untimed = int(np.count_nonzero(np.isfinite(matrix.values[0]) & np.isnan(matrix.extra["time"])))
    rejected = {"epoch:not finite": untimed} if untimed else {}
    return replace(found, measurements=int(number[used].sum()), rejected=rejected)


def residuals(matrix: VisitMatrix, settings: object) -> tuple[FloatArray, ...]:
    r"""Residual of each position about the line through its n, as a slope error.

    Times :math:`\sqrt{n / (n - 2)}`, over the same root as in `slope_errors`.
    """
    lines = fit_lines(matrix)
    scale = np.sqrt(lines.number / np.maximum(lines.number - 2, 1)) / lines.root
    return tuple(x * scale for x in lines.residuals)


_SLOPE_ERROR = Estimator(
    description="standard error of an object's proper motion",
    quantity="positions",
    measurements=measurements,
    errors=slope_errors,
    debiased=partial(slope_errors, scatter=matrix_errors.debiased_rms),
    alternative=partial(slope_errors, scatter=partial(matrix_errors.debiased_rms, gaussian=True)),
    unit="mas/yr",
    residuals=Residuals(
        compute=residuals,
        text="residuals of single positions about the line of their {unit}, as errors of its slope",
        error_of="unit",
        fitted=2,
    ),
    fewest_visits=3,
    about_mean=True,
    formula="√(Σ rₖ² / (n - 2)) / √(Σ (tₖ - t̄)²), r about the line through a coordinate in n visits at times t",
)
ESTIMATORS = {"slope_error": _SLOPE_ERROR}
_ERROR = Metric(
    name="proper_motion_error",
    title="median proper-motion error, the larger of RA and Dec",
    unit="mas/yr",
    statistic=median,
    estimators=ESTIMATORS,
    optional_columns=("mjd",),
)
METRICS = (_ERROR,)
