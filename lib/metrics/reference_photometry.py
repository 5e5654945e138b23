r"""Zero points against a reference catalog: PA6 of a band, PA5 of a colour.

The mean magnitude of star k over its visits in band b is compared with the one that the reference catalog makes expect,

.. math:: d_{kb} = \bar m_{kb} - m_{\mathrm{ref},kb}, \qquad
          m_{\mathrm{ref},kb} = m_\mathrm{ref} + \sum_j a_j c^j,

with the colour term that the survey profile declares (`skyaccept.lib.catalog.colors`); without one reference
magnitudes are taken as they stand, and notes and method say so. LPM-17 limits how accurately zero points of bands and
colours are known: one number of a band or colour, not the scatter of its stars. The estimators give one signed error
a star and the value is the size of their median, in which random errors of either sign cancel, and which wrong
matches and variable stars hardly move:

- PA6, ``absolute_zero_point``: :math:`|\mathrm{median}_k d_{kb}|`;
- PA5, ``color_zero_point``: :math:`|\mathrm{median}_k (d_{kb} - d_{kb'})|` over the stars that both bands have, b'
  being the band that the clause compares with.

An error of the reference catalog's own zero point is part of the value and cannot be told apart; the interval knows of
what differs between visits and between stars only.

Sources: LPM-17 5.2.3 (PA5, PA6); no published tool computes either.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from skyaccept.lib.arrays import FloatArray, IntArray
from skyaccept.lib.catalog.detections import inverse_index
from skyaccept.lib.catalog.reference import Reference
from skyaccept.lib.exceptions import NotMeasurable
from skyaccept.lib.metrics.absolute_astrometry import matched_stars
from skyaccept.lib.metrics.band_offset import compared_with
from skyaccept.lib.metrics.metric import Metric, absolute_median, stable_group_sum
from skyaccept.lib.metrics.photometric_repeatability import MMAG, finite
from skyaccept.lib.sample.sample import Sample
from skyaccept.lib.sample.visit_matrix import VisitMatrix
from skyaccept.lib.uncertainty import matrix_errors, order_statistics
from skyaccept.lib.uncertainty.errors import Errors
from skyaccept.lib.uncertainty.estimator import Estimator, Parameters

_COMMON = "an error of the reference catalog's own zero points repeats in all visits and stars: no interval knows of it"


@dataclass(frozen=True, kw_only=True)
class ReferenceSettings:
    """Matching radius, radians, and least S/N of the magnitudes of reference stars."""

    radius: float
    reference_snr: float


@dataclass(frozen=True, kw_only=True)
class ColorSettings(ReferenceSettings):
    """The same, and the other band of the colour."""

    reference_band: str


def measurements(sample: Sample, parameters: Parameters, settings: ReferenceSettings, limit: int | None) -> VisitMatrix:
    """Magnitudes minus those expected from reference stars, mmag.

    By star and visit.

    Parameters
    ----------
    sample : Sample
    parameters : mapping
        None are taken.
    settings : ReferenceSettings
    limit : int, optional
        Measurements at most; of more, those of a subsample of the stars.

    Raises
    ------
    NotMeasurable
        No reference catalog, none of its magnitudes in a band that is needed, a magnitude of the sample that is not
        finite, or no star left to compare with.
    """
    found = differences(sample, settings)
    visit = sample.detections.visit[sample.selection.rows[found.used]]
    return sample.matrix(found.value, star=sample.star_index[found.used], visit=visit, limit=limit)


def color_measurements(
    sample: Sample, parameters: Parameters, settings: ColorSettings, limit: int | None
) -> VisitMatrix:
    """The same of stars that both bands have, compared with the other band."""
    other = compared_with(sample, settings.reference_band)
    here, there = differences(sample, settings), differences(other, settings)
    own, objects = _objects(sample, here), _objects(other, there)
    common = np.isin(own, objects)
    rows = sample.selection.rows[here.used]
    matrix = sample.matrix(
        here.value[common],
        star=sample.star_index[here.used][common],
        visit=sample.detections.visit[rows][common],
        limit=limit,
    )
    if matrix.objects is None:
        raise ValueError("the matrix does not say which objects it holds")
    row = inverse_index(matrix.objects, sample.detections.n_objects)[objects]
    visits, column = np.unique(other.detections.visit[other.selection.rows[there.used]], return_inverse=True)
    values = np.full((len(matrix.objects), len(visits)), np.nan)
    values[row[row >= 0], column[row >= 0]] = there.value[row >= 0]
    return replace(
        matrix,
        comparison=(values,),
        comparison_visits=visits,
        comparison_groups=other.group_keys(visits),
        delete_jointly=True,
    )


def fast_mean_difference(sample: Sample, parameters: Parameters, settings: ReferenceSettings) -> Errors:
    """Mean magnitude of each star minus that expected, mmag.

    Errors as `measurements`.
    """
    found = differences(sample, settings)
    star = sample.star_index[found.used]
    seen, place = np.unique(star, return_inverse=True)
    means = stable_group_sum(place, found.value, len(seen)) / np.bincount(place)
    return Errors(
        components={"value": means},
        measurements=len(found.value),
        method=found.method,
        notes=(*found.notes, f"{len(seen):,} stars are compared", _signed(means), _COMMON),
    )


def fast_mean_color_difference(sample: Sample, parameters: Parameters, settings: ColorSettings) -> Errors:
    """The same, minus the same in the band ``settings.reference_band``, mmag.

    Raises
    ------
    NotMeasurable
        As `measurements`, in either band; also where no star is left that both have.
    """
    other = compared_with(sample, settings.reference_band)
    here, there = differences(sample, settings), differences(other, settings)
    (mean, number), (others, number_of_others) = (
        _by_object(one, found) for one, found in ((sample, here), (other, there))
    )
    both = (number > 0) & (number_of_others > 0)
    if not both.any():
        raise NotMeasurable(f"no star that is compared in {sample.band} is one of those in {other.band}")
    errors = mean[both] / number[both] - others[both] / number_of_others[both]
    notes = tuple(f"{one.band}: {note}" for one, found in ((sample, here), (other, there)) for note in found.notes)
    return Errors(
        components={"value": errors},
        measurements=int(number[both].sum() + number_of_others[both].sum()),
        method=f"in {sample.band} {here.method}; minus the same in {other.band}, {there.method}",
        notes=(*notes, f"{np.count_nonzero(both):,} stars are compared in both bands", _signed(errors), _COMMON),
    )


def debiased_means(matrix: VisitMatrix, settings: ReferenceSettings) -> Errors:
    """Mean of each star, which has no bias.

    A note says what no interval knows of.
    """
    return replace(matrix_errors.means(matrix, settings), notes=(_COMMON,))


@dataclass(frozen=True)
class Differences:
    """Magnitudes minus those expected, mmag, with their rows, method and notes."""

    value: FloatArray
    used: NDArray[np.bool_]
    method: str
    notes: tuple[str, ...]


def differences(sample: Sample, settings: ReferenceSettings) -> Differences:
    """Magnitudes of a sample minus those expected.

    Raises `NotMeasurable`.
    """
    key = ("differences from the reference catalog", settings.radius, settings.reference_snr)
    return sample.cached(key, lambda: _compare(sample, settings))


def _compare(sample: Sample, settings: ReferenceSettings) -> Differences:
    reference = sample.reference
    if reference is None:
        raise NotMeasurable("no reference catalog is named (--reference)")
    if not len(sample.selection.rows):
        raise NotMeasurable(f"no detection in band {sample.band} passes the cuts")
    magnitudes = finite(sample, "mag")
    expected = _expected(sample, reference, settings.reference_snr)
    places, epoch = _places(sample, reference)
    star, notes = matched_stars(sample, places, settings.radius)
    notes += epoch
    matched = np.unique(star[star >= 0])
    if not len(matched):
        raise NotMeasurable(f"no object was matched with a reference star: {notes[0]}")
    left = np.ones(len(reference), dtype=bool)
    for reason, good in expected.conditions:
        lost = np.count_nonzero(left[matched] & ~good[matched])
        left &= good
        if lost:
            notes += (f"{lost:,} matched reference stars left out: {reason}",)
    used = (star >= 0) & left[np.maximum(star, 0)]
    if not used.any():
        raise NotMeasurable(f"no matched reference star can be compared with: {'; '.join(notes)}")
    value = (magnitudes[used] - expected.magnitude[star[used]]) * MMAG
    method = f"mean magnitude of each star minus that of its reference star, {expected.how}"
    return Differences(value, used, method, (*notes, *expected.notes))


@dataclass(frozen=True)
class _Expected:
    """Magnitudes that a reference catalog makes expect, conditions and method."""

    magnitude: FloatArray
    conditions: tuple[tuple[str, NDArray[np.bool_]], ...]
    how: str
    notes: tuple[str, ...]


def _expected(sample: Sample, reference: Reference, least: float) -> _Expected:
    """Magnitudes expected in the band of a sample.

    From reference magnitudes of an S/N of ``least``.
    """
    term = sample.detections.color_terms.get(reference.survey, {}).get(sample.band)
    measured, bands = ((sample.band,),) * 2 if term is None else (term.measured, term.bands)
    for band in bands:
        if band not in reference.mags or not np.isfinite(reference.mags[band]).any():
            known = [name for name, values in reference.mags.items() if np.isfinite(values).any()]
            raise NotMeasurable(
                f"reference catalog {reference.name} ({reference.survey}) gives no magnitudes in band {band}"
                f"{'' if term is None else f', which the colour term of {sample.band} takes'}; it has "
                f"{', '.join(known) or 'none at all'}"
            )
    finite_ones = np.all([np.isfinite(reference.mags[band]) for band in bands], axis=0)
    conditions = [(f"no magnitude in {_and(bands)}", finite_ones)]
    notes: tuple[str, ...] = ()
    unknown = [band for band in measured if band not in reference.mag_errs]
    if unknown:
        notes += (f"the reference catalog gives no errors of magnitudes in {_and(unknown)}: any S/N is taken",)
    errors = [reference.mag_errs[band] for band in measured if band in reference.mag_errs]
    if errors:
        with np.errstate(divide="ignore", invalid="ignore"):
            enough = np.all([2.5 / np.log(10) / error >= least for error in errors], axis=0)
        judged = _and([band for band in measured if band in reference.mag_errs])
        conditions.append((f"S/N below {least:g} or unknown in {judged}", enough))
    if term is None:
        notes += (
            f"the survey profile declares no colour term of {reference.survey or reference.name} for {sample.band}: "
            "reference magnitudes taken as they stand",
        )
        return _Expected(reference.mags[sample.band], tuple(conditions), "without a colour term", notes)
    with np.errstate(invalid="ignore"):
        magnitude = term.magnitude(reference.mags)
    held = " and ".join(map(str, term.range))
    conditions.append((f"outside {held}, where the colour term holds", np.isfinite(magnitude)))
    notes += (f"colour term {term} ({term.source})",)
    return _Expected(magnitude, tuple(conditions), "with a colour term", notes)


def _places(sample: Sample, reference: Reference) -> tuple[FloatArray, tuple[str, ...]]:
    """Directions of the reference stars.

    At the median epoch of the sample where motions and epochs are known.
    """
    places, moving = reference.directions(), np.flatnonzero(reference.moving)
    mjd = None if sample.detections.mjd is None else sample.detections.mjd[sample.selection.rows]
    if mjd is None or not np.isfinite(mjd).any() or not len(moving):
        return places, ("matched without proper motion and parallax",)
    epoch = float(np.median(mjd[np.isfinite(mjd)]))
    places[moving] = reference.directions_at(moving, np.full(len(moving), epoch))
    return places, (f"matched at epoch MJD {epoch:.3f}, {len(moving):,} of {len(reference):,} reference stars moved",)


def _by_object(sample: Sample, found: Differences) -> tuple[FloatArray, NDArray[np.int64]]:
    """Sum and number of the differences of each object of the catalog."""
    number = sample.detections.n_objects
    objects = _objects(sample, found)
    return stable_group_sum(objects, found.value, number), np.bincount(objects, minlength=number)


def _objects(sample: Sample, found: Differences) -> IntArray:
    return np.asarray(sample.detections.object[sample.selection.rows[found.used]])


def _signed(errors: FloatArray) -> str:
    return f"with its sign, survey minus reference catalog, the median is {order_statistics.median(errors):+.4g} mmag"


def _and(bands: tuple[str, ...] | list[str]) -> str:
    return " and ".join(bands)


_MEAN_DIFFERENCE = Estimator(
    description="mean magnitude of a star minus that of its reference star",
    quantity="magnitudes",
    measurements=measurements,
    errors=matrix_errors.means,
    debiased=debiased_means,
    fast=fast_mean_difference,
    unit="mmag",
    settings=ReferenceSettings,
    columns=("mag",),
    separable=True,
    signed=True,
    residuals=matrix_errors.OFFSETS,
    formula="m̄ - m(ref), the mean magnitude of a star and that expected from its reference star",
)

METRICS = (
    Metric(
        name="absolute_zero_point",
        title="zero point of a band against the reference catalog",
        unit="mmag",
        statistic=absolute_median,
        estimators={"mean_difference": _MEAN_DIFFERENCE},
        optional_columns=("mjd",),
    ),
    Metric(
        name="color_zero_point",
        title="zero point of a colour against the reference catalog",
        unit="mmag",
        statistic=absolute_median,
        estimators={
            "mean_color_difference": replace(
                _MEAN_DIFFERENCE,
                description="mean colour of a star minus that of its reference star",
                measurements=color_measurements,
                fast=fast_mean_color_difference,
                settings=ColorSettings,
                formula="m̄ - m(ref) of a star in this band, minus the same in the other",
            ),
        },
        optional_columns=("mjd",),
        compares_bands=True,
    ),
)
