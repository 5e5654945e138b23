"""A look at a dataset: what is in it, how it could be read, and what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from skyaccept.lib.catalog.detections import UNITS
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers import files, guessing, hats, loading
from skyaccept.lib.readers import profile as profiles
from skyaccept.lib.readers.columns.flux import FLUX_COLUMNS
from skyaccept.lib.readers.files import DatasetFiles, FileTable
from skyaccept.lib.readers.guessing import Names
from skyaccept.lib.readers.profile import REQUIRED
from skyaccept.lib.readers.profile_draft import Draft
from skyaccept.lib.readers.table import LIST_SUFFIX, Column, shorten

FALLBACK = "generic"
"""Profile that fits by plain names; a draft that finds more goes before it."""


@dataclass(frozen=True)
class Advice:
    """How a table could be read.

    Attributes
    ----------
    survey : str or None
        Shipped survey profile that fits, if one does.
    text : str
        That profile, or the draft of one, as YAML.
    given : tuple of str
        Columns of ours that it gives as it is; flags as ``flag_NAME``.
    to_complete : tuple of str
        Columns of ours whose lines in the draft have to be completed.
    notes : tuple of str
        What it does not read, and why others do not fit.
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
    """What a dataset holds and how it could be read.

    Attributes
    ----------
    source : str
    files : DatasetFiles
    parts : tuple of FileTable
        Tables of its first file.
    part : FileTable
        The table that the rest is about.
    advice : Advice
    notes : tuple of str
        What is special about it.
    """

    source: str
    files: DatasetFiles
    parts: tuple[FileTable, ...]
    part: FileTable
    advice: Advice
    notes: tuple[str, ...] = field(default=())

    @property
    def columns(self) -> tuple[Column, ...]:
        """Columns of the table, those of its folders first."""
        there = self.part.columns()
        return tuple(dict.fromkeys(column for name, column in there.items() if name + LIST_SUFFIX not in there))

    @property
    def format(self) -> str:
        """Format of the file."""
        return self.part.format.name

    @property
    def missing(self) -> tuple[str, ...]:
        """Columns of ours that the advised profile does not give as it is."""
        return tuple(name for name in UNITS if name not in self.advice.given)


def inspect(source: str) -> Inspection:
    """Look at the first file of a dataset, and at the names and tables of the others.

    Raises
    ------
    InputError
        Not readable, or not a catalog.
    """
    found = files.find_files(source)
    parts = tuple(files.file_tables(found, found.paths[0]))
    part = max(parts, key=lambda part: len(_required(Names.of_table(part))))
    names = Names.of_table(part)
    if names.of_differences:
        reason = (
            "these are sources of difference images: their fluxes are what is left after a template was subtracted, so "
            "that no profile for stars fits; inspect the table of sources of the images themselves"
        )
        return Inspection(source, found, parts, part, _advise_draft(part, ()), (*_folder_notes(found), reason))
    return Inspection(source, found, parts, part, _advise_profile(found, part), _folder_notes(found))


def _required(names: Names) -> list[str]:
    """Required columns of ours that are found by their names."""
    lines = guessing.labels_and_positions(names)
    return [line.key for line in lines if line.stated and line.key in REQUIRED]


def _advise_profile(found: DatasetFiles, part: FileTable) -> Advice:
    """The shipped profile that finds most, if there is one; else a draft."""
    fitting: list[tuple[int, bool, bool, int, Advice]] = []
    refused: list[str] = []
    for name, path in profiles.shipped().items():
        profile = profiles.load(name)
        if loading.lacks_required(part, profile):
            continue
        try:
            offers, notes = loading.map_tables(found, profile)
        except InputError as error:
            refused.append(f"survey profile '{name}' does not fit: {error}")
            continue
        first = offers[0]
        if "object" in profile.columns and "object" not in first.columns and not profile.columns["object"].optional:
            continue  # it is a profile of associated catalogs
        read = tuple(offer.part.table.number for offer in offers if offer.part.path == part.path)
        text = path.read_text(encoding="utf-8")
        # one value for all rows is no column that was found
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
    """Columns of ours that a draft gives without being completed."""
    given = [line.key for line in draft.columns if line.stated and line.complete]
    given += (
        FLUX_COLUMNS[: 3 if len(draft.flux) > 1 else 1]
        if draft.flux and all(line.complete for line in draft.flux)
        else ()
    )
    given += [f"flag_{line.key}" for line in draft.flags if line.stated]
    return tuple(dict.fromkeys(given))


def _folder_notes(found: DatasetFiles) -> tuple[str, ...]:
    """What kind of folder it is, and what of it is not read."""
    said = []
    described = hats.read_description(found.root)
    if described is not None:
        rows = "" if described.rows is None else f", {described.rows:,} rows"
        said.append(f"HATS catalog '{described.name}' ({described.kind}{rows}), by HEALPix pixel")
    elif hats.is_collection(found.root):
        said.append("HATS collection: its catalog is read, its margin caches and indexes are not")
    partitions = list(dict.fromkeys(name for path in found.paths for name in files.hive_columns(path)))
    if partitions and described is None and not hats.is_collection(found.root):
        said.append(f"columns in the names of folders (hive partitions): {shorten(', '.join(partitions))}")
    return (*said, *found.notes())


def describe_inspection(found: Inspection) -> list[str]:
    """Lines of text: files, tables, columns, and the profile that fits or the draft of one."""
    n = len(found.files.paths)
    many = f"{files.count_noun(n, 'file')}; of the first, " if n > 1 else ""
    lines = [f"{found.source}: {many}{found.format}, {len(found.columns)} columns"]
    lines += [f"  {note}" for note in found.notes]
    if len(found.parts) > 1:
        lines.append(f"  {len(found.parts)} tables, one of which can be chosen with FILE#NAME or FILE#NUMBER:")
        for part in found.parts:
            name, number = part.table.name or "no name", part.table.number
            read = (", read" if number in found.advice.tables else ", not read") if found.advice.tables else ""
            here = "; its columns stand below" if part is found.part else ""
            lines.append(f"    #{number + 1} {name}, {len(part.table.columns)} columns{read}{here}")
    cells = [(column.name, column.dtype, column.unit or "") for column in found.columns]
    widths = [max((len(cell[k]) for cell in cells), default=0) for k in range(3)]
    for column, cell in zip(found.columns, cells, strict=True):
        text = "  ".join(f"{one:{width}}" for one, width in zip(cell, widths, strict=True))
        lines.append(f"  {text}  {_describe_column(column)}".rstrip())
    lines.append("")
    advice = found.advice
    if advice.survey is not None:
        flags = [name.removeprefix("flag_") for name in advice.given if name.startswith("flag_")]
        lines.append(f"survey profile '{advice.survey}' fits: --survey {advice.survey}")
        lines.append(f"flags: {', '.join(flags) or 'none'}")
    else:
        lines.append("no shipped survey profile fits; a draft of one, by the names of the columns:")
    return [*lines, *(f"note: {note}" for note in advice.notes)]


def _describe_column(column: Column) -> str:
    """Description of a column, and how its arrays are chosen from."""
    length = guessing.array_length(column)
    if length is not None:
        return f"arrays of {length}: choose one with element: 0 to {length - 1} {column.description}".rstrip()
    if column.name.endswith(LIST_SUFFIX):
        how = f"lists: a row is a light curve, or holds an array: its name without {LIST_SUFFIX}, and element"
        return f"{how} {column.description}".rstrip()
    return column.description
