r"""Absolute astrometry AA1: how far measured positions are from those of a reference catalog.

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

from collections.abc import Mapping

import numpy as np
from skyaccept.lib import arrays
from skyaccept.lib.arrays import FloatArray
from skyaccept.lib.catalog.crossmatch import match_unique
from skyaccept.lib.catalog.reference import Reference
from skyaccept.lib.exceptions import NotMeasurable
from skyaccept.lib.metrics import coordinates
from skyaccept.lib.metrics.metric import Errors, Estimator, Metric, Settings
from skyaccept.lib.sample.sample import Sample
from skyaccept.lib.sample.visit_matrix import Matrix
from skyaccept.lib.sphere import MAS
from skyaccept.lib.uncertainty import resampled_errors
from skyaccept.lib.uncertainty.statistic import Question


def reference_offset(sample: Sample, parameters: Mapping[str, float], settings: Settings) -> Errors:
    """Offsets of single measurements from the reference star at the epoch of the visit, mas.

    Parameters
    ----------
    sample : Sample
    parameters : mapping
        None are looked at.
    settings : Settings
        ``radius``, radians: objects, at their mean positions, are matched with stars at the median epoch of the sample.

    Raises
    ------
    NotMeasurable
        No reference catalog, no epochs, no motions, or no object matched; where it can be had, ``data`` holds the
        medians without motion.
    """
    reference, radius = sample.reference, settings.radius
    if reference is None:
        raise NotMeasurable("no reference catalog is named (--reference)")
    if radius is None:
        raise ValueError("the definition names no matching radius")
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
    if not timed.all():
        notes += (f"{np.count_nonzero(~timed):,} detections have no epoch: not compared",)
    if not used.any():
        raise NotMeasurable(f"no object was matched with a reference star: {notes[0]}")
    rows, star = sample.selection.rows[used], matched[used]
    origin = reference.directions_at(star, mjd[used])
    x, y = coordinates.offsets(sample.detections.ra[rows], sample.detections.dec[rows], origin)
    notes += (f"matched at epoch MJD {epoch:.3f}; proper motion and parallax applied to each visit",)
    return coordinates.errors(x, y, "each measurement against its reference star, float64", notes=notes, rows=used)


def _matrix(sample: Sample, parameters: Mapping[str, float], settings: Settings, errors: Errors) -> Matrix:
    """Offsets from the reference stars, by visit."""
    used = errors.rows
    if used is None:
        raise ValueError("the errors do not say which rows were measured")
    x, y = errors.coordinates["ra"], errors.coordinates["dec"]
    visit = sample.detections.visit[sample.selection.rows][used]
    return sample.matrix(x, y, star=sample.star[used], visit=visit)


def without_motion(sample: Sample, reference: Reference, radius: float) -> Errors:
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
    return coordinates.errors(x, y, "without proper motion and parallax", notes=notes)


def _without_motion(sample: Sample, reference: Reference, radius: float, lacking: str) -> NotMeasurable:
    """Reason why nothing is measured, with the diagnostic that can be had nevertheless."""
    try:
        found = without_motion(sample, reference, radius)
    except NotMeasurable as reason:
        return NotMeasurable(f"{lacking}; {reason}")
    data = {name: float(np.median(np.abs(values))) for name, values in found.coordinates.items()}
    shown = f"RA {data['ra']:.4g} mas, Dec {data['dec']:.4g} mas, total {data['total']:.4g} mas"
    return NotMeasurable(
        f"{lacking}; a diagnostic without motion: median sizes of the offsets {shown} ({'; '.join(found.notes)})",
        {"without_motion": data | {"measurements": found.measurements}},
    )


def matched_stars(sample: Sample, stars: FloatArray, radius: float) -> tuple[arrays.AnyArray, tuple[str, ...]]:
    """Reference star of each row of the sample, negative without one, and the account of the matching."""
    objects = sample.positions.objects
    matches = match_unique(sample.positions.direction, stars, radius)
    star = np.full(sample.detections.n_objects, -1, dtype=np.int64)
    star[objects] = matches.star
    found = sample.detections.object
    if found is None:
        raise ValueError("detections are not associated")
    note = f'of {len(objects):,} objects, within {radius / MAS / 1000:g}" of reference stars: {matches}'
    return star[found[sample.selection.rows]], (note,)


ESTIMATORS = {
    "reference_offset": Estimator(
        reference_offset,
        "offset from the reference star, per coordinate",
        _matrix,
        lambda matrix, _: resampled_errors.offset(matrix, "zero"),
        needs=("radius",),
        formula="x and y, offsets from the reference star at the epoch of the visit along RA cos(Dec) and Dec",
    ),
    "signed_reference_offset": Estimator(
        reference_offset,
        "offset from the reference star, per coordinate, with its sign",
        _matrix,
        lambda matrix, _: resampled_errors.offset(matrix, "zero"),
        needs=("radius",),
        question=Question("size"),
        formula="x and y, offsets from the reference star at the epoch of the visit along RA cos(Dec) and Dec",
    ),
}

METRICS = (
    Metric(
        "absolute_astrometry",
        "median offset from the reference catalog, the larger of RA and Dec",
        "mas",
        lambda _: Question("percentile", 50, sized=True),
        ESTIMATORS,
        optional_columns=("mjd",),
    ),
)
