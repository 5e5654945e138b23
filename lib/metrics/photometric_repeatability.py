r"""Photometric repeatability PA1, PF1 and PA2: how well magnitudes of a star repeat from visit to visit.

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

from collections.abc import Mapping
from dataclasses import replace
from statistics import NormalDist

import numpy as np
from skyaccept.lib import progress
from skyaccept.lib.arrays import AnyArray, FloatArray
from skyaccept.lib.exceptions import NotMeasurable
from skyaccept.lib.metrics.metric import Errors, Estimator, Metric, Settings
from skyaccept.lib.metrics.relative_astrometry import excess
from skyaccept.lib.sample.sample import Sample
from skyaccept.lib.sample.visit_matrix import Matrix
from skyaccept.lib.uncertainty import order_statistics, resampled_errors
from skyaccept.lib.uncertainty.statistic import Question

MMAG = 1000.0
"""mmag in a mag."""

KEPT = 20_000_000
"""Pairs of measurements that are kept one by one."""

BIN, BINNED = 1e-4, 1000.0
"""Width of the bins that count more of them, and the difference beyond which each is kept all the same; mmag."""


def magnitude_rms(sample: Sample, parameters: Mapping[str, float], settings: Settings) -> Errors:
    r"""Standard deviation of each star's magnitudes over its visits, mmag, with ``settings.ddof``.

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
    settings : Settings

    Raises
    ------
    NotMeasurable
        A magnitude or error of the sample is not finite, or a star has no more than ``ddof`` measurements.
    """
    residuals, counts = from_mean(sample, least=(settings.ddof or 0) + 1)
    starts = sample.groups.start
    free = counts - (settings.ddof or 0)
    variance = np.add.reduceat(residuals**2, starts) / free
    method, below = "every star", 0
    if settings.subtract_shot_noise:
        shot = np.add.reduceat((finite(sample, "mag_err") * MMAG) ** 2, starts)
        variance -= shot * (counts - 1) / (counts * free)
        below = int(np.count_nonzero(variance < 0))
        method = f"shot noise subtracted; {below} of {len(counts)} stars scatter less than their errors and count as 0"
    return Errors(np.sqrt(np.maximum(variance, 0)), 0, len(residuals), method, zeros=below)


def magnitude_deviation(sample: Sample, parameters: Mapping[str, float], settings: Settings) -> Errors:
    """Absolute deviation of every measurement from the mean magnitude of its star, mmag.

    For n measurements with independent errors it is low by sqrt(1 - 1/n).

    Raises
    ------
    NotMeasurable
        A magnitude of the sample is not finite, or a star has one measurement only.
    """
    residuals, _ = from_mean(sample, least=2)
    return Errors(np.abs(residuals), 0, len(residuals), "every measurement")


def excess_magnitude_rms(sample: Sample, parameters: Mapping[str, float], settings: Settings) -> Errors:
    """`magnitude_rms` of each star minus the median over all stars, mmag; signed."""
    return excess(magnitude_rms(sample, parameters, settings), "mmag")


def magnitude_difference(sample: Sample, parameters: Mapping[str, float], settings: Settings) -> Errors:
    """`magnitude_difference_size` with either sign, mmag: the order of two visits means nothing."""
    size = magnitude_difference_size(sample, parameters, settings)
    counts = None if size.counts is None else np.concatenate([size.counts, size.counts])
    return replace(size, values=np.concatenate([-size.values, size.values]), counts=counts)


def magnitude_difference_size(sample: Sample, parameters: Mapping[str, float], settings: Settings) -> Errors:
    """Absolute difference of the magnitudes of a star in two visits over sqrt(2), mmag, for all pairs of visits.

    The peer draws one pair of each star, so each star counts once however many pairs it has: a pair of a star of n
    visits has a weight proportional to 2 / (n (n - 1)), with a mean of 1 over all pairs. This is the distribution that
    the peer's draws are taken from; nothing here is drawn.

    Raises
    ------
    NotMeasurable
        A magnitude of the sample is not finite, or a star has one measurement only.
    """
    # PA1 takes the same with either sign
    return sample.once("magnitude_difference_size", lambda: _differences(sample))


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
    return Errors(np.concatenate(values), 0, len(residuals), method, counts=None if alike else np.concatenate(weights))


def interquartile_width(values: AnyArray, counts: AnyArray | None) -> float:
    """PA1 of validate_drp: difference of the quartiles over that of a Gaussian of unit width, 1.349."""
    low, high = (order_statistics.percentile(values, share, counts) for share in (25, 75))
    return (high - low) / (2 * _QUARTILE)


def _matrix(sample: Sample, parameters: Mapping[str, float], settings: Settings, errors: Errors) -> Matrix:
    """Deviations of magnitudes from the mean of their star, by visit."""
    matrix = sample.once("magnitudes by visit", lambda: sample.matrix(from_mean(sample, least=1)[0]))
    if not settings.subtract_shot_noise:
        return matrix
    shot = sample.matrix((finite(sample, "mag_err") * MMAG) ** 2).values[0]
    return replace(matrix, noise=np.nanmean(shot, axis=1))


def _matrix_of_pairs(sample: Sample, parameters: Mapping[str, float], settings: Settings, errors: Errors) -> Matrix:
    """The same, of no more stars than all pairs of visits can be compared of."""
    return sample.once(
        "magnitudes by pairs of visits", lambda: sample.matrix(from_mean(sample, least=1)[0], between=True)
    )


_MAG: tuple[str, ...] = ("mag",)

_QUARTILE = NormalDist().inv_cdf(0.75)

_ONE_BY_ONE = {
    "magnitude_deviation": Estimator(
        magnitude_deviation,
        "deviation of a magnitude from the mean of its star",
        _matrix,
        lambda matrix, _: resampled_errors.deviation(matrix, "mean"),
        "mmag",
        columns=_MAG,
        formula="|mₖ - m̄|, m the magnitudes of a star in its visits",
    ),
    "excess_magnitude_rms": Estimator(
        excess_magnitude_rms,
        "rms of the magnitudes of a star, minus PA1",
        _matrix,
        lambda matrix, settings: resampled_errors.recentred(
            resampled_errors.rms(matrix, settings.ddof or 0), signed=True
        ),
        "mmag",
        needs=("ddof",),
        columns=_MAG,
        formula="r - s, r = √(Σ (mₖ - m̄)² / (n - {ddof})) of a star in its n visits, s the median of all r",
    ),
    "magnitude_difference_size": Estimator(
        magnitude_difference_size,
        "difference of two magnitudes of a star / sqrt(2)",
        _matrix_of_pairs,
        lambda matrix, _: resampled_errors.difference(matrix),
        "mmag",
        columns=_MAG,
        formula="|mⱼ - mₖ| / √2, m the magnitudes of a star, all pairs of its visits",
    ),
}

METRICS = (
    Metric(
        "photometric_repeatability",
        "scatter of the magnitudes of a star",
        "mmag",
        lambda _: Question("percentile", 50),
        {
            "magnitude_rms": Estimator(
                magnitude_rms,
                "rms of the magnitudes of a star",
                _matrix,
                lambda matrix, settings: resampled_errors.rms(matrix, settings.ddof or 0),
                "mmag",
                needs=("ddof",),
                takes_shot_noise=True,
                columns=_MAG,
                formula="√(Σ (mₖ - m̄)² / (n - {ddof})), m the magnitudes of a star in its n visits",
            ),
            "magnitude_difference": Estimator(
                magnitude_difference,
                "difference of two magnitudes of a star / sqrt(2)",
                _matrix_of_pairs,
                lambda matrix, _: resampled_errors.difference(matrix),
                "mmag",
                columns=_MAG,
                # the quartiles of values of either sign are the median of their sizes
                question=Question("percentile", 50, factor=1 / _QUARTILE),
                statistic=interquartile_width,
                formula="(Q₇₅ - Q₂₅) / 1.349, Q quartiles of (mⱼ - mₖ) / √2, m magnitudes of a star in pairs of visits",
            ),
        },
    ),
    Metric(
        "photometric_outliers",
        "fraction of magnitudes that deviate by more than PA2",
        "percent",
        lambda level: Question("above", level["PA2"]),
        _ONE_BY_ONE,
        level_parameters={"PA2": "mmag"},
    ),
    Metric(
        "photometric_percentile",
        "deviation of a magnitude that a fraction PF1 exceeds",
        "mmag",
        lambda level: Question("percentile", 100 - level["PF1"]),
        _ONE_BY_ONE,
        level_parameters={"PF1": "percent"},
    ),
)


def from_mean(sample: Sample, least: int) -> tuple[FloatArray, AnyArray]:
    """Magnitudes minus the mean of their star, mmag, and the number of measurements of each star."""
    groups = sample.groups

    def find() -> FloatArray:
        magnitudes = finite(sample, "mag") * MMAG
        means = np.add.reduceat(magnitudes, groups.start) / groups.count
        return np.asarray(magnitudes - groups.broadcast(means))

    residuals = sample.once("magnitude residuals", find)
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
