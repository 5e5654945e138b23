"""Repeated measurements, where tracts, patches or files overlap."""

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
"""Largest rounding difference of a coordinate: single precision from 256 to 360 degrees."""

MAX_MAGNITUDES = 2e-5
"""Largest rounding difference of a magnitude: 1e-6 of magnitude 20."""

MAX_CHANCE_FRACTION = 0.1
"""Fraction of the pairs at one position and within `CHANCE_MAGNITUDES` above which rounding explains the agreement.

Two measurements of a star in a visit agree to `MAX_MAGNITUDES` by chance in 1 % of cases.
"""

CHANCE_MAGNITUDES = 100 * MAX_MAGNITUDES

_CELL = 3e-4  # degrees; ten times the difference, so that few rows lie near an edge
_ACROSS, _ALONG = round(360 / _CELL), round(180 / _CELL) + 2
_STEP = 1_000_000  # rows per step
_NEIGHBOURS = 16  # of a cell, by magnitude, to compare each row with


@dataclass(frozen=True)
class DuplicatePairs:
    """Pairs of rows of one visit, band and position, the earlier row first.

    ``same`` marks pairs that agree in all digits; the others agree up to rounding.
    """

    first: IntArray
    second: IntArray
    same: NDArray[np.bool_]

    def where(self, chosen: NDArray[np.bool_]) -> DuplicatePairs:
        """Select pairs."""
        return DuplicatePairs(self.first[chosen], self.second[chosen], self.same[chosen])


def find_duplicates(detections: Detections) -> DuplicatePairs:
    """Find pairs of rows with the same visit, band, position and magnitude.

    Position and magnitude are compared up to rounding.

    Parameters
    ----------
    detections : Detections
        Without magnitudes, signal-to-noise ratios are compared. Rows without a finite position have no pair;
        positions without a finite magnitude must agree in all digits. Detectors and times must agree if the catalog
        has them. Flags may differ, as they do between overlapping tracts.
    """
    rows, key = _shared_cells(detections)
    brightness = _brightness(detections, rows)
    order = np.lexsort((detections.ra[rows], detections.dec[rows], brightness, key))
    rows, key, brightness = rows[order], key[order], brightness[order]
    neighbours: list[IntArray] = []
    for lag in range(1, _NEIGHBOURS + 1):
        close = (key[lag:] == key[:-lag]) & (brightness[lag:] - brightness[:-lag] <= CHANCE_MAGNITUDES)
        if not close.any():
            break
        here = np.flatnonzero(close)
        neighbours.append(np.stack([rows[here], rows[here + lag]], axis=1))
    both = (
        np.unique(np.sort(np.concatenate(neighbours), axis=1), axis=0)
        if neighbours
        else np.zeros((0, 2), dtype=np.int64)
    )
    both = both[_same_exposure_and_position(detections, *both.T)]
    return _confirm(detections, *both.T)


def _confirm(detections: Detections, first: IntArray, second: IntArray) -> DuplicatePairs:
    """Keep the pairs whose magnitudes agree, but not by chance."""
    one, other = _brightness(detections, first), _brightness(detections, second)
    same = one == other
    for values in (detections.ra, detections.dec):
        same &= values[first] == values[second]
    rounded = (np.abs(one - other) <= MAX_MAGNITUDES) & (one < _UNKNOWN)
    if np.count_nonzero(rounded & ~same) <= max(2, MAX_CHANCE_FRACTION * len(first)):
        rounded = same
    return DuplicatePairs(first, second, same).where(same | rounded)


_UNKNOWN = 1e9
"""Replacement for a brightness that is not finite."""


def _brightness(d: Detections, rows: IntArray) -> AnyArray:
    """Return the magnitude of rows, or that derived from the signal-to-noise ratio."""
    if d.mag is not None:
        values = d.mag[rows].astype(np.float64)
    elif d.snr is not None:
        with np.errstate(divide="ignore", invalid="ignore"):
            values = -2.5 * np.log10(d.snr[rows].astype(np.float64))
    else:
        values = np.full(len(rows), np.nan)
    return np.where(np.isfinite(values), values, _UNKNOWN)


def _same_exposure_and_position(d: Detections, first: IntArray, second: IntArray) -> NDArray[np.bool_]:
    """Return which pairs agree in exposure, detector, position and time."""
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
    """Find rows that share a cell of the sky and an exposure, with its key.

    A row near the upper edge of its cell belongs to the next cell as well, so that close rows always share a cell.
    Rows may also share a key by chance, or for want of a position.
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
    row_of = place.copy()
    row_of[place >= len(d)] = rows[place[place >= len(d)] - len(d)]
    return row_of, key[place]


def _hash(cell: IntArray) -> Keys:
    """Multiplicative hash (Knuth): upper half of key times 2^64 / golden ratio."""
    return ((cell.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(32)).astype(np.uint32)


def _indices_in(key: Keys, shared: Keys) -> IntArray:
    """Return the indices of the keys that occur in ``shared``, which is sorted."""
    # the upper bits exclude most keys
    near = np.zeros(1 << 24, dtype=bool)
    near[shared >> 8] = True
    parts = [slice(start, start + _STEP) for start in range(0, len(key), _STEP)]
    place = np.concatenate([np.flatnonzero(near[key[part] >> 8]) + part.start for part in parts])
    candidates = key[place]
    return place[shared[np.minimum(np.searchsorted(shared, candidates), len(shared) - 1)] == candidates]


def merge_duplicates(detections: Detections, duplicate_pairs: DuplicatePairs) -> tuple[IntArray, AnyArray | None]:
    """Return the rows to keep and the objects of all rows after merging duplicates.

    The first row with an object and without a flag stays; else the first with an object, else the first without a
    flag, else the first.
    """
    rows, place = np.unique(np.r_[duplicate_pairs.first, duplicate_pairs.second], return_inverse=True)
    group = _components(place[: len(duplicate_pairs.first)], place[len(duplicate_pairs.first) :], len(rows))
    objects = detections.object
    free = np.zeros(len(rows), dtype=bool) if objects is None else objects[rows] < 0
    flagged = np.zeros(len(rows), dtype=bool)
    for values in detections.flags.values():
        flagged |= values[rows]
    order = np.lexsort((rows, flagged, free, group))
    kept = np.ones(len(detections), dtype=bool)
    kept[rows[order][np.r_[False, group[order][1:] == group[order][:-1]]]] = False
    if objects is not None:
        one, other = objects[duplicate_pairs.first], objects[duplicate_pairs.second]
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
    """Number the connected components of a graph given by its edges."""
    graph = coo_array((np.ones(len(first), dtype=bool), (first, second)), shape=(number, number))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)
