"""Tables in HDF5 files of PyTables, h5py, pandas, astropy and vaex.

A table is a dataset of records, or a group of datasets of equal length, one for each column. Attributes are never
unpickled, and external files are never opened: external links are ignored.
"""

from __future__ import annotations

import importlib
import pickletools
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers.formats.astropy_header import Header, read_header
from skyaccept.lib.readers.table import Column, shorten

MAX_OBJECTS = 100_000
_MAX_ATTRIBUTE = 1_000_000  # bytes
_META = ".__table_column_meta__"
_PANDAS = re.compile(r"frame|frame_table|series|series_table")
_HARMLESS = {
    *("PROTO", "FRAME", "MARK", "LIST", "EMPTY_LIST", "APPEND", "APPENDS", "STOP"),
    *("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"),
}
_TEXT = {"UNICODE", "SHORT_BINUNICODE", "BINUNICODE"}


@dataclass(frozen=True)
class StoredColumn:
    """One column as stored.

    Attributes
    ----------
    name : str
    dataset : h5py Dataset
    record : str
        Field of the dataset's records; empty for a dataset of one column.
    element : int, optional
        Index of the column in a block of columns, as pandas stores them.
    kind : str
        Type of pandas for values stored as integers: datetime64[ns].
    unit : str, optional
    null : str
        Text of a null value.
    refused : str
        Reason why it is not supported; empty if it is.
    """

    name: str
    dataset: Any
    record: str = ""
    element: int | None = None
    kind: str = ""
    unit: str | None = None
    null: str = ""
    refused: str = ""

    def column(self) -> Column:
        """Return the column as `Table` lists it."""
        kind = dtype_of(self.dataset)
        if kind is not None and self.record:
            kind = kind[self.record]
        shape = self.dataset.shape[1:] if not self.record else kind.shape if kind is not None else ()
        shape = shape[1:] if self.element is not None else shape
        text = self.kind or (str(kind.base) if kind is not None else "unknown")
        return Column(self.name, text + (str(list(shape)) if shape else ""), self.unit)


@dataclass(frozen=True)
class Hdf5Table:
    """One table of a file.

    Attributes
    ----------
    path : str
        Path of its dataset or group from the root, without the leading slash.
    group : h5py Group
        Group whose attributes, and those of its parents, form the header.
    stored : mapping of str to StoredColumn
    header : Header
        Astropy's header for these columns.
    """

    path: str
    group: Any
    stored: Mapping[str, StoredColumn]
    header: Header = field(default_factory=Header)

    @property
    def last(self) -> str:
        """Last part of the path."""
        return self.path.rsplit("/", 1)[-1]

    @property
    def above(self) -> str:
        """Path of the group that holds the table."""
        return self.path.rpartition("/")[0]

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """Columns that the table offers."""
        return self.header.offered([one.column() for one in self.stored.values()])


def dtype_of(dataset: Any) -> Any:
    """Return the type of a dataset, or None if NumPy has no such type."""
    try:
        return dataset.dtype
    except TypeError:
        return None


def find_tables(place: str, file: Any) -> list[Hdf5Table]:
    """Find all tables of a file.

    Raises
    ------
    InputError
        The file holds too many objects, or an unreadable header of astropy's.
    """
    h5py = importlib.import_module("h5py")
    groups: dict[str, Any] = {"": file}
    datasets: dict[str, dict[str, Any]] = {}
    count = 0

    def visit(name: str, item: Any) -> None:
        nonlocal count
        count += 1
        if count > MAX_OBJECTS:
            raise InputError(f"{place}: the HDF5 file holds more than {MAX_OBJECTS} objects")
        if any(one.startswith("_i_") for one in name.split("/")):  # PyTables keeps indices there
            return
        if isinstance(item, h5py.Dataset):
            above, _, last = name.rpartition("/")
            datasets.setdefault(above, {})[last] = item
        else:
            groups[name] = item

    file.visititems(visit)  # follows neither soft nor external links
    tables: list[Hdf5Table] = []
    done: set[str] = set()
    for name, group in groups.items():
        if any(name == one or name.startswith(f"{one}/") for one in done):
            continue
        table = _pandas(place, name, group, datasets.get(name, {})) or _vaex(name, group, groups, datasets)
        if table is not None:
            done.add(name)
            tables.append(table)
        else:
            tables += _plain(place, name, group, datasets.get(name, {}))
    return sorted(tables, key=lambda one: one.path)


def attributes(item: Any) -> dict[str, object]:
    """Return the attributes that are one number or text; ignore all others."""
    values: dict[str, object] = {}
    for key in item.attrs:
        try:
            attribute = item.attrs.get_id(key)
            if attribute.shape not in ((), (1,)) or attribute.dtype.kind not in "biufSO":
                continue
            if attribute.get_storage_size() > _MAX_ATTRIBUTE:
                continue
            value: Any = item.attrs[key]
        except (TypeError, OSError, RuntimeError):  # a type without an equivalent in NumPy
            continue
        value = np.ravel(value)[0] if np.size(value) == 1 else None
        value = value.item() if isinstance(value, np.generic) else value
        value = value.decode(errors="replace") if isinstance(value, bytes) else value
        if isinstance(value, str | int | float):
            values[key] = value
    return values


def texts_in_pickle(text: object) -> list[str]:
    """Extract texts from a pickled list without unpickling; [] for anything else.

    PyTables pickles lists among its attributes.
    """
    texts: list[str] = []
    try:
        for code, argument, _ in pickletools.genops(str(text).encode("latin-1")):
            if code.name in _TEXT:
                texts.append(str(argument))
            elif code.name not in _HARMLESS:
                return []
    except (ValueError, UnicodeError):
        return []
    return texts


def _plain(place: str, name: str, group: Any, datasets: Mapping[str, Any]) -> list[Hdf5Table]:
    """Find datasets of records in a group, and datasets of one column each."""
    tables: list[Hdf5Table] = []
    alone: dict[str, Any] = {}
    for last, dataset in datasets.items():
        kind = dtype_of(dataset)
        if last.endswith(_META) or not dataset.shape:
            continue
        if kind is not None and kind.names:
            if dataset.ndim == 1:
                path = f"{name}/{last}" if name else last
                stored = {one: StoredColumn(one, dataset, one) for one in kind.names}
                tables.append(Hdf5Table(path, group, stored, _header(place, dataset, datasets.get(last + _META))))
        else:
            alone[last] = dataset
    lengths = Counter(dataset.shape[0] for dataset in alone.values())
    rows, columns = lengths.most_common(1)[0] if lengths else (0, 0)
    if columns > 1:
        stored = {last: _column(last, dataset, rows) for last, dataset in alone.items()}
        tables.append(Hdf5Table(name, group, stored))
    return tables


def _column(name: str, dataset: Any, rows: int) -> StoredColumn:
    own = attributes(dataset)
    unit = own.get("unit", own.get("units"))
    refused = f"has {dataset.shape[0]} rows, and the others of its group {rows}" if dataset.shape[0] != rows else ""
    return StoredColumn(name, dataset, unit=unit if isinstance(unit, str) else None, refused=refused)


def _header(place: str, dataset: Any, lines: Any) -> Header:
    """Read the header that astropy stores with a dataset, if there is one."""
    if lines is None:
        return Header()
    kind = dtype_of(lines)
    if kind is None or kind.kind != "S" or lines.ndim != 1 or lines.size * kind.itemsize > _MAX_ATTRIBUTE * 4:
        raise InputError(f"{place}: the header beside table '{dataset.name}' is no text")
    text = "\n".join(one.decode(errors="replace") for one in lines[()].tolist())
    return read_header(f"{place}: table '{dataset.name}'", text)


def _vaex(
    name: str, group: Any, groups: Mapping[str, Any], datasets: Mapping[str, Mapping[str, Any]]
) -> Hdf5Table | None:
    """Describe a vaex table: a group of columns, each with data and an optional mask."""
    columns = f"{name}/columns" if name else "columns"
    if attributes(group).get("type") != "table" or columns not in groups:
        return None
    stored: dict[str, StoredColumn] = {}
    for path, parts in datasets.items():
        if path.rpartition("/")[0] != columns or "data" not in parts:
            continue
        last = path.rsplit("/", 1)[-1]
        unit = attributes(groups[path]).get("unit", attributes(parts["data"]).get("unit"))
        others = sorted(set(parts) - {"data", "mask"})
        refused = f"is stored by vaex in parts ({', '.join(others)}), which is not read" if others else ""
        stored[last] = StoredColumn(last, parts["data"], unit=unit if isinstance(unit, str) else None, refused=refused)
        if "mask" in parts:
            stored[f"{last}.mask"] = StoredColumn(f"{last}.mask", parts["mask"])
    return Hdf5Table(name, group, stored)


def _pandas(place: str, name: str, group: Any, datasets: Mapping[str, Any]) -> Hdf5Table | None:
    """Describe a pandas frame (HDFStore) in the fixed or the table format."""
    own = attributes(group)
    kind = str(own.get("pandas_type", ""))
    if not _PANDAS.fullmatch(kind):
        return None
    null = str(own.get("nan_rep", "nan"))
    null = "nan" if null == "N." else null  # pickled None
    if kind.endswith("table") and "table" in datasets:
        stored = _frame_table(place, datasets["table"], null)
    else:
        stored = _frame_fixed(place, datasets, null)
    columns: dict[str, StoredColumn] = {}
    for one in stored:
        if one.name in columns:
            raise InputError(f"{place}: table '{name}': column '{shorten(one.name)}' occurs twice")
        columns[one.name] = one
    return Hdf5Table(name, group, columns)


def _frame_fixed(place: str, datasets: Mapping[str, Any], null: str) -> Iterator[StoredColumn]:
    """Describe the columns of a fixed frame, from blockN_items and blockN_values."""
    if "axis1" in datasets and "axis0" in datasets:
        yield StoredColumn("index", datasets["axis1"], null=null)
    number = 0
    while f"block{number}_values" in datasets:
        values, items = datasets[f"block{number}_values"], datasets.get(f"block{number}_items")
        own = attributes(values)
        kind = str(own.get("value_type", ""))
        refused = ""
        if "PSEUDOATOM" in own or values.ndim != 2:
            refused = "is pickled by pandas, and is not read; save the frame with format='table'"
        names = _names(place, items)
        if not refused and values.shape[1] != len(names):
            raise InputError(f"{place}: block {number} of pandas has {values.shape[1]} columns, and {len(names)} names")
        for element, one in enumerate(names):
            yield StoredColumn(one, values, element=element, kind=kind, null=null, refused=refused)
        number += 1


def _names(place: str, items: Any) -> list[str]:
    kind = None if items is None else dtype_of(items)
    if kind is None or kind.kind not in "Siu" or items.ndim != 1 or items.size * kind.itemsize > _MAX_ATTRIBUTE:
        raise InputError(f"{place}: names of columns are pickled by pandas, and are not read; save with format='table'")
    return [one.decode(errors="replace") if isinstance(one, bytes) else str(one) for one in items[()].tolist()]


def _frame_table(place: str, table: Any, null: str) -> Iterator[StoredColumn]:
    """Describe the columns of a table frame: blocks of values, named in an attribute."""
    own = attributes(table)
    kinds = dtype_of(table)
    for record in kinds.names if kinds is not None and kinds.names else ():
        declared = str(own.get(f"{record}_dtype", ""))
        kind = declared if declared.startswith(("datetime64", "timedelta64")) else ""
        if str(own.get(f"{record}_kind", "")).startswith(("datetime64", "timedelta64")):
            kind = str(own[f"{record}_kind"])
        refused = ""
        if own.get(f"{record}_meta") == "category":
            refused = "holds codes of categories, and is not read; save the frame with its values, astype(str)"
        first = StoredColumn(
            record, table, record, kind=kind, null=str(own.get(f"{record}_nan_rep", null)), refused=refused
        )
        if not kinds[record].shape:
            yield first
            continue
        names = texts_in_pickle(own.get(f"{record}_kind", ""))
        if len(names) != kinds[record].shape[0]:
            raise InputError(
                f"{place}: names of the columns in '{record}' of pandas are not known; save the frame with "
                "data_columns=True"
            )
        for element, one in enumerate(names):
            yield replace(first, name=one, element=element)
