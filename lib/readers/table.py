"""Tables as files: which format a file is in, its columns and their units, and reading some of them."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from skyaccept.lib.catalog import Array
from skyaccept.lib.errors import InputError

LIST = "[]"
"""What the name of a column ends in whose rows hold a list, a value for each detection."""

MAX_UNCOMPRESSED = 4 * 1024**3
"""A compressed file may not unpack to more bytes than this."""


@dataclass(frozen=True)
class Column:
    """A column as the file describes it; ``unit`` is None where the file gives none."""

    name: str
    dtype: str
    unit: str | None = None
    description: str = ""


@dataclass(frozen=True)
class Format:
    """How to read one format.

    Attributes
    ----------
    name : str
    recognises : callable
        ``recognises(head)``: whether the first (uncompressed) bytes of a file are of this format.
    columns : callable
        ``columns(path)``: the columns of a file, in order. The name of one of lists ends in
        `LIST`.
    read : callable
        ``read(path, names)``: these columns as arrays in native byte order; missing numbers as NaN. With one of
        lists there is an entry for each of their values, and those of other columns are repeated.
    header : callable
        ``header(path)``: keywords that hold for all rows; none for a format without a header.
    """

    name: str
    recognises: Callable[[bytes], bool]
    columns: Callable[[Path], list[Column]]
    read: Callable[[Path, Collection[str]], Mapping[str, Array]]
    header: Callable[[Path], Mapping[str, object]] = lambda path: {}


def shorten(text: object) -> str:
    """Text short enough for a message."""
    return str(text) if len(str(text)) <= 80 else f"{str(text)[:76]} ..."


def native(values: Array) -> Array:
    """Values in the byte order of this machine, fixed-width text as str without padding."""
    if values.dtype.kind in "SU":
        return np.char.strip(values.astype(str))
    return np.ascontiguousarray(values.astype(values.dtype.newbyteorder("="), copy=False))


def head(path: Path, size: int = 64 * 1024) -> bytes:
    """First bytes of a file, uncompressed.

    Raises
    ------
    InputError
        The file does not exist, cannot be read, is empty, or is a broken gzip file.
    """
    try:
        with path.open("rb") as file:
            start = file.read(size)
        if start[:2] == b"\x1f\x8b":
            with gzip.open(path) as unpacked:
                start = unpacked.read(size)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path}: the gzip file is truncated or damaged: {error}") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    if not start:
        raise InputError(f"{path}: the file is empty")
    return start


def open_binary(path: Path) -> BinaryIO:
    """Open a file for reading, unpacked to memory where it is gzipped.

    Raises
    ------
    InputError
        The gzip file is truncated, damaged, or unpacks to more than `MAX_UNCOMPRESSED` bytes.
    """
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    if not packed:
        return path.open("rb")
    try:
        with gzip.open(path) as unpacked:
            content = unpacked.read(MAX_UNCOMPRESSED + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path}: the gzip file is truncated or damaged: {error}") from None
    if len(content) > MAX_UNCOMPRESSED:
        raise InputError(f"{path}: unpacks to more than {MAX_UNCOMPRESSED} bytes; unpack it first")
    return io.BytesIO(content)


def same_columns(files: Sequence[Path], columns: Sequence[Collection[str]]) -> None:
    """Make sure that several files of one catalog have the same columns.

    Raises
    ------
    InputError
        They differ; the message names the file and what stands in one of them only.
    """
    for path, names in zip(files, columns, strict=True):
        if set(names) != set(columns[0]):
            odd = ", ".join(sorted(set(names) ^ set(columns[0])))
            raise InputError(f"{path}: not the columns of {files[0]}: {odd} stands in one of them only")
