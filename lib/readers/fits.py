"""FITS binary tables, plain or gzipped; also afw tables, whose flags are bits of one column named in the header."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from skyaccept.lib import progress
from skyaccept.lib.catalog import Array
from skyaccept.lib.errors import InputError
from skyaccept.lib.readers.table import Column, Format, open_binary


def columns(path: Path) -> list[Column]:
    """Columns of the first table of a file; afw flags appear as boolean columns by their own names."""
    with _table(path) as (_, hdu):
        header, found = hdu.header, []
        for number, column in enumerate(hdu.columns, start=1):
            if number != header.get("FLAGCOL") and column.name:  # FITS allows columns without a name
                found.append(Column(column.name, str(column.format), column.unit, header.get(f"TDOC{number}", "")))
        found += [Column(name, "flag", None, doc) for name, (_, doc) in _flags(header).items()]
        return found


def read(path: Path, names: Collection[str]) -> dict[str, Array]:
    """Read the named columns of the first table of a file."""
    with _table(path) as (_, hdu):
        flags = _flags(hdu.header)
        result: dict[str, Array] = {}
        for name in names:
            progress.report(f"reading {path.name}", len(result), len(names))
            if name in flags:
                result[name] = _bit(hdu, flags[name][0])
            else:
                result[name] = _masked(_native(np.asarray(hdu.data[name])), hdu.columns[name].null)
        return result


def header(path: Path) -> dict[str, object]:
    """Keywords of the primary header and of the first table; the table's where both have one."""
    with _table(path) as (primary, hdu):
        return {**primary, **hdu.header}


@contextmanager
def _table(path: Path) -> Iterator[tuple[Any, Any]]:
    """Primary header and first table of a file."""
    try:
        with (
            # said again, with the name of the file, where no table is found or it is too short
            warnings.catch_warnings(record=True, action="always") as said,
            open_binary(path) as file,
            fits.open(file, memmap=False) as hdus,
        ):
            for hdu in hdus:
                if isinstance(hdu, fits.BinTableHDU):
                    _check_length(path, hdu)
                    yield hdus[0].header, hdu
                    return
            if said:
                why = " ".join(str(said[-1].message).split())
                raise InputError(f"{path}: the FITS file is truncated or damaged: {why}")
    except (OSError, ValueError, TypeError, LookupError, ArithmeticError, EOFError, fits.VerifyError) as error:
        if isinstance(error, InputError):
            raise
        why = " ".join(str(error).split())
        raise InputError(f"{path}: the FITS file is truncated or damaged: {why}") from None
    raise InputError(f"{path}: the FITS file holds no binary table")


def _check_length(path: Path, hdu: Any) -> None:
    """Refuse a table whose rows do not fit into the file, before any of them is read."""
    start, size = hdu.fileinfo()["datLoc"], hdu.header["NAXIS1"] * hdu.header["NAXIS2"]
    file = hdu.fileinfo()["file"]
    file.seek(0, 2)
    if file.tell() < start + size:
        raise InputError(f"{path}: the FITS file is truncated: {start + size} bytes expected, {file.tell()} found")


def _flags(header: Any) -> dict[str, tuple[int, str]]:
    """Flags of an afw table: name -> (bit, documentation); empty for any other table."""
    if "FLAGCOL" not in header:
        return {}
    found, number = {}, 1
    while f"TFLAG{number}" in header:
        found[str(header[f"TFLAG{number}"])] = (number - 1, str(header.get(f"TFDOC{number}", "")))
        number += 1
    return found


def _bit(hdu: Any, number: int) -> Array:
    """One bit of the packed flags in each row; astropy would unpack all of them."""
    rows = hdu.data.view(np.ndarray)
    packed = rows[rows.dtype.names[hdu.header["FLAGCOL"] - 1]]
    return (packed[:, number // 8] & (0x80 >> number % 8)).astype(bool)


def _masked(values: Array, null: Any) -> Array:
    """Missing values as NaN or None: the header's TNULL of integers, empty text."""
    if values.dtype.kind in "SU":
        empty = values == ""
        if empty.any():
            values = values.astype(object)
            values[empty] = None
        return values
    if null is None or null == "" or values.dtype.kind not in "iu" or not (values == null).any():
        return values
    return np.where(values == null, np.nan, values.astype(np.float64))


def _native(values: Array) -> Array:
    if values.dtype.kind in "SU":
        return np.char.strip(values.astype(str))
    return np.ascontiguousarray(values.astype(values.dtype.newbyteorder("="), copy=False))


FORMAT = Format("FITS table", lambda start: start[:9] == b"SIMPLE  =", columns, read, header)
