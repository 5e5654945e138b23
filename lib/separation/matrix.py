"""Deviations of the separations of pairs by visit, as a matrix."""

from __future__ import annotations

import numpy as np
from skyaccept.lib.arrays import FloatArray, IntArray
from skyaccept.lib.separation import tree
from skyaccept.lib.separation.positions import Positions
from skyaccept.lib.sphere import MAS, chord, separation

_CHUNK = 200_000  # pair-visits measured at once


def deviations(
    where: Positions, inner: float, outer: float, least: int, objects: IntArray
) -> tuple[IntArray, FloatArray]:
    """Separations of pairs minus that of their mean directions, by visit.

    Of the pairs of some objects.

    Parameters
    ----------
    where : Positions
    inner, outer : float
        Separation class, radians: ``inner <= separation of the mean directions < outer``.
    least : int
        Pairs seen together in fewer visits are left out.
    objects : (n,) int64
        Which of the objects, in ascending order.

    Returns
    -------
    pairs : (m, 2) int64
        The two of each pair, as places in ``objects``.
    values : (m, n_visits) float64
        mas; NaN in visits in which not both were seen.
    """
    direction, seen = where.direction[objects], where.seen[objects]
    order, leaves = tree.build(direction)
    low, high = chord(min(inner, np.pi)), chord(outer) if outer <= np.pi else 3.0
    pairs = np.sort(order[tree.listed(leaves, low, high)], axis=1)
    pairs = pairs[np.count_nonzero(seen[pairs[:, 0]] & seen[pairs[:, 1]], axis=1) >= least]
    position = vectors(where, objects)
    values = np.full((len(pairs), where.n_visits), np.nan)
    chunk = max(1, _CHUNK // max(1, where.n_visits))
    for begin in range(0, len(pairs), chunk):
        i, j = pairs[begin : begin + chunk].T
        common = seen[i] & seen[j]
        middle = separation(direction[i], direction[j])
        apart = separation(position[i], position[j]) - middle[:, None]
        values[begin : begin + chunk] = np.where(common, apart / MAS, np.nan)
    return pairs, values


def vectors(where: Positions, objects: IntArray) -> FloatArray:
    """Unit vectors of positions of objects, (n, n_visits, 3); zero if not seen."""
    stars = where.stars
    x, y = stars.x[objects].astype(np.float64), stars.y[objects].astype(np.float64)
    wide = np.flatnonzero(stars.wide[objects] >= 0)
    x[wide], y[wide] = (w[stars.wide[objects[wide]]] for w in (stars.wide_x, stars.wide_y))
    x, y = np.nan_to_num(x) * MAS, np.nan_to_num(y) * MAS
    along, frame = np.sqrt(1 - x**2 - y**2), stars.frame[objects][:, None]
    east = np.concatenate([frame[..., :2], np.zeros_like(frame[..., :1])], axis=-1)
    found = along[..., None] * frame[..., 5:] + x[..., None] * east + y[..., None] * frame[..., 2:5]
    return np.where(where.seen[objects][..., None], found, 0.0)
