"""Values of HDF5 columns, read in blocks after their sizes are checked."""

from __future__ import annotations

import importlib
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from skyaccept.lib import progress
from skyaccept.lib.arrays import AnyArray
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers.formats.fixed_width_text import decode_text
from skyaccept.lib.readers.formats.hdf5_layout import StoredColumn, attributes, dtype_of
from skyaccept.lib.readers.table import MAX_RATIO, MAX_UNCOMPRESSED, mask_missing, shorten

_BLOCK = 64 * 1024**2  # bytes of rows per step
_MAX_CHUNK = 512 * 1024**2
_FEW = 256 * 1024**2  # bytes to which any file may unpack

_FILLS = ("_FillValue", "missing_value")
_SCALING = ("scale_factor", "add_offset")


def read_columns(place: str, wanted: Collection[StoredColumn], size: int) -> dict[str, AnyArray]:
    """Read columns of one table by name, from a file of ``size`` bytes.

    Raises
    ------
    InputError
        A column is neither numeric nor text, external, incomplete or too large when unpacked, or columns differ in
        their number of rows.
    """
    for one in wanted:
        _check_type(place, one)
    lengths = {one.dataset.shape[0]: one.name for one in wanted}
    if len(lengths) > 1:
        listed = " and ".join(f"'{name}' {rows}" for rows, name in sorted(lengths.items())[:2])
        raise InputError(f"{place}: columns of one table differ in their number of rows: {listed}")
    columns_by_name: dict[str, AnyArray] = {}
    datasets = {one.dataset.name: one.dataset for one in wanted}
    for name, dataset in datasets.items():
        check_storage(place, dataset, size)
        columns = [one for one in wanted if one.dataset.name == name]
        for one, values in zip(columns, _read(place, dataset, columns, size), strict=True):
            columns_by_name[one.name] = _values(f"{place}: column '{shorten(one.name)}'", one, values)
    return columns_by_name


def check_storage(place: str, dataset: Any, size: int) -> None:
    """Refuse a dataset that is external, incomplete, or too large when unpacked."""
    plist, rows, width = dataset.id.get_create_plist(), dataset.shape[0], _width(dataset)
    total = width * rows
    most = min(MAX_UNCOMPRESSED, max(_FEW, MAX_RATIO * size))
    if dataset.is_virtual or plist.get_external_count():
        raise InputError(f"{place}: table '{dataset.name}' refers to other files, which are not opened")
    if total > most:
        raise InputError(f"{place}: table '{dataset.name}' unpacks to {total} bytes, more than {most}")
    if dataset.chunks is None:
        stored = dataset.id.get_storage_size() // width if width else rows
    else:
        if np.prod(dataset.chunks, dtype=object) * dtype_of(dataset).itemsize > _MAX_CHUNK:
            raise InputError(f"{place}: table '{dataset.name}' has chunks of more than {_MAX_CHUNK} bytes")
        across = 1
        for length, chunk in zip(dataset.shape[1:], dataset.chunks[1:], strict=True):
            across *= -(-length // chunk)
        stored = dataset.id.get_num_chunks() // max(across, 1) * dataset.chunks[0]
    if stored < rows:
        raise InputError(
            f"{place}: the HDF5 file is truncated: table '{dataset.name}' declares {rows} rows, and holds {stored}"
        )


def _width(dataset: Any) -> int:
    """Compute the size of a row, bytes."""
    return int(dtype_of(dataset).itemsize * np.prod(dataset.shape[1:], dtype=object))


def _element_kind(one: StoredColumn) -> Any:
    kind = dtype_of(one.dataset)
    if kind is not None and one.record:
        kind = kind[one.record]
    return None if kind is None else kind.base


def _check_type(place: str, one: StoredColumn) -> None:
    h5py = importlib.import_module("h5py")
    where = f"{place}: column '{shorten(one.name)}' of table '{one.dataset.name}'"
    if one.refused:
        raise InputError(f"{where} {one.refused}")
    kind = _element_kind(one)
    if kind is None or not (kind.kind in "biufS" or h5py.check_string_dtype(kind) is not None):
        raise InputError(f"{where} holds {_describe_type(h5py, kind)}: not numbers or text")


def _describe_type(h5py: Any, kind: Any) -> str:
    if kind is None:
        return "a type that NumPy does not have"
    if h5py.check_vlen_dtype(kind) is not None:
        return "arrays of different lengths"
    if h5py.check_ref_dtype(kind) is not None:
        return "references"
    return shorten(kind)


def _read(place: str, dataset: Any, columns: Collection[StoredColumn], size: int) -> list[AnyArray]:
    """Read the stored values of columns of one dataset."""
    rows = dataset.shape[0]
    records = list(dict.fromkeys(one.record for one in columns if one.record))
    kinds = [_element_kind(one) for one in columns]
    step = max(_BLOCK // max(_width(dataset), 1), 1)
    if any(kind.kind == "O" for kind in kinds):  # short rows may refer to long text, and many rows to the same text
        step = min(max(16 * _BLOCK // max(size, 1), 64), 65_536)
    if dataset.chunks is not None:
        step = max(step // dataset.chunks[0], 1) * dataset.chunks[0]  # no chunk is unpacked twice
    fields = dataset.fields(records) if records else dataset
    parts: list[list[AnyArray]] = [[] for _ in columns]
    letters = 0
    for start in range(0, rows, step):
        progress.report(f"reading {dataset.name}", start, rows)
        block = fields[start : start + step]
        for one, part in zip(columns, parts, strict=True):
            values = block[one.record] if one.record else block
            values = values if one.element is None else values[:, one.element]
            part.append(values.copy())
            if values.dtype.kind == "O":
                letters += sum(map(len, values.ravel().tolist()))
        if letters > MAX_UNCOMPRESSED:
            raise InputError(f"{place}: table '{dataset.name}' holds more than {MAX_UNCOMPRESSED} bytes of text")
    empty = [_empty(dataset, one) for one in columns]
    return [np.concatenate(part) if part else none for part, none in zip(parts, empty, strict=True)]


def _empty(dataset: Any, one: StoredColumn) -> AnyArray:
    kind = dtype_of(dataset)
    if one.record:
        return np.empty((0, *kind[one.record].shape[one.element is not None :]), _element_kind(one))
    return np.empty((0, *dataset.shape[1 + (one.element is not None) :]), kind)


def _values(place: str, one: StoredColumn, stored: AnyArray) -> AnyArray:
    """Convert stored values; missing ones become NaN or masked."""
    h5py = importlib.import_module("h5py")
    codes = h5py.check_enum_dtype(stored.dtype)
    if codes is not None and stored.dtype.kind != "b":
        return _decode_names(place, codes, stored)
    if one.kind.startswith(("datetime64", "timedelta64")):
        return _times(place, one.kind, stored)
    if stored.dtype.kind == "O":
        return _text(place, one.null, stored)
    if stored.dtype.kind == "S":
        values = decode_text(place, stored)
        return mask_missing(values, (values == "") | (values == one.null) if one.null else values == "")
    values = np.ascontiguousarray(stored.astype(stored.dtype.newbyteorder("="), copy=False))
    if values.dtype.kind == "f" and values.dtype.itemsize > 8:
        values = values.astype(np.float64)
    return values if one.record or one.element is not None else _scale(place, attributes(one.dataset), values)


def _scale(place: str, own: Mapping[str, object], values: AnyArray) -> AnyArray:
    """Apply the netCDF scaling; the fill value refers to stored values."""
    missing = np.zeros(values.shape, bool)
    for key in _FILLS:
        if key in own and values.dtype.kind in "iuf":
            fill = own[key]
            if isinstance(fill, str):
                raise InputError(f"{place}: its attribute {key} is {shorten(fill)!r}, and it holds numbers")
            missing |= values == fill
    factor, offset = (own.get(key, default) for key, default in zip(_SCALING, (1, 0), strict=True))
    if not isinstance(factor, int | float) or not isinstance(offset, int | float):
        raise InputError(f"{place}: its attributes scale_factor and add_offset are not numbers")
    if factor != 1 or offset != 0:
        values = values.astype(np.float64) * factor + offset
    return mask_missing(values, missing)


def _decode_names(place: str, codes: Mapping[str, int], stored: AnyArray) -> AnyArray:
    """Replace the codes of an enumeration by their names."""
    names = {int(code): name for name, code in codes.items()}
    unknown = [value for value in np.unique(stored).tolist() if value not in names]
    if unknown:
        raise InputError(f"{place}: {unknown[0]} is not one of its names ({shorten(', '.join(codes))})")
    return np.array([names[value] for value in stored.ravel().tolist()], dtype=object).reshape(stored.shape)


def _times(place: str, kind: str, stored: AnyArray) -> AnyArray:
    if "," in kind or stored.dtype.kind != "i" or stored.dtype.itemsize != 8:
        raise InputError(f"{place}: {shorten(kind)} of pandas is not read; save the times as numbers, or in UTC")
    try:
        return stored.astype(np.int64).view(kind if "[" in kind else f"{kind}[ns]")
    except TypeError:
        raise InputError(f"{place}: {shorten(kind)} is not a type of times") from None


def _text(place: str, null: str, stored: AnyArray) -> AnyArray:
    """Decode text of variable length."""
    texts = np.empty(stored.shape, dtype=object)
    try:
        texts.ravel()[:] = [one.decode() if isinstance(one, bytes) else str(one) for one in stored.ravel().tolist()]
    except UnicodeDecodeError:
        raise InputError(f"{place}: not UTF-8 text") from None
    return mask_missing(texts, np.isin(texts.astype(object), ["", *([null] if null else [])]))
