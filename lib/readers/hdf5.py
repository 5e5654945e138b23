"""HDF5 files with tables as PyTables and h5py write them: datasets of records, attributes of groups as the header.

Attributes are never unpickled, and nothing outside of the file is opened: links and storage that lead elsewhere are
left alone or refused.
"""

from __future__ import annotations

import importlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from skyaccept.lib import progress
from skyaccept.lib.catalog import Array
from skyaccept.lib.errors import InputError
from skyaccept.lib.readers.table import MAX_UNCOMPRESSED, Column, Format, Table, native, open_binary, shorten

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_BLOCK = 64 * 1024**2  # bytes of records that are held while their columns are taken out
_MAX_CHUNK = 1024**3


def tables(path: Path) -> list[Table]:
    """Columns of all tables of a file as one, as TABLE/COLUMN where it has several."""
    with _tables(path) as tables:
        found = []
        for prefix, table in tables.items():
            for name in table.dtype.names:
                found.append(Column(prefix + name, _kind(table.dtype[name]), None))
        return [Table(0, "", tuple(found), _header(tables))]


def read(
    path: Path, numbers: Sequence[int], names: Collection[str], labels: Collection[str]
) -> list[Mapping[str, Array]]:
    """Read the named columns, all of one table, a block of rows at a time."""
    return [_read(path, names)]


def _read(path: Path, names: Collection[str]) -> dict[str, Array]:
    with _tables(path) as tables:
        places = {name: (prefix, name[len(prefix) :]) for name in names for prefix in [_prefix(tables, name)]}
        used = sorted({prefix for prefix, _ in places.values()})
        if len(used) > 1:
            raise InputError(
                f"{path}: columns of tables {', '.join(used)} have rows of their own; name those of one table, "
                "or give 'join' in the survey profile"
            )
        if not used:
            return {}
        table = tables[used[0]]
        _check_storage(path, table)
        return _columns(path, table, {name: column for name, (_, column) in places.items()})


def _header(tables: Mapping[str, Any]) -> dict[str, object]:
    """Numbers and text among the attributes of the groups that hold the tables.

    A group says it for those within it; where two beside each other differ, neither holds for the file.
    """
    found: dict[str, object] = {}
    differ: set[str] = set()
    depth: dict[str, str] = {}
    groups = {group.name: group for table in tables.values() for group in _parents(table)}
    for name, group in sorted(groups.items()):
        for key, value in _attributes(group).items():
            if key in found and found[key] != value and not name.startswith(depth[key]):
                differ.add(key)
            found[key], depth[key] = value, name
    return {key: value for key, value in found.items() if key not in differ}


@contextmanager
def _tables(path: Path) -> Iterator[Mapping[str, Any]]:
    """Tables of a file by the prefix of the names of their columns."""
    try:
        h5py = importlib.import_module("h5py")
        importlib.import_module("hdf5plugin")  # PyTables compresses with Blosc
    except ImportError:
        raise InputError(f"{path}: an HDF5 file needs h5py and hdf5plugin: pip install 'skyaccept[hdf5]'") from None
    try:
        with open_binary(path) as content, h5py.File(content, "r") as file:
            found: list[Any] = []

            def visit(_: str, item: Any) -> None:
                if isinstance(item, h5py.Dataset) and item.dtype.names and item.ndim == 1:
                    found.append(item)

            file.visititems(visit)  # follows neither soft nor external links
            if not found:
                raise InputError(f"{path}: the HDF5 file holds no table (a dataset of records)")
            last = [table.name.rsplit("/", 1)[1] for table in found]
            names = last if len(set(last)) == len(last) else [table.name.strip("/") for table in found]
            yield {"" if len(found) == 1 else f"{n}/": t for n, t in zip(names, found, strict=True)}
    except (OSError, RuntimeError, ValueError, TypeError, KeyError, MemoryError, EOFError) as error:
        if isinstance(error, InputError):
            raise
        why = shorten(" ".join(str(error).split()))
        raise InputError(f"{path}: the HDF5 file is truncated, damaged or cannot be unpacked: {why}") from None


def _prefix(tables: Mapping[str, Any], name: str) -> str:
    for prefix, table in tables.items():
        if name.startswith(prefix) and name[len(prefix) :] in table.dtype.names:
            return prefix
    raise KeyError(f"no column {name}")


def _check_storage(path: Path, table: Any) -> None:
    """Refuse a table whose rows lie elsewhere, are not there, or unpack to too much, before any of them is read."""
    plist, size = table.id.get_create_plist(), table.dtype.itemsize * len(table)
    if table.is_virtual or plist.get_external_count():
        raise InputError(f"{path}: table '{table.name}' refers to other files, which are not opened")
    if size > MAX_UNCOMPRESSED:
        raise InputError(f"{path}: table '{table.name}' unpacks to {size} bytes, more than {MAX_UNCOMPRESSED}")
    if table.chunks is None:
        stored = table.id.get_storage_size() // table.dtype.itemsize
    else:
        if table.chunks[0] * table.dtype.itemsize > _MAX_CHUNK:
            raise InputError(f"{path}: table '{table.name}' has chunks of more than {_MAX_CHUNK} bytes")
        stored = table.id.get_num_chunks() * table.chunks[0]
    if stored < len(table):
        raise InputError(
            f"{path}: the HDF5 file is truncated: table '{table.name}' declares {len(table)} rows, and holds {stored}"
        )


def _columns(path: Path, table: Any, wanted: Mapping[str, str]) -> dict[str, Array]:
    kinds = {column: table.dtype[column] for column in wanted.values()}
    for column, kind in kinds.items():
        if kind.base.kind not in "biufS":
            raise InputError(f"{path}: column '{column}' of table '{table.name}' holds {kind}: not numbers or text")
    n = len(table)
    found = {c: np.empty((n, *k.shape), dtype=k.base.newbyteorder("=")) for c, k in kinds.items()}
    step = max(_BLOCK // table.dtype.itemsize, 1)
    if table.chunks is not None:
        step = max(step // table.chunks[0], 1) * table.chunks[0]  # no chunk is unpacked twice
    fields = table.fields(list(kinds))
    for start in range(0, n, step):
        progress.report(f"reading {path.name}", start, n)
        block = fields[start : start + step]
        for column, values in found.items():
            values[start : start + step] = block[column]
    return {name: native(found[column]) for name, column in wanted.items()}


def _parents(table: Any) -> list[Any]:
    """Groups from the root to a table."""
    groups, group = [], table.parent
    while True:
        groups.append(group)
        if group.name == "/":
            return groups[::-1]
        group = group.parent


def _attributes(group: Any) -> dict[str, object]:
    """Attributes that are one number or text; whatever else PyTables keeps there, pickled or not, is left alone."""
    found: dict[str, object] = {}
    for key in group.attrs:
        kind = group.attrs.get_id(key).dtype
        if group.attrs.get_id(key).shape != () or kind.kind not in "biufSO":
            continue
        value = group.attrs[key]
        if isinstance(value, bytes):
            value = value.decode(errors="replace")
        if isinstance(value, np.generic):
            value = value.item()
        if isinstance(value, bytes):
            value = value.decode(errors="replace")
        if isinstance(value, str | int | float):
            found[key] = value
    return found


def _kind(kind: Any) -> str:
    return f"{kind.base}{list(kind.shape)}" if kind.shape else str(kind)


def _recognises(start: bytes) -> bool:
    # a user block of 512 bytes, or twice as long any number of times, may come first
    return any(start[at : at + 8] == _SIGNATURE for at in (0, *(512 << k for k in range(7))))


FORMAT = Format("HDF5 tables", _recognises, tables, read)
