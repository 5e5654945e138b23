"""Loading of a catalog by a survey profile into associated detections."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
from skyaccept.lib import progress
from skyaccept.lib.arrays import AnyArray
from skyaccept.lib.catalog.association import associate
from skyaccept.lib.catalog.checking import check_detections
from skyaccept.lib.catalog.detections import AssociatedDetections, Detections
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers import files, visit_table
from skyaccept.lib.readers import profile as survey_profiles
from skyaccept.lib.readers.column_source import ColumnSource
from skyaccept.lib.readers.columns import labels
from skyaccept.lib.readers.columns.computed import Labels
from skyaccept.lib.readers.columns.labels import LabelColumn
from skyaccept.lib.readers.columns.numbers import NumberColumn
from skyaccept.lib.readers.columns.parsing import lookup
from skyaccept.lib.readers.files import FileTable
from skyaccept.lib.readers.mapping import MappedTable, map_tables
from skyaccept.lib.readers.profile import REQUIRED
from skyaccept.lib.readers.table import shorten

_ALWAYS = (*REQUIRED, "object")


def load(
    source: str | Path,
    survey: str | Path = "generic",
    visits: str | Path | None = None,
    columns: Collection[str] | None = None,
    *,
    visit_group: str | None = None,
) -> AssociatedDetections:
    """Load a catalog as validated, associated detections.

    Parameters
    ----------
    source : str or Path
        A file, a folder of catalog files, or a glob pattern; several files form one dataset. ``SOURCE#TABLE`` selects
        a table of each by its name, or by its number from 1.
    survey : str or Path
        Survey profile: the name of a shipped one, or a YAML file.
    visits : str or Path, optional
        Visit table with times or airmasses that the catalog lacks.
    columns : collection of str, optional
        Read only these in addition to visit, band, position and object: names of `UNITS`, and ``flag_NAME``, as
        `skyaccept.lib.measure.needs` gives them. Those that the catalog lacks are left out. All by default.

    visit_group : str, optional
        Column of the files that names groups of visits which share errors, in place of that of the profile.

    Returns
    -------
    AssociatedDetections
        With ``object`` set.

    Raises
    ------
    InputError
        Anything wrong with the files; the message names file, column, row and remedy.
    """
    profile = survey_profiles.load(survey)
    if visit_group is not None:
        profile = replace(profile, columns={**profile.columns, "visit_group": ColumnSource(visit_group)})
    dataset = files.find_files(source)
    offers, notes = map_tables(dataset, profile)
    for offer in offers if visit_group is not None else ():
        if "visit_group" not in offer.columns:
            raise InputError(
                f"{offer.part.place}: no column '{visit_group}', which --visit-groups names: take night, visit or a "
                "column of the catalog"
            )
    there = offers[0].columns
    names = [name for name in there if columns is None or name in columns or name in _ALWAYS]
    sizes, table = _read(offers, names)
    if visits is not None:
        joined = visit_table.join(Path(visits), profile.visits, _labels(table, "visit"), _labels(table, "band"), there)
        table |= {name: values for name, values in joined.items() if columns is None or name in columns}
    detections = replace(
        _detections(str(source), table),
        color_terms=profile.color_terms,
        name=Path(source).name,
        source=str(source),
        survey=profile.survey,
        shape_axes=profile.shape_axes,
        sha256=files.fingerprint(dataset),
        notes=(*dataset.notes(), *notes),
    )
    # a constant cannot distinguish rows
    others = [name for name, column in there.items() if name not in names and column.columns]
    progress.report("checking the detections")
    # include the visit, which distinguishes detections in a row of light curves
    detections = check_detections(
        detections, sizes, lambda: _arrays(_read(offers, ["visit", *others])[1]), duplicates=profile.duplicates
    )
    progress.report("associating detections with objects")
    return associate(detections, float(profile.association_radius.to_value(u.rad)))


def _read(
    offers: Sequence[MappedTable], names: Sequence[str]
) -> tuple[list[tuple[str, int]], dict[str, AnyArray | Labels]]:
    """Read the named columns of all tables, with the name and number of rows of each."""
    sizes: list[tuple[str, int]] = []
    tables: list[dict[str, AnyArray | Labels]] = []
    for _, group in groupby(offers, key=lambda offer: offer.part.path):
        same = list(group)
        for offer, (rows, table) in zip(same, _tables(same, names), strict=True):
            sizes.append((offer.part.place, rows))
            tables.append(table)
    for number, (offer, table) in enumerate(zip(offers, tables, strict=True)):
        for name in names:
            column, values = offer.columns[name], table[name]
            if (
                len(offers) > 1
                and isinstance(column, LabelColumn)
                and isinstance(values, Labels)
                and column.source.within
            ):
                table[name] = labels.label_by_file(values, number)
    return sizes, {name: _concatenate([table.pop(name) for table in tables]) for name in names}


def _concatenate(parts: Sequence[AnyArray | Labels]) -> AnyArray | Labels:
    """Concatenate the parts of a column; a single part is not copied."""
    if len(parts) == 1:
        return parts[0]
    coded = [part for part in parts if isinstance(part, Labels)]
    return labels.concatenate(coded) if coded else np.concatenate([p for p in parts if not isinstance(p, Labels)])


def _tables(offers: Sequence[MappedTable], names: Sequence[str]) -> list[tuple[int, dict[str, AnyArray | Labels]]]:
    """Read the named columns of the tables of one file."""
    part, first = offers[0].part, offers[0].columns
    progress.report(f"reading {part.path.name}")
    wanted = list(dict.fromkeys(column for offer in offers for name in names for column in offer.columns[name].columns))
    as_labels = {column for offer in offers for name in names for column in offer.columns[name].labels}
    own = {column.name for column in part.table.columns}
    stored = [column for column in wanted if column not in part.fixed or column in own]
    joins = {
        name: column.source
        for name in names
        if isinstance(column := first[name], NumberColumn) and column.source.join is not None
    }
    columns = stored or [column.name for column in part.table.columns][:1]
    read = files.read_columns([offer.part for offer in offers], columns, as_labels)
    tables = []
    for offer, arrays in zip(offers, read, strict=True):
        raw = dict(arrays)
        rows = len(next(iter(raw.values())))
        for name, value in part.fixed.items():
            if name in raw:
                _check_folder(offer.part.place, name, raw[name], value)
            elif name in wanted:
                raw[name] = np.ma.array(np.full(rows, value or "", dtype=object), mask=value is None)
        tables.append((rows, _convert(offer, names, raw, rows, joins)))
    return tables


def _check_folder(place: str, name: str, values: AnyArray, value: str | None) -> None:
    """Refuse a column that contradicts the name of its folder."""
    for other in map(str, labels.encode_labels(place, name, values).values.tolist()):
        if other != value:
            raise InputError(
                f"{place}: column '{name}' holds {shorten(other)}, and its folder is named {name}={value}; move the "
                "file, or rename the folder"
            )


def _convert(
    offer: MappedTable, names: Sequence[str], raw: dict[str, AnyArray], rows: int, joins: Mapping[str, ColumnSource]
) -> dict[str, AnyArray | Labels]:
    """Convert the columns of one table to the names and units of the detections."""
    uses = Counter(column for name in names for column in offer.columns[name].columns)
    table: dict[str, AnyArray | Labels] = {}
    for name in names:
        column = offer.columns[name]
        if name in joins:
            table[name] = column.values({str(joins[name].name): _read_joined(offer.part, joins[name], raw)}, rows)
        else:
            table[name] = column.values(raw, rows)
        for used in column.columns:
            # free a column after its last use: two copies of all columns may exceed the memory
            uses[used] -= 1
            if not uses[used]:
                raw.pop(used, None)
    return table


def _read_joined(part: FileTable, source: ColumnSource, raw: Mapping[str, AnyArray]) -> AnyArray:
    """Look up a column of another table of the file."""
    ((there, here),) = (source.join or {}).items()
    listed = files.read_columns([part], [there, str(source.name)])[0]
    return lookup(part.place, str(source.name), (listed[there], raw[here]), listed[str(source.name)])


def _labels(table: Mapping[str, AnyArray | Labels], name: str) -> Labels:
    column = table[name]
    if not isinstance(column, Labels):
        raise TypeError(f"{name} is no label")
    return column


def _arrays(columns: Mapping[str, AnyArray | Labels]) -> dict[str, AnyArray]:
    return {name: c.codes if isinstance(c, Labels) else c for name, c in columns.items()}


def _detections(source: str, columns: Mapping[str, AnyArray | Labels]) -> Detections:
    given: dict[str, Any] = _arrays(columns)
    names = {name: tuple(map(str, c.values.tolist())) for name, c in columns.items() if isinstance(c, Labels)}
    if len(names["band"]) > np.iinfo(np.int16).max:
        raise InputError(
            f"{source}: {len(names['band'])} bands ({shorten(', '.join(names['band'][:3]))} ...); is the column of the "
            "survey profile that of the band?"
        )
    given["band"] = given["band"].astype(np.int16)
    flagged = {name.removeprefix("flag_"): given.pop(name) for name in list(given) if name.startswith("flag_")}
    return Detections(
        **given,
        visits=names["visit"],
        bands=names["band"],
        detectors=names.get("detector", ()),
        visit_group_names=names.get("visit_group", ()),
        flags=flagged,
    )
