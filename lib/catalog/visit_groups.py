"""Groups of visits that share errors: nights, or the values of a column.

Visits of one night share atmosphere, focus and calibration. Replicates therefore leave out groups of visits, not single
visits (`skyaccept.lib.uncertainty.jackknife`). A group spans bands.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from skyaccept.lib.arrays import FloatArray, IntArray
from skyaccept.lib.catalog.detections import Detections
from skyaccept.lib.exceptions import InputError

NIGHT_GAP = 4 / 24
"""Days without a visit that end a night; daylight lasts longer wherever observatories are."""

LONGEST_NIGHT = 2.0
"""Days that visits can go on without such a gap and be a night; beyond them, as in space, there are no nights."""

Kind = Literal["night", "visit", "column"]


@dataclass(frozen=True, eq=False, kw_only=True)
class VisitGroups:
    """Groups of the visits of a dataset.

    Attributes
    ----------
    kind : {"night", "visit", "column"}
    of_visit : (n_visits,) int64
        Group of each visit.
    names : tuple of str
        Name of each group. It does not depend on the order of rows or visits.
    note : str
        How the groups were made, if the user has to know.
    """

    kind: Kind
    of_visit: IntArray
    names: tuple[str, ...]
    note: str = ""

    def __len__(self) -> int:
        return len(self.names)

    def names_of(self, visits: IntArray) -> list[str]:
        """Return the name of the group of each visit."""
        return [self.names[group] for group in self.of_visit[visits]]


def group_visits(detections: Detections, kind: Kind | None = None) -> VisitGroups:
    """Group the visits of a dataset.

    Parameters
    ----------
    detections : Detections
    kind : {"night", "visit", "column"}, optional
        Nights, which a gap of more than `NIGHT_GAP` separates; every visit alone; the column ``visit_group``. By
        default the column if there is one, nights if the times of all visits are known, and every visit alone if not.

    Raises
    ------
    InputError
        No column, several values of it in a visit, or no times for nights.
    """
    if kind == "column" or (kind is None and detections.visit_group is not None):
        return _by_column(detections)
    if kind == "visit":
        return _by_visit(detections, "")
    times = visit_times(detections)
    seen = np.bincount(detections.visit, minlength=len(times)) > 0
    unknown = np.flatnonzero(seen & ~np.isfinite(times))
    if seen.any() and not len(unknown):
        return _nights(np.where(seen, times, times[seen].min()))  # no group depends on a visit without detections
    if kind == "night":
        example = f", such as {detections.visits[unknown[0]]!r}" if len(unknown) else ""
        raise InputError(
            f"{detections.source or detections.name}: --visit-groups night: {len(unknown)} of {len(times)} visits have "
            f"no time{example}; map a column of days as mjd, give a table with --visits, or take --visit-groups visit"
        )
    lacking = "the times of visits are" if len(unknown) == len(times) else f"the times of {len(unknown)} visits are"
    return _by_visit(detections, f"{lacking} not known: visits are taken as independent, also if they share a night")


def visit_times(detections: Detections) -> FloatArray:
    """Return the mean time of the detections of each visit in days, NaN where none is known."""
    times = np.full(len(detections.visits), np.nan)
    if detections.mjd is None:
        return times
    known = np.isfinite(detections.mjd)
    visit, mjd = detections.visit[known], detections.mjd[known].astype(np.float64)
    if not len(mjd):
        return times
    first = float(mjd.min())  # digits of the day would be lost in sums
    number = np.bincount(visit, minlength=len(times))
    with np.errstate(invalid="ignore"):
        return np.asarray(first + np.bincount(visit, mjd - first, len(times)) / number)


def _by_visit(detections: Detections, note: str) -> VisitGroups:
    """Return every visit as a group; visits of one name in several bands are one."""
    names = sorted(set(detections.visits))
    number = {name: code for code, name in enumerate(names)}
    of_visit = np.array([number[name] for name in detections.visits], dtype=np.int64)
    return VisitGroups(kind="visit", of_visit=of_visit, names=tuple(names), note=note)


def _by_column(detections: Detections) -> VisitGroups:
    """Return the groups that a column of the catalog names."""
    where = detections.source or detections.name
    if detections.visit_group is None:
        raise InputError(f"{where}: no column for 'visit_group'; map it in the survey profile")
    of_visit = np.full(len(detections.visits), -1, dtype=np.int64)
    of_visit[detections.visit] = detections.visit_group
    wrong = np.flatnonzero(of_visit[detections.visit] != detections.visit_group)
    if len(wrong):
        visit = detections.visits[detections.visit[wrong[0]]]
        raise InputError(f"{where}: visit {visit!r} has several values of visit_group; a visit belongs to one group")
    names = detections.visit_group_names
    if (of_visit < 0).any():  # visits without detections
        of_visit[of_visit < 0] = len(names)
        names = (*names, "")
    return VisitGroups(kind="column", of_visit=of_visit, names=names)


def _nights(times: FloatArray) -> VisitGroups:
    """Return the nights of visits, or days where visits go on without a gap."""
    ordered = np.sort(times)
    gaps = np.flatnonzero(np.diff(ordered) > NIGHT_GAP)
    start, end = ordered[np.append(0, gaps + 1)], ordered[np.append(gaps, -1)]
    night = np.searchsorted(start, times, side="right") - 1
    days = np.where(end - start > LONGEST_NIGHT, np.ceil(end - start), 1).astype(np.int64)
    length = (end - start) / days
    with np.errstate(invalid="ignore"):
        part = np.where(days[night] > 1, np.floor((times - start[night]) / np.maximum(length[night], 1e-9)), 0)
    part = np.minimum(part.astype(np.int64), days[night] - 1)
    groups, of_visit = np.unique(np.stack([night, part], axis=1), axis=0, return_inverse=True)
    # a tenth of a day is less than the distance of any two starts, so names differ
    names = tuple(f"MJD {start[k] + part * length[k]:.1f}" for k, part in groups)
    note = ""
    if (days > 1).any():
        note = (
            f"visits go on for {float((end - start).max()):.1f} days without a gap of {24 * NIGHT_GAP:g} h: groups of "
            "visits are days instead of nights"
        )
    return VisitGroups(kind="night", of_visit=of_visit.reshape(-1), names=names, note=note)
