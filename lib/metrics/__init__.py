"""Metrics: what can be measured, its unit, and the estimators to choose from."""

from collections.abc import Mapping

from skyaccept.lib.metrics import (
    absolute_astrometry,
    band_offset,
    ellipticity_correlation,
    photometric_repeatability,
    position_repeatability,
    proper_motion,
    reference_photometry,
    relative_astrometry,
    stellar_locus,
    zero_points,
)
from skyaccept.lib.metrics.metric import Metric

METRICS: Mapping[str, Metric] = {
    metric.name: metric
    for family in (
        relative_astrometry,
        photometric_repeatability,
        zero_points,
        reference_photometry,
        stellar_locus,
        band_offset,
        absolute_astrometry,
        position_repeatability,
        proper_motion,
        ellipticity_correlation,
    )
    for metric in family.METRICS
}
"""Every metric by its name in requirement documents."""
