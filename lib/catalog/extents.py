"""Extents of a catalog's own objects, compared with the association radius."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from skyaccept.lib.arrays import AnyArray, FloatArray, IntArray
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.numba_cache import cached_njit
from skyaccept.lib.sphere import unit_vectors

MAX_RADII = 4.0
"""Largest extent of an object, in association radii.

Detections within the radius of one position are at most two radii apart; surveys use radii up to 1.5".
"""

MAX_LARGE_FRACTION = 0.05
"""Fraction of objects with several detections above which large objects are refused.

Fast stars are rarer: less than one in a thousand moves by 4" in ten years.
"""

_ARCSEC = np.pi / 180 / 3600


def find_too_large(where: str, label: IntArray, ra: AnyArray, dec: AnyArray, radius: float) -> tuple[IntArray, str]:
    """Find the rows of objects larger than `MAX_RADII` radii, with a note.

    Parameters
    ----------
    where : str
        Name of the dataset, for messages.
    label : (n,) int64
        Object of each row, negative for none; at most a few times as large as there are rows.
    ra, dec : (n,) float
        Degrees.
    radius : float
        Association radius, radians.

    Returns
    -------
    rows : (m,) int64
    note : str
        Empty without such an object.

    Raises
    ------
    InputError
        More than one, and more than `MAX_LARGE_FRACTION`, of the objects with two rows or more are that large.
    """
    bound = MAX_RADII * radius
    nothing = np.zeros(0, dtype=np.int64)
    if not len(label) or label.max() < 0:
        return nothing, ""
    first = np.full(label.max() + 1, -1, dtype=np.int32 if len(label) < 2**31 else np.int64)
    several, far = _far(
        label,
        np.ascontiguousarray(ra, dtype=np.float64),
        np.ascontiguousarray(dec, dtype=np.float64),
        float(np.degrees(bound)) / 2,
        first,
    )
    if not far.any():
        return nothing, ""
    rows = np.flatnonzero(label >= 0)
    rows = rows[far[label[rows]]]
    rows = rows[np.argsort(label[rows], kind="stable")]
    start = np.flatnonzero(np.r_[True, label[rows[1:]] != label[rows[:-1]]])
    extent = _extent(unit_vectors(ra[rows], dec[rows]), start) / _ARCSEC
    large = extent > bound / _ARCSEC
    number = int(np.count_nonzero(large))
    if not number:
        return nothing, ""
    counted = f"{number:,} of {several:,} objects with several detections extend over more than {bound / _ARCSEC:g}"
    if number > max(1, MAX_LARGE_FRACTION * several):
        raise InputError(
            f"{where}: {counted} arc sec (the median of these over {np.median(extent[large]):.4g} arc sec), which is "
            "too much for single sources. Is the column mapped as object a running number within each file? Then use "
            "`within: file` in the survey profile, or leave `object` out so that detections are associated by "
            "position. If the objects are right, state a larger `association_radius`"
        )
    lost = rows[np.repeat(large, np.diff(np.r_[start, len(rows)]))]
    return lost, f"{counted} arc sec, up to {extent.max():.4g}: left out"


def _extent(vectors: FloatArray, start: IntArray) -> FloatArray:
    """Compute the diagonal of the bounding box of each run of unit vectors, radians."""
    sides = np.maximum.reduceat(vectors, start) - np.minimum.reduceat(vectors, start)
    return np.asarray(2 * np.arcsin(np.minimum(np.sqrt((sides**2).sum(axis=1)) / 2, 1.0)))


@cached_njit()
def _far(
    label: IntArray, ra: FloatArray, dec: FloatArray, bound: float, first: AnyArray
) -> tuple[np.int64, NDArray[np.bool_]]:
    """Count objects with several rows, and find those that may exceed a bound.

    Differences of right ascension are not scaled by cos(Dec), so that separations are never underestimated.
    ``first``, initially -1, becomes the first row of each object.
    """
    again = np.zeros(len(first), dtype=np.bool_)
    far = np.zeros(len(first), dtype=np.bool_)
    for row in range(len(label)):
        if label[row] < 0:
            continue
        begin = first[label[row]]
        if begin < 0:
            first[label[row]] = row
            continue
        again[label[row]] = True
        x, y = abs(ra[row] - ra[begin]), dec[row] - dec[begin]
        x = min(x, abs(360 - x))
        if x * x + y * y > bound * bound:
            far[label[row]] = True
    return again.sum(), far
