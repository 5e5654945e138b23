"""Validation of detections before any measurement."""

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
"""Valid range of finite values per column, in the units of `UNITS`.

The ranges are wide: instrumental magnitudes are negative, and magnitude errors of faint sources are unbounded.
"""

MAX_BANDS = 1000

NOT_PRIMARY = "not_primary"
"""Flag of rows that the catalog itself marks as redundant, such as parents of blends."""

MAX_MARKERS = 3
"""Largest number of distinct values that are suggested as markers of missing values."""

Duplicates = Literal["refuse", "merge"]
"""Treatment of rows that repeat a measurement."""


def check_detections(
    detections: Detections,
    parts: Sequence[tuple[str, int]] = (),
    others: Callable[[], Mapping[str, AnyArray]] = dict,
    duplicates: Duplicates = "refuse",
) -> Detections:
    """Validate detections; every reader and simulator calls this function.

    Right ascensions from -180 to 180 degrees are wrapped into 0 to 360, and repeated measurements are merged
    on request; notes say so. Rounded positions are noted.

    Parameters
    ----------
    detections : Detections
        Detections before association.
    parts : sequence of (str, int), optional
        Files and their numbers of rows, for messages.
    others : callable, optional
        ``others()`` reads the unread columns; called only if rows are identical in the others.
    duplicates : {"refuse", "merge"}
        Treatment of repeated measurements, see `skyaccept.lib.catalog.duplicates`; merging joins their objects.

    Returns
    -------
    Detections
        The same object if nothing changes.

    Raises
    ------
    InputError
        The catalog has no rows, columns of different lengths, a column other than a shape without finite values,
        positions or other values out of range, more than `MAX_BANDS` bands, or repeated measurements.
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
        # shapes may be blank, since only some clauses need them
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
    """Wrap right ascensions from [-180, 180] into [0, 360) degrees, with a note.

    Whole or identical negative values are left for the range check, since they mark missing values.
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
    """Name rows by file and row number."""

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
    if name in LIMITS:  # a position may be NaN, but not infinite
        outside = outside[np.isfinite(values[outside])]
    if outside.size:
        row = int(outside[0])
        raise InputError(
            f"{rows.name(row)}: column '{name}': {values[row]:.10g} is outside [{low:g}, {high:g}]{unit} "
            f"({outside.size} such rows); {remedy}{suggest_missing(values[outside], len(values))}"
        )


def suggest_missing(outside: AnyArray, number: int) -> str:
    """Suggest a `missing` key if invalid values look like markers of missing values.

    Markers are one value in several rows, or a few whole numbers, but not all ``number`` values of the column.
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
    """Refuse or merge rows that repeat a measurement.

    Note those that are flagged as not primary.
    """
    duplicate_pairs = overlap.find_duplicates(detections)
    unplaced = np.flatnonzero(~(np.isfinite(detections.ra) & np.isfinite(detections.dec)))
    if not len(duplicate_pairs.first) and len(unplaced) < 2:
        return detections
    if len(duplicate_pairs.first):
        left_out = others()
        duplicate_pairs = duplicate_pairs.where(_equal_in_left_out(left_out, duplicate_pairs))
        primary = detections.flags.get(NOT_PRIMARY, left_out.get(f"flag_{NOT_PRIMARY}"))
        if primary is not None and duplicates == "refuse":
            settled = primary[duplicate_pairs.first] != primary[duplicate_pairs.second]
            duplicate_pairs = duplicate_pairs.where(~settled)
            if settled.any():
                note = (
                    f"{np.count_nonzero(settled):,} pairs of rows repeat a measurement, where one row is flagged "
                    f"{NOT_PRIMARY}: both count where a definition does not cut on that flag"
                )
                detections = replace(detections, notes=(*detections.notes, note))
    if duplicates == "refuse":
        exact = np.flatnonzero(duplicate_pairs.same)
        candidates = np.unique(np.r_[duplicate_pairs.first[exact], duplicate_pairs.second[exact], unplaced])
        _refuse_identical(rows, detections, candidates, others)
    if not len(duplicate_pairs.first):
        return detections
    kept, objects = overlap.merge_duplicates(detections, duplicate_pairs)
    lost = len(detections) - len(kept)
    joined = ""
    if objects is not None and detections.object is not None:
        changed = np.unique(detections.object[objects != detections.object])
        joined = f", which joins {len(changed):,} objects with others" if len(changed) else ""
    if duplicates == "refuse":
        first, second = int(duplicate_pairs.first[0]), int(duplicate_pairs.second[0])
        under = " under two objects" if joined else ""
        raise InputError(
            f"{rows.name(second)}: the same measurement as {rows.name(first)}{under}: equal in visit, band, position "
            f"and magnitude ({lost:,} such rows). Tracts, patches or files that overlap hold a measurement twice; "
            "leave out the second one, or merge them with `duplicates: merge` in the survey profile"
        )
    differ = any(
        (flag[duplicate_pairs.first] != flag[duplicate_pairs.second]).any() for flag in detections.flags.values()
    )
    stays = "; of rows that differ in their flags, one without a flag stays" if differ else ""
    note = f"{lost:,} rows repeat a measurement of another row: merged{joined}{stays}"
    return select_rows(replace(detections, object=objects, notes=(*detections.notes, note)), kept)


def _equal_in_left_out(others: Mapping[str, AnyArray], duplicate_pairs: DuplicatePairs) -> AnyArray:
    """Return which pairs agree in the unread time, magnitude and detector."""
    equal = np.ones(len(duplicate_pairs.first), dtype=bool)
    for name in ("mjd", "mag", "detector"):
        if name in others:
            one, other = others[name][duplicate_pairs.first], others[name][duplicate_pairs.second]
            equal &= (one == other) | ((one != one) & (other != other))
    return equal


def _refuse_identical(
    rows: _Rows, detections: Detections, candidates: AnyArray, others: Callable[[], Mapping[str, AnyArray]]
) -> None:
    """Refuse rows that repeat another row in every column; NaN equals NaN here."""
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
