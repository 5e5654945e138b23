r"""Absolute astrometry AA1: distances of positions from a reference catalog.

Each detection :math:`k` of a matched object is compared with the place of its reference star at the epoch of the visit,
proper motion and parallax applied: :math:`x_k` along RA (times cos Dec, at the declination of the reference star) and
:math:`y_k` along Dec. LPM-17 limits the median error of each coordinate, so the value of the clause is the larger one:

- ``reference_offset`` (srd): :math:`\max(\mathrm{median}|x|, \mathrm{median}|y|)`;
- ``signed_reference_offset`` (analysis_tools): :math:`\max(|\mathrm{median}\,x|, |\mathrm{median}\,y|)`, in which
  errors of either sign cancel.

RA, Dec and the median of the total :math:`\sqrt{x^2 + y^2}` stand side by side in the result. Without epochs or motions
nothing is measured, and the same medians without motion are shown as a diagnostic.

Sources: LPM-17 5.2.3; analysis_tools refCatMatchPlots.py (c74f828).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from skyaccept.lib.arrays import AnyArray, BoolArray, FloatArray
from skyaccept.lib.catalog.crossmatch import match_unique
from skyaccept.lib.catalog.reference import Reference
from skyaccept.lib.exceptions import NotMeasurable
from skyaccept.lib.metrics import coordinates
from skyaccept.lib.metrics.metric import Metric, absolute_median
from skyaccept.lib.sample.sample import Sample
from skyaccept.lib.sample.visit_matrix import VisitMatrix
from skyaccept.lib.sphere import MAS
from skyaccept.lib.uncertainty import matrix_errors
from skyaccept.lib.uncertainty.errors import Errors
from skyaccept.lib.uncertainty.estimator import Estimator, Parameters
from skyaccept.lib.uncertainty.statistic import Statistic


@dataclass(frozen=True, kw_only=True)
class MatchSettings:
    """Radius, radians, in which mean positions are matched with reference stars."""

    radius: float


@dataclass(frozen=True, kw_only=True)
class Offsets:
    """Offsets of the ``used`` rows along RA (times cos Dec) and Dec, mas."""

    x: FloatArray
    y: FloatArray
    used: BoolArray
    notes: tuple[str, ...]
    without_epoch: int = 0


def measurements(sample: Sample, parameters: Parameters, settings: MatchSettings, limit: int | None) -> VisitMatrix:
    """Offsets from the reference star at the epoch of the visit, mas.

    Parameters
    ----------
    sample : Sample
    parameters : mapping
        None are taken.
    settings : MatchSettings
        Stars are matched at the median epoch of the sample.
    limit : int, optional
        Measurements at most; of more, those of a subsample of the stars.

    Raises
    ------
    NotMeasurable
        No reference catalog, no epochs, no motions, or no object matched; where it can be had, ``data`` holds the
        medians without motion.
    """
    found = _offsets(sample, settings)
    visit = sample.detections.visit[sample.selection.rows][found.used]
    return sample.matrix(found.x, found.y, star=sample.star_index[found.used], visit=visit, limit=limit)


def fast_reference_offset(sample: Sample, parameters: Parameters, settings: MatchSettings) -> Errors:
    """The same offsets without a matrix; parameters and errors as `measurements`."""
    found = _offsets(sample, settings)
    return Errors(
        components={"ra": found.x, "dec": found.y},
        total=np.hypot(found.x, found.y),
        measurements=len(found.x),
        method="each measurement against its reference star, float64",
        notes=found.notes,
        rejected={"epoch:not finite": found.without_epoch} if found.without_epoch else {},
    )


def _offsets(sample: Sample, settings: MatchSettings) -> Offsets:
    return sample.cached(("offsets from reference stars", settings.radius), lambda: _compare(sample, settings.radius))


def _compare(sample: Sample, radius: float) -> Offsets:
    reference = sample.reference
    if reference is None:
        raise NotMeasurable("no reference catalog is named (--reference)")
    mjd = None if sample.detections.mjd is None else sample.detections.mjd[sample.selection.rows]
    lacking = []
    if mjd is None or not np.isfinite(mjd).any():
        lacking.append("the visits have no epochs (a column mjd, or a table with --visits)")
    if not reference.moving.any():
        lacking.append(f"reference catalog {reference.name} gives no epoch, proper motion and parallax of any star")
    if mjd is None or lacking:
        raise _without_motion(sample, reference, radius, " and ".join(lacking))
    epoch = float(np.median(mjd[np.isfinite(mjd)]))
    stars = np.arange(len(reference))
    matched, notes = matched_stars(sample, reference.directions_at(stars, np.full(len(stars), epoch)), radius)
    timed = np.isfinite(mjd)
    used = (matched >= 0) & timed
    still = int(np.count_nonzero(~reference.moving))
    if still:
        notes += (f"{still:,} of {len(reference):,} reference stars have no proper motion: left out of the matching",)
    if not used.any():
        raise NotMeasurable(f"no object was matched with a reference star: {notes[0]}")
    rows, star = sample.selection.rows[used], matched[used]
    origin = reference.directions_at(star, mjd[used])
    x, y = coordinates.offsets(sample.detections.ra[rows], sample.detections.dec[rows], origin)
    notes += (f"matched at epoch MJD {epoch:.3f}; proper motion and parallax applied to each visit",)
    return Offsets(x=x, y=y, used=used, notes=notes, without_epoch=int(np.count_nonzero(~timed)))


def without_motion(sample: Sample, reference: Reference, radius: float) -> Offsets:
    """Offsets from the reference stars at the epochs of their catalog, mas.

    Raises
    ------
    NotMeasurable
        No object matched.
    """
    origin = reference.directions()
    matched, notes = matched_stars(sample, origin, radius)
    used = matched >= 0
    if not used.any():
        raise NotMeasurable(f"no object was matched with a reference star: {notes[0]}")
    rows = sample.selection.rows[used]
    x, y = coordinates.offsets(sample.detections.ra[rows], sample.detections.dec[rows], origin, matched[used])
    return Offsets(x=x, y=y, used=used, notes=notes)


def _without_motion(sample: Sample, reference: Reference, radius: float, lacking: str) -> NotMeasurable:
    """Reason why nothing is measured, with the diagnostic without motion."""
    try:
        found = without_motion(sample, reference, radius)
    except NotMeasurable as reason:
        return NotMeasurable(f"{lacking}; {reason}")
    sizes = {"ra": found.x, "dec": found.y, "total": np.hypot(found.x, found.y)}
    data = {name: float(np.median(np.abs(values))) for name, values in sizes.items()}
    shown = f"RA {data['ra']:.4g} mas, Dec {data['dec']:.4g} mas, total {data['total']:.4g} mas"
    return NotMeasurable(
        f"{lacking}; a diagnostic without motion: median sizes of the offsets {shown} ({'; '.join(found.notes)})",
        {"without_motion": data | {"measurements": len(found.x)}},
    )


def matched_stars(sample: Sample, stars: FloatArray, radius: float) -> tuple[AnyArray, tuple[str, ...]]:
    """Reference star of each row, negative without one, and an account."""
    objects = sample.positions.objects
    matches = match_unique(sample.positions.direction, stars, radius)
    star = np.full(sample.detections.n_objects, -1, dtype=np.int64)
    star[objects] = matches.star
    note = f'of {len(objects):,} objects, within {radius / MAS / 1000:g}" of reference stars: {matches}'
    return star[sample.detections.object[sample.selection.rows]], (note,)


def _median_size(level: Parameters) -> Statistic:
    return Statistic("percentile", 50, sized=True)


_REFERENCE_OFFSET = Estimator(
    description="offset from the reference star, per coordinate",
    quantity="positions",
    unit="mas",
    measurements=measurements,
    errors=matrix_errors.offsets,
    debiased=matrix_errors.debiased_offsets,
    fast=fast_reference_offset,
    settings=MatchSettings,
    signed=True,
    residuals=matrix_errors.OFFSETS,
    formula="x and y, offsets from the reference star at the epoch of the visit along RA cos(Dec) and Dec",
)

ESTIMATORS = {
    "reference_offset": _REFERENCE_OFFSET,
    "signed_reference_offset": replace(
        _REFERENCE_OFFSET,
        description="offset from the reference star, per coordinate, with its sign",
        statistic=absolute_median({}),
    ),
}

METRICS = (
    Metric(
        name="absolute_astrometry",
        title="median offset from the reference catalog, the larger of RA and Dec",
        unit="mas",
        statistic=_median_size,
        estimators=ESTIMATORS,
        optional_columns=("mjd",),
    ),
)
