r"""Relative astrometry AM, AF and AD: scatter of separations of pairs of stars.

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

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from skyaccept.lib import separation
from skyaccept.lib.arrays import AnyArray
from skyaccept.lib.exceptions import NotMeasurable
from skyaccept.lib.metrics.metric import Metric, median
from skyaccept.lib.sample.sample import Sample
from skyaccept.lib.sample.subsampling import sampled
from skyaccept.lib.sample.visit_matrix import VisitMatrix
from skyaccept.lib.separation import Annulus, PairValues
from skyaccept.lib.sphere import ARCMIN
from skyaccept.lib.sphere import separation as sphere_separation
from skyaccept.lib.uncertainty import matrix_errors
from skyaccept.lib.uncertainty.errors import Errors
from skyaccept.lib.uncertainty.estimator import Estimator, Parameters
from skyaccept.lib.uncertainty.statistic import Statistic

_SQRT_2 = float(np.sqrt(2))


@dataclass(frozen=True, kw_only=True)
class PairSettings:
    """Half the width of the separation class, radians, and the fewest visits.

    Both stars have to be seen in a visit.
    """

    half_width: float
    min_common_visits: int


@dataclass(frozen=True, kw_only=True)
class PairRmsSettings(PairSettings):
    """The same, with the delta degrees of freedom of a standard deviation."""

    ddof: int


def measurements(sample: Sample, parameters: Parameters, settings: PairSettings, limit: int | None) -> VisitMatrix:
    """Separations of pairs by visit, minus that of their mean directions, mas.

    Parameters
    ----------
    sample : Sample
    parameters : mapping
        ``separation`` in arcmin.
    settings : PairSettings
    limit : int, optional
        Measurements at most; of more, those of the pairs of a subsample of the stars.

    Raises
    ------
    NotMeasurable
        Fewer visits than the settings need, or no pair in the separation class.
    """
    where, annulus, least = sample.positions, _annulus(sample, parameters, settings), settings.min_common_visits

    def compute() -> VisitMatrix:
        number = len(where)
        if limit is not None:
            most = limit / where.n_visits / max(_number_of_pairs(sample, annulus, least), 1)
            number = int(number * min(1.0, np.sqrt(most)))
        stars, note = sampled(where.direction, number, "stars")
        pairs, values = separation.deviations(where, annulus, max(least, 2), stars)
        if not len(values):
            raise NotMeasurable(f"no interval: no pair of the {len(stars):,} stars that replicates are made of")
        return VisitMatrix(
            values=(values,),
            stars=pairs,
            n_stars=len(stars),
            brightness=None if sample.brightness is None else sample.brightness[stars],
            objects=where.objects[stars],
            min_visits=least,
            subsample_note=note,
            visits=where.visits,
            visit_groups=sample.group_keys(where.visits),
        )

    return sample.cached(("pairs by visit", annulus, least, limit), compute)


def fast_pair_rms(sample: Sample, parameters: Parameters, settings: PairRmsSettings) -> Errors:
    """Standard deviation of each pair's separation, mas, from compiled code."""
    return _pair_rms(sample, parameters, settings, settings.ddof)


def fast_visit_difference(sample: Sample, parameters: Parameters, settings: PairSettings) -> Errors:
    """Absolute difference of the separations of a pair in two visits, mas.

    It is sqrt(2) times the sample standard deviation of the two.
    """
    _check_two_visits(sample.positions.n_visits, f"band {sample.band}")
    errors = _pair_rms(sample, parameters, settings, 1)
    return errors.map(_times_sqrt_2)


def fast_deviations(sample: Sample, parameters: Parameters, settings: PairSettings) -> Errors:
    """Absolute deviation of each separation from the median of its pair, mas.

    From compiled code.
    """
    annulus, least = _annulus(sample, parameters, settings), settings.min_common_visits

    def compute() -> Errors:
        pairs = separation.pair_deviations(
            sample.positions, annulus, about="median", min_common_visits=least, absolute=True
        )
        visits = sample.positions.n_visits
        # one of an odd number of separations is their median
        even = visits % 2 == 0 and pairs.measurements == pairs.pairs * visits
        return _errors(sample, annulus, settings, pairs, zeros=0 if even else pairs.pairs)

    # AF and AD take the same deviations
    return sample.cached(("deviations of pairs", annulus, least), compute)


def fast_mean_deviations(sample: Sample, parameters: Parameters, settings: PairSettings) -> Errors:
    """Deviation of every measured separation from the mean of its pair, mas, signed."""
    annulus = _annulus(sample, parameters, settings)
    pairs = separation.pair_deviations(
        sample.positions, annulus, about="mean", min_common_visits=settings.min_common_visits
    )
    return _errors(sample, annulus, settings, pairs)


def visit_difference(matrix: VisitMatrix, settings: PairSettings) -> Errors:
    """Absolute difference of the separations of a pair in two visits, mas."""
    _check_two_visits(matrix.n_visits, "the matrix")
    return matrix_errors.rms(matrix, settings, ddof=1, factor=_SQRT_2)


def _pair_rms(sample: Sample, parameters: Parameters, settings: PairSettings, ddof: int) -> Errors:
    annulus = _annulus(sample, parameters, settings)
    pairs = separation.pair_rms(sample.positions, annulus, ddof=ddof, min_common_visits=settings.min_common_visits)
    return _errors(sample, annulus, settings, pairs)


def _annulus(sample: Sample, parameters: Parameters, settings: PairSettings) -> Annulus:
    """Separation class of a clause, once the sample is known to have enough visits."""
    visits = sample.positions.n_visits
    if visits < settings.min_common_visits:
        raise NotMeasurable(
            f"needs {settings.min_common_visits} visits in band {sample.band}, and the sample has {visits}"
        )
    middle = parameters["separation"] * ARCMIN
    return Annulus(max(0.0, middle - settings.half_width), middle + settings.half_width)


def _check_two_visits(visits: int, where: str) -> None:
    if visits != 2:
        raise NotMeasurable(f"defined for exactly two visits, and {where} has {visits}")


def _times_sqrt_2(values: AnyArray) -> AnyArray:
    return np.asarray(values * _SQRT_2)


def _errors(sample: Sample, annulus: Annulus, settings: PairSettings, found: PairValues, *, zeros: int = 0) -> Errors:
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
    sample.cached(_pairs_key(annulus, settings.min_common_visits), lambda: found.pairs)
    return Errors(
        components={"value": found.values},
        weights=found.counts,
        pairs=found.pairs,
        measurements=found.measurements,
        method=_method(found),
        zeros=zeros,
    )


def _pairs_key(annulus: Annulus, least: int) -> tuple[object, ...]:
    return "number of pairs", annulus, least


def _number_of_pairs(sample: Sample, annulus: Annulus, least: int) -> int:
    """Number of pairs of a separation class that were seen together often enough."""

    def count() -> int:
        return separation.pair_rms(sample.positions, annulus, ddof=0, min_common_visits=least).pairs

    return sample.cached(_pairs_key(annulus, least), count)


def _method(found: PairValues) -> str:
    """How pairs were measured, in words."""
    words = "all pairs, float64"
    if found.exact_pairs < found.pairs:
        words = f"all pairs, float32 to within 1e-4 mas; {found.exact_pairs:,} of them, close or fast, in float64"
    if found.counts is not None:
        words += (
            "; too many values to keep: counted in bins, each off by less than 7e-5 mas, or 1e-6 of it beyond 64 mas"
        )
    return words


_PAIR_RMS = Estimator(
    description="rms of the separation of a pair",
    quantity="positions",
    unit="mas",
    measurements=measurements,
    errors=matrix_errors.rms,
    debiased=matrix_errors.debiased_rms,
    alternative=partial(matrix_errors.debiased_rms, gaussian=True),
    fast=fast_pair_rms,
    settings=PairRmsSettings,
    residuals=matrix_errors.RESIDUALS_OF_RMS,
    fewest_visits=2,
    about_mean=True,
    formula="√(Σ (sₖ - s̄)² / (n - {ddof})), s the separations of a pair in its n common visits",
)

_DEVIATION = Estimator(
    description="deviation of a separation from the median of its pair",
    quantity="positions",
    unit="mas",
    measurements=measurements,
    errors=partial(matrix_errors.deviations, about="median", absolute=True),
    debiased=partial(matrix_errors.debiased_deviations, absolute=True),
    fast=fast_deviations,
    settings=PairSettings,
    separable=True,
    residuals=matrix_errors.RESIDUALS,
    fewest_visits=2,
    about_mean=True,
    formula="|sₖ - median(s)|, s the separations of a pair in its common visits",
)

ESTIMATORS = {
    "pair_rms": _PAIR_RMS,
    "visit_difference": replace(
        _PAIR_RMS,
        description="difference of a pair's two separations",
        errors=visit_difference,
        debiased=partial(matrix_errors.debiased_rms, ddof=1, factor=_SQRT_2),
        alternative=partial(matrix_errors.debiased_rms, ddof=1, factor=_SQRT_2, gaussian=True),
        fast=fast_visit_difference,
        settings=PairSettings,
        residuals=replace(matrix_errors.RESIDUALS_OF_RMS, factor=_SQRT_2),
        formula="|s₁ - s₂|, s the separations of a pair in the two visits",
    ),
    "deviation": _DEVIATION,
    "excess_rms": replace(
        _PAIR_RMS,
        description="rms of the separation of a pair, minus AM",
        subtract_median=True,
        formula="r - m, r = √(Σ (sₖ - s̄)² / (n - {ddof})) of a pair in its n common visits, m the median of all r",
    ),
    "recentred_deviation": replace(
        _DEVIATION,
        description="deviation from the median of the pair, re-centred",
        subtract_median=True,
        formula="e - m, e = |sₖ - median(s)|, s separations of a pair, m the median of all e",
    ),
    "recentred_deviation_size": replace(
        _DEVIATION,
        description="size of the deviation from the median of the pair, re-centred",
        subtract_median=True,
        absolute=True,
        formula="|e - m|, e = |sₖ - median(s)|, s separations of a pair, m the median of all e",
    ),
    "pooled_deviation": replace(
        _DEVIATION,
        description="deviation from the mean of the pair about the overall median",
        errors=partial(matrix_errors.deviations, about="mean"),
        debiased=matrix_errors.debiased_deviations,
        fast=fast_mean_deviations,
        signed=True,
        subtract_median=True,
        absolute=True,
        formula="|d - m|, d = sₖ - s̄, s separations of a pair, m the median of all d",
    ),
}


def _outliers(level: Parameters) -> Statistic:
    return Statistic("above", level["AD"])


def _percentile(level: Parameters) -> Statistic:
    return Statistic("percentile", 100 - level["AF"])


_SEPARATION = {"separation": "arcmin"}

METRICS = (
    Metric(
        name="pair_separation_rms",
        title="median error of pair separations",
        unit="mas",
        statistic=median,
        estimators=ESTIMATORS,
        parameters=_SEPARATION,
    ),
    Metric(
        name="pair_separation_outliers",
        title="fraction of pair separation errors above AD",
        unit="percent",
        statistic=_outliers,
        estimators=ESTIMATORS,
        parameters=_SEPARATION,
        level_parameters={"AD": "mas"},
    ),
    Metric(
        name="pair_separation_percentile",
        title="pair separation error that a fraction AF exceeds",
        unit="mas",
        statistic=_percentile,
        estimators=ESTIMATORS,
        parameters=_SEPARATION,
        level_parameters={"AF": "percent"},
    ),
)
