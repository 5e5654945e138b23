"""Association of detections into objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numba
import numpy as np
from numpy.typing import NDArray
from skyaccept.lib.arrays import AnyArray, FloatArray, IntArray
from skyaccept.lib.catalog import extents
from skyaccept.lib.catalog.components import UNPLACED, connected_components
from skyaccept.lib.catalog.detections import AssociatedDetections, Detections
from skyaccept.lib.numba_cache import cached_njit
from skyaccept.lib.sphere import MAS, separation, unit_vectors

RADIUS = 1000 * MAS
"""Default matching radius of detections of different visits, radians."""

AMBIGUOUS = -2
CONFLICT = -3
UNASSOCIATED = -4
EXTENDED = -5
"""Codes in ``Detections.object`` of detections that are left out, in addition to `UNPLACED`.

An object with two detections in half of its visits or more; two detections in this visit of an
object; no object, in a catalog that comes with objects; an object of the catalog that is too large for one source.
"""

REASONS: Mapping[int, str] = {
    UNASSOCIATED: "association:no object",
    EXTENDED: "association:object is too large",
    AMBIGUOUS: "association:two detections in half of its visits or more",
    CONFLICT: "association:two detections in one visit",
}
"""Names under which selections count rejected rows; `UNPLACED` is counted by position."""

MAX_AMBIGUOUS = 0.9
"""Fraction of rows in ambiguous objects above which a note questions positions or visits."""

_STEP = 1_000_000  # rows per step


def associate(detections: Detections, radius: float) -> AssociatedDetections:
    """Group detections into objects.

    Objects are the connected components of the graph whose edges join detections of *different* exposures closer than
    ``radius``; the result does not depend on the order of the rows. A visit is an exposure of one band. If bands share
    a visit name, as with simultaneous cameras or exposure numbers that restart by band, each band has its own visit.

    If an object has two detections in a visit, that visit of the object is left out, since either may be wrong. If
    this happens in half of its visits or more, the object is ambiguous and left out as a whole. A catalog with objects
    of its own keeps them, under the same rule, after `skyaccept.lib.catalog.extents` has compared
    their extents with the radius.

    Parameters
    ----------
    detections : Detections
        Negative codes in ``object`` are kept.
    radius : float
        Matching radius, radians.

    Returns
    -------
    AssociatedDetections
        With ``object`` set to 0 ... n - 1 or a negative code, and a code in ``visit`` for each exposure.

    Raises
    ------
    InputError
        The objects of the catalog are too large to be single sources.
    """
    detections = split_visits_by_band(detections)
    where = detections.source or detections.name or "catalog"
    notes: tuple[str, ...] = ()
    if detections.object is None:
        label = connected_components(
            _directions(_column(detections.ra), _column(detections.dec)), detections.visit, radius
        )
    else:
        placed = np.isfinite(detections.ra) & np.isfinite(detections.dec)
        # readers use no other code than -1
        label = np.where(detections.object == UNPLACED, UNASSOCIATED, detections.object)
        label = np.where(placed, label, UNPLACED).astype(np.int64, copy=False)
        alone = int(np.count_nonzero(label == UNASSOCIATED))
        if alone:
            notes += (f"{alone:,} rows have no object (null or declared missing): left out",)
        _renumber_sparse(label)
        large, note = extents.find_too_large(where, label, detections.ra, detections.dec, radius)
        if note:
            label[large] = EXTENDED
            notes += (note,)
    label = _mark_ambiguous(label, detections.visit)
    lost = int(np.count_nonzero(label == AMBIGUOUS))
    if lost > MAX_AMBIGUOUS * len(label):
        notes += (_note_ambiguous(lost / len(label), detections),)
    notes = tuple(dict.fromkeys(detections.notes + notes))
    return AssociatedDetections.from_detections(detections, object=label, notes=notes)


def _note_ambiguous(share: float, detections: Detections) -> str:
    """Describe mostly ambiguous rows, with the extent of their positions."""
    placed = np.isfinite(detections.ra) & np.isfinite(detections.dec)
    vectors = unit_vectors(detections.ra[placed], detections.dec[placed])
    middle = vectors.mean(axis=0)
    length = float(np.linalg.norm(middle))
    radius = float(np.degrees(separation(vectors, middle / length).max())) if length else 180.0
    size = f"{radius:.3g} degrees" if radius >= 0.1 else f"{3600 * radius:.3g} arcsec"
    return (
        f"{share:.1%} of the rows are left out: their objects have two detections in half of their visits or more. "
        f"All positions lie within {size} of their centre: are they in radians? does the visit identify exposures?"
    )


def split_visits_by_band(detections: Detections) -> Detections:
    """Give each pair of visit and band a code in ``visit``; the names stay.

    Return the same object if no visit has two bands.
    """
    d = detections
    band_of = np.full(len(d.visits), -1, dtype=d.band.dtype)
    parts = [slice(start, start + _STEP) for start in range(0, len(d), _STEP)]
    for part in parts:
        band_of[d.visit[part]] = d.band[part]
    if not any((band_of[d.visit[part]] != d.band[part]).any() for part in parts):
        return d
    code = d.visit.astype(np.int64) * len(d.bands) + d.band
    exposures, visit = np.unique(code, return_inverse=True)
    of_visit = exposures // len(d.bands)
    shared = int(np.count_nonzero(np.unique(of_visit, return_counts=True)[1] > 1))
    note = f"{shared:,} visit names are those of exposures in several bands: a visit is taken to be one of a band"
    names = tuple(d.visits[k] for k in of_visit)
    return replace(d, visit=visit.astype(np.int64), visits=names, notes=(*d.notes, note))


def has_one_position_per_object(detections: AssociatedDetections) -> bool:
    """Return whether all rows of each object share one position, as in light curves.

    Measured positions of an object never agree in all digits.
    """
    rows = np.flatnonzero(detections.object >= 0)
    label = detections.object[rows]
    if len(rows) == detections.n_objects:
        return False
    last = np.zeros(detections.n_objects, dtype=np.int64)
    last[label] = rows
    for values in (detections.ra, detections.dec):
        for start in range(0, len(rows), _STEP):
            part = slice(start, start + _STEP)
            if (values[rows[part]] != values[last[label[part]]]).any():
                return False
    return True


def _column(values: AnyArray) -> FloatArray:
    return np.ascontiguousarray(values, dtype=np.float64)


@cached_njit(parallel=True)
def _directions(ra: FloatArray, dec: FloatArray) -> FloatArray:
    """Compute `unit_vectors` in parallel; a position that is not finite gives NaN."""
    vectors = np.empty((len(ra), 3))
    for k in numba.prange(len(ra)):
        alpha, delta = np.radians(ra[k]), np.radians(dec[k])
        vectors[k, 0] = np.cos(delta) * np.cos(alpha)
        vectors[k, 1] = np.cos(delta) * np.sin(alpha)
        vectors[k, 2] = np.sin(delta)
    return vectors


def _renumber_sparse(label: IntArray) -> None:
    """Renumber labels in order, in place, if too sparse to index arrays."""
    if int(label.max(initial=UNPLACED)) >= 4 * len(label):
        used = label >= 0
        label[used] = np.unique(label[used], return_inverse=True)[1]


def _mark_ambiguous(label: IntArray, visit: AnyArray) -> IntArray:
    """Number the objects 0, 1, ... and mark `AMBIGUOUS` and `CONFLICT`, in place."""
    if label.max(initial=UNPLACED) < 0:
        return label
    doubtful = _renumber(label, np.ascontiguousarray(visit, dtype=np.int64))
    if doubtful.any():
        rows = np.flatnonzero(label >= 0)
        rows = rows[doubtful[label[rows]]]
        order = np.lexsort((visit[rows], label[rows]))
        rows = rows[order]
        again = (label[rows[1:]] == label[rows[:-1]]) & (visit[rows[1:]] == visit[rows[:-1]])
        label[rows[np.r_[False, again] | np.r_[again, False]]] = CONFLICT
    return label


@cached_njit()
def _renumber(label: IntArray, visit: IntArray) -> NDArray[np.bool_]:
    """Renumber the unambiguous groups; return which have two detections in a visit."""
    groups = label.max() + 1
    start = np.zeros(groups + 1, dtype=np.int64)
    for k in range(len(label)):
        if label[k] >= 0:
            start[label[k] + 1] += 1
    start = np.cumsum(start)
    number = start[:-1].copy()
    ordered = np.empty(start[groups], dtype=np.int32)
    for k in range(len(label)):
        if label[k] >= 0:
            ordered[number[label[k]]] = visit[k]
            number[label[k]] += 1
    last = np.full(visit.max() + 1, -1, dtype=np.int64)
    doubtful = np.zeros(groups, dtype=np.bool_)
    count = 0
    for group in range(groups):
        visits = conflicts = 0
        for k in range(start[group], start[group + 1]):
            before = last[ordered[k]]
            if before == group:
                conflicts += 1
                last[ordered[k]] = -2 - group  # counted
            elif before != -2 - group:
                visits += 1
                last[ordered[k]] = group
        if conflicts and 2 * conflicts >= visits:
            number[group] = AMBIGUOUS
        elif visits:
            number[group] = count
            doubtful[count] = conflicts > 0
            count += 1
    for k in range(len(label)):
        if label[k] >= 0:
            label[k] = number[label[k]]
    return doubtful[:count]
