"""Files and tables of a dataset, and what is left out."""

from __future__ import annotations

import glob
import hashlib
import os
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from urllib.parse import unquote

from skyaccept.lib.arrays import AnyArray
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers import hats
from skyaccept.lib.readers.columns.masks import apply_masks, find_masks
from skyaccept.lib.readers.formats import FORMATS, unsupported
from skyaccept.lib.readers.table import Column, Format, Table, read_head, shorten
from skyaccept.lib.strict_yaml import path_exists

COMPRESSED = (".gz", ".bz2", ".xz")

MAX_FILES = 100_000
"""Maximum number of files below one folder."""

_HIVE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=([^/=]+)")
_HIVE_NONE = "__HIVE_DEFAULT_PARTITION__"
_SHOWN = 5


@dataclass(frozen=True)
class DatasetFiles:
    """Files of a dataset.

    Attributes
    ----------
    root : Path
        The given folder, or that of the files.
    paths : tuple of Path
        In ascending order.
    table : str or None
        Table selected with ``FILE#TABLE``.
    left_out : tuple of str
        Files in the folder that are not read, relative to the folder.
    """

    root: Path
    paths: tuple[Path, ...]
    table: str | None = None
    left_out: tuple[str, ...] = ()

    def notes(self) -> tuple[str, ...]:
        """Describe the files that are not read."""
        if not self.left_out:
            return ()
        number, folder = count_noun(len(self.left_out), "file"), self.root.name or self.root
        return (f"{number} in {folder} not read: {_shorten_list(self.left_out)}",)


@dataclass(frozen=True)
class FileTable:
    """One table of one file of a dataset.

    Attributes
    ----------
    path : Path
    format : Format
    table : Table
    place : str
        File, with its table if it has several, for messages.
    fixed : mapping of str to str or None
        Columns in folder names such as ``visit=1000``, with their value.
    masks : mapping of str to str
        Columns with a mask, and its name; survey profiles cannot map the masks themselves.
    """

    path: Path
    format: Format
    table: Table
    place: str
    fixed: Mapping[str, str | None] = field(default_factory=dict)
    masks: Mapping[str, str] = field(default_factory=dict)

    def columns(self) -> dict[str, Column]:
        """Return the columns by all names that a profile may use.

        Those of folders are among them.
        """
        named = {name: Column(name, "folder", None, "name of a folder") for name in self.fixed}
        own = {column.name: column for column in self.table.columns}
        return named | own | {name: one for name, one in self.table.aliases.items() if name not in own}


def find_files(source: str | Path) -> DatasetFiles:
    """Find the files of a path, folder or glob pattern.

    ``PATH#TABLE`` selects a table of each.

    A folder is searched recursively. Files with the suffix or the content of a catalog are read; all others are listed
    in a note.

    Raises
    ------
    InputError
        Nothing matches.
    """
    name, table = str(source), None
    if not path_exists(Path(name)) and not _matches(name) and "#" in name:
        name, _, table = name.rpartition("#")
    path = Path(name)
    if path_exists(path) and path.is_dir():
        return _folder(path, table)
    if path_exists(path):
        if not path.is_file():
            raise InputError(f"{path}: not a regular file")
        return DatasetFiles(path.parent, (path,), table)
    paths = _matches(name)
    if not paths:
        raise InputError(f"{source}: no such file, folder or match")
    folder = Path(os.path.commonpath([path.parent for path in paths]))
    return DatasetFiles(folder, tuple(paths), table)


def _matches(pattern: str) -> list[Path]:
    try:
        return sorted(Path(name) for name in glob.glob(pattern, recursive=True) if Path(name).is_file())  # noqa: PTH207
    except (OSError, ValueError, re.error):
        return []


def _folder(folder: Path, table: str | None) -> DatasetFiles:
    """Find all catalogs below a folder; of a HATS catalog, its data set only."""
    paths: list[Path] = []
    left_out: list[str] = []
    for root, folders, names in os.walk(folder):
        here = Path(root)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        described = hats.read_description(here)
        if described is not None and not described.holds_rows:
            # copies of rows of the main catalog, or an index
            left_out.append(f"{here.relative_to(folder).as_posix()} (HATS {described.kind})")
            folders[:] = []
            continue
        if described is not None and "dataset" in folders:
            left_out += [
                (here / name).relative_to(folder).as_posix() for name in (*names, *folders) if name != "dataset"
            ]
            folders[:] = ["dataset"]
            continue
        for path in (here / name for name in names):
            if described is None and _is_catalog(path):
                paths.append(path)
            else:
                left_out.append(path.relative_to(folder).as_posix())
        if len(paths) + len(left_out) > MAX_FILES:
            raise InputError(f"{folder}: more than {MAX_FILES} files; name those of the dataset by a glob pattern")
    if not paths:
        beside = f"; not read: {_shorten_list(sorted(left_out))}" if left_out else ""
        raise InputError(
            f"{folder}: no catalog in this folder or below it (looked for {', '.join(_suffixes())}){beside}"
        )
    return DatasetFiles(folder, tuple(sorted(paths)), table, tuple(sorted(left_out)))


def _is_catalog(path: Path) -> bool:
    """Return whether a file is a catalog, by suffix or content."""
    if not path.is_file() or path.name.startswith((".", "_")):
        return False
    name = path.name.lower()
    for suffix in COMPRESSED:
        name = name.removesuffix(suffix)
    if name.endswith(_suffixes()):
        return True
    try:
        start = read_head(path)
    except InputError:
        return False
    return any(candidate.recognises(start) for candidate in FORMATS if candidate.by_content)


def _suffixes() -> tuple[str, ...]:
    """Return the suffixes of all formats."""
    return tuple(suffix for one in FORMATS for suffix in one.suffixes)


def format_of(path: Path) -> Format:
    """Detect the format of a file by its content.

    Raises
    ------
    InputError
        Not readable, or no known format.
    """
    start = read_head(path)
    for candidate in FORMATS:
        if candidate.recognises(start):
            return candidate
    what = unsupported.describe(start) or f"is none of {', '.join(one.name for one in FORMATS)}"
    raise InputError(f"{path}: not a catalog: it {what}")


def file_tables(files: DatasetFiles, path: Path, table: str | None = None) -> list[FileTable]:
    """Return all tables of one file, or the selected one.

    Parameters
    ----------
    files : DatasetFiles
        Dataset of the file.
    path : Path
    table : str, optional
        Name, or number from 1, of the table in the survey profile; a table named with the file takes precedence.

    Raises
    ------
    InputError
        There is no such table, or more than one of that name.
    """
    reader = format_of(path)
    tables = reader.tables(path)
    several = len(tables) > 1
    fixed = hive_columns(path)
    all_tables = [
        _file_table(path, reader, one, f"{path}#{one.name or one.number + 1}" if several else str(path), fixed)
        for one in tables
    ]
    chosen = files.table if files.table is not None else table
    if chosen is None:
        return all_tables
    matches = [part for part in all_tables if part.table.name.lower() == chosen.lower()] or [
        part for part in all_tables if str(part.table.number + 1) == chosen
    ]
    if not matches:
        names = [shorten(one.name or one.number + 1) for one in tables]
        raise InputError(f"{path}: no table '{shorten(chosen)}' in it; it has {_shorten_list(names)}")
    return matches


def _file_table(path: Path, reader: Format, table: Table, place: str, fixed: Mapping[str, str | None]) -> FileTable:
    """Build a table whose masks are hidden from its columns."""
    masks = find_masks({*(column.name for column in table.columns), *table.aliases, *table.beside})
    hidden = set(masks.values())
    shown = replace(
        table,
        columns=tuple(column for column in table.columns if column.name not in hidden),
        aliases={name: column for name, column in table.aliases.items() if name not in hidden},
        beside={name: column for name, column in table.beside.items() if name not in hidden},
    )
    return FileTable(path, reader, shown, place, fixed, masks)


def read_columns(
    parts: Sequence[FileTable], names: Collection[str], labels: Collection[str] = ()
) -> list[dict[str, AnyArray]]:
    """Read the named columns of tables of one file, with masks applied.

    Raises
    ------
    InputError
        Not readable; or a mask is neither true nor false in a row.
    """
    columns: list[dict[str, AnyArray]] = []
    for masks, group in groupby(parts, key=lambda part: {n: part.masks[n] for n in names if n in part.masks}):
        same = list(group)
        wanted = list(dict.fromkeys([*names, *masks.values()]))
        numbers = [part.table.number for part in same]
        stored = same[0].format.read(same[0].path, numbers, wanted, labels)
        columns += [apply_masks(p.place, names, masks, one) for p, one in zip(same, stored, strict=True)]
    return columns


def hive_columns(path: Path) -> dict[str, str | None]:
    """Return the columns in folder names such as ``band=r``; None for a null."""
    values = {m[1]: m[2] for folder in path.parts[:-1] if (m := _HIVE.fullmatch(folder)) is not None}
    return {name: None if value == _HIVE_NONE else unquote(value) for name, value in values.items()}


def fingerprint(files: DatasetFiles) -> str:
    """Compute the SHA-256 of a file, or of the names and hashes of several."""
    digests = []
    for path in files.paths:
        with path.open("rb") as file:
            digests.append(hashlib.file_digest(file, "sha256").hexdigest())
    if len(files.paths) == 1:
        return digests[0]
    names = [path.relative_to(files.root).as_posix() for path in files.paths]
    listing = "".join(f"{digest}  {name}\n" for digest, name in zip(digests, names, strict=True))
    return hashlib.sha256(listing.encode(errors="surrogateescape")).hexdigest()


def count_noun(number: int, noun: str) -> str:
    """Format a number with its noun, in the plural unless it is 1."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def _shorten_list(names: Sequence[str]) -> str:
    shown = ", ".join(shorten(name) for name in names[:_SHOWN])
    return shown + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
