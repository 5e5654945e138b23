r"""Band-to-band astrometry AB1, ABF1 and AB2: positions in one band against those of the same objects in another.

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

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from skyaccept.lib.arrays import AnyArray, FloatArray
from skyaccept.lib.catalog.detections import inverse_index
from skyaccept.lib.exceptions import NotMeasurable
from skyaccept.lib.metrics import coordinates
from skyaccept.lib.metrics.metric import Errors, Estimator, Metric, Settings
from skyaccept.lib.sample.sample import Sample
from skyaccept.lib.sample.visit_matrix import Matrix
from skyaccept.lib.sphere import MAS, separation, unit_vectors
from skyaccept.lib.uncertainty import order_statistics, resampled_errors
from skyaccept.lib.uncertainty.jackknife import Resampled
from skyaccept.lib.uncertainty.statistic import Question


def offset(sample: Sample, parameters: Mapping[str, float], settings: Settings) -> Errors:
    """Offsets of single measurements from the mean position in the other band, mas.

    Parameters
    ----------
    sample : Sample
    parameters : mapping
        None are looked at.
    settings : Settings
        ``against`` names the band compared with.

    Raises
    ------
    NotMeasurable
        No detection in that band passes the cuts, or no object is seen in both.
    """
    found = _offsets(sample, settings)
    method = f"each measurement against the mean position in {settings.against}"
    return coordinates.errors(found.x, found.y, method, notes=found.notes)


def deviation_from_mean(sample: Sample, parameters: Mapping[str, float], settings: Settings) -> Errors:
    """Sizes of the deviations of `offset` from its mean over all measurements, by coordinate, mas."""
    found = _offsets(sample, settings)
    x, y = (np.abs(o - o.mean()) for o in (found.x, found.y))
    return coordinates.errors(x, y, "about the mean offset of the band", notes=found.notes)


def visit_rms(sample: Sample, parameters: Mapping[str, float], settings: Settings) -> Errors:
    """Rms about zero of `offset` in each visit, by coordinate and in total, mas."""
    found = _offsets(sample, settings)
    number = np.bincount(found.visit)
    seen = number > 0
    x, y = (np.sqrt(np.bincount(found.visit, o * o)[seen] / number[seen]) for o in (found.x, found.y))
    return replace(coordinates.errors(x, y, "rms of each visit", notes=found.notes), measurements=len(found.x))


def deviation_from_median(sample: Sample, parameters: Mapping[str, float], settings: Settings) -> Errors:
    """Sizes of the deviations of `offset` from the median of its visit, by coordinate, mas; the total uncentred."""
    found = _offsets(sample, settings)
    order = np.argsort(found.visit, kind="stable")
    total = np.hypot(found.x, found.y)[order]
    x, y, visit = found.x[order], found.y[order], found.visit[order]
    parts = np.split(np.arange(len(visit)), np.flatnonzero(np.diff(visit)) + 1)
    for part in parts:
        x[part] -= order_statistics.median(x[part])
        y[part] -= order_statistics.median(y[part])
    found_errors = coordinates.errors(
        np.abs(x), np.abs(y), "about the median of each visit", total=total, notes=found.notes
    )
    return replace(found_errors, zeros=len(parts))


def separation_std(sample: Sample, parameters: Mapping[str, float], settings: Settings) -> Errors:
    """Scatter of the separations between the positions of common objects in two visits, one of each band, mas.

    The sample standard deviation (ddof = 1) of every pair of visits that have two common objects or more; a visit is
    not paired with itself.

    Raises
    ------
    NotMeasurable
        As `offset`, or no pair of visits has enough common objects.
    """
    other = compared_with(sample, settings)
    here, there = _by_visit(sample), _by_visit(other)
    found, measurements = [], 0
    for own, (objects, vectors) in here.items():
        for visit, (candidates, positions) in there.items():
            if visit == own:
                continue
            _, a, b = np.intersect1d(objects, candidates, assume_unique=True, return_indices=True)
            if len(a) > 1:
                found.append(float(np.std(separation(vectors[a], positions[b]), ddof=1)) / MAS)
                measurements += len(a)
    if not found:
        raise NotMeasurable(f"no visit in {sample.band} and visit in {settings.against} have 2 common objects")
    notes = (f"{len(found):,} pairs of visits in {settings.against} and {sample.band}",)
    return Errors(np.array(found), 0, measurements, "each visit of one band with each of the other", notes=notes)


def compared_with(sample: Sample, settings: Settings) -> Sample:
    """Sample of the band compared with; raises `NotMeasurable` where there is none."""
    if sample.other is None or settings.against is None:
        raise ValueError("the clause names no band to compare with")
    other = sample.other(settings.against)
    if settings.against not in sample.detections.bands:
        has = ", ".join(sample.detections.bands)
        raise NotMeasurable(f"the dataset has no detections in band {settings.against} to compare with; it has {has}")
    if not len(other.selection.rows):
        raise NotMeasurable(f"no detection in band {settings.against}, which is compared with, passes the cuts")
    return other


@dataclass(frozen=True)
class _Offsets:
    """Offsets along RA and Dec, mas, with the visit of each, the selected rows, and what they rest on in words."""

    x: FloatArray
    y: FloatArray
    visit: AnyArray
    used: AnyArray
    notes: tuple[str, ...]


def _offsets(sample: Sample, settings: Settings) -> _Offsets:
    """Offsets of the detections of those objects that both bands have."""
    return sample.once(("offsets", settings.against), lambda: _compare(sample, settings))


def _compare(sample: Sample, settings: Settings) -> _Offsets:
    other, d = compared_with(sample, settings), sample.detections
    origin = inverse_index(other.positions.objects, d.n_objects)[d.object[sample.selection.rows]]
    used = origin >= 0
    if not used.any():
        raise NotMeasurable(f"no object of the sample in {sample.band} is one of those in {settings.against}")
    rows, origin = sample.selection.rows[used], origin[used]
    x, y = coordinates.offsets(d.ra[rows], d.dec[rows], other.positions.direction, origin)
    seen = len(np.unique(origin))
    lost = len(sample.selection.rows) - len(rows)
    notes = (
        f"{seen:,} objects are in the samples of both bands, with {len(other.selection.rows):,} detections of "
        f"{len(other.positions):,} objects in {settings.against}; {lost:,} detections of the others are not compared",
    )
    return _Offsets(x, y, d.visit[rows], used, notes)


def _matrix(sample: Sample, parameters: Mapping[str, float], settings: Settings, errors: Errors) -> Matrix:
    """Offsets by object and visit, and those of the other band from their mean."""

    def make() -> Matrix:
        found, other = _offsets(sample, settings), compared_with(sample, settings)
        matrix = sample.matrix(found.x, found.y, star=sample.star[found.used], visit=found.visit)
        place = inverse_index(other.positions.objects, sample.detections.n_objects)[matrix.objects]
        stars = other.positions.stars
        offsets = tuple(values[place].astype(np.float64) for values in (stars.x, stars.y))
        return replace(matrix, other=offsets, other_visits=other.positions.visits)

    return sample.once(("offsets by visit", settings.against), make)


def _separation_std(matrix: Matrix, _: Settings) -> Resampled:
    here, there = (v[0] + 1j * v[1] for v in (matrix.values, matrix.other))
    return resampled_errors.separation_std(replace(matrix, values=(here,), other=(there,)))


def _by_visit(sample: Sample) -> dict[int, tuple[AnyArray, FloatArray]]:
    """Objects and unit vectors of the detections of each visit."""
    d, rows = sample.detections, sample.selection.rows
    rows = rows[np.argsort(d.visit[rows], kind="stable")]
    parts = np.split(rows, np.flatnonzero(np.diff(d.visit[rows])) + 1)
    return {int(d.visit[part[0]]): (d.object[part], unit_vectors(d.ra[part], d.dec[part])) for part in parts}


ESTIMATORS = {
    "offset": Estimator(
        offset,
        "offset from the mean position in the other band",
        _matrix,
        lambda matrix, _: resampled_errors.offset(matrix, "zero"),
        formula="x and y, offsets from the mean position in the other band along RA cos(Dec) and Dec",
    ),
    "deviation_from_mean": Estimator(
        deviation_from_mean,
        "deviation of the offset from its mean",
        _matrix,
        lambda matrix, _: resampled_errors.offset(matrix, "mean", sizes=True),
        formula="|x - x̄| and |y - ȳ|, offsets from the mean position in the other band",
    ),
    "visit_rms": Estimator(
        visit_rms,
        "rms of the offsets of a visit",
        _matrix,
        lambda matrix, _: resampled_errors.visit_rms(matrix),
        question=Question("percentile", 50),
        formula="√(mean x²) and √(mean y²) of each visit, offsets from the mean position in the other band",
    ),
    "deviation_from_median": Estimator(
        deviation_from_median,
        "deviation of the offset from the median of its visit",
        _matrix,
        lambda matrix, _: resampled_errors.offset(matrix, "visit", sizes=True),
        formula="|x - median(x)| and |y - median(y)| within each visit, offsets from the other band",
    ),
    "separation_std": Estimator(
        separation_std,
        "scatter of the separations between two visits, one of each band",
        _matrix,
        _separation_std,
        question=Question("mean"),
        formula="std(s), s the separations of common objects in two visits, one of each band",
    ),
}

METRICS = (
    Metric(
        "band_offset_rms",
        "rms of the offset from another band, the larger of RA and Dec",
        "mas",
        lambda _: Question("rms"),
        ESTIMATORS,
        against=True,
    ),
    Metric(
        "band_offset_outliers",
        "fraction of band offsets beyond AB2 from their mean, the larger of RA and Dec",
        "percent",
        lambda level: Question("above", level["AB2"]),
        ESTIMATORS,
        level_parameters={"AB2": "mas"},
        against=True,
    ),
    Metric(
        "band_offset_percentile",
        "deviation of the band offset that a fraction ABF1 exceeds, the larger of RA and Dec",
        "mas",
        lambda level: Question("percentile", 100 - level["ABF1"]),
        ESTIMATORS,
        level_parameters={"ABF1": "percent"},
        against=True,
    ),
)
