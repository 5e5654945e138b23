"""Metrics: what can be measured, in which unit, and the estimators that the definitions choose from."""

from collections.abc import Mapping

from skyaccept.lib.metrics import (
    absolute_astrometry,
    band_offset,
    photometry,
    position_repeatability,
    relative_astrometry,
    zero_points,
)
from skyaccept.lib.metrics.metric import Metric

METRICS: Mapping[str, Metric] = {
    metric.name: metric
    for family in (
        relative_astrometry,
        photometry,
        zero_points,
        band_offset,
        absolute_astrometry,
        position_repeatability,
    )
    for metric in family.METRICS
}
"""Every metric by its name in requirement documents."""
