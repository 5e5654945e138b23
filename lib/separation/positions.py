"""Positions of objects in visits: mean directions and offsets from them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray
from skyaccept.lib.arrays import AnyArray, FloatArray, IntArray
from skyaccept.lib.catalog.detections import AssociatedDetections
from skyaccept.lib.numba_cache import cached_njit
from skyaccept.lib.separation import tree
from skyaccept.lib.separation.tree import Tree
from skyaccept.lib.sphere import MAS, tangent_basis

SMALL = 2_000_000
"""Offsets are kept in float64 for datasets of up to this many detections, in float32 for larger ones.

The detections of the whole dataset count, in all bands and before any cut: all parts of a dataset are measured alike.
"""

WIDE = 100.0
"""Objects with an offset beyond this, mas, are kept in float64 as well when the others are in float32."""


class Stars(NamedTuple):
    """Objects as compiled code sees them, in the order of the leaves of the tree.

    Attributes
    ----------
    frame : (n_objects, 8) float64
        East (x and y; its z is 0), north and mean direction of each object.
    x, y : (n_objects, n_visits) float64 or float32
    bits : (n_objects, n_words) uint64
        Visits in which each object was seen, 64 to a word.
    reach : (n_objects,) float64
        Largest offset of each object, mas.
    wide : (n_objects,) int64
        Row of each object in ``wide_x`` and ``wide_y``, -1 for those whose offsets are precise as they stand.
    wide_x, wide_y : (n_wide, n_visits) float64
        Offsets of the objects that moved far, where ``x`` and ``y`` are float32.
    """

    frame: FloatArray
    x: NDArray[Any]
    y: NDArray[Any]
    bits: NDArray[np.uint64]
    reach: FloatArray
    wide: IntArray
    wide_x: FloatArray
    wide_y: FloatArray


@dataclass(frozen=True)
class Positions:
    """Positions of objects in visits: mean directions and offsets from them.

    Objects stand in the order of the leaves of ``tree``. The position of one in a visit is
    ``direction sqrt(1 - x^2 - y^2) + east x + north y``, exactly, with x and y in radians. ``objects`` and ``visits``
    are the codes of the rows and columns of the offsets.
    """

    stars: Stars
    tree: Tree
    objects: AnyArray
    visits: AnyArray

    @classmethod
    def from_degrees(
        cls, obj: AnyArray, visit: AnyArray, ra: FloatArray, dec: FloatArray, *, precise: bool = True
    ) -> Positions:
        """Arrange detections as objects by visits.

        Parameters
        ----------
        obj, visit : (n,) int
            Object and visit of each detection, any codes; at most one detection of an object in a visit.
        ra, dec : (n,) float64
            Position of each detection, degrees.
        precise : bool
            Keep the offsets in float64; else in float32, and in float64 as well for objects beyond `WIDE`.
        """
        present = np.bincount(visit) > 0
        column = (np.cumsum(present) - 1)[visit]
        if np.any((obj[1:] < obj[:-1]) | ((obj[1:] == obj[:-1]) & (column[1:] <= column[:-1]))):
            order = np.lexsort((column, obj))
            obj, column, ra, dec = obj[order], column[order], ra[order], dec[order]
        if np.any((obj[1:] == obj[:-1]) & (column[1:] == column[:-1])):
            raise ValueError("an object has two detections in one visit")
        start = np.append(np.flatnonzero(np.append(True, obj[1:] != obj[:-1])[: len(obj)]), len(obj))
        n, n_visits = len(start) - 1, int(present.sum())
        direction = _mean_directions(start, ra, dec)
        order, leaves = tree.build(direction)
        direction = direction[order]
        east, north = tangent_basis(direction)
        frame = np.concatenate([east[:, :2], north, direction], axis=1)
        x = np.full((n, n_visits), np.nan, dtype=np.float64 if precise else np.float32)
        y = np.full_like(x, np.nan)
        bits = np.zeros((n, (n_visits + 63) // 64), dtype=np.uint64)
        reach = np.zeros(n)
        _fill_offsets(start, column, ra, dec, order, frame, x, y, bits, reach)
        wide = np.full(n, -1, dtype=np.int64)
        far = np.zeros(0, dtype=np.int64) if precise else np.flatnonzero(reach > WIDE)
        wide[far] = np.arange(len(far))
        wide_x = np.full((len(far), n_visits), np.nan)
        wide_y = np.full_like(wide_x, np.nan)
        if len(far):
            _fill_offsets(start, column, ra, dec, order[far], frame[far], wide_x, wide_y, bits[far], reach[far])
        stars = Stars(frame, x, y, bits, reach, wide, wide_x, wide_y)
        return cls(stars, leaves, obj[start[:-1]][order], np.flatnonzero(present))

    def __len__(self) -> int:
        return len(self.stars.frame)

    @property
    def n_visits(self) -> int:
        """Number of visits in which any object was seen."""
        return int(self.stars.x.shape[1])

    @property
    def direction(self) -> FloatArray:
        """Mean direction of each object over its visits, a unit vector, (n_objects, 3)."""
        return self.stars.frame[:, 5:]

    @cached_property
    def seen(self) -> NDArray[np.bool_]:
        """Whether each object was seen in each visit, (n_objects, n_visits)."""
        return np.isfinite(self.stars.x)


def positions(detections: AssociatedDetections, rows: IntArray) -> Positions:
    """Positions of some rows of a whole dataset.

    Its size decides on their precision (`SMALL`).
    """
    d = detections
    return Positions.from_degrees(
        d.object[rows], d.visit[rows], d.ra[rows], d.dec[rows], precise=len(detections) <= SMALL
    )


@cached_njit()
def _unit_vector(ra: float, dec: float) -> tuple[float, float, float]:
    alpha, delta = np.radians(ra), np.radians(dec)
    return np.cos(delta) * np.cos(alpha), np.cos(delta) * np.sin(alpha), np.sin(delta)


@cached_njit(parallel=True)
def _mean_directions(start: IntArray, ra: FloatArray, dec: FloatArray) -> FloatArray:
    n = len(start) - 1
    direction = np.empty((n, 3))
    for k in numba.prange(n):
        x = y = z = 0.0
        for row in range(start[k], start[k + 1]):
            a, b, c = _unit_vector(ra[row], dec[row])
            x += a
            y += b
            z += c
        length = np.sqrt(x * x + y * y + z * z)
        direction[k, 0] = x / length
        direction[k, 1] = y / length
        direction[k, 2] = z / length
    return direction


@cached_njit(parallel=True)
def _fill_offsets(
    start: IntArray,
    column: IntArray,
    ra: FloatArray,
    dec: FloatArray,
    order: IntArray,
    frame: FloatArray,
    x: NDArray[Any],
    y: NDArray[Any],
    bits: NDArray[np.uint64],
    reach: FloatArray,
) -> None:
    for k in numba.prange(len(order)):
        obj = order[k]
        farthest = 0.0
        for row in range(start[obj], start[obj + 1]):
            px, py, pz = _unit_vector(ra[row], dec[row])
            a = (px * frame[k, 0] + py * frame[k, 1]) / MAS
            b = (px * frame[k, 2] + py * frame[k, 3] + pz * frame[k, 4]) / MAS
            visit = column[row]
            x[k, visit] = a
            y[k, visit] = b
            bits[k, visit >> 6] |= np.uint64(1) << np.uint64(visit & 63)
            farthest = max(farthest, a * a + b * b)
        reach[k] = np.sqrt(farthest)
