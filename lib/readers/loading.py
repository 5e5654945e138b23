"""Loading of a catalog by a survey profile into associated detections."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
from skyaccept.lib import progress
from skyaccept.lib.arrays import AnyArray
from skyaccept.lib.catalog.association import associate
from skyaccept.lib.catalog.checking import check_detections
from skyaccept.lib.catalog.detections import UNITS, AssociatedDetections, Detections
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers import files, visit_table
from skyaccept.lib.readers import profile as survey_profiles
from skyaccept.lib.readers.column_source import ColumnSource
from skyaccept.lib.readers.columns import flags, flux, labels, moments
from skyaccept.lib.readers.columns.computed import ComputedColumn, Labels
from skyaccept.lib.readers.columns.flags import FlagColumn
from skyaccept.lib.readers.columns.labels import LabelColumn
from skyaccept.lib.readers.columns.numbers import NumberColumn, constant_from_header, resolve_number
from skyaccept.lib.readers.columns.parsing import lookup
from skyaccept.lib.readers.files import FileTable
from skyaccept.lib.readers.profile import REQUIRED, Profile
from skyaccept.lib.readers.spelling import match_spelling
from skyaccept.lib.readers.table import LIST_SUFFIX, Column, shorten

_ALWAYS = (*REQUIRED, "object")


@dataclass(frozen=True)
class MappedTable:
    """A table of a file, with the columns that a survey profile maps from it.

    Attributes
    ----------
    part : FileTable
    columns : mapping of str to ComputedColumn
        By the names of `UNITS`, flags as ``flag_NAME``.
    absent : tuple of str
        Columns of the profile that the table lacks, for a note.
    """

    part: FileTable
    columns: Mapping[str, ComputedColumn]
    absent: tuple[str, ...] = ()


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


def map_tables(dataset: files.DatasetFiles, profile: Profile) -> tuple[list[MappedTable], list[str]]:
    """Map the columns of each table of a dataset, with notes on what is not read.

    Raises
    ------
    InputError
        A required column is missing, or tables differ in their columns.
    """
    offers: list[MappedTable] = []
    notes: list[str] = []
    for path in dataset.paths:
        progress.report(f"looking at {path.name}")
        parts = files.file_tables(dataset, path, profile.table)
        fitting = [part for part in parts if not _missing_required(part, profile)]
        if not fitting:
            fitting = [min(parts, key=lambda part: len(_missing_required(part, profile)))]
        joined = {source.name for source in profile.columns.values() if source.join is not None}
        left = [
            shorten(part.table.name or part.table.number + 1)
            for part in parts
            if part not in fitting and not joined & set(part.table.aliases)
        ]
        if left:
            notes.append(
                f"{files.count_noun(len(left), 'table')} of {path.name} not read, required columns missing: "
                f"{', '.join(left[:5])}{' ...' if len(left) > 5 else ''}"
            )
        notes += [note for part in fitting for note in part.table.notes]
        offers += [_map_table(part, profile) for part in fitting]
    _check_same(offers)
    if offers[0].absent:
        notes.append(f"columns of the survey profile that the catalog does not have: {', '.join(offers[0].absent)}")
    return offers, notes


def _check_same(offers: Sequence[MappedTable]) -> None:
    """Refuse tables that differ in their columns."""
    first = offers[0]
    for offer in offers[1:]:
        if set(offer.columns) != set(first.columns):
            odd = ", ".join(sorted(set(offer.columns) ^ set(first.columns)))
            raise InputError(
                f"{offer.part.place}: not the columns of {first.part.place}: {odd} is in one of them only; "
                "leave it out of the survey profile, or choose files by a glob pattern, or one table with FILE#TABLE"
            )


def _missing_required(part: FileTable, profile: Profile) -> list[str]:
    """Return the required columns that a table lacks."""
    there = part.columns()
    sources = [(name, match_spelling(profile.columns[name], there)) for name in REQUIRED]
    return [
        f"'{source.name}' ({name})" for name, source in sources if source.name is not None and source.name not in there
    ]


def lacks_required(part: FileTable, profile: Profile) -> bool:
    """Return whether a table lacks a required column, keyword or file name field."""
    if _missing_required(part, profile):
        return True
    fields = profile.file_name.fields(part.path) if profile.file_name is not None else {}
    sources = [profile.columns[name] for name in REQUIRED]
    return any(
        (source.header is not None and source.header not in part.table.header)
        or (source.field is not None and source.field not in fields)
        for source in sources
    )


def _map_table(part: FileTable, profile: Profile) -> MappedTable:
    """Map the columns of a table by a profile."""
    there, place = {**part.table.beside, **part.columns()}, part.place
    profile = match_spelling(profile, there)
    _refuse_arrays(place, profile, there)
    _refuse_missing(part, profile, there)
    header = part.table.header
    fields = profile.file_name.fields(part.path) if profile.file_name is not None else {}
    columns: dict[str, ComputedColumn] = {}
    absent = []
    for name, source in profile.columns.items():
        if source.name is None or source.name in there:
            columns[name] = _map_column(place, name, source, there, header, fields)
        elif not source.optional:
            absent.append(str(source.name) if source.name == name else f"{source.name} ({name})")
    if profile.flux is not None:
        for name, column in flux.find_columns(place, profile.flux, there, header, fields).items():
            columns.setdefault(name, column)
        error = profile.flux.error
        if error is not None and error.name not in there and not error.optional and profile.flux.flux.name in there:
            absent.append(f"{error.name} (error of the flux)")
    if profile.moments is not None:
        shapes = moments.find_columns(place, profile.moments, there)
        if not shapes and not profile.moments.optional:
            absent.append(f"{profile.moments.star[0].name} (moments)")
        columns |= shapes
    for name, parts in flags.match_flags(profile.flags, profile.flag_prefix, list(there)).items():
        columns[f"flag_{name}"] = FlagColumn(place, f"flag_{name}", parts)
    absent += [
        f"{flag.name} (flag {name})"
        for name, parts in profile.flags.items()
        for flag in parts
        if flag.name not in there
    ]
    _check_lists(place, columns)
    return MappedTable(part, columns, tuple(absent))


def _refuse_arrays(place: str, profile: Profile, there: Mapping[str, Column]) -> None:
    for name, source in profile.columns.items():
        listed = source.name is not None and source.name + LIST_SUFFIX in there
        if listed and (source.element is None or source.name not in there):
            raise InputError(
                f"{place}: column '{source.name}' holds arrays; {name} must be one value per row. Where a row is a "
                f"light curve, the survey profile names it '{source.name}{LIST_SUFFIX}'; else element: 0 "
                "(the first) or above"
            )


def _refuse_missing(part: FileTable, profile: Profile, there: Mapping[str, Column]) -> None:
    """Refuse a table without all required columns and mandatory flags."""
    missing = _missing_required(part, profile)
    missing += [
        f"'{flag.name}' (flag {name})"
        for name, parts in profile.flags.items()
        for flag in parts
        if flag.name not in there and not flag.optional
    ]
    names = [column.name for column in part.table.columns]
    if missing:
        raise InputError(
            f"{part.path}: no column {', '.join(missing)}, which survey profile '{profile.survey}' maps; "
            f"it has {', '.join(map(shorten, names[:12]))}{' ...' if len(names) > 12 else ''}. "
            "Choose another --survey, or see a guess with: skyaccept inspect FILE"
            + (" (a flag that some files lack is declared with 'optional: true')" if "(flag " in missing[-1] else "")
        )


def _map_column(
    place: str,
    name: str,
    source: ColumnSource,
    there: Mapping[str, Column],
    header: Mapping[str, object],
    fields: Mapping[str, str],
) -> ComputedColumn:
    if UNITS[name] is not None:
        return resolve_number(place, name, source, there, UNITS[name], header, fields)
    if source.day is not None and source.day not in there:
        raise InputError(f"{place}: no column '{source.day}', which the survey profile needs for {name}")
    return LabelColumn(place, name, constant_from_header(place, name, source, header, fields))


def _check_lists(place: str, columns: Mapping[str, ComputedColumn]) -> None:
    """Refuse list columns unless the visit is a list, as in tables of light curves."""
    lists = [(name, c) for name, column in columns.items() for c in column.columns if c.endswith(LIST_SUFFIX)]
    if lists and not any(column.endswith(LIST_SUFFIX) for column in columns["visit"].columns):
        name, column = lists[0]
        raise InputError(
            f"{place}: column '{column.removesuffix(LIST_SUFFIX)}' holds arrays; {name} must be one value per row, "
            f"unless the visit is one of a list as well; or name '{column.removesuffix(LIST_SUFFIX)}' with element: 0 "
            "(the first) or more"
        )


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
