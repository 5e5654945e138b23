r"""Position repeatability: how well the coordinates of an object repeat from visit to visit.

Residuals of an object with n detections, :math:`x_k` along RA (times cos Dec) and :math:`y_k` along Dec, lie in the
plane tangent at its mean position, so that the scatter of Dec does not leak into RA. The value is the larger of the two
coordinates, and ``total`` stands beside them:

- ``position_rms``: median over objects of :math:`\sqrt{\sum x_k^2 / (n - \mathrm{ddof})}`;
- ``position_outliers``: percentage of residuals strictly beyond ``beyond`` (mas), of either sign.

Source: the report on the 2017 reprocessing of CFHT deep fields, which found 12 to 18 mas a coordinate. The 10 mas of
LPM-17 are per coordinate, and this is where they are seen directly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from skyaccept.lib import arrays
from skyaccept.lib.exceptions import NotMeasurable
from skyaccept.lib.metrics import coordinates
from skyaccept.lib.metrics.metric import Errors, Estimator, Metric, Settings
from skyaccept.lib.sample.sample import Sample
from skyaccept.lib.sample.visit_matrix import Matrix
from skyaccept.lib.uncertainty import resampled_errors
from skyaccept.lib.uncertainty.statistic import Question


def object_rms(sample: Sample, parameters: Mapping[str, float], settings: Settings) -> Errors:
    """Root mean square of the residuals of each object about its mean position, mas.

    Parameters
    ----------
    sample : Sample
    parameters : mapping
        None are looked at.
    settings : Settings
        ``ddof``. The cuts of the sample say how many visits an object needs.

    Raises
    ------
    NotMeasurable
        No object was seen in more than ``ddof`` visits.
    """
    number, chosen = _chosen(sample, settings)
    free = number[chosen] - (settings.ddof or 0)
    stars = sample.positions.stars
    square_x, square_y = (np.nansum(np.square(o[chosen], dtype=np.float64), axis=1) / free for o in (stars.x, stars.y))
    found = coordinates.errors(np.sqrt(square_x), np.sqrt(square_y), "residuals about the mean position of each object")
    return replace(found, measurements=int(number[chosen].sum()), zeros=int(np.count_nonzero(number[chosen] == 1)))


def residual(sample: Sample, parameters: Mapping[str, float], settings: Settings) -> Errors:
    """Sizes of all residuals about the mean positions of their objects, mas; parameters and errors as `object_rms`."""
    number, chosen = _chosen(sample, settings)
    stars = sample.positions.stars
    x, y = stars.x[chosen], stars.y[chosen]
    seen = np.isfinite(x)
    found = coordinates.errors(np.abs(x[seen]), np.abs(y[seen]), "residuals about the mean position of each object")
    return replace(found, zeros=int(np.count_nonzero(number[chosen] == 1)))


def _matrix(sample: Sample, parameters: Mapping[str, float], settings: Settings, errors: Errors) -> Matrix:
    """Residuals about the mean position, by visit."""

    def make() -> Matrix:
        stars = sample.positions.stars
        row, column = np.nonzero(sample.positions.seen)
        x, y = (o[row, column].astype(np.float64) for o in (stars.x, stars.y))
        return sample.matrix(x, y, star=row, visit=sample.positions.visits[column])

    return sample.once("positions by visit", make)


def _chosen(sample: Sample, settings: Settings) -> tuple[arrays.AnyArray, arrays.AnyArray]:
    """Number of visits of each object, and which objects have residuals with degrees of freedom left."""
    number = np.count_nonzero(sample.positions.seen, axis=1)
    chosen = number > (settings.ddof or 0)
    if not chosen.any():
        raise NotMeasurable(f"no object in band {sample.band} has more than {settings.ddof} visits")
    return number, chosen


ESTIMATORS = {
    "object_rms": Estimator(
        object_rms,
        "rms of an object's positions about their mean",
        _matrix,
        lambda matrix, settings: resampled_errors.rms(matrix, settings.ddof or 0),
        needs=("ddof",),
        formula="√(Σ (xₖ - x̄)² / (n - {ddof})), x a coordinate of an object in its n visits",
    ),
    "residual": Estimator(
        residual,
        "residual of a position about the mean of its object",
        _matrix,
        lambda matrix, _: resampled_errors.deviation(matrix, "mean"),
        formula="|xₖ - x̄|, x a coordinate of an object in its visits",
    ),
}

METRICS = (
    Metric(
        "position_rms",
        "median rms of positions, the larger of RA and Dec",
        "mas",
        lambda _: Question("percentile", 50),
        ESTIMATORS,
    ),
    Metric(
        "position_outliers",
        "fraction of position residuals beyond a threshold, the larger of RA and Dec",
        "percent",
        lambda level: Question("above", level["beyond"]),
        ESTIMATORS,
        level_parameters={"beyond": "mas"},
    ),
)
