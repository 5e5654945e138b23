"""Measurements that stand in a catalog twice, as where tracts, patches or files overlap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from skyaccept.lib.arrays import AnyArray, IntArray
from skyaccept.lib.catalog.detections import Detections

Keys = NDArray[np.uint32]

MAX_DEGREES = 3.1e-5
"""Largest difference of a coordinate by rounding: positions from 256 to 360 degrees in single precision."""

MAX_MAGNITUDES = 2e-5
"""Largest difference of a magnitude by rounding: one part in a million of magnitude 20."""

MAX_CHANCE_FRACTION = 0.1
"""Fraction of the pairs at one position and within `CHANCE_MAGNITUDES` above which rounding explains the agreement.

A star that was measured twice in a visit agrees with itself to `MAX_MAGNITUDES` in one case of a hundred.
"""

CHANCE_MAGNITUDES = 100 * MAX_MAGNITUDES

_CELL = 3e-4  # degrees; ten times the difference, so that few rows lie near an edge
_ACROSS, _ALONG = round(360 / _CELL), round(180 / _CELL) + 2
_STEP = 1_000_000  # rows that are numbered at a time
_NEIGHBOURS = 16  # of one cell, in the order of magnitudes, that a row is compared with


@dataclass(frozen=True)
class DuplicatePairs:
    """Pairs of rows, the first before the second, of one visit, band and place.

    ``same`` marks those that agree in all digits; of the others, rounding has changed some digits.
    """

    first: IntArray
    second: IntArray
    same: NDArray[np.bool_]

    def where(self, chosen: NDArray[np.bool_]) -> DuplicatePairs:
        """Some of the pairs."""
        return DuplicatePairs(self.first[chosen], self.second[chosen], self.same[chosen])


def find_duplicates(detections: Detections) -> DuplicatePairs:
    """Pairs of rows that hold one measurement: the same visit, band, place and magnitude, but for rounding.

    Parameters
    ----------
    detections : Detections
        Where there are no magnitudes, signal-to-noise ratios count instead. Rows without a finite position have no
        pair; positions without a finite magnitude have to agree in all digits. Detectors and times have to agree
        where there are any. Flags need not: tracts that overlap differ in these.
    """
    rows, key = _shared_cells(detections)
    brightness = _brightness(detections, rows)
    order = np.lexsort((detections.ra[rows], detections.dec[rows], brightness, key))
    rows, key, brightness = rows[order], key[order], brightness[order]
    found: list[IntArray] = []
    for lag in range(1, _NEIGHBOURS + 1):
        close = (key[lag:] == key[:-lag]) & (brightness[lag:] - brightness[:-lag] <= CHANCE_MAGNITUDES)
        if not close.any():
            break
        here = np.flatnonzero(close)
        found.append(np.stack([rows[here], rows[here + lag]], axis=1))
    both = np.unique(np.sort(np.concatenate(found), axis=1), axis=0) if found else np.zeros((0, 2), dtype=np.int64)
    both = both[_same_exposure_and_position(detections, *both.T)]
    return _confirm(detections, *both.T)


def _confirm(detections: Detections, first: IntArray, second: IntArray) -> DuplicatePairs:
    """Pairs that agree in their magnitudes, and not by chance, among those of one place."""
    one, other = _brightness(detections, first), _brightness(detections, second)
    same = one == other
    for values in (detections.ra, detections.dec):
        same &= values[first] == values[second]
    rounded = (np.abs(one - other) <= MAX_MAGNITUDES) & (one < _UNKNOWN)
    if np.count_nonzero(rounded & ~same) <= max(2, MAX_CHANCE_FRACTION * len(first)):
        rounded = same
    return DuplicatePairs(first, second, same).where(same | rounded)


_UNKNOWN = 1e9
"""In place of a brightness that is not finite."""


def _brightness(d: Detections, rows: IntArray) -> AnyArray:
    """Magnitude of rows, or what a signal-to-noise ratio makes of one."""
    if d.mag is not None:
        values = d.mag[rows].astype(np.float64)
    elif d.snr is not None:
        with np.errstate(divide="ignore", invalid="ignore"):
            values = -2.5 * np.log10(d.snr[rows].astype(np.float64))
    else:
        values = np.full(len(rows), np.nan)
    return np.where(np.isfinite(values), values, _UNKNOWN)


def _same_exposure_and_position(d: Detections, first: IntArray, second: IntArray) -> NDArray[np.bool_]:
    """Whether two rows are of one exposure, detector, place and time."""
    across = np.abs(d.ra[first].astype(np.float64) - d.ra[second])
    good = np.minimum(across, np.abs(360 - across)) <= MAX_DEGREES
    good &= np.abs(d.dec[first].astype(np.float64) - d.dec[second]) <= MAX_DEGREES
    for values in (d.visit, d.band):
        good &= values[first] == values[second]
    if d.detector is not None:
        good &= d.detector[first] == d.detector[second]
    if d.mjd is not None:
        good &= ~(np.abs(d.mjd[first] - d.mjd[second]) > 1e-6)  # 0.1 s
    return good


def _shared_cells(d: Detections) -> tuple[IntArray, Keys]:
    """Rows that share a cell of the sky and an exposure with another one, and the key of it.

    A row that lies near the upper edge of its cell is in the next one as well, so that two rows that are close to each
    other always share one. Some share a key by chance, or without a position.
    """
    own = np.empty(len(d), dtype=np.uint32)
    more_rows, more_keys = [], []
    for start in range(0, len(d), _STEP):
        part = slice(start, start + _STEP)
        with np.errstate(invalid="ignore"):
            x, y = d.ra[part] % 360 / _CELL, (d.dec[part].astype(np.float64) + 90) / _CELL
        placed = np.isfinite(x) & np.isfinite(y)
        if not placed.all():
            x, y = np.where(placed, x, 0.0), np.where(placed, y, 0.0)
        column, line = x.astype(np.int64), y.astype(np.int64)
        exposure = d.visit[part].astype(np.int64) * len(d.bands) + d.band[part]
        exposure *= _ALONG
        cell = (exposure + line) * _ACROSS + column
        cell[~placed] = -1 - start - np.flatnonzero(~placed)
        own[part] = _hash(cell)
        right, up = (x - column) * _CELL > _CELL - MAX_DEGREES, (y - line) * _CELL > _CELL - MAX_DEGREES
        for east, north, near in ((1, 0, right), (0, 1, up), (1, 1, right & up)):
            chosen = np.flatnonzero(near & placed)
            more_rows.append(chosen + start)
            cell = (exposure[chosen] + line[chosen] + north) * _ACROSS + (column[chosen] + east) % _ACROSS
            more_keys.append(_hash(cell))
    rows = np.concatenate([np.zeros(0, dtype=np.int64), *more_rows])
    key = np.concatenate([own, *more_keys])
    ordered = np.sort(key)
    shared = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    if not len(shared):
        return rows[:0], key[:0]
    place = _indices_in(key, shared)
    found = place.copy()
    found[place >= len(d)] = rows[place[place >= len(d)] - len(d)]
    return found, key[place]


def _hash(cell: IntArray) -> Keys:
    """Multiplicative hash (Knuth): the upper half of the product with 2^64 over the golden ratio, modulo 2^64."""
    return ((cell.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(32)).astype(np.uint32)


def _indices_in(key: Keys, shared: Keys) -> IntArray:
    """Places of those keys that are among some, which ascend."""
    # the upper bits tell of most that they are not
    near = np.zeros(1 << 24, dtype=bool)
    near[shared >> 8] = True
    parts = [slice(start, start + _STEP) for start in range(0, len(key), _STEP)]
    place = np.concatenate([np.flatnonzero(near[key[part] >> 8]) + part.start for part in parts])
    found = key[place]
    return place[shared[np.minimum(np.searchsorted(shared, found), len(shared) - 1)] == found]


def merge_duplicates(detections: Detections, found: DuplicatePairs) -> tuple[IntArray, AnyArray | None]:
    """Rows that stay where each measurement counts once, and the object of all rows once those that share one are one.

    Of several rows the first stays that belongs to an object and has no flag; else the first that belongs to an object,
    else the first without a flag, else the first.
    """
    rows, place = np.unique(np.r_[found.first, found.second], return_inverse=True)
    group = _components(place[: len(found.first)], place[len(found.first) :], len(rows))
    objects = detections.object
    free = np.zeros(len(rows), dtype=bool) if objects is None else objects[rows] < 0
    flagged = np.zeros(len(rows), dtype=bool)
    for values in detections.flags.values():
        flagged |= values[rows]
    order = np.lexsort((rows, flagged, free, group))
    kept = np.ones(len(detections), dtype=bool)
    kept[rows[order][np.r_[False, group[order][1:] == group[order][:-1]]]] = False
    if objects is not None:
        one, other = objects[found.first], objects[found.second]
        apart = (one != other) & (one >= 0) & (other >= 0)
        names, place = np.unique(np.r_[one[apart], other[apart]], return_inverse=True)
        half = len(place) // 2
        number = _components(place[:half], place[half:], len(names))
        first = names[np.unique(number, return_index=True)[1]] if len(names) else names
        changed = np.isin(objects, names)
        objects = objects.copy()
        objects[changed] = first[number[np.searchsorted(names, objects[changed])]]
    return np.flatnonzero(kept), objects


def _components(first: IntArray, second: IntArray, number: int) -> IntArray:
    """Number of the connected component of each of some nodes, by edges between them."""
    graph = coo_array((np.ones(len(first), dtype=bool), (first, second)), shape=(number, number))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)
