"""Association of the detections of many visits into objects."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree
from skyaccept.lib.catalog import Array, Detections
from skyaccept.lib.sphere import chord, unit_vectors

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


def connected(vectors: NDArray[np.float64], visit: Array, radius: float) -> NDArray[np.int64]:
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
        Labels, arbitrary but equal within a component.
    """
    n = len(vectors)
    pairs = cKDTree(vectors).query_pairs(chord(radius) * (1 + 1e-9), output_type="ndarray")
    first, second = pairs[:, 0], pairs[:, 1]
    near = np.linalg.norm(vectors[first] - vectors[second], axis=1) < chord(radius)
    join = near & (visit[first] != visit[second])
    graph = coo_array((np.ones(join.sum(), dtype=bool), (first[join], second[join])), shape=(n, n))
    return connected_components(graph, directed=False)[1].astype(np.int64)


def _mark_ambiguous(label: NDArray[np.int64], visit: Array) -> NDArray[np.int64]:
    """Number the objects 0, 1, ... and set those with two detections in one visit to `AMBIGUOUS`."""
    order = np.lexsort((visit, label))
    repeated = (label[order][1:] == label[order][:-1]) & (visit[order][1:] == visit[order][:-1])
    doubtful = np.unique(label[order][1:][repeated])
    result = np.where(np.isin(label, doubtful[doubtful >= 0]), AMBIGUOUS, label)
    used = result >= 0
    result[used] = np.unique(result[used], return_inverse=True)[1]
    return result
