r"""Position repeatability: scatter of the coordinates of an object over visits.

Residuals of an object with n detections, :math:`x_k` along RA (times cos Dec) and :math:`y_k` along Dec, lie in the
plane tangent at its mean position, so that the scatter of Dec does not leak into RA. The value is the larger of the two
coordinates, and ``total`` stands beside them:

- ``position_rms``: median over objects of :math:`\sqrt{\sum x_k^2 / (n - \mathrm{ddof})}`;
- ``position_outliers``: percentage of residuals strictly beyond ``beyond`` (mas), of either sign.

Source: the report on the 2017 reprocessing of CFHT deep fields, which found 12 to 18 mas a coordinate. The 10 mas of
LPM-17 are per coordinate, and this is where they are seen directly.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from skyaccept.lib.arrays import AnyArray
from skyaccept.lib.exceptions import NotMeasurable
from skyaccept.lib.metrics.metric import Metric, median
from skyaccept.lib.sample.sample import Sample
from skyaccept.lib.sample.visit_matrix import VisitMatrix
from skyaccept.lib.uncertainty import matrix_errors
from skyaccept.lib.uncertainty.errors import Errors
from skyaccept.lib.uncertainty.estimator import Estimator, NoSettings, Parameters
from skyaccept.lib.uncertainty.statistic import Statistic

_METHOD = "residuals about the mean position of each object"


@dataclass(frozen=True, kw_only=True)
class ObjectRmsSettings:
    """Delta degrees of freedom.

    The cuts of the sample say how many visits an object needs.
    """

    ddof: int


def measurements(sample: Sample, parameters: Parameters, settings: object, limit: int | None) -> VisitMatrix:
    """Offsets from the mean position of each object by visit, mas."""
    return sample.cached(("positions by visit", limit), lambda: sample.matrix(*sample.offsets, limit=limit))


def fast_object_rms(sample: Sample, parameters: Parameters, settings: ObjectRmsSettings) -> Errors:
    """Root mean square of the residuals of each object about its mean position, mas.

    Parameters
    ----------
    sample : Sample
    parameters : mapping
        None are taken.
    settings : ObjectRmsSettings

    Raises
    ------
    NotMeasurable
        No object was seen in more than ``ddof`` visits, or in two.
    """
    number, chosen = _measured(sample, max(1, settings.ddof))
    free = number[chosen] - settings.ddof
    stars = sample.positions.stars
    square_x, square_y = (np.nansum(np.square(o[chosen], dtype=np.float64), axis=1) / free for o in (stars.x, stars.y))
    x, y = np.sqrt(square_x), np.sqrt(square_y)
    return Errors(
        components={"ra": x, "dec": y},
        total=np.hypot(x, y),
        measurements=int(number[chosen].sum()),
        method=_METHOD,
    )


def fast_residuals(sample: Sample, parameters: Parameters, settings: NoSettings) -> Errors:
    """Sizes of residuals about the mean positions of objects, mas.

    An object that was seen once has none.

    Raises
    ------
    NotMeasurable
        No object was seen twice.
    """
    _, chosen = _measured(sample, 1)
    stars = sample.positions.stars
    x, y = stars.x[chosen], stars.y[chosen]
    seen = np.isfinite(x)
    return Errors(
        components={"ra": np.abs(x[seen]), "dec": np.abs(y[seen])},
        total=np.hypot(x[seen], y[seen]),
        measurements=int(np.count_nonzero(seen)),
        method=_METHOD,
    )


def _measured(sample: Sample, ddof: int) -> tuple[AnyArray, AnyArray]:
    """Number of visits of each object, and which ones have residuals."""
    number = np.count_nonzero(sample.positions.seen, axis=1)
    chosen = number > ddof
    if not chosen.any():
        raise NotMeasurable(f"no object in band {sample.band} has more than {ddof} visits")
    return number, chosen


def _outliers(level: Parameters) -> Statistic:
    return Statistic("above", level["beyond"])


ESTIMATORS = {
    "object_rms": Estimator(
        description="rms of an object's positions about their mean",
        quantity="positions",
        unit="mas",
        measurements=measurements,
        errors=matrix_errors.rms,
        debiased=matrix_errors.debiased_rms,
        alternative=partial(matrix_errors.debiased_rms, gaussian=True),
        fast=fast_object_rms,
        settings=ObjectRmsSettings,
        residuals=matrix_errors.RESIDUALS_OF_RMS,
        fewest_visits=2,
        about_mean=True,
        formula="√(Σ (xₖ - x̄)² / (n - {ddof})), x a coordinate of an object in its n visits",
    ),
    "residual": Estimator(
        description="residual of a position about the mean of its object",
        quantity="positions",
        unit="mas",
        measurements=measurements,
        errors=partial(matrix_errors.deviations, about="mean", absolute=True),
        debiased=partial(matrix_errors.debiased_deviations, absolute=True),
        fast=fast_residuals,
        separable=True,
        residuals=matrix_errors.RESIDUALS,
        fewest_visits=2,
        about_mean=True,
        formula="|xₖ - x̄|, x a coordinate of an object in its visits",
    ),
}

METRICS = (
    Metric(
        name="position_rms",
        title="median rms of positions, the larger of RA and Dec",
        unit="mas",
        statistic=median,
        estimators=ESTIMATORS,
    ),
    Metric(
        name="position_outliers",
        title="fraction of position residuals beyond a threshold, the larger of RA and Dec",
        unit="percent",
        statistic=_outliers,
        estimators=ESTIMATORS,
        level_parameters={"beyond": "mas"},
    ),
)
