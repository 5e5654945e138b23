"""Association of the detections of many visits into objects."""

from __future__ import annotations

from dataclasses import replace

import numba
import numpy as np
from numpy.typing import NDArray

from skyaccept.lib.catalog import Array, Detections
from skyaccept.lib.jit import compiled
from skyaccept.lib.sphere import Float, chord, unit_vectors

Index = NDArray[np.int64]

UNPLACED = -1
AMBIGUOUS = -2
"""Codes in ``Detections.object``: no finite position, or a group with two detections in one visit."""


def associate(detections: Detections, radius: float) -> Detections:
    """Group detections into objects.

    Objects are the connected components of the graph whose edges join detections of *different* visits closer than
    ``radius``; the result does not depend on the order of the rows. A component with two detections in one visit is
    ambiguous and is left out. A catalog that comes with objects keeps them, under the same rule.

    Parameters
    ----------
    detections : Detections
    radius : float
        Matching radius, radians.

    Returns
    -------
    Detections
        With ``object`` set to 0 ... n - 1, `UNPLACED` or `AMBIGUOUS`.
    """
    placed = np.isfinite(detections.ra) & np.isfinite(detections.dec)
    if detections.object is None:
        label = np.full(len(detections), UNPLACED, dtype=np.int64)
        rows = np.flatnonzero(placed)
        vectors = unit_vectors(detections.ra[rows], detections.dec[rows])
        label[rows] = connected(vectors, detections.visit[rows], radius)
    else:
        label = np.where(placed, detections.object, UNPLACED)
    return replace(detections, object=_mark_ambiguous(label, detections.visit))


def connected(vectors: Float, visit: Array, radius: float) -> Index:
    """Label connected components of points of different visits closer than a radius.

    Parameters
    ----------
    vectors : (n, 3) float64
        Unit vectors.
    visit : (n,) int
        Visit of each point.
    radius : float
        Radians; a pair at exactly this separation is not joined.

    Returns
    -------
    (n,) int64
        Labels 0, 1, ..., equal within a component, numbered by the first point of each.

    Notes
    -----
    Points are sorted into cubes in space, of a side no less than the radius, so that neighbours lie in 27 cubes: no
    pole and no seam. Components grow by union and find.
    """
    n = len(vectors)
    if n == 0:
        return np.empty(0, dtype=np.int64)
    reach = chord(min(radius, np.pi))
    side = max(reach * (1 + 1e-9), 2.0 / 2**20)
    cells = ((vectors + 1.0) / side).astype(np.int64)
    key = (cells[:, 0] << 42) | (cells[:, 1] << 21) | cells[:, 2]
    order = np.argsort(key, kind="stable")
    ordered = key[order]
    start = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    occupied = ordered[start]
    parent = np.arange(n)
    _join_cells(vectors[order], np.asarray(visit, dtype=np.int64)[order], order, np.append(start, n), occupied, reach**2, parent)
    return _number(parent)
