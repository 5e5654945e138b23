"""Association of the detections of many visits into objects."""

from __future__ import annotations

from dataclasses import replace

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
    order = np.argsort(key)
    ordered = key[order]
    start = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    occupied = ordered[start]
    parent = np.arange(n)
    _join_cells(
        vectors[order], np.asarray(visit, dtype=np.int64)[order], order, np.append(start, n), occupied, reach, parent
    )
    return _number(parent)


@compiled(strict=True)
def _join_cells(
    vectors: Float, visit: Index, row: Index, start: Index, occupied: Index, reach: float, parent: Index
) -> None:
    """Join the points of each cube with each other and with those of the 13 neighbours of higher key."""
    near = reach * reach * (1 + 1e-12)
    offsets = np.empty(14, dtype=np.int64)
    found = 0
    for dx in range(-1, 2):
        for dy in range(-1, 2):
            for dz in range(-1, 2):
                offset = (dx << 42) + (dy << 21) + dz
                if offset >= 0:
                    offsets[found] = offset
                    found += 1
    for cell in range(len(occupied)):
        for k in range(len(offsets)):
            offset = int(offsets[k])
            other = cell if offset == 0 else int(np.searchsorted(occupied, occupied[cell] + offset))
            if other == len(occupied) or occupied[other] != occupied[cell] + offset:
                continue
            for a in range(start[cell], start[cell + 1]):
                x, y, z = vectors[a, 0], vectors[a, 1], vectors[a, 2]
                for b in range(a + 1 if offset == 0 else start[other], start[other + 1]):
                    dx, dy, dz = vectors[b, 0] - x, vectors[b, 1] - y, vectors[b, 2] - z
                    square = dx * dx + dy * dy + dz * dz
                    if square < near and visit[a] != visit[b] and np.sqrt(square) < reach:
                        _join(parent, row[a], row[b])


@compiled()
def _root(parent: Index, k: int) -> int:
    while parent[k] != k:
        parent[k] = parent[parent[k]]
        k = parent[k]
    return k


@compiled()
def _join(parent: Index, a: int, b: int) -> None:
    """Hang the later root under the earlier one, so that the root is the first point of its component."""
    a, b = _root(parent, a), _root(parent, b)
    if a < b:
        parent[b] = a
    elif b < a:
        parent[a] = b


@compiled()
def _number(parent: Index) -> Index:
    label = np.empty(len(parent), dtype=np.int64)
    count = 0
    for k in range(len(parent)):
        root = _root(parent, k)
        if root == k:
            label[k] = count
            count += 1
        else:
            label[k] = label[root]
    return label


def _mark_ambiguous(label: Index, visit: Array) -> Index:
    """Number the objects 0, 1, ... and set those with two detections in one visit to `AMBIGUOUS`."""
    used = label >= 0
    if not used.any():
        return label
    members = _rank(label[used])
    doubtful = _repeated(members, np.asarray(visit, dtype=np.int64)[used], np.bincount(members))
    order = np.cumsum(~doubtful) - 1
    result = label.copy()
    result[used] = np.where(doubtful[members], AMBIGUOUS, order[members])
    return result


def _rank(label: Index) -> Index:
    """Place of each label among the distinct ones."""
    if int(label.max()) < 4 * len(label):
        return (np.cumsum(np.bincount(label) > 0) - 1)[label]
    return np.unique(label, return_inverse=True)[1]


@compiled()
def _repeated(member: Index, visit: Index, count: Index) -> NDArray[np.bool_]:
    """Whether a group has two detections in one visit."""
    start = np.zeros(len(count) + 1, dtype=np.int64)
    start[1:] = np.cumsum(count)
    place = start[:-1].copy()
    ordered = np.empty(len(member), dtype=np.int64)
    for k in range(len(member)):
        ordered[place[member[k]]] = visit[k]
        place[member[k]] += 1
    last = np.full(visit.max() + 1, -1, dtype=np.int64)
    doubtful = np.zeros(len(count), dtype=np.bool_)
    for group in range(len(count)):
        for k in range(start[group], start[group + 1]):
            if last[ordered[k]] == group:
                doubtful[group] = True
            last[ordered[k]] = group
    return doubtful
