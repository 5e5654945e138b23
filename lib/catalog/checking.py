"""Checks that every catalog passes before anything is measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from skyaccept.lib.arrays import AnyArray
from skyaccept.lib.catalog import duplicates as overlap
from skyaccept.lib.catalog import precision
from skyaccept.lib.catalog.detections import SHAPES, UNITS, Detections, select_rows
from skyaccept.lib.catalog.duplicates import DuplicatePairs
from skyaccept.lib.exceptions import InputError

LIMITS: Mapping[str, tuple[float, float]] = {
    "mag": (-50, 60),
    "mag_err": (0, 1e9),
    "snr": (-1e12, 1e12),
    "extendedness": (-1e6, 1e6),
    "airmass": (0, 100),
    "ra_err": (0, 3.6e8),
    "dec_err": (0, 3.6e8),
    **dict.fromkeys(SHAPES, (-1e9, 1e9)),
}
"""What finite values of columns can be, in the units of `UNITS`.

Wide: instrumental magnitudes are negative, and the error of a magnitude has no bound where the flux is small.
"""

MAX_BANDS = 1000

NOT_PRIMARY = "not_primary"
"""Flag by which a catalog itself tells which of several rows counts: parents of blends, edges of patches."""

MAX_MARKERS = 3
"""Most values of a column that mark missing ones."""

Duplicates = Literal["refuse", "merge"]
"""What becomes of rows that hold the same measurement."""


def check_detections(
    detections: Detections,
    parts: Sequence[tuple[str, int]] = (),
    others: Callable[[], Mapping[str, AnyArray]] = dict,
    duplicates: Duplicates = "refuse",
) -> Detections:
    """Return the detections if they are sound; every reader and simulator passes through here.

    Right ascensions from -180 to 180 degrees are wrapped into 0 to 360, and rows that hold one measurement are merged
    if this is asked for; notes say so. Positions that are rounded are noted.

    Parameters
    ----------
    detections : Detections
        Not associated yet.
    parts : sequence of (str, int), optional
        The files that the rows come from and how many come from each, for messages.
    others : callable, optional
        ``others()`` reads the columns that were left out; called only where rows are identical without them.
    duplicates : {"refuse", "merge"}
        What becomes of rows that hold one measurement, see `skyaccept.lib.catalog.duplicates`: merged, their objects
        are one.

    Returns
    -------
    Detections
        The same ones where nothing is changed.

    Raises
    ------
    InputError
        No row; columns of different length; a column without any finite value, other than a shape; a position that is
        not on the sky, or a value that cannot be; more than `MAX_BANDS` bands; rows that hold the same measurement.
        The message names column, row and remedy.
    """
    where = detections.source or detections.name or "catalog"
    n = len(detections)
    if n == 0:
        raise InputError(f"{where}: the catalog is empty: it has no rows")
    columns = _columns(detections)
    for name, values in columns.items():
        if values.shape != (n,):
            raise InputError(f"{where}: column '{name}' has shape {values.shape}, expected ({n},)")
        # a catalog may have blank shapes, which some clauses need and others do not
        if values.dtype.kind == "f" and name not in SHAPES and not np.isfinite(values).any():
            raise InputError(f"{where}: column '{name}' holds no finite value: all {n} rows are NaN or infinite")
    if len(detections.bands) > MAX_BANDS:
        raise InputError(
            f"{where}: column 'band' holds {len(detections.bands):,} different values, and no survey has more than "
            f"{MAX_BANDS:,} bands; does the survey profile map a column of identifiers as band?"
        )
    rows = _Rows(tuple(parts) or ((where, n),))
    wrapped, note = wrap_right_ascension(detections.ra)
    if note:
        detections = replace(detections, ra=wrapped, notes=(*detections.notes, note))
    units = "are the units in the survey profile right?"
    _check_range(rows, "ra", detections.ra, (0.0, 360.0), " degrees", units)
    _check_range(rows, "dec", detections.dec, (-90.0, 90.0), " degrees", units)
    for name, limits in LIMITS.items():
        values = getattr(detections, name)
        if values is not None:
            unit = str(UNITS[name])
            remedy = "if this marks a missing value, declare it with `missing` in the survey profile"
            _check_range(rows, name, values, limits, unit and f" {unit}", remedy)
    detections = _resolve_duplicates(rows, detections, others, duplicates)
    note = precision.precision_note(detections.ra, detections.dec)
    return replace(detections, notes=(*detections.notes, note)) if note else detections


def wrap_right_ascension(ra: AnyArray) -> tuple[AnyArray, str]:
    """Right ascensions from -180 to 180 degrees as 0 to 360, with a note; others as they are.

    Negative values that are whole numbers, or all the same, mark missing ones instead.
    """
    low, high = np.nanmin(ra, initial=np.inf), np.nanmax(ra, initial=-np.inf)
    if not (-180 <= low < 0 and high <= 180):
        return ra, ""
    negative = ra < 0
    values = ra[negative]
    if (values == np.round(values)).all() or (len(values) > 1 and (values == values[0]).all()):
        return ra, ""
    note = f"right ascension wrapped into 0 to 360 degrees for {len(values):,} rows"
    return np.where(negative, ra + 360.0, ra), note


@dataclass(frozen=True)
class _Rows:
    """Names rows by the file they stand in."""

    parts: tuple[tuple[str, int], ...]

    def name(self, row: int) -> str:
        for path, n in self.parts:
            if row < n:
                return f"{path}, row {row + 1}"
            row -= n
        raise IndexError(row)


def _columns(detections: Detections) -> dict[str, AnyArray]:
    columns = {name: c for name in UNITS if (c := getattr(detections, name)) is not None}
    return columns | {f"flag_{name}": c for name, c in detections.flags.items()}


def _check_range(rows: _Rows, name: str, values: AnyArray, limits: tuple[float, float], unit: str, remedy: str) -> None:
    low, high = limits
    outside = np.flatnonzero((values < low) | (values > high))
    if name in LIMITS:  # a position is finite or not known, and infinity is no position
        outside = outside[np.isfinite(values[outside])]
    if outside.size:
        row = int(outside[0])
        raise InputError(
            f"{rows.name(row)}: column '{name}': {values[row]:.10g} is outside [{low:g}, {high:g}]{unit} "
            f"({outside.size} such rows); {remedy}{suggest_missing(values[outside], len(values))}"
        )


def suggest_missing(outside: AnyArray, number: int) -> str:
    """End of a message on values that cannot be, where they look like markers of missing ones; else empty.

    Markers are one value in several rows, or a few whole numbers, and not all ``number`` values of the column.
    """
    marks = np.unique(outside)
    repeated = len(marks) == 1 and len(outside) > 1
    whole = len(marks) <= MAX_MARKERS and bool((marks == np.round(marks)).all())
    if len(outside) == number or not np.isfinite(marks).all() or not (repeated or whole):
        return ""
    listed = ", ".join(f"{value:.10g}" for value in marks)
    return f"; a value that marks a missing one is declared with `missing: [{listed}]` in the profile"


def _resolve_duplicates(
    rows: _Rows, detections: Detections, others: Callable[[], Mapping[str, AnyArray]], duplicates: Duplicates
) -> Detections:
    """Refuse rows that hold one measurement, or merge them; note those that the catalog itself tells apart."""
    found = overlap.find_duplicates(detections)
    unplaced = np.flatnonzero(~(np.isfinite(detections.ra) & np.isfinite(detections.dec)))
    if not len(found.first) and len(unplaced) < 2:
        return detections
    if len(found.first):
        left_out = others()
        found = found.where(_equal_in_left_out(left_out, found))
        primary = detections.flags.get(NOT_PRIMARY, left_out.get(f"flag_{NOT_PRIMARY}"))
        if primary is not None and duplicates == "refuse":
            settled = primary[found.first] != primary[found.second]
            found = found.where(~settled)
            if settled.any():
                note = (
                    f"{np.count_nonzero(settled):,} pairs of rows repeat a measurement, where one row is flagged "
                    f"{NOT_PRIMARY}: both count where a definition does not cut on that flag"
                )
                detections = replace(detections, notes=(*detections.notes, note))
    if duplicates == "refuse":
        exact = np.flatnonzero(found.same)
        candidates = np.unique(np.r_[found.first[exact], found.second[exact], unplaced])
        _refuse_identical(rows, detections, candidates, others)
    if not len(found.first):
        return detections
    kept, objects = overlap.merge_duplicates(detections, found)
    lost = len(detections) - len(kept)
    joined = ""
    if objects is not None and detections.object is not None:
        changed = np.unique(detections.object[objects != detections.object])
        joined = f", which joins {len(changed):,} objects with others" if len(changed) else ""
    if duplicates == "refuse":
        first, second = int(found.first[0]), int(found.second[0])
        under = " under two objects" if joined else ""
        raise InputError(
            f"{rows.name(second)}: the same measurement as {rows.name(first)}{under}: equal in visit, band, position "
            f"and magnitude ({lost:,} such rows). Tracts, patches or files that overlap hold a measurement twice; "
            "leave out the second one, or merge them with `duplicates: merge` in the survey profile"
        )
    differ = any((flag[found.first] != flag[found.second]).any() for flag in detections.flags.values())
    stays = "; of rows that differ in their flags, one without a flag stays" if differ else ""
    note = f"{lost:,} rows repeat a measurement of another row: merged{joined}{stays}"
    return select_rows(replace(detections, object=objects, notes=(*detections.notes, note)), kept)


def _equal_in_left_out(others: Mapping[str, AnyArray], found: DuplicatePairs) -> AnyArray:
    """Whether the rows of each pair agree in time, magnitude and detector, where these were left out of the columns."""
    equal = np.ones(len(found.first), dtype=bool)
    for name in ("mjd", "mag", "detector"):
        if name in others:
            one, other = others[name][found.first], others[name][found.second]
            equal &= (one == other) | ((one != one) & (other != other))
    return equal


def _refuse_identical(
    rows: _Rows, detections: Detections, candidates: AnyArray, others: Callable[[], Mapping[str, AnyArray]]
) -> None:
    """Refuse rows that repeat another one in every column; NaN equals NaN here."""
    columns = _columns(detections)
    if not _table(columns, candidates).duplicated().any():
        return
    table = _table({**columns, **others()}, candidates)
    repeated = np.flatnonzero(table.duplicated())
    if repeated.size:
        row = table.iloc[repeated[0]]
        twin = int(np.argmax(((table == row) | (table.isna() & row.isna())).all(axis=1)))
        raise InputError(
            f"{rows.name(int(candidates[repeated[0]]))}: identical in every column to "
            f"{rows.name(int(candidates[twin]))} ({repeated.size} repeated rows); was a file read twice? "
            "remove the duplicates"
        )


def _table(columns: Mapping[str, AnyArray], rows: AnyArray) -> pd.DataFrame:
    return pd.DataFrame({name: values[rows] for name, values in columns.items()})
