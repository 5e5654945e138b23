r"""Band-to-band astrometry AB1, ABF1 and AB2: positions in one band and another.

The offset of a detection in the band is taken from the mean position of its object in the band compared with (r in
LPM-17): :math:`x` along RA (times cos Dec, at the declination of that mean) and :math:`y` along Dec. All measurements,
of every object in every visit, count alike. Both coordinates are limited, so the value of a clause is the larger one:

- AB1, ``band_offset_rms``: rms about zero, in which a constant offset counts in full;
- ABF1, ``band_offset_outliers``: percentage of deviations strictly above AB2 (mas);
- AB2, ``band_offset_percentile``: (100 - ABF1)th percentile of the deviations, interpolated linearly between order
  statistics.

======================= ====================================================== =====================
estimator               errors                                                 used by
======================= ====================================================== =====================
offset                  x and y                                                srd AB1
deviation_from_mean     \|x - mean(x)\| and \|y - mean(y)\|                    srd ABF1, AB2
visit_rms               rms of x and of y of each visit; its median is taken   analysis_tools AB1
deviation_from_median   \|x - median of the visit\|, the same of y; the total  analysis_tools ABF1
                        as it stands
separation_std          std of the separations of common objects in a   faro AB1
                        visit of each band; the mean over all such pairs of
                        visits is taken
======================= ====================================================== =====================

``separation_std`` does not see a constant offset: with 30 mas and an error of 5 mas per coordinate it reads 5 mas.

Sources: LPM-17 5.2.3; faro separations.py and MatchedCatalogMeasurementTasks.py (aff3cf7); analysis_tools
refCatMatchPlots.py (c74f828), whose figures per visit have no summary of their own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from skyaccept.lib.arrays import AnyArray, BoolArray, FloatArray
from skyaccept.lib.catalog.detections import inverse_index
from skyaccept.lib.exceptions import NotMeasurable
from skyaccept.lib.metrics import coordinates
from skyaccept.lib.metrics.metric import Metric, median, rms
from skyaccept.lib.sample.sample import Sample
from skyaccept.lib.sample.visit_matrix import VisitMatrix
from skyaccept.lib.sphere import MAS, separation, unit_vectors
from skyaccept.lib.uncertainty import matrix_errors, order_statistics
from skyaccept.lib.uncertainty.errors import Errors
from skyaccept.lib.uncertainty.estimator import Estimator, Parameters, Residuals
from skyaccept.lib.uncertainty.statistic import Statistic


@dataclass(frozen=True, kw_only=True)
class BandSettings:
    """Band that the clause compares with."""

    reference_band: str


def measurements(sample: Sample, parameters: Parameters, settings: BandSettings, limit: int | None) -> VisitMatrix:
    """Offsets from the mean position in the other band by visit, mas.

    The offsets of the other band are from the same mean.

    Parameters
    ----------
    sample : Sample
    parameters : mapping
        None are taken.
    settings : BandSettings
    limit : int, optional
        Measurements at most; of more, those of a subsample of the stars.

    Raises
    ------
    NotMeasurable
        No detection in that band passes the cuts, or no object is seen in both.
    """

    def compute() -> VisitMatrix:
        found, other = _offsets(sample, settings), compared_with(sample, settings.reference_band)
        matrix = sample.matrix(found.x, found.y, star=sample.star_index[found.used], visit=found.visit, limit=limit)
        row = inverse_index(other.positions.objects, sample.detections.n_objects)[matrix.objects]
        stars = other.positions.stars
        return replace(
            matrix,
            comparison=tuple(values[row].astype(np.float64) for values in (stars.x, stars.y)),
            comparison_visits=other.positions.visits,
            comparison_groups=other.group_keys(other.positions.visits),
        )

    return sample.cached(("offsets by visit", settings.reference_band, limit), compute)


def complex_measurements(
    sample: Sample, parameters: Parameters, settings: BandSettings, limit: int | None
) -> VisitMatrix:
    """The same as complex numbers x + i y."""
    matrix = measurements(sample, parameters, settings, limit)
    here, there = (v[0] + 1j * v[1] for v in (matrix.values, matrix.comparison))
    return replace(matrix, values=(here,), comparison=(there,), components=("value",))


def fast_offset(sample: Sample, parameters: Parameters, settings: BandSettings) -> Errors:
    """Offsets of single measurements from the mean position in the other band, mas."""
    found = _offsets(sample, settings)
    method = f"each measurement against the mean position in {settings.reference_band}"
    return _errors(found, found.x, found.y, method)


def fast_deviation_from_mean(sample: Sample, parameters: Parameters, settings: BandSettings) -> Errors:
    """Sizes of the deviations of offsets from their mean, by coordinate, mas."""
    found = _offsets(sample, settings)
    x, y = (np.abs(o - o.mean()) for o in (found.x, found.y))
    return _errors(found, x, y, "about the mean offset of the band")


def fast_visit_rms(sample: Sample, parameters: Parameters, settings: BandSettings) -> Errors:
    """Rms about zero of the offsets in each visit, by coordinate and in total, mas."""
    found = _offsets(sample, settings)
    number = np.bincount(found.visit)
    seen = number > 0
    x, y = (np.sqrt(np.bincount(found.visit, o * o)[seen] / number[seen]) for o in (found.x, found.y))
    return _errors(found, x, y, "rms of each visit")


def fast_deviation_from_median(sample: Sample, parameters: Parameters, settings: BandSettings) -> Errors:
    """Sizes of the deviations of offsets from the median of their visit, mas.

    By coordinate; the total is uncentred.
    """
    found = _offsets(sample, settings)
    order = np.argsort(found.visit, kind="stable")
    total = np.hypot(found.x, found.y)[order]
    x, y, visit = found.x[order], found.y[order], found.visit[order]
    parts = np.split(np.arange(len(visit)), np.flatnonzero(np.diff(visit)) + 1)
    for part in parts:
        x[part] -= order_statistics.median(x[part])
        y[part] -= order_statistics.median(y[part])
    errors = _errors(found, np.abs(x), np.abs(y), "about the median of each visit")
    return replace(errors, total=total, zeros=len(parts))


def fast_separation_scatter(sample: Sample, parameters: Parameters, settings: BandSettings) -> Errors:
    """Scatter of the separations of objects between two visits, mas.

    One visit of each band, and the objects that both have.

    The sample standard deviation (ddof = 1) of every pair of visits that have two common objects or more; a visit is
    not paired with itself.

    Raises
    ------
    NotMeasurable
        As `measurements`, or no pair of visits has enough common objects.
    """
    other = compared_with(sample, settings.reference_band)
    here, there = _by_visit(sample), _by_visit(other)
    found, measured = [], 0
    for own, (objects, vectors) in here.items():
        for visit, (candidates, positions) in there.items():
            if visit == own:
                continue
            _, a, b = np.intersect1d(objects, candidates, assume_unique=True, return_indices=True)
            if len(a) > 1:
                found.append(float(np.std(separation(vectors[a], positions[b]), ddof=1)) / MAS)
                measured += len(a)
    if not found:
        raise NotMeasurable(f"no visit in {sample.band} and visit in {settings.reference_band} have 2 common objects")
    return Errors(
        components={"value": np.array(found)},
        measurements=measured,
        method="each visit of one band with each of the other",
        notes=(f"{len(found):,} pairs of visits in {settings.reference_band} and {sample.band}",),
    )


def compared_with(sample: Sample, band: str) -> Sample:
    """Sample of the band compared with; raises `NotMeasurable` where there is none."""
    if sample.in_band is None:
        raise ValueError("the sample knows of no other bands")
    other = sample.in_band(band)
    if band not in sample.detections.bands:
        has = ", ".join(sample.detections.bands)
        raise NotMeasurable(f"the dataset has no detections in band {band} to compare with; it has {has}")
    if not len(other.selection.rows):
        raise NotMeasurable(f"no detection in band {band}, which is compared with, passes the cuts")
    return other


@dataclass(frozen=True, kw_only=True)
class _Offsets:
    """Offsets along RA and Dec, mas, with their visits, rows and notes."""

    x: FloatArray
    y: FloatArray
    visit: AnyArray
    used: BoolArray
    notes: tuple[str, ...]


def _errors(found: _Offsets, x: FloatArray, y: FloatArray, method: str) -> Errors:
    return Errors(
        components={"ra": x, "dec": y},
        total=np.hypot(x, y),
        measurements=len(found.x),
        method=method,
        notes=found.notes,
    )


def _offsets(sample: Sample, settings: BandSettings) -> _Offsets:
    """Offsets of the detections of those objects that both bands have."""
    band = settings.reference_band
    return sample.cached(("offsets from a band", band), lambda: _compare(sample, band))


def _compare(sample: Sample, band: str) -> _Offsets:
    other, d = compared_with(sample, band), sample.detections
    origin = inverse_index(other.positions.objects, d.n_objects)[d.object[sample.selection.rows]]
    used = origin >= 0
    if not used.any():
        raise NotMeasurable(f"no object of the sample in {sample.band} is one of those in {band}")
    rows, origin = sample.selection.rows[used], origin[used]
    x, y = coordinates.offsets(d.ra[rows], d.dec[rows], other.positions.direction, origin)
    seen = len(np.unique(origin))
    lost = len(sample.selection.rows) - len(rows)
    notes = (
        f"{seen:,} objects are in the samples of both bands, with {len(other.selection.rows):,} detections of "
        f"{len(other.positions):,} objects in {band}; {lost:,} detections of the others are not compared",
    )
    return _Offsets(x=x, y=y, visit=d.visit[rows], used=used, notes=notes)


def _by_visit(sample: Sample) -> dict[int, tuple[AnyArray, FloatArray]]:
    """Objects and unit vectors of the detections of each visit."""
    d, rows = sample.detections, sample.selection.rows
    rows = rows[np.argsort(d.visit[rows], kind="stable")]
    parts = np.split(rows, np.flatnonzero(np.diff(d.visit[rows])) + 1)
    return {int(d.visit[part[0]]): (d.object[part], unit_vectors(d.ra[part], d.dec[part])) for part in parts}


_OFFSET = Estimator(
    description="offset from the mean position in the other band",
    quantity="positions",
    unit="mas",
    measurements=measurements,
    errors=matrix_errors.offsets,
    debiased=matrix_errors.debiased_offsets,
    fast=fast_offset,
    settings=BandSettings,
    signed=True,
    residuals=matrix_errors.OFFSETS,
    about_mean=True,
    formula="x and y, offsets from the mean position in the other band along RA cos(Dec) and Dec",
)

ESTIMATORS = {
    "offset": _OFFSET,
    "deviation_from_mean": replace(
        _OFFSET,
        description="deviation of the offset from its mean",
        errors=partial(matrix_errors.offsets, about="mean", absolute=True),
        debiased=partial(matrix_errors.debiased_offsets, about="mean", absolute=True),
        fast=fast_deviation_from_mean,
        signed=False,
        residuals=Residuals(
            compute=matrix_errors.offsets_about_mean, text="offsets of single measurements from their mean"
        ),
        formula="|x - x̄| and |y - ȳ|, offsets from the mean position in the other band",
    ),
    "visit_rms": replace(
        _OFFSET,
        description="rms of the offsets of a visit",
        errors=matrix_errors.visit_rms,
        debiased=partial(matrix_errors.visit_rms, debiased=True),
        fast=fast_visit_rms,
        signed=False,
        residuals=replace(matrix_errors.OFFSETS, error_of="visit"),
        about_mean=False,
        statistic=median({}),
        formula="√(mean x²) and √(mean y²) of each visit, offsets from the mean position in the other band",
    ),
    "deviation_from_median": replace(
        _OFFSET,
        description="deviation of the offset from the median of its visit",
        errors=partial(matrix_errors.offsets, about="visit", absolute=True),
        debiased=partial(matrix_errors.debiased_offsets, about="visit", absolute=True),
        fast=fast_deviation_from_median,
        signed=False,
        residuals=Residuals(
            compute=matrix_errors.offsets_about_visit,
            text="offsets of single measurements from the median of their visit",
        ),
        formula="|x - median(x)| and |y - median(y)| within each visit, offsets from the other band",
    ),
    "separation_std": Estimator(
        description="scatter of the separations between two visits, one of each band",
        quantity="positions",
        unit="mas",
        measurements=complex_measurements,
        errors=matrix_errors.separation_scatter,
        fast=fast_separation_scatter,
        settings=BandSettings,
        statistic=Statistic("mean"),
        formula="std(s), s the separations of common objects in two visits, one of each band",
    ),
}


def _outliers(level: Parameters) -> Statistic:
    return Statistic("above", level["AB2"])


def _percentile(level: Parameters) -> Statistic:
    return Statistic("percentile", 100 - level["ABF1"])


METRICS = (
    Metric(
        name="band_offset_rms",
        title="rms of the offset from another band, the larger of RA and Dec",
        unit="mas",
        statistic=rms,
        estimators=ESTIMATORS,
        compares_bands=True,
    ),
    Metric(
        name="band_offset_outliers",
        title="fraction of band offsets beyond AB2 from their mean, the larger of RA and Dec",
        unit="percent",
        statistic=_outliers,
        estimators=ESTIMATORS,
        level_parameters={"AB2": "mas"},
        compares_bands=True,
    ),
    Metric(
        name="band_offset_percentile",
        title="deviation of the band offset that a fraction ABF1 exceeds, the larger of RA and Dec",
        unit="mas",
        statistic=_percentile,
        estimators=ESTIMATORS,
        level_parameters={"ABF1": "percent"},
        compares_bands=True,
    ),
)
