"""Tables and formats, and opening of files within size limits."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from skyaccept.lib.arrays import AnyArray
from skyaccept.lib.exceptions import InputError

LIST_SUFFIX = "[]"
"""Suffix of the name of a column of lists with one value per detection."""

ARRAY_PREFIX = "lists of"
"""Prefix of the type of a list column that is read as arrays, without `LIST_SUFFIX`."""

MAX_UNCOMPRESSED = 4 * 1024**3
"""Maximum size of an unpacked file, bytes."""

MAX_RATIO = 100
"""Maximum ratio of unpacked to packed size above `MIN_CHECKED` bytes; tables pack 2 to 30 times."""

MIN_CHECKED = 64 * 1024**2

_PACKED: Mapping[bytes, tuple[str, Any]] = {
    b"\x1f\x8b": ("gzip", gzip.open),
    b"BZh": ("bzip2", bz2.open),
    b"\xfd7zXZ": ("xz", lzma.open),
}
_DAMAGED = (EOFError, zlib.error, gzip.BadGzipFile, lzma.LZMAError, OSError, ValueError)


_FIXED_LIST = re.compile(r"fixed_size_list<.*>\[(\d+)\]")
_FITS_ARRAY = re.compile(r"(\d+)[BIJKED]")
_VOTABLE_ARRAY = re.compile(r"(?!char|unicodeChar)\w+\[(\d+)\*?\]")


@dataclass(frozen=True)
class Column:
    """A column as the file describes it.

    ``unit`` and time ``scale`` are None if not stated.
    """

    name: str
    dtype: str
    unit: str | None = None
    description: str = ""
    scale: str | None = None


@dataclass(frozen=True)
class Table:
    """One table of a file.

    Attributes
    ----------
    number : int
        Number of the table in the file, from 0.
    name : str
        Name in the file; may be empty.
    columns : tuple of Column
        In the order of the file. Names of list columns end in `LIST_SUFFIX`.
    header : mapping of str to object
        Keywords for all rows.
    aliases, beside : mapping of str to Column
        Its own columns, and those of other tables in its group, as TABLE/COLUMN, if profiles may name them so.
    notes : tuple of str
        Irregularities, one sentence each.
    """

    number: int
    name: str
    columns: tuple[Column, ...]
    header: Mapping[str, object] = field(default_factory=dict)
    aliases: Mapping[str, Column] = field(default_factory=dict)
    beside: Mapping[str, Column] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Format:
    """How to read one format.

    Attributes
    ----------
    name : str
    suffixes : tuple of str
        Suffixes of file names, in lower case, by which a file in a folder is taken for a catalog.
    recognises : callable
        ``recognises(head)`` returns whether the first (unpacked) bytes of a file have this format.
    tables : callable
        ``tables(path)`` lists all tables of a file.
    read : callable
        ``read(path, numbers, names, labels)`` returns the named columns of the numbered tables, one mapping per table,
        as arrays in native byte order. Missing values are NaN in columns of floats and masked
        (`numpy.ma.MaskedArray`) in columns of integers, bool or text. Text formats return the columns in ``labels``
        as text without loss. With list columns, each list element is a row, and other columns are repeated.
    by_content : bool
        Whether a file in a folder is taken for a catalog by its first bytes, whatever its name.
    """

    name: str
    suffixes: tuple[str, ...]
    recognises: Callable[[bytes], bool]
    tables: Callable[[Path], list[Table]]
    read: Callable[[Path, Sequence[int], Collection[str], Collection[str]], list[Mapping[str, AnyArray]]]
    by_content: bool = True


def array_length(column: Column) -> int | None:
    """Return the declared array length of a column; None for one value a row."""
    for pattern in (_FIXED_LIST, _FITS_ARRAY, _VOTABLE_ARRAY):
        match = pattern.fullmatch(column.dtype)
        if match is not None and int(match[1]) > 1:
            return int(match[1])
    return None


def is_array(column: Column) -> bool:
    """Return whether a column holds arrays, even of undeclared length."""
    return array_length(column) is not None or column.dtype.startswith(ARRAY_PREFIX)


def shorten(text: object) -> str:
    """Shorten text to one line for a message."""
    short = str(text) if len(str(text)) <= 80 else f"{str(text)[:76]} ..."
    return "".join(character if character.isprintable() else " " for character in short)


def native_order(values: AnyArray) -> AnyArray:
    """Convert to native byte order, and text of fixed width to str; keep the mask."""
    if isinstance(values, np.ma.MaskedArray):
        return np.ma.array(native_order(values.data), mask=np.ma.getmaskarray(values))
    if values.dtype.kind in "SU":
        return np.char.strip(values.astype(str))
    return np.ascontiguousarray(values.astype(values.dtype.newbyteorder("="), copy=False))


def mask_missing(values: AnyArray, missing: AnyArray) -> AnyArray:
    """Replace missing values by NaN, or mask them, as `Format.read` returns them."""
    if not missing.any():
        return values
    if values.dtype.kind == "f":
        return np.where(missing, np.nan, values)
    return np.ma.array(values, mask=missing)


def apply_mask(place: str, name: str, values: AnyArray, mask: str, missing: AnyArray) -> AnyArray:
    """Mask the values; a mask of one value per row covers the row's whole array.

    Raises
    ------
    InputError
        The mask does not have the shape of the column.
    """
    if missing.ndim < values.ndim:
        missing = missing.reshape(missing.shape + (1,) * (values.ndim - missing.ndim))
    if missing.ndim > values.ndim or any(m not in (1, n) for m, n in zip(missing.shape, values.shape, strict=True)):
        raise InputError(
            f"{place}: column '{mask}', the mask of '{name}', is of shape {missing.shape}, and that of {values.shape}; "
            "write the table again, with a mask of the shape of its column"
        )
    missing = np.broadcast_to(missing, values.shape)
    if isinstance(values, np.ma.MaskedArray):
        missing, values = missing | np.ma.getmaskarray(values), values.data
    return mask_missing(values, missing)


def read_head(path: Path, size: int = 64 * 1024) -> bytes:
    """Read the first bytes of a file, unpacked.

    Raises
    ------
    InputError
        The file does not exist, is unreadable or empty, or its compression is damaged.
    """
    try:
        with path.open("rb") as file:
            start = file.read(size)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    packing = _packing(start)
    if packing is not None:
        kind, opened = packing
        try:
            with opened(path) as unpacked:
                start = unpacked.read(size)
        except _DAMAGED as error:
            raise InputError(f"{path}: the {kind} file is truncated or damaged: {error}") from None
    if not start:
        raise InputError(f"{path}: the file is empty")
    return start


def open_binary(path: Path) -> BinaryIO:
    """Open a file for reading; unpack a compressed file to memory.

    Raises
    ------
    InputError
        The compressed file is truncated, damaged, or unpacks to more than `MAX_UNCOMPRESSED` bytes or `MAX_RATIO`
        times its size.
    """
    with path.open("rb") as file:
        packing = _packing(file.read(8))
    if packing is None:
        return path.open("rb")
    kind, opened = packing
    most = min(MAX_UNCOMPRESSED, max(MIN_CHECKED, MAX_RATIO * path.stat().st_size))
    try:
        with opened(path) as unpacked:
            content = unpacked.read(most + 1)
    except _DAMAGED as error:
        raise InputError(f"{path}: the {kind} file is truncated or damaged: {error}") from None
    if len(content) > most:
        raise InputError(f"{path}: the {kind} file unpacks to more than {most} bytes; unpack it first")
    return io.BytesIO(content)


def _packing(start: bytes) -> tuple[str, Any] | None:
    """Return the compression of a file and its opener."""
    return next((packing for magic, packing in _PACKED.items() if start.startswith(magic)), None)
