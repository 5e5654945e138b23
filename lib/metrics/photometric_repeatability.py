r"""Photometric repeatability PA1, PF1 and PA2: scatter of magnitudes of a star.

Every estimator turns the magnitudes of the stars of one band into errors in mmag; the three metrics are statistics of
these:

- PA1, ``photometric_repeatability``: their median, where the estimator brings no statistic of its own;
- PF1, ``photometric_outliers``: the percentage of them strictly above PA2 (mmag);
- PA2, ``photometric_percentile``: their (100 - PF1)th percentile, interpolated linearly between order statistics.

For a star with magnitudes :math:`m_1 \dots m_n` in its n visits the errors are, by estimator:

========================== ================================================= ============================
estimator                  errors                                            used by
========================== ================================================= ============================
magnitude_rms              std(m), one a star                                PA1 of srd, faro,
                                                                             analysis_tools
magnitude_deviation        \|m_k - mean(m)\|, one a measurement              PF1 of srd, faro; PA2 of srd
excess_magnitude_rms       std(m) - s, s the median of std(m) of all stars   PF1 of analysis_tools
magnitude_difference       (m_j - m_k) / sqrt(2) and its negative,           PA1 of validate_drp
                           all pairs of visits
magnitude_difference_size  \|m_j - m_k\| / sqrt(2), all pairs of visits      PF1, PA2 of validate_drp
========================== ================================================= ============================

Sources: LPM-17 5.2.3; validate_drp repeatability.py, pf1.py, pa2.py (107f81d); faro phot_repeat.py (aff3cf7);
analysis_tools photometricRepeatability.py (c74f828).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from statistics import NormalDist

import numpy as np
from skyaccept.lib import progress
from skyaccept.lib.arrays import AnyArray, FloatArray
from skyaccept.lib.exceptions import NotMeasurable
from skyaccept.lib.metrics.metric import Metric, median
from skyaccept.lib.sample.sample import Sample
from skyaccept.lib.sample.visit_matrix import VisitMatrix
from skyaccept.lib.uncertainty import matrix_errors, order_statistics
from skyaccept.lib.uncertainty.errors import Errors
from skyaccept.lib.uncertainty.estimator import Estimator, NoSettings, Parameters
from skyaccept.lib.uncertainty.statistic import Statistic

MMAG = 1000.0
"""mmag in a mag."""

KEPT = 20_000_000
"""Pairs of measurements that are kept one by one."""

BIN, BINNED = 1e-4, 1000.0
"""Width of the bins that count more of them, and the difference beyond which each is kept all the same; mmag."""


@dataclass(frozen=True, kw_only=True)
class MagnitudeRmsSettings:
    """Delta degrees of freedom, and whether shot noise is subtracted."""

    ddof: int
    subtract_shot_noise: bool = False


@dataclass(frozen=True, kw_only=True)
class ExcessRmsSettings:
    """Delta degrees of freedom."""

    ddof: int


def measurements(sample: Sample, parameters: Parameters, settings: object, limit: int | None) -> VisitMatrix:
    """Deviations of magnitudes from the mean of their star by visit, mmag.

    With ``settings.subtract_shot_noise`` the mean square of the errors of each star is its ``noise``.
    """
    matrix = sample.cached(
        ("magnitudes by visit", limit), lambda: sample.matrix(from_mean(sample, least=2)[0], limit=limit)
    )
    if not getattr(settings, "subtract_shot_noise", False):
        return matrix
    shot = sample.matrix((finite(sample, "mag_err") * MMAG) ** 2, limit=limit).values[0]
    return replace(matrix, noise=np.nanmean(shot, axis=1))


def measurements_for_pairs(
    sample: Sample, parameters: Parameters, settings: NoSettings, limit: int | None
) -> VisitMatrix:
    """The same, of no more stars than have ``limit`` pairs of visits."""
    return sample.cached(
        ("magnitudes by pairs of visits", limit),
        lambda: sample.matrix(from_mean(sample, least=2)[0], limit=limit, pairs_of_visits=True),
    )


def fast_magnitude_rms(sample: Sample, parameters: Parameters, settings: MagnitudeRmsSettings) -> Errors:
    r"""Standard deviation of each star's magnitudes over its visits, mmag.

    With ``settings.ddof``.

    With ``settings.subtract_shot_noise``, from the variance of a star of n measurements with errors
    :math:`\sigma_1 \dots \sigma_n` is subtracted what these errors contribute to its expectation,

    .. math:: \frac{n - 1}{n (n - \mathrm{ddof})} \sum_k \sigma_k^2,

    the mean of their squares for ddof = 1. A star that scatters less than its errors say has a negative remainder,
    which counts as 0; the method says how many there are. It moves no median that is above 0.

    Parameters
    ----------
    sample : Sample
    parameters : mapping
        None are taken.
    settings : MagnitudeRmsSettings

    Raises
    ------
    NotMeasurable
        A magnitude or error of the sample is not finite, or a star has no more than ``ddof``
        measurements, or only one.
    """
    residuals, counts = from_mean(sample, least=max(2, settings.ddof + 1))
    starts = sample.groups.start
    free = counts - settings.ddof
    variance = np.add.reduceat(residuals**2, starts) / free
    method, below = "every star", 0
    if getattr(settings, "subtract_shot_noise", False):
        shot = np.add.reduceat((finite(sample, "mag_err") * MMAG) ** 2, starts)
        variance -= shot * (counts - 1) / (counts * free)
        below = int(np.count_nonzero(variance < 0))
        method = f"shot noise subtracted; {below} of {len(counts)} stars scatter less than their errors and count as 0"
    rms = np.sqrt(np.maximum(variance, 0))
    return Errors(components={"value": rms}, measurements=len(residuals), method=method, zeros=below)


def fast_magnitude_deviation(sample: Sample, parameters: Parameters, settings: NoSettings) -> Errors:
    """Absolute deviation of measurements from the mean of their star, mmag.

    For n measurements with independent errors it is low by sqrt(1 - 1/n).

    Raises
    ------
    NotMeasurable
        A magnitude of the sample is not finite, or a star has one measurement only.
    """
    residuals, _ = from_mean(sample, least=2)
    return Errors(components={"value": np.abs(residuals)}, measurements=len(residuals), method="every measurement")


def fast_magnitude_difference(sample: Sample, parameters: Parameters, settings: NoSettings) -> Errors:
    """Absolute differences of the magnitudes of a star over sqrt(2), mmag.

    For all pairs of visits.

    The peer draws one pair of each star, so each star counts once however many pairs it has: a pair of a star of n
    visits has a weight proportional to 2 / (n (n - 1)), with a mean of 1 over all pairs. This is the distribution that
    the peer's draws are taken from; nothing here is drawn.

    Raises
    ------
    NotMeasurable
        A magnitude of the sample is not finite, or a star has one measurement only.
    """
    # PA1 takes the same with either sign
    return sample.cached("magnitude differences", lambda: _differences(sample))


def _differences(sample: Sample) -> Errors:
    residuals, counts = from_mean(sample, least=2)
    pairs = counts * (counts - 1) // 2
    total = int(pairs.sum())
    weight = sample.groups.broadcast(total / (len(pairs) * pairs))
    star = np.repeat(np.arange(len(counts)), counts)
    method = f"all {total:,} pairs of measurements of a star, each star counting once"
    values, weights, binned = [], [], np.zeros(round(BINNED / BIN) if total > KEPT else 0)
    for lag in range(1, int(counts.max())):
        progress.report("comparing magnitudes", lag, int(counts.max()))
        first = np.flatnonzero(star[lag:] == star[:-lag])
        size = np.abs(residuals[first + lag] - residuals[first]) / np.sqrt(2)
        share = weight[first]
        if len(binned):
            small = size < BINNED
            places = np.minimum((size[small] / BIN).astype(np.int64), len(binned) - 1)
            binned += np.bincount(places, share[small], minlength=len(binned))
            size, share = size[~small], share[~small]
        values.append(size)
        weights.append(share)
    if len(binned):
        filled = np.flatnonzero(binned)
        values.append((filled + 0.5) * BIN)
        weights.append(binned[filled])
        method += f"; too many to keep: counted in bins of {BIN:g} mmag"
    alike = bool((pairs == pairs[0]).all()) and not len(binned)
    return Errors(
        components={"value": np.concatenate(values)},
        weights=None if alike else np.concatenate(weights),
        measurements=len(residuals),
        method=method,
    )


def interquartile_width(values: AnyArray, weights: AnyArray | None) -> float:
    """PA1 of validate_drp: difference of the quartiles over 1.349.

    The divisor is that of a Gaussian of unit width.
    """
    low, high = (order_statistics.percentile(values, percent, weights) for percent in (25, 75))
    return (high - low) / (2 * _QUARTILE)


def width_of_sizes(sizes: AnyArray, weights: AnyArray | None) -> float:
    """`interquartile_width` of differences of either sign.

    The order of two visits means nothing.
    """
    both = None if weights is None else np.concatenate([weights, weights])
    return interquartile_width(np.concatenate([-sizes, sizes]), both)


_QUARTILE = NormalDist().inv_cdf(0.75)

_MAGNITUDE_RMS = Estimator(
    description="rms of the magnitudes of a star",
    quantity="magnitudes",
    measurements=measurements,
    errors=matrix_errors.rms,
    debiased=matrix_errors.debiased_rms,
    alternative=partial(matrix_errors.debiased_rms, gaussian=True),
    fast=fast_magnitude_rms,
    unit="mmag",
    settings=MagnitudeRmsSettings,
    columns=("mag",),
    residuals=matrix_errors.RESIDUALS_OF_RMS,
    fewest_visits=2,
    about_mean=True,
    formula="√(Σ (mₖ - m̄)² / (n - {ddof})), m the magnitudes of a star in its n visits",
)

_MAGNITUDE_DIFFERENCE = Estimator(
    description="difference of two magnitudes of a star / sqrt(2)",
    quantity="magnitudes",
    measurements=measurements_for_pairs,
    errors=matrix_errors.differences,
    fast=fast_magnitude_difference,
    unit="mmag",
    columns=("mag",),
    separable=True,
    residuals=matrix_errors.RESIDUALS,
    fewest_visits=2,
    about_mean=True,
    formula="|mⱼ - mₖ| / √2, m the magnitudes of a star, all pairs of its visits",
)

_ONE_BY_ONE = {
    "magnitude_deviation": Estimator(
        description="deviation of a magnitude from the mean of its star",
        quantity="magnitudes",
        measurements=measurements,
        errors=partial(matrix_errors.deviations, about="mean", absolute=True),
        debiased=partial(matrix_errors.debiased_deviations, absolute=True),
        fast=fast_magnitude_deviation,
        unit="mmag",
        columns=("mag",),
        separable=True,
        residuals=matrix_errors.RESIDUALS,
        fewest_visits=2,
        about_mean=True,
        formula="|mₖ - m̄|, m the magnitudes of a star in its visits",
    ),
    "excess_magnitude_rms": replace(
        _MAGNITUDE_RMS,
        description="rms of the magnitudes of a star, minus PA1",
        settings=ExcessRmsSettings,
        subtract_median=True,
        formula="r - s, r = √(Σ (mₖ - m̄)² / (n - {ddof})) of a star in its n visits, s the median of all r",
    ),
    "magnitude_difference_size": _MAGNITUDE_DIFFERENCE,
}


def _outliers(level: Parameters) -> Statistic:
    return Statistic("above", level["PA2"])


def _percentile(level: Parameters) -> Statistic:
    return Statistic("percentile", 100 - level["PF1"])


METRICS = (
    Metric(
        name="photometric_repeatability",
        title="scatter of the magnitudes of a star",
        unit="mmag",
        statistic=median,
        estimators={
            "magnitude_rms": _MAGNITUDE_RMS,
            "magnitude_difference": replace(
                _MAGNITUDE_DIFFERENCE,
                # the quartiles of values of either sign are the median of their sizes
                statistic=Statistic("percentile", 50, factor=1 / _QUARTILE),
                measure=width_of_sizes,
                formula="(Q₇₅ - Q₂₅) / 1.349, Q quartiles of (mⱼ - mₖ) / √2, m magnitudes of a star in pairs of visits",
            ),
        },
    ),
    Metric(
        name="photometric_outliers",
        title="fraction of magnitudes that deviate by more than PA2",
        unit="percent",
        statistic=_outliers,
        estimators=_ONE_BY_ONE,
        level_parameters={"PA2": "mmag"},
    ),
    Metric(
        name="photometric_percentile",
        title="deviation of a magnitude that a fraction PF1 exceeds",
        unit="mmag",
        statistic=_percentile,
        estimators=_ONE_BY_ONE,
        level_parameters={"PF1": "percent"},
    ),
)


def from_mean(sample: Sample, least: int) -> tuple[FloatArray, AnyArray]:
    """Magnitudes minus the mean of their star, mmag, and numbers of measurements."""
    groups = sample.groups

    def compute() -> FloatArray:
        magnitudes = finite(sample, "mag") * MMAG
        means = np.add.reduceat(magnitudes, groups.start) / groups.count
        return np.asarray(magnitudes - groups.broadcast(means))

    residuals = sample.cached("magnitude residuals", compute)
    if (groups.count < least).any():
        raise NotMeasurable(
            f"the sample has stars with fewer than {least} measurements: its definition has to cut on min_visits"
        )
    return residuals, groups.count


def finite(sample: Sample, column: str) -> FloatArray:
    """Values of a column in float64, once they are known to be finite."""
    values = sample.column(column).astype(np.float64)
    wrong = len(values) - int(np.count_nonzero(np.isfinite(values)))
    if wrong:
        raise NotMeasurable(
            f"{wrong} of {len(values)} selected rows have no finite {column}: the definition has to reject them with "
            f"the cut {{column: {column}, of: each, finite: true}}"
        )
    return values
