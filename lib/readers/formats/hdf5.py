"""HDF5 tables; the attributes of their groups are the header.

A survey profile may name a column by TABLE/COLUMN, and join a column of another table in the same group.
"""

from __future__ import annotations

import importlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from skyaccept.lib.arrays import AnyArray
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers.formats.hdf5_layout import Hdf5Table, attributes, find_tables
from skyaccept.lib.readers.formats.hdf5_values import read_columns
from skyaccept.lib.readers.table import Column, Format, Table, open_binary, shorten

_SIGNATURE = b"\x89HDF\r\n\x1a\n"


def tables(path: Path) -> list[Table]:
    """List all tables of a file by the last part of their path if it is unique."""
    with _opened(path) as (_, hdf5_tables):
        return [
            Table(
                number,
                name,
                layout.columns,
                _header(layout),
                {f"{layout.last}/{column.name}": column for column in layout.columns},
                {name: column for name, (_, column) in _beside(hdf5_tables, layout).items()},
            )
            for number, (name, layout) in enumerate(zip(_names(hdf5_tables), hdf5_tables, strict=True))
        ]


def read(
    path: Path, numbers: Sequence[int], names: Collection[str], labels: Collection[str]
) -> list[Mapping[str, AnyArray]]:
    """Read columns of the numbered tables, or of one table in the same group."""
    with _opened(path) as (size, hdf5_tables):
        return [_read(path, size, hdf5_tables, hdf5_tables[number], names) for number in numbers]


def _read(
    path: Path, size: int, all_tables: Sequence[Hdf5Table], layout: Hdf5Table, names: Collection[str]
) -> Mapping[str, AnyArray]:
    own = {column.name: column.name for column in layout.columns}
    own |= {f"{layout.last}/{name}": name for name in own}
    if all(name in own for name in names):
        return _columns(path, size, layout, {name: own[name] for name in names})
    beside = _beside(all_tables, layout)
    others = {beside[name][0].path: beside[name][0] for name in names if name not in own}
    if len(others) > 1 or any(name in own for name in names):
        used = sorted({layout.last, *(other.last for other in others.values())})
        raise InputError(
            f"{path}: columns of tables {', '.join(used)} have rows of their own; name those of one table, "
            "or give 'join' in the survey profile"
        )
    return _columns(path, size, beside[next(iter(names))][0], {name: beside[name][1].name for name in names})


def _columns(path: Path, size: int, layout: Hdf5Table, wanted: Mapping[str, str]) -> dict[str, AnyArray]:
    """Read the columns of one table, renamed as requested."""
    place = str(path)
    layout.header.check_columns(place, wanted.values(), layout.stored)
    stored = [layout.stored[name] for name in layout.header.needed(wanted.values())]
    combined = layout.header.combine(place, wanted.values(), read_columns(place, stored, size))
    return {name: combined[column] for name, column in wanted.items()}


def _names(all_tables: Sequence[Hdf5Table]) -> list[str]:
    last = [layout.last for layout in all_tables]
    return last if len(set(last)) == len(last) else [layout.path for layout in all_tables]


def _beside(all_tables: Sequence[Hdf5Table], layout: Hdf5Table) -> dict[str, tuple[Hdf5Table, Column]]:
    """Return the columns of other tables in the same group, as TABLE/COLUMN."""
    return {
        f"{other.last}/{column.name}": (other, column)
        for other in all_tables
        if other.above == layout.above and set(other.stored) != set(layout.stored)
        for column in other.columns
    }


def _header(layout: Hdf5Table) -> dict[str, object]:
    """Collect the attributes of the groups above a table.

    The nearest group takes precedence.
    """
    keywords: dict[str, object] = {}
    groups, group = [layout.group], layout.group
    while group.name != "/":
        group = group.parent
        groups.append(group)
    for group in groups[::-1]:
        keywords |= attributes(group)
    return keywords


@contextmanager
def _opened(path: Path) -> Iterator[tuple[int, list[Hdf5Table]]]:
    """Open a file, and return its size and its tables."""
    try:
        h5py = importlib.import_module("h5py")
        importlib.import_module("hdf5plugin")  # PyTables compresses with Blosc
    except ImportError:
        raise InputError(f"{path}: an HDF5 file needs h5py and hdf5plugin: pip install 'skyaccept[hdf5]'") from None
    try:
        with open_binary(path) as content:
            size = content.seek(0, 2)
            content.seek(0)
            with h5py.File(content, "r") as file:
                hdf5_tables = find_tables(str(path), file)
                if not hdf5_tables:
                    raise InputError(
                        f"{path}: the HDF5 file holds no table: no dataset of records, and no group with several "
                        "columns of equal length"
                    )
                yield size, hdf5_tables
    except (OSError, RuntimeError, ValueError, TypeError, LookupError, MemoryError, EOFError, ArithmeticError) as error:
        if isinstance(error, InputError):
            raise
        why = shorten(" ".join(str(error).split()))
        raise InputError(f"{path}: the HDF5 file is truncated, damaged or cannot be unpacked: {why}") from None


def _recognises(start: bytes) -> bool:
    # a user block of 512, 1024, 2048 ... bytes may precede it
    return any(start[at : at + 8] == _SIGNATURE for at in (0, *(512 << k for k in range(7))))


FORMAT = Format("HDF5 tables", (".pytable", ".hdf5", ".hdf", ".h5"), _recognises, tables, read)
