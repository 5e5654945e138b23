"""Selection of rows by cuts, with a count of rejected rows per reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray
from skyaccept.lib import progress
from skyaccept.lib.arrays import AnyArray, BoolArray
from skyaccept.lib.catalog.association import REASONS
from skyaccept.lib.catalog.detections import AssociatedDetections
from skyaccept.lib.numba_cache import cached_njit
from skyaccept.lib.sample.cuts import BOUNDS, Cut


@dataclass(frozen=True)
class Selection:
    """Selected rows, and counts of rejected rows.

    Attributes
    ----------
    rows : (n,) int64
        Rows used, sorted by object and then by visit.
    rows_in : int
    rejected : mapping of str to int
        Counts of rejected rows by the first reason that applies, in the order of the cuts.
    notes : tuple of str
        Cuts that could not be applied.
    """

    rows: NDArray[np.int64]
    rows_in: int
    rejected: Mapping[str, int]
    notes: tuple[str, ...] = ()


def select(detections: AssociatedDetections, band: str | None, cuts: Sequence[Cut], needed_by: str) -> Selection:
    """Select the rows of one band that pass all cuts.

    Parameters
    ----------
    detections : AssociatedDetections
    band : str or None
        None for all bands: objects are judged by their detections in all of them.
    cuts : sequence of Cut
        Applied in order; statistics of an object use its remaining rows.
    needed_by : str
        User of the columns, for messages.

    Returns
    -------
    Selection
        ``rows_in == len(rows) + sum(rejected.values())`` always.

    Raises
    ------
    InputError
        The catalog lacks the column of a cut.
    """
    progress.report(f"selecting detections in {band or 'all bands'}", 0, len(cuts))
    rejected: dict[str, int] = {}
    notes: list[str] = []
    rows = np.arange(len(detections)) if band is None else np.flatnonzero(_of_band(detections, band))
    if len(rows) < len(detections):
        rejected[f"band:not {band}"] = len(detections) - len(rows)
    placed = np.isfinite(detections.ra[rows]) & np.isfinite(detections.dec[rows])
    rows = _keep(rows, placed, "position:not finite", rejected)
    objects = detections.object[rows]
    left_out = objects[objects < 0]
    for code, reason in REASONS.items():
        lost = int(np.count_nonzero(left_out == code))
        if lost:
            rejected[reason] = lost
    if not np.isin(left_out, list(REASONS)).all():
        raise ValueError("a detection that has a position is not associated")
    rows = rows[objects >= 0]
    del objects
    if len(rows):
        rows = _grouped(_grouped(rows, detections.visit), detections.object)
    for number, cut in enumerate(cuts):
        progress.report(f"selecting detections in {band or 'all bands'}", number, len(cuts))
        if cut.flags:
            rows = _apply_flags(detections, cut, rows, rejected, notes)
        elif cut.min_visits is not None:
            rows = _apply_visits(detections, cut, rows, rejected)
        else:
            rows = _apply_bounds(detections, cut, rows, rejected, needed_by)
    return Selection(rows, len(detections), rejected, tuple(dict.fromkeys(notes)))


def in_band(selection: Selection, detections: AssociatedDetections, band: str) -> Selection:
    """Restrict a selection over all bands to one band."""
    rejected = dict(selection.rejected)
    rows = _keep(selection.rows, _of_band(detections, band)[selection.rows], f"band:not {band}", rejected)
    return Selection(rows, selection.rows_in, rejected, selection.notes)


def _of_band(detections: AssociatedDetections, band: str) -> BoolArray:
    code = detections.bands.index(band) if band in detections.bands else -1
    return np.asarray(detections.band == code)


def _keep(rows: NDArray[np.int64], good: BoolArray, reason: str, rejected: dict[str, int]) -> NDArray[np.int64]:
    lost = len(good) - int(np.count_nonzero(good))
    if lost:
        rejected[reason] = rejected.get(reason, 0) + lost
    return rows[good]


def _apply_flags(
    detections: AssociatedDetections, cut: Cut, rows: NDArray[np.int64], rejected: dict[str, int], notes: list[str]
) -> NDArray[np.int64]:
    for flag in cut.flags:
        if flag not in detections.flags:
            notes.append(f"the catalog has no flag '{flag}': not applied")
            continue
        bad = detections.flags[flag][rows]
        if cut.of == "all" and bad.any():
            groups = Groups.from_rows(detections, rows)
            bad = groups.broadcast(np.logical_or.reduceat(bad, groups.start))
        rows = _keep(rows, ~bad, f"flag:{flag}", rejected)
    return rows


def _apply_visits(
    detections: AssociatedDetections, cut: Cut, rows: NDArray[np.int64], rejected: dict[str, int]
) -> NDArray[np.int64]:
    groups = Groups.from_rows(detections, rows)
    needed = cut.min_visits if isinstance(cut.min_visits, int) else len(np.unique(detections.visit[rows]))
    # after association an object has one detection per visit, so detections count visits
    return _keep(rows, groups.broadcast(groups.count >= needed), f"visits:fewer than {needed}", rejected)


def _apply_bounds(
    detections: AssociatedDetections, cut: Cut, rows: NDArray[np.int64], rejected: dict[str, int], needed_by: str
) -> NDArray[np.int64]:
    values = detections.column(cut.column, needed_by)[rows]
    groups = Groups.from_rows(detections, rows)
    if cut.of != "each":
        values = groups.broadcast(groups.reduce(cut.of, values))
    good = np.isfinite(values)
    for name, bound in cut.bounds:
        good &= BOUNDS[name][0](values, bound)
    return _keep(rows, good, cut.reason, rejected)


@dataclass(frozen=True)
class Groups:
    """Runs of rows of one object, in rows sorted by object."""

    start: NDArray[np.int64]
    count: NDArray[np.int64]

    @classmethod
    def from_rows(cls, detections: AssociatedDetections, rows: NDArray[np.int64]) -> Groups:
        """Find the runs in ``rows``, which are sorted by object."""
        labels = detections.object[rows]
        start = np.flatnonzero(np.r_[True, labels[1:] != labels[:-1]][: len(labels)])
        return cls(start, np.diff(np.r_[start, len(labels)]))

    def broadcast(self, values: AnyArray) -> AnyArray:
        """Repeat one value per object for each of its rows."""
        return np.repeat(values, self.count)

    def reduce(self, name: str, values: AnyArray) -> AnyArray:
        """Reduce values per object.

        NaN propagates to max, min and all, but not to the median.
        """
        if not len(values):
            return values
        if name == "median":
            return _medians(values, self.start, self.count)
        extreme = np.maximum if name == "max" else np.minimum  # min also serves "all", since NaN propagates
        return np.asarray(extreme.reduceat(np.where(np.isfinite(values), values, np.nan), self.start))


@cached_njit()
def _grouped(rows: NDArray[np.int64], label: AnyArray) -> NDArray[np.int64]:
    """Sort rows by label (not negative), stably."""
    place = np.zeros(label.max() + 2 if len(label) else 1, dtype=np.int64)
    for row in rows:
        place[label[row] + 1] += 1
    place = np.cumsum(place)
    ordered = np.empty_like(rows)
    for row in rows:
        ordered[place[label[row]]] = row
        place[label[row]] += 1
    return ordered


@cached_njit(parallel=True)
def _medians(values: AnyArray, start: NDArray[np.int64], count: NDArray[np.int64]) -> AnyArray:
    """Compute the median of the finite values of each group; NaN without any."""
    medians = np.full(len(start), np.nan)
    for k in numba.prange(len(start)):
        group = values[start[k] : start[k] + count[k]]
        ordered = np.sort(group[np.isfinite(group)])
        n = len(ordered)
        if n:
            medians[k] = (ordered[(n - 1) // 2] + ordered[n // 2]) / 2
    return medians
