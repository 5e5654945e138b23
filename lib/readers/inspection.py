"""Inspection of a dataset: content, fitting profile, and missing columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from skyaccept.lib.catalog.detections import UNITS
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers import files, guessing, hats, mapping
from skyaccept.lib.readers import profile as profiles
from skyaccept.lib.readers.columns.flux import FLUX_COLUMNS
from skyaccept.lib.readers.files import DatasetFiles, FileTable
from skyaccept.lib.readers.guessing import Names
from skyaccept.lib.readers.profile import REQUIRED
from skyaccept.lib.readers.profile_draft import Draft
from skyaccept.lib.readers.table import LIST_SUFFIX, Column, array_length, shorten

FALLBACK = "generic"
"""Profile of plain column names; a draft with more columns takes precedence."""


@dataclass(frozen=True)
class Advice:
    """Suggested way to read a table.

    Attributes
    ----------
    survey : str or None
        Shipped survey profile that fits, or None.
    text : str
        YAML of that profile, or of the draft.
    given : tuple of str
        Columns of the detections that it gives without additions; flags as ``flag_NAME``.
    to_complete : tuple of str
        Columns of the detections whose lines in the draft are incomplete.
    notes : tuple of str
        Columns that it does not read, and why other profiles do not fit.
    tables : tuple of int
        Numbers of the tables of the first file that the shipped profile reads.
    """

    survey: str | None
    text: str
    given: tuple[str, ...]
    to_complete: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    tables: tuple[int, ...] = ()


@dataclass(frozen=True)
class Inspection:
    """Content of a dataset and the suggested way to read it.

    Attributes
    ----------
    source : str
    files : DatasetFiles
    parts : tuple of FileTable
        Tables of its first file.
    part : FileTable
        Inspected table.
    advice : Advice
    notes : tuple of str
        Notes on the folder and its files.
    """

    source: str
    files: DatasetFiles
    parts: tuple[FileTable, ...]
    part: FileTable
    advice: Advice
    notes: tuple[str, ...] = field(default=())

    @property
    def columns(self) -> tuple[Column, ...]:
        """Columns of the table, those of folders first."""
        there = self.part.columns()
        return tuple(dict.fromkeys(column for name, column in there.items() if name + LIST_SUFFIX not in there))

    @property
    def format(self) -> str:
        """Format of the file."""
        return self.part.format.name

    @property
    def missing(self) -> tuple[str, ...]:
        """Columns that the suggested profile lacks or leaves incomplete."""
        return tuple(name for name in UNITS if name not in self.advice.given)


def inspect(source: str) -> Inspection:
    """Inspect the first file of a dataset, and the names and tables of the others.

    Raises
    ------
    InputError
        Not readable, or not a catalog.
    """
    dataset = files.find_files(source)
    parts = tuple(files.file_tables(dataset, dataset.paths[0]))
    part = max(parts, key=lambda part: len(_required(Names.of_table(part))))
    names = Names.of_table(part)
    if names.of_differences:
        reason = (
            "these are sources of difference images: their fluxes are what is left after a template was subtracted, so "
            "that no profile for stars fits; inspect the table of sources of the images themselves"
        )
        return Inspection(source, dataset, parts, part, _advise_draft(part, ()), (*_folder_notes(dataset), reason))
    return Inspection(source, dataset, parts, part, _advise_profile(dataset, part), _folder_notes(dataset))


def _required(names: Names) -> list[str]:
    """Return the required columns that are recognised by name."""
    lines = guessing.labels_and_positions(names)
    return [line.key for line in lines if line.stated and line.key in REQUIRED]


def _advise_profile(dataset: DatasetFiles, part: FileTable) -> Advice:
    """Suggest the shipped profile with the most columns, or a draft."""
    fitting: list[tuple[int, bool, bool, int, Advice]] = []
    refused: list[str] = []
    for name, path in profiles.shipped().items():
        profile = profiles.load(name)
        if mapping.lacks_required(part, profile):
            continue
        try:
            offers, notes = mapping.map_tables(dataset, profile)
        except InputError as error:
            refused.append(f"survey profile '{name}' does not fit: {error}")
            continue
        first = offers[0]
        if "object" in profile.columns and "object" not in first.columns and not profile.columns["object"].optional:
            continue  # a profile of associated catalogs
        read = tuple(offer.part.table.number for offer in offers if offer.part.path == part.path)
        text = path.read_text(encoding="utf-8")
        # a constant is not based on a column
        columns = sum(bool(column.columns) for column in first.columns.values())
        advice = Advice(name, text, tuple(first.columns), (), tuple(notes), read)
        used = len({name for column in first.columns.values() for name in column.columns})
        fitting.append((columns, not first.absent, name != FALLBACK, -used, advice))
    if not fitting:
        return _advise_draft(part, refused)
    advice = max(fitting, key=lambda one: one[:4])[4]
    if advice.survey == FALLBACK and guessing.draft_profile(part).keys_with_columns() - set(advice.given):
        return _advise_draft(part, ())
    return advice


def _advise_draft(part: FileTable, notes: Sequence[str]) -> Advice:
    draft = guessing.draft_profile(part)
    return Advice(
        None, draft.to_yaml(part.path.name), _columns_of_draft(draft), tuple(draft.to_complete()), tuple(notes)
    )


def _columns_of_draft(draft: Draft) -> tuple[str, ...]:
    """Return the columns that a draft gives without additions."""
    given = [line.key for line in draft.columns if line.stated and line.complete]
    given += (
        FLUX_COLUMNS[: 3 if len(draft.flux) > 1 else 1]
        if draft.flux and all(line.complete for line in draft.flux)
        else ()
    )
    given += [f"flag_{line.key}" for line in draft.flags if line.stated]
    return tuple(dict.fromkeys(given))


def _folder_notes(dataset: DatasetFiles) -> tuple[str, ...]:
    """Describe the folder, and what is not read."""
    notes = []
    described = hats.read_description(dataset.root)
    if described is not None:
        rows = "" if described.rows is None else f", {described.rows:,} rows"
        notes.append(f"HATS catalog '{described.name}' ({described.kind}{rows}), by HEALPix pixel")
    elif hats.is_collection(dataset.root):
        notes.append("HATS collection: its catalog is read, its margin caches and indexes are not")
    partitions = list(dict.fromkeys(name for path in dataset.paths for name in files.hive_columns(path)))
    if partitions and described is None and not hats.is_collection(dataset.root):
        notes.append(f"columns in the names of folders (hive partitions): {shorten(', '.join(partitions))}")
    return (*notes, *dataset.notes())


def describe_inspection(inspection: Inspection) -> list[str]:
    """Format an inspection as lines of text."""
    n = len(inspection.files.paths)
    many = f"{files.count_noun(n, 'file')}; of the first, " if n > 1 else ""
    lines = [f"{inspection.source}: {many}{inspection.format}, {len(inspection.columns)} columns"]
    lines += [f"  {note}" for note in inspection.notes]
    if len(inspection.parts) > 1:
        lines.append(f"  {len(inspection.parts)} tables, one of which can be chosen with FILE#NAME or FILE#NUMBER:")
        for part in inspection.parts:
            name, number = part.table.name or "no name", part.table.number
            read = (
                (", read" if number in inspection.advice.tables else ", not read") if inspection.advice.tables else ""
            )
            here = "; its columns are listed below" if part is inspection.part else ""
            lines.append(f"    #{number + 1} {name}, {len(part.table.columns)} columns{read}{here}")
    cells = [(column.name, column.dtype, column.unit or "") for column in inspection.columns]
    widths = [max((len(cell[k]) for cell in cells), default=0) for k in range(3)]
    for column, cell in zip(inspection.columns, cells, strict=True):
        text = "  ".join(f"{one:{width}}" for one, width in zip(cell, widths, strict=True))
        lines.append(f"  {text}  {_describe_column(column)}".rstrip())
    lines.append("")
    advice = inspection.advice
    if advice.survey is not None:
        flags = [name.removeprefix("flag_") for name in advice.given if name.startswith("flag_")]
        lines.append(f"survey profile '{advice.survey}' fits: --survey {advice.survey}")
        lines.append(f"flags: {', '.join(flags) or 'none'}")
    else:
        lines.append("no shipped survey profile fits; a draft of one, by the names of the columns:")
    return [*lines, *(f"note: {note}" for note in advice.notes)]


def _describe_column(column: Column) -> str:
    """Describe a column, and how to select from its arrays."""
    length = array_length(column)
    if length is not None:
        return f"arrays of {length}: choose one with element: 0 to {length - 1} {column.description}".rstrip()
    if column.name.endswith(LIST_SUFFIX):
        how = f"lists: a row is a light curve, or holds an array: its name without {LIST_SUFFIX}, and element"
        return f"{how} {column.description}".rstrip()
    return column.description
