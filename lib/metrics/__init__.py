"""Metrics: what can be measured, in which unit, and the estimators that the definitions choose from."""

from collections.abc import Mapping

from skyaccept.lib.metrics import photometry, relative_astrometry
from skyaccept.lib.metrics.metric import Metric

METRICS: Mapping[str, Metric] = {metric.name: metric for metric in (*relative_astrometry.METRICS, *photometry.METRICS)}
"""Every metric by its name in requirement documents."""
