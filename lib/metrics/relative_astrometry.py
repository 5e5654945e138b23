r"""Relative astrometry AM, AF and AD: how well separations of pairs of stars repeat from visit to visit.

Every estimator turns the pairs of a separation class into errors in mas; the three metrics are statistics of these:

- AM, ``pair_separation_rms``: their median;
- AF, ``pair_separation_outliers``: the percentage of them strictly above AD (mas);
- AD, ``pair_separation_percentile``: their (100 - AF)th percentile, interpolated linearly between order statistics.

For a pair with separations :math:`s_1 \dots s_n` in its n common visits the errors are, by estimator:

======================== ============================================== ======================
estimator                errors                                         used by
======================== ============================================== ======================
pair_rms                 std(s), one a pair                             AM of all; lvv-t1278
visit_difference         \|s_1 - s_2\|, one a pair                      lvv-t1278-notebook
deviation                \|s_k - median(s)\|                            srd
excess_rms               std(s) - m, m the median of std(s) of all      validate_drp
recentred_deviation      e - m, e = \|s_k - median(s)\|, m its median   faro AD
recentred_deviation_size \|e - m\|                                      faro AF
pooled_deviation         \|d - m\|, d = s_k - mean(s), m its median     analysis_tools
======================== ============================================== ======================

Sources: LPM-17 5.2.3 table 18; the LVV-T1278 procedure; validate_drp amx.py, adx.py, afx.py (107f81d); faro
separations.py and MatchedCatalogMeasurementTasks.py (aff3cf7); analysis_tools calcDistances.py (c74f828).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from skyaccept.lib import separation
from skyaccept.lib.exceptions import NotMeasurable
from skyaccept.lib.metrics.metric import Errors, Estimator, Metric, Settings
from skyaccept.lib.sample.sample import Sample
from skyaccept.lib.sample.subsampling import sampled
from skyaccept.lib.sample.visit_matrix import LIMIT, Matrix
from skyaccept.lib.separation import Annulus, PairValues
from skyaccept.lib.sphere import ARCMIN
from skyaccept.lib.sphere import separation as sphere_separation
from skyaccept.lib.uncertainty import order_statistics, resampled_errors
from skyaccept.lib.uncertainty.statistic import Question


def pair_rms(sample: Sample, parameters: Mapping[str, float], settings: Settings) -> Errors:
    """Standard deviation of each pair's separation over its common visits, mas, with ``settings.ddof``.

    Parameters
    ----------
    sample : Sample
    parameters : mapping
        ``separation`` in arcmin.
    settings : Settings

    Raises
    ------
    NotMeasurable
        Fewer visits than asked for, no object, or no pair in the separation class.
    """
    annulus = _annulus(sample, parameters, settings)
    pairs = separation.pair_rms(
        sample.positions, annulus, ddof=settings.ddof or 0, min_common_visits=settings.min_common_visits
    )
    return _errors(sample, annulus, settings, pairs)


def visit_difference(sample: Sample, parameters: Mapping[str, float], settings: Settings) -> Errors:
    """Absolute difference of the two separations of each pair, mas; for exactly two visits.

    Computed as sqrt(2) times the sample standard deviation of two values, which is the same number.

    Raises
    ------
    NotMeasurable
        As `pair_rms`; also with more than two visits.
    """
    visits = _visits(sample)
    if visits != 2:
        raise NotMeasurable(f"defined for exactly two visits, and band {sample.band} has {visits}")
    errors = pair_rms(sample, parameters, Settings(settings.half_width, settings.min_common_visits, ddof=1))
    return replace(errors, values=errors.values * np.sqrt(2))


def deviation(sample: Sample, parameters: Mapping[str, float], settings: Settings) -> Errors:
    """Absolute deviation of every measured separation from the median of its pair, mas."""
    annulus = _annulus(sample, parameters, settings)

    def find() -> Errors:
        pairs = separation.pair_deviations(
            sample.positions, annulus, about="median", min_common_visits=settings.min_common_visits, absolute=True
        )
        errors, visits = _errors(sample, annulus, settings, pairs), sample.positions.n_visits
        # one of an odd number of separations is their median
        even = visits % 2 == 0 and errors.measurements == errors.pairs * visits
        return replace(errors, zeros=0 if even else errors.pairs)

    # AF and AD re-centre the same deviations, each in its way
    return sample.once(("deviation", annulus, settings.min_common_visits), find)


def excess_rms(sample: Sample, parameters: Mapping[str, float], settings: Settings) -> Errors:
    """Standard deviation of each pair minus the median over all pairs, mas; signed."""
    return excess(pair_rms(sample, parameters, settings), "mas")


def recentred_deviation(sample: Sample, parameters: Mapping[str, float], settings: Settings) -> Errors:
    """Absolute deviation from the median of the pair, minus the median of all these, mas; signed."""
    return excess(deviation(sample, parameters, settings), "mas")


def recentred_deviation_size(sample: Sample, parameters: Mapping[str, float], settings: Settings) -> Errors:
    """Size of `recentred_deviation`, mas."""
    errors = recentred_deviation(sample, parameters, settings)
    return replace(errors, values=np.abs(errors.values))


def pooled_deviation(sample: Sample, parameters: Mapping[str, float], settings: Settings) -> Errors:
    """Deviation from the mean of the pair, taken about the median of all of them, absolute, mas."""
    annulus = _annulus(sample, parameters, settings)
    pairs = separation.pair_deviations(
        sample.positions, annulus, about="mean", min_common_visits=settings.min_common_visits
    )
    errors = _errors(sample, annulus, settings, pairs)
    return replace(errors, values=np.abs(excess(errors, "mas").values), zeros=1)


def excess(errors: Errors, unit: str) -> Errors:
    """Errors minus their median; signed. Raises `NotMeasurable` where too many are 0 before."""
    middle = order_statistics.median(errors.check(unit).values, errors.counts)
    return replace(errors, values=errors.values - middle, zeros=1)


def _matrix(sample: Sample, parameters: Mapping[str, float], settings: Settings, errors: Errors) -> Matrix:
    """Separations of pairs by visit; where there are too many, of the pairs of some of the stars."""
    where, annulus, least = sample.positions, _annulus(sample, parameters, settings), settings.min_common_visits

    def make() -> Matrix:
        most = LIMIT / where.n_visits / max(errors.pairs, 1)
        stars, note = sampled(where.direction, int(len(where) * min(1.0, np.sqrt(most))), "stars")
        pairs, values = separation.deviations(where, annulus, max(least, 2), stars)
        bright = None if sample.brightness is None else sample.brightness[stars]
        if not len(values):
            raise NotMeasurable(f"no interval: no pair of the {len(stars):,} stars that replicates are made of")
        objects = where.objects[stars]
        return Matrix((values,), pairs, len(stars), bright, objects, least, note=note, visits=where.visits)

    return sample.once(("pairs by visit", annulus, least, errors.pairs), make)


ESTIMATORS = {
    "pair_rms": Estimator(
        pair_rms,
        "rms of the separation of a pair",
        _matrix,
        lambda matrix, settings: resampled_errors.rms(matrix, settings.ddof or 0),
        needs=("ddof",),
        of_pairs=True,
        formula="√(Σ (sₖ - s̄)² / (n - {ddof})), s the separations of a pair in its n common visits",
    ),
    "visit_difference": Estimator(
        visit_difference,
        "difference of a pair's two separations",
        _matrix,
        lambda matrix, _: resampled_errors.rms(matrix, 1, np.sqrt(2)),
        of_pairs=True,
        formula="|s₁ - s₂|, s the separations of a pair in the two visits",
    ),
    "deviation": Estimator(
        deviation,
        "deviation of a separation from the median of its pair",
        _matrix,
        lambda matrix, _: resampled_errors.deviation(matrix, "median"),
        of_pairs=True,
        formula="|sₖ - median(s)|, s the separations of a pair in its common visits",
    ),
    "excess_rms": Estimator(
        excess_rms,
        "rms of the separation of a pair, minus AM",
        _matrix,
        lambda matrix, settings: resampled_errors.recentred(
            resampled_errors.rms(matrix, settings.ddof or 0), signed=True
        ),
        needs=("ddof",),
        of_pairs=True,
        formula="r - m, r = √(Σ (sₖ - s̄)² / (n - {ddof})) of a pair in its n common visits, m the median of all r",
    ),
    "recentred_deviation": Estimator(
        recentred_deviation,
        "deviation from the median of the pair, re-centred",
        _matrix,
        lambda matrix, _: resampled_errors.recentred(resampled_errors.deviation(matrix, "median"), signed=True),
        of_pairs=True,
        formula="e - m, e = |sₖ - median(s)|, s separations of a pair, m the median of all e",
    ),
    "recentred_deviation_size": Estimator(
        recentred_deviation_size,
        "size of the deviation from the median of the pair, re-centred",
        _matrix,
        lambda matrix, _: resampled_errors.recentred(resampled_errors.deviation(matrix, "median")),
        of_pairs=True,
        formula="|e - m|, e = |sₖ - median(s)|, s separations of a pair, m the median of all e",
    ),
    "pooled_deviation": Estimator(
        pooled_deviation,
        "deviation from the mean of the pair about the overall median",
        _matrix,
        lambda matrix, _: resampled_errors.recentred(resampled_errors.deviation(matrix, "mean", signed=True)),
        of_pairs=True,
        formula="|d - m|, d = sₖ - s̄, s separations of a pair, m the median of all d",
    ),
}

_SEPARATION = {"separation": "arcmin"}

METRICS = (
    Metric(
        "pair_separation_rms",
        "median error of pair separations",
        "mas",
        lambda _: Question("percentile", 50),
        ESTIMATORS,
        _SEPARATION,
    ),
    Metric(
        "pair_separation_outliers",
        "fraction of pair separation errors above AD",
        "percent",
        lambda level: Question("above", level["AD"]),
        ESTIMATORS,
        _SEPARATION,
        {"AD": "mas"},
    ),
    Metric(
        "pair_separation_percentile",
        "pair separation error that a fraction AF exceeds",
        "mas",
        lambda level: Question("percentile", 100 - level["AF"]),
        ESTIMATORS,
        _SEPARATION,
        {"AF": "percent"},
    ),
)


def _annulus(sample: Sample, parameters: Mapping[str, float], settings: Settings) -> Annulus:
    """Separation class asked for, once the sample is known to have enough visits and objects."""
    visits = _visits(sample)
    if visits < settings.min_common_visits:
        raise NotMeasurable(
            f"needs {settings.min_common_visits} visits in band {sample.band}, and the sample has {visits}"
        )
    middle = parameters["separation"] * ARCMIN
    return Annulus(max(0.0, middle - settings.half_width), middle + settings.half_width)


def _visits(sample: Sample) -> int:
    return int(sample.positions.seen.shape[1])


def _errors(sample: Sample, annulus: Annulus, settings: Settings, found: PairValues) -> Errors:
    if found.pairs == 0:
        low, high = annulus.inner / ARCMIN, annulus.outer / ARCMIN
        where = sample.positions.direction
        center = where.sum(axis=0) / np.linalg.norm(where.sum(axis=0))
        radius = float(sphere_separation(where, center).max()) / ARCMIN
        raise NotMeasurable(
            f"no pair of objects {low:g} to {high:g} arcmin apart was seen together in "
            f"{settings.min_common_visits} visits or more; the {len(where)} objects of the sample lie within "
            f"{radius:.1f} arcmin of its centre"
        )
    return Errors(found.values, found.pairs, found.measurements, _method(found), found.weights)


def _method(found: PairValues) -> str:
    """How pairs were measured, in words."""
    words = "all pairs, float64"
    if found.exact_pairs < found.pairs:
        words = f"all pairs, float32 to within 1e-4 mas; {found.exact_pairs:,} of them, close or fast, in float64"
    if found.binned:
        words += (
            "; too many values to keep: counted in bins, each off by less than 7e-5 mas, or 1e-6 of it beyond 64 mas"
        )
    return words
