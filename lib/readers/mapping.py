"""Map the columns of tables to those of detections by a survey profile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from skyaccept.lib import progress
from skyaccept.lib.catalog.detections import UNITS
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers import files
from skyaccept.lib.readers.column_source import ColumnSource
from skyaccept.lib.readers.columns import flags, flux, moments
from skyaccept.lib.readers.columns.computed import ComputedColumn
from skyaccept.lib.readers.columns.flags import FlagColumn
from skyaccept.lib.readers.columns.labels import LabelColumn
from skyaccept.lib.readers.columns.numbers import constant_from_header, resolve_number
from skyaccept.lib.readers.files import FileTable
from skyaccept.lib.readers.profile import REQUIRED, Profile
from skyaccept.lib.readers.spelling import match_spelling
from skyaccept.lib.readers.table import LIST_SUFFIX, Column, shorten


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
