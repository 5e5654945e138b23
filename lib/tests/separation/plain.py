"""The same measurements in plain numpy, float64 throughout, for the tests to compare with: slow and short."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from skyaccept.lib.arrays import FloatArray, IntArray
from skyaccept.lib.separation import Annulus, PairValues
from skyaccept.lib.separation.matrix import vectors
from skyaccept.lib.separation.positions import Positions
from skyaccept.lib.sphere import MAS, separation

_BLOCK = 256  # objects whose partners are sought together
_CHUNK = 1_000_000  # pair-visits held at once


def pair_rms(where: Positions, annulus: Annulus, *, ddof: int, min_common_visits: int) -> PairValues:
    """As `skyaccept.lib.separation.pair_rms`, without weights."""
    values, pairs, measurements = [np.empty(0)], 0, 0
    for deviation, common in _deviations(where, annulus, max(min_common_visits, ddof + 1)):
        n = common.sum(axis=1)
        mean = deviation.sum(axis=1) / n
        square = np.where(common, deviation - mean[:, None], 0.0) ** 2
        values.append(np.sqrt(square.sum(axis=1) / (n - ddof)) / MAS)
        pairs += len(n)
        measurements += int(n.sum())
    return PairValues(np.concatenate(values), pairs, measurements, pairs)


def pair_deviations(
    where: Positions, annulus: Annulus, *, about: Literal["median", "mean"], min_common_visits: int
) -> PairValues:
    """As `skyaccept.lib.separation.pair_deviations`, without weights."""
    values, pairs = [np.empty(0)], 0
    for deviation, common in _deviations(where, annulus, min_common_visits):
        if about == "median":
            center = np.nanmedian(np.where(common, deviation, np.nan), axis=1)
        else:
            center = deviation.sum(axis=1) / common.sum(axis=1)
        values.append((deviation - center[:, None])[common] / MAS)
        pairs += len(center)
    joined = np.concatenate(values)
    return PairValues(joined, pairs, len(joined), pairs)


def pairs_in(where: Positions, annulus: Annulus) -> Iterator[tuple[IntArray, IntArray]]:
    """All pairs of a separation class, in blocks.

    Yields
    ------
    first, second : (m,) int64
        Indices of the two objects; each pair once.
    """
    for begin in range(0, len(where), _BLOCK):
        block = np.arange(begin, min(begin + _BLOCK, len(where)))
        i, j = (a.ravel() for a in np.meshgrid(block, np.arange(begin, len(where)), indexing="ij"))
        i, j = i[i < j], j[i < j]
        angle = separation(where.direction[i], where.direction[j])
        inside = (angle >= annulus.inner) & (angle < annulus.outer)
        yield i[inside], j[inside]


def _deviations(where: Positions, annulus: Annulus, least: int) -> Iterator[tuple[FloatArray, NDArray[np.bool_]]]:
    """Deviations of pairs with at least ``least`` common visits, (pairs, visits) radians, 0 where not common."""
    position = vectors(where, np.arange(len(where)))
    chunk = max(1, _CHUNK // max(1, where.n_visits))
    for first, second in pairs_in(where, annulus):
        for begin in range(0, len(first), chunk):
            i, j = first[begin : begin + chunk], second[begin : begin + chunk]
            common = where.seen[i] & where.seen[j]
            enough = common.sum(axis=1) >= least
            if enough.any():
                i, j, common = i[enough], j[enough], common[enough]
                middle = separation(where.direction[i], where.direction[j])
                yield np.where(common, separation(position[i], position[j]) - middle[:, None], 0.0), common
