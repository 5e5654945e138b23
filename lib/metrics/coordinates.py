"""Errors of positions by coordinate."""

from __future__ import annotations

import numpy as np
from skyaccept.lib.arrays import AnyArray, FloatArray
from skyaccept.lib.sphere import MAS, tangent_basis, unit_vectors

_BLOCK = 1_000_000


def offsets(
    ra: AnyArray, dec: AnyArray, origin: FloatArray, place: AnyArray | None = None
) -> tuple[FloatArray, FloatArray]:
    """Offsets of positions from origins along RA (times cos Dec) and Dec, mas.

    Parameters
    ----------
    ra, dec : (n,) float64
        Degrees.
    origin : (m, 3) float64
        Unit vectors.
    place : (n,) int, optional
        Row of the origin of each position; one for each, in order, by default.

    Returns
    -------
    x, y : (n,) float64
        Components of the position along east and north at the origin, that is in the plane tangent there (sine
        projection): both coordinates are measured at one declination, so that an error of Dec does not leak into RA.
        NaN where position or origin is.
    """
    x, y = np.empty(len(ra)), np.empty(len(ra))
    for begin in range(0, len(ra), _BLOCK):
        part = slice(begin, begin + _BLOCK)
        start = origin[part] if place is None else origin[place[part]]
        east, north = tangent_basis(start)
        position = unit_vectors(ra[part], dec[part])
        # east and north are at right angles to the origin: the difference keeps the digits that the product would lose
        position -= start
        x[part] = np.einsum("ij,ij->i", position, east) / MAS
        y[part] = np.einsum("ij,ij->i", position, north) / MAS
    return x, y
