"""Files of a dataset: which files and which of their tables a path stands for, and what is left out."""

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
"""Files below one folder."""

_HIVE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=([^/=]+)")
_HIVE_NONE = "__HIVE_DEFAULT_PARTITION__"
_SHOWN = 5


@dataclass(frozen=True)
class DatasetFiles:
    """Files that a path stands for.

    Attributes
    ----------
    root : Path
        The folder that was named, or that of the files.
    paths : tuple of Path
        In ascending order.
    table : str or None
        Table that was chosen with ``FILE#TABLE``.
    left_out : tuple of str
        Files in the folder that are not read, relative to it.
    """

    root: Path
    paths: tuple[Path, ...]
    table: str | None = None
    left_out: tuple[str, ...] = ()

    def notes(self) -> tuple[str, ...]:
        """Sentence about the files that are not read."""
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
        File, with its table where it has several, for messages.
    fixed : mapping of str to str or None
        Columns that the names of folders give, ``visit=1000``, with their one value.
    masks : mapping of str to str
        Columns that have a mask beside them, and its name; no survey profile can name the masks themselves.
    """

    path: Path
    format: Format
    table: Table
    place: str
    fixed: Mapping[str, str | None] = field(default_factory=dict)
    masks: Mapping[str, str] = field(default_factory=dict)

    def columns(self) -> dict[str, Column]:
        """Columns by all names that a survey profile may use, those of the folders' names among them."""
        named = {name: Column(name, "folder", None, "name of a folder") for name in self.fixed}
        own = {column.name: column for column in self.table.columns}
        return named | own | {name: one for name, one in self.table.aliases.items() if name not in own}


def find_files(source: str | Path) -> DatasetFiles:
    """Files that a path, folder or glob pattern stands for; ``PATH#TABLE`` chooses a table of each.

    A folder is searched with all folders below it. A file with the suffix of a catalog, and any other that is one by
    its content, is read; all others are listed.

    Raises
    ------
    InputError
        There is none.
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
    """All catalogs below a folder; of HATS catalogs their data sets alone."""
    paths: list[Path] = []
    left_out: list[str] = []
    for root, folders, names in os.walk(folder):
        here = Path(root)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        described = hats.read_description(here)
        if described is not None and not described.holds_rows:
            # copies of rows of the catalog beside it, or an index of them
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
    """Whether a file of a folder is to be read: by its suffix, or by content that is no text."""
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
    """Format of a file, by its content.

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
    """Tables of one file: all, or the chosen one.

    Parameters
    ----------
    files : DatasetFiles
        That the file belongs to.
    path : Path
    table : str, optional
        Name, or number from 1, of the table that the survey profile names; one that was named with the file goes
        before it.

    Raises
    ------
    InputError
        There is no such table, or more than one of that name.
    """
    reader = format_of(path)
    tables = reader.tables(path)
    several = len(tables) > 1
    fixed = hive_columns(path)
    found = [
        _file_table(path, reader, one, f"{path}#{one.name or one.number + 1}" if several else str(path), fixed)
        for one in tables
    ]
    chosen = files.table if files.table is not None else table
    if chosen is None:
        return found
    matches = [part for part in found if part.table.name.lower() == chosen.lower()] or [
        part for part in found if str(part.table.number + 1) == chosen
    ]
    if not matches:
        names = [shorten(one.name or one.number + 1) for one in tables]
        raise InputError(f"{path}: no table '{shorten(chosen)}' in it; it has {_shorten_list(names)}")
    return matches


def _file_table(path: Path, reader: Format, table: Table, place: str, fixed: Mapping[str, str | None]) -> FileTable:
    """One table, whose masks are no columns of their own."""
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
    """Named columns of some tables of one file, as `Format.read` gives them, with their masks applied.

    Raises
    ------
    InputError
        Not readable; or a mask is neither true nor false in a row.
    """
    found: list[dict[str, AnyArray]] = []
    for masks, group in groupby(parts, key=lambda part: {n: part.masks[n] for n in names if n in part.masks}):
        same = list(group)
        wanted = list(dict.fromkeys([*names, *masks.values()]))
        numbers = [part.table.number for part in same]
        stored = same[0].format.read(same[0].path, numbers, wanted, labels)
        found += [apply_masks(p.place, names, masks, one) for p, one in zip(same, stored, strict=True)]
    return found


def hive_columns(path: Path) -> dict[str, str | None]:
    """Columns that the folders of a file name, as ``band=r/visit=1000/part.parquet`` does; None is no value."""
    found = {m[1]: m[2] for folder in path.parts[:-1] if (m := _HIVE.fullmatch(folder)) is not None}
    return {name: None if value == _HIVE_NONE else unquote(value) for name, value in found.items()}


def fingerprint(files: DatasetFiles) -> str:
    """SHA-256 of a file's bytes, or of the names and hashes of several."""
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
    """Number and noun, in the plural where it is not 1."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def _shorten_list(names: Sequence[str]) -> str:
    shown = ", ".join(shorten(name) for name in names[:_SHOWN])
    return shown + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
