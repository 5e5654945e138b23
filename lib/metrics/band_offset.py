r"""Band-to-band astrometry AB1, ABF1 and AB2: positions in one band against those of the same objects in another.

The offset of a detection in the band is taken from the mean position of its object in the band compared with (r in
LPM-17): :math:`x` along RA (times cos Dec, at the declination of that mean) and :math:`y` along Dec. All measurements,
of every object in every visit, count alike. Both coordinates are limited, so the value of a clause is the larger one:

- AB1, ``band_offset_rms``: rms about zero, in which a constant offset counts in full;
- ABF1, ``band_offset_outliers``: percentage of deviations above AB2;
- AB2, ``band_offset_percentile``: (100 - ABF1)th percentile of the deviations.

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
from dataclasses import replace

import numpy as np
from skyaccept.lib import quantile
from skyaccept.lib.errors import NotMeasurable
from skyaccept.lib.metrics import coordinates, scatter
from skyaccept.lib.metrics.coordinates import Values
from skyaccept.lib.metrics.metric import Errors, Estimator, Metric, Sample, Settings
from skyaccept.lib.question import Question
from skyaccept.lib.replicates import Matrix, Resampled
from skyaccept.lib.sphere import MAS, Float, separation, unit_vectors


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
    x, y, _, notes = _offsets(sample, settings)
    return coordinates.errors(x, y, f"each measurement against the mean position in {settings.against}", notes=notes)


def deviation_from_mean(sample: Sample, parameters: Mapping[str, float], settings: Settings) -> Errors:
    """Sizes of the deviations of `offset` from its mean over all measurements, by coordinate, mas."""
    x, y, _, notes = _offsets(sample, settings)
    x, y = x - x.mean(), y - y.mean()
    return coordinates.errors(np.abs(x), np.abs(y), "about the mean offset of the band", notes=notes)


def visit_rms(sample: Sample, parameters: Mapping[str, float], settings: Settings) -> Errors:
    """Rms about zero of `offset` in each visit, by coordinate and in total, mas."""
    x, y, visit, notes = _offsets(sample, settings)
    number = np.bincount(visit)
    seen = number > 0
    square_x, square_y = np.bincount(visit, x * x)[seen] / number[seen], np.bincount(visit, y * y)[seen] / number[seen]
    found = coordinates.errors(np.sqrt(square_x), np.sqrt(square_y), "rms of each visit", notes=notes)
    return Errors(found.values, 0, len(x), found.method, coordinates=found.coordinates, notes=notes)


def deviation_from_median(sample: Sample, parameters: Mapping[str, float], settings: Settings) -> Errors:
    """Sizes of the deviations of `offset` from the median of its visit, by coordinate, mas; the total uncentred."""
    x, y, visit, notes = _offsets(sample, settings)
    order = np.argsort(visit, kind="stable")
    total = np.hypot(x, y)[order]
    x, y, visit = x[order], y[order], visit[order]
    for part in np.split(np.arange(len(visit)), np.flatnonzero(np.diff(visit)) + 1):
        x[part] -= quantile.median(x[part])
        y[part] -= quantile.median(y[part])
    return coordinates.errors(np.abs(x), np.abs(y), "about the median of each visit", total=total, notes=notes)


def separation_std(sample: Sample, parameters: Mapping[str, float], settings: Settings) -> Errors:
    """Scatter of the separations between the positions of common objects in two visits, one of each band, mas.

    The sample standard deviation (ddof = 1) of every pair of visits that have two common objects or more; a visit is
    not paired with itself.

    Raises
    ------
    NotMeasurable
        As `offset`, or no pair of visits has enough common objects.
    """
    other = _other(sample, settings)
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


def outliers(errors: Errors, level: Mapping[str, float]) -> float:
    """ABF1: percentage of the errors strictly above ``AB2`` (mas)."""
    return quantile.percentage_above(errors.values, level["AB2"])


def percentile(errors: Errors, level: Mapping[str, float]) -> float:
    """AB2: (100 - ``ABF1``)th percentile of the errors, interpolated linearly between order statistics."""
    return quantile.percentile(errors.values, 100 - level["ABF1"])


def _other(sample: Sample, settings: Settings) -> Sample:
    """Sample of the band compared with."""
    if sample.other is None or settings.against is None:
        raise ValueError("the clause names no band to compare with")
    other = sample.other(settings.against)
    if settings.against not in sample.detections.bands:
        has = ", ".join(sample.detections.bands)
        raise NotMeasurable(f"the dataset has no detections in band {settings.against} to compare with; it has {has}")
    if not len(other.selection.rows):
        raise NotMeasurable(f"no detection in band {settings.against}, which is compared with, passes the cuts")
    return other


def _common(sample: Sample, settings: Settings) -> tuple[Sample, Values, Values]:
    """Sample of the band compared with, which rows are of objects that both have, and the place there of each row."""
    other, d, rows = _other(sample, settings), sample.detections, sample.selection.rows
    if d.object is None:
        raise ValueError("detections are not associated")
    origin = _places(sample, other)[d.object[rows]]
    if not (origin >= 0).any():
        raise NotMeasurable(f"no object of the sample in {sample.band} is one of those in {settings.against}")
    return other, origin >= 0, origin[origin >= 0]


def _places(sample: Sample, other: Sample) -> Values:
    """Place of each object among the positions of another sample; negative where it is not there."""
    place = np.full(sample.detections.n_objects, -1, dtype=np.int64)
    place[other.positions.objects] = np.arange(len(other.positions))
    return place


def _offsets(sample: Sample, settings: Settings) -> tuple[Float, Float, Values, tuple[str, ...]]:
    """Offsets along RA and Dec, mas, the visit of each, and what they rest on in words."""
    other, used, origin = _common(sample, settings)
    d, rows = sample.detections, sample.selection.rows[used]
    x, y = coordinates.offsets(d.ra[rows], d.dec[rows], other.positions.direction, origin)
    seen = len(np.unique(origin))
    lost = len(sample.selection.rows) - len(rows)
    notes = (
        f"{seen:,} objects are in the samples of both bands, with {len(other.selection.rows):,} detections of "
        f"{len(other.positions):,} objects in {settings.against}; {lost:,} detections of the others are not compared",
    )
    return x, y, d.visit[rows], notes


def _matrix(sample: Sample, settings: Settings) -> Matrix:
    """Offsets by object and visit, and those of the other band from their mean."""
    x, y, visit, _ = _offsets(sample, settings)
    other, used, _ = _common(sample, settings)
    matrix = sample.matrix(x, y, star=sample.star[used], visit=visit)
    place, stars = _places(sample, other)[matrix.objects], other.positions.stars
    return replace(matrix, other=(stars.x[place].astype(np.float64), stars.y[place].astype(np.float64)))


def resample_offset(sample: Sample, parameters: Mapping[str, float], settings: Settings, errors: Errors) -> Resampled:
    """Replicates of `offset`."""
    return scatter.offset(_matrix(sample, settings), "zero")


def resample_about_mean(
    sample: Sample, parameters: Mapping[str, float], settings: Settings, errors: Errors
) -> Resampled:
    """Replicates of `deviation_from_mean`."""
    return scatter.offset(_matrix(sample, settings), "mean", sizes=True)


def resample_about_median(
    sample: Sample, parameters: Mapping[str, float], settings: Settings, errors: Errors
) -> Resampled:
    """Replicates of `deviation_from_median`."""
    return scatter.offset(_matrix(sample, settings), "visit", sizes=True)


def resample_visits(sample: Sample, parameters: Mapping[str, float], settings: Settings, errors: Errors) -> Resampled:
    """Replicates of `visit_rms`."""
    return scatter.visit_rms(_matrix(sample, settings))


def resample_separation(
    sample: Sample, parameters: Mapping[str, float], settings: Settings, errors: Errors
) -> Resampled:
    """Replicates of `separation_std`."""
    matrix = _matrix(sample, settings)
    here, there = (v[0] + 1j * v[1] for v in (matrix.values, matrix.other))
    return scatter.separation_std(replace(matrix, values=(here,), other=(there,)))


def _by_visit(sample: Sample) -> dict[int, tuple[Values, Float]]:
    """Objects and unit vectors of the detections of each visit."""
    d, rows = sample.detections, sample.selection.rows
    if d.object is None:
        raise ValueError("detections are not associated")
    rows = rows[np.argsort(d.visit[rows], kind="stable")]
    parts = np.split(rows, np.flatnonzero(np.diff(d.visit[rows])) + 1)
    return {int(d.visit[part[0]]): (d.object[part], unit_vectors(d.ra[part], d.dec[part])) for part in parts}


ESTIMATORS = {
    "offset": Estimator(offset, "offset from the mean position in the other band", resample_offset),
    "deviation_from_mean": Estimator(deviation_from_mean, "deviation of the offset from its mean", resample_about_mean),
    "visit_rms": Estimator(
        visit_rms,
        "rms of the offsets of a visit",
        resample_visits,
        statistic=coordinates.median,
        question=Question("percentile", 50),
    ),
    "deviation_from_median": Estimator(
        deviation_from_median, "deviation of the offset from the median of its visit", resample_about_median
    ),
    "separation_std": Estimator(
        separation_std,
        "scatter of the separations between two visits, one of each band",
        resample_separation,
        statistic=coordinates.mean,
        question=Question("mean"),
    ),
}

METRICS = (
    Metric(
        "band_offset_rms",
        "rms of the offset from another band, the larger of RA and Dec",
        "mas",
        coordinates.rms,
        lambda _: Question("rms"),
        ESTIMATORS,
        against=True,
    ),
    Metric(
        "band_offset_outliers",
        "share of band offsets beyond AB2 from their mean, the larger of RA and Dec",
        "percent",
        outliers,
        lambda level: Question("above", level["AB2"]),
        ESTIMATORS,
        level_parameters={"AB2": "mas"},
        against=True,
    ),
    Metric(
        "band_offset_percentile",
        "deviation of the band offset that a share ABF1 exceeds, the larger of RA and Dec",
        "mas",
        percentile,
        lambda level: Question("percentile", 100 - level["ABF1"]),
        ESTIMATORS,
        level_parameters={"ABF1": "percent"},
        against=True,
    ),
)
