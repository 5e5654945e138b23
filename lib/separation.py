"""The shared separation core: separations of pairs of objects, visit by visit, for all pairs of a separation class."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from skyaccept.lib.catalog import Array, Detections
from skyaccept.lib.sphere import MAS, Float, chord, separation, unit_vectors

Index = NDArray[np.int64]

METHOD = "all pairs, float64"
"""How separations are computed, for the record in the results."""

_BLOCK = 256  # objects whose partners are sought together
_CHUNK = 1_000_000  # pair-visits held at once


@dataclass(frozen=True)
class Positions:
    """Positions of objects in visits, as a mean direction and an offset from it in each visit.

    Attributes
    ----------
    direction : (n_objects, 3) float64
        Mean direction of each object over its visits, a unit vector.
    offset : (n_objects, n_visits, 3) float64
        Unit vector in each visit minus ``direction``; zero where not seen.
    seen : (n_objects, n_visits) bool
    """

    direction: Float
    offset: Float
    seen: NDArray[np.bool_]

    @classmethod
    def from_vectors(cls, obj: Array, visit: Array, vectors: Float) -> Positions:
        """Arrange detections as objects by visits.

        Parameters
        ----------
        obj, visit : (n,) int
            Object and visit of each detection, any codes; at most one detection for an object in a visit.
        vectors : (n, 3) float64
            Unit vectors.
        """
        objects, row = np.unique(obj, return_inverse=True)
        visits, column = np.unique(visit, return_inverse=True)
        seen = np.zeros((len(objects), len(visits)), dtype=bool)
        seen[row, column] = True
        if np.count_nonzero(seen) != len(row):
            raise ValueError("an object has two detections in one visit")
        total = np.stack([np.bincount(row, vectors[:, k], minlength=len(objects)) for k in range(3)], axis=1)
        direction = total / np.linalg.norm(total, axis=1, keepdims=True)
        offset = np.zeros((len(objects), len(visits), 3))
        offset[row, column] = vectors - direction[row]
        return cls(direction, offset, seen)


def positions(detections: Detections, rows: Index) -> Positions:
    """Positions of the given rows of associated detections."""
    if detections.object is None:
        raise ValueError("detections are not associated")
    vectors = unit_vectors(detections.ra[rows], detections.dec[rows])
    return Positions.from_vectors(detections.object[rows], detections.visit[rows], vectors)


@dataclass(frozen=True)
class Annulus:
    """A separation class: pairs with ``inner <= separation of the mean directions < outer``, in radians."""

    inner: float
    outer: float


@dataclass(frozen=True)
class PairValues:
    """What a reduction yields over all pairs of a separation class.

    Attributes
    ----------
    values : (n,) float64
        One value per pair, or one per pair and visit, mas; pairs in no particular order.
    pairs : int
        Pairs with enough common visits.
    measurements : int
        Separations measured in them: the sum of their common visits.
    """

    values: Float
    pairs: int
    measurements: int


def pair_rms(where: Positions, annulus: Annulus, *, ddof: int, min_common_visits: int) -> PairValues:
    """Standard deviation of the separation of each pair over its common visits.

    Parameters
    ----------
    where : Positions
    annulus : Annulus
    ddof : int
        Delta degrees of freedom: the sum of squares is divided by n - ddof.
    min_common_visits : int
        Pairs seen together in fewer visits are left out.

    Returns
    -------
    PairValues
        One value per pair, mas.
    """
    values, pairs, measurements = [np.empty(0)], 0, 0
    for deviation, common in _deviations(where, annulus, max(min_common_visits, ddof + 1)):
        n = common.sum(axis=1)
        mean = deviation.sum(axis=1) / n
        square = np.where(common, deviation - mean[:, None], 0.0) ** 2
        values.append(np.sqrt(square.sum(axis=1) / (n - ddof)) / MAS)
        pairs += len(n)
        measurements += int(n.sum())
    return PairValues(np.concatenate(values), pairs, measurements)


def pair_deviations(
    where: Positions, annulus: Annulus, *, about: Literal["median", "mean"], min_common_visits: int
) -> PairValues:
    """Signed deviations of the separation of each pair from its median, or mean, over its common visits.

    Parameters
    ----------
    where : Positions
    annulus : Annulus
    about : {"median", "mean"}
    min_common_visits : int
        Pairs seen together in fewer visits are left out.

    Returns
    -------
    PairValues
        One value per pair and common visit, mas.
    """
    values, pairs = [np.empty(0)], 0
    for deviation, common in _deviations(where, annulus, min_common_visits):
        if about == "median":
            center = np.nanmedian(np.where(common, deviation, np.nan), axis=1)
        else:
            center = deviation.sum(axis=1) / common.sum(axis=1)
        values.append((deviation - center[:, None])[common] / MAS)
        pairs += len(center)
    joined = np.concatenate(values)
    return PairValues(joined, pairs, len(joined))


def pairs_in(where: Positions, annulus: Annulus) -> Iterator[tuple[Index, Index]]:
    """All pairs of a separation class, in blocks.

    Yields
    ------
    first, second : (m,) int64
        Indices of the two objects; each pair once.
    """
    # sorted by declination, the partners of a block lie in one slice
    order = np.argsort(where.direction[:, 2], kind="stable")
    direction = where.direction[order]
    dec = np.arcsin(direction[:, 2].clip(-1, 1))
    low, high = chord(min(annulus.inner, np.pi)) ** 2, chord(min(annulus.outer, np.pi)) ** 2
    for start in range(0, len(order), _BLOCK):
        block = slice(start, min(start + _BLOCK, len(order)))
        stop = np.searchsorted(dec, dec[block.stop - 1] + annulus.outer + 1e-9, side="right")
        chord2 = 2 - 2 * direction[block] @ direction[start:stop].T
        # rounding of 2 - 2 cos is below 1e-15: take candidates generously, then decide by the exact angle
        i, j = np.nonzero((chord2 > low - 1e-12) & (chord2 < high + 1e-12))
        i, j = i[i < j] + start, j[i < j] + start
        angle = separation(direction[i], direction[j])
        inside = (angle >= annulus.inner) & (angle < annulus.outer)
        yield order[i[inside]], order[j[inside]]


def _deviations(where: Positions, annulus: Annulus, least: int) -> Iterator[tuple[Float, NDArray[np.bool_]]]:
    """Deviations of pairs with at least ``least`` common visits, (pairs, visits) radians, 0 where not common."""
    chunk = max(1, _CHUNK // max(1, where.seen.shape[1]))
    for first, second in pairs_in(where, annulus):
        for start in range(0, len(first), chunk):
            i, j = first[start : start + chunk], second[start : start + chunk]
            common = where.seen[i] & where.seen[j]
            enough = common.sum(axis=1) >= least
            if enough.any():
                i, j, common = i[enough], j[enough], common[enough]
                yield np.where(common, separation_deviation(where, i, j), 0.0), common


def separation_deviation(where: Positions, i: Index, j: Index) -> Float:
    r"""Separation in each visit minus the separation of the mean directions.

    Parameters
    ----------
    where : Positions
    i, j : (m,) int64
        Objects of each pair.

    Returns
    -------
    (m, n_visits) float64
        Radians; meaningless where one of the two was not seen.

    Notes
    -----
    With unit vectors :math:`a, b` at an angle :math:`\theta`, their chord :math:`c = |b - a| = 2\sin(\theta/2)` and
    sum :math:`s = |a + b| = 2\cos(\theta/2)`, and the same with index 0 for the mean directions,

    .. math:: \sin\frac{\theta - \theta_0}{2} = \frac{c^2 - c_0^2}{c\,s_0 + s\,c_0}.

    The numerator is :math:`2 D_0 \cdot d + |d|^2` for the difference vector :math:`D_0 + d`, or minus the same
    expression of the sum vector, which is the smaller one beyond 90 degrees: no large numbers cancel at any
    separation. Rounding stays near 1e-7 mas.
    """
    a0, b0 = where.direction[i][:, None], where.direction[j][:, None]
    da, db = where.offset[i], where.offset[j]
    chord0, sum0 = b0 - a0, a0 + b0
    c0, s0 = np.linalg.norm(chord0, axis=-1), np.linalg.norm(sum0, axis=-1)
    d_chord, d_sum = db - da, da + db
    c, s = np.linalg.norm(chord0 + d_chord, axis=-1), np.linalg.norm(sum0 + d_sum, axis=-1)
    near = (2 * chord0 * d_chord + d_chord**2).sum(axis=-1)
    far = -(2 * sum0 * d_sum + d_sum**2).sum(axis=-1)
    return 2 * np.arcsin(np.where(c0 < s0, near, far) / (c * s0 + s * c0))
