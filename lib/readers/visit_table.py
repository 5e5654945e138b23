"""Visit table: times and airmasses that the catalog lacks."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from skyaccept.lib.arrays import AnyArray
from skyaccept.lib.catalog.detections import UNITS
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers import files
from skyaccept.lib.readers.column_source import ColumnSource
from skyaccept.lib.readers.columns.computed import Labels
from skyaccept.lib.readers.columns.labels import LabelColumn, refuse_missing
from skyaccept.lib.readers.columns.numbers import NumberColumn, resolve_number
from skyaccept.lib.readers.spelling import match_spelling
from skyaccept.lib.readers.table import shorten

_VISIT_COLUMNS = ("mjd", "airmass")
_DEFAULT: Mapping[str, ColumnSource] = {
    "visit": ColumnSource("visit"),
    "mjd": ColumnSource("mjd"),
    "airmass": ColumnSource("airmass"),
}


def join(
    path: Path, columns: Mapping[str, ColumnSource], visit: Labels, band: Labels, there: Collection[str]
) -> dict[str, AnyArray]:
    """Join the columns that the catalog lacks, one value per detection.

    Parameters
    ----------
    path : Path
        A file, a folder or a glob.
    columns : mapping of str to ColumnSource
        Mapping in the survey profile; empty for the names of the detections.
    visit, band : Labels
        Labels of the detections.
    there : collection of str
        Columns that the catalog has.

    Returns
    -------
    dict of str to (n,) float64

    Raises
    ------
    InputError
        The table lacks a column or a visit of the catalog, or repeats a visit with different values.
    """
    used = columns or _DEFAULT
    dataset = files.find_files(path)
    rows: dict[tuple[str, str], dict[str, float]] = {}
    names: list[str] = []
    for file in dataset.paths:
        for part in files.file_tables(dataset, file):
            spelled = match_spelling(used, part.columns())
            names = [
                name
                for name in _VISIT_COLUMNS
                if name in used and spelled[name].name in part.columns() and name not in there
            ]
            _add_rows(rows, part, spelled, names)
    wanted = _exposures(visit, band)
    by_band = "band" in used
    keys = [(one, name if by_band else "") for one, name in wanted]
    lost = list(dict.fromkeys(key for key in keys if key not in rows))
    if lost:
        raise InputError(f"{path}: visit {lost[0][0]} of the catalog is not in it ({len(lost)} visits missing)")
    row = _exposure_of(visit, band)
    return {name: np.array([rows[key][name] for key in keys], dtype=np.float64)[row] for name in names}


def _add_rows(
    rows: dict[tuple[str, str], dict[str, float]],
    part: files.FileTable,
    used: Mapping[str, ColumnSource],
    names: list[str],
) -> None:
    """Add the rows of one table, by visit and band."""
    there, place = part.columns(), part.place
    keys = [name for name in ("visit", "band") if name in used]
    missing = [f"'{used[name].name}' ({name})" for name in keys if used[name].name not in there]
    if missing or not names:
        wanted = " or ".join(f"'{used[name].name}'" for name in _VISIT_COLUMNS if name in used)
        raise InputError(
            f"{place}: a table of visits needs a column '{used['visit'].name}', and {wanted} that the catalog does not "
            f"carry; it has {shorten(', '.join(there))}"
        )
    labels: dict[str, LabelColumn] = {name: LabelColumn(place, name, used[name]) for name in keys}
    numbers: dict[str, NumberColumn] = {}
    for name in names:
        source, unit = used[name], UNITS[name]
        stated = (
            source if there[str(source.name)].unit or source.unit or source.time else _with_default_unit(source, name)
        )
        numbers[name] = resolve_number(place, name, stated, there, unit, part.table.header, {})
    columns = list(dict.fromkeys(c for group in (labels, numbers) for one in group.values() for c in one.columns))
    raw = files.read_columns([part], columns, [str(used[name].name) for name in keys])[0]
    n = len(next(iter(raw.values())))
    if not n:
        raise InputError(f"{place}: the table is empty: it has no rows")
    encoded = {name: one.values(raw, n) for name, one in labels.items()}
    for name, one in encoded.items():
        refuse_missing(place, name, one)
    texts = {name: [str(one.values[code]) for code in one.codes.tolist()] for name, one in encoded.items()}
    values = {name: one.values(raw, n) for name, one in numbers.items()}
    for k in range(n):
        key = (texts["visit"][k], texts["band"][k] if "band" in texts else "")
        entry = {name: float(one[k]) for name, one in values.items()}
        if rows.setdefault(key, entry) is not entry and not _equal(rows[key], entry):
            named = " ".join(key).strip()
            raise InputError(
                f"{place}, row {k + 1}: visit {named} occurs twice, with different values; where bands share "
                "visits, the survey profile tells them apart: visits: {visit: COLUMN, band: COLUMN, ...}"
            )


def _with_default_unit(source: ColumnSource, name: str) -> ColumnSource:
    """Set the unit of a column that states none."""
    return replace(source, unit=UNITS[name])


def _equal(one: Mapping[str, float], other: Mapping[str, float]) -> bool:
    return all(other[name] == value or (np.isnan(value) and np.isnan(other[name])) for name, value in one.items())


def _exposures(visit: Labels, band: Labels) -> list[tuple[str, str]]:
    """Return the visit and band of each exposure, in the order of `_exposure_of`."""
    n = max(len(band.values), 1)
    pairs = np.unique(visit.codes * n + band.codes)
    return [(str(visit.values[pair // n]), str(band.values[pair % n])) for pair in pairs.tolist()]


def _exposure_of(visit: Labels, band: Labels) -> AnyArray:
    """Return the number of the exposure of each detection."""
    return np.unique(visit.codes * max(len(band.values), 1) + band.codes, return_inverse=True)[1]
