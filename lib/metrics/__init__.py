"""Metrics: what can be measured, in which unit, and the estimators that the definitions choose from."""

from collections.abc import Mapping

from skyaccept.lib.metrics import (
    absolute_astrometry,
    band_offset,
    ellipticity,
    photometry,
    position_repeatability,
    reference_photometry,
    relative_astrometry,
    stellar_locus,
)
from skyaccept.lib.metrics.metric import Metric

METRICS: Mapping[str, Metric] = {
    metric.name: metric
    for family in (
        relative_astrometry,
        photometry,
        band_offset,
        absolute_astrometry,
        position_repeatability,
        reference_photometry,
        stellar_locus,
        ellipticity,
    )
    for metric in family.METRICS
}
"""Every metric by its name in requirement documents."""
