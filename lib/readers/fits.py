"""FITS binary tables, plain or gzipped.

Also afw tables, whose flags are bits of one column named in the header, and FITS_LDAC as SExtractor writes it: for each
extension of an image a table that holds its header, and one of its detections (SExtractor manual, CATALOG_TYPE).
"""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from skyaccept.lib import progress
from skyaccept.lib.catalog import Array
from skyaccept.lib.errors import InputError
from skyaccept.lib.readers.table import Column, Format, Table, native, open_binary

EXTENSION = "LDAC_EXTENSION"
"""Column that tells the extensions of an LDAC file apart: the detectors of a camera."""

_IMAGE, _OBJECTS = "LDAC_IMHEAD", "LDAC_OBJECTS"


def tables(path: Path) -> list[Table]:
    """Binary tables of a file; afw flags appear as boolean columns by their own names.

    The header of a table is that of the file and its own; of LDAC, it is that of the image.
    """
    with _tables(path) as (headers, hdus):
        found, images = [], iter(headers[1:])
        for number, hdu in enumerate(hdus):
            own = next(images) if _is_ldac(hdu) else hdu.header
            found.append(Table(number, str(hdu.name), tuple(_columns(hdu)), {**headers[0], **own}))
        return found


def _columns(hdu: Any) -> Iterator[Column]:
    header = hdu.header
    for number, column in enumerate(hdu.columns, start=1):
        if number != header.get("FLAGCOL") and column.name:  # FITS allows columns without a name
            yield Column(column.name, str(column.format), column.unit, header.get(f"TDOC{number}", ""))
    for name, (_, doc) in _flags(header).items():
        yield Column(name, "flag", None, doc)
    if _is_ldac(hdu):
        yield Column(EXTENSION, "int", None, "number of the table of detections in the file, from 1")


def read(
    path: Path, numbers: Sequence[int], names: Collection[str], labels: Collection[str]
) -> list[Mapping[str, Array]]:
    """Read the named columns of some tables of a file."""
    with _tables(path) as (_, hdus):
        found: list[Mapping[str, Array]] = []
        for number in numbers:
            progress.report(f"reading {path.name}", len(found), len(numbers))
            found.append({name: _column(hdus[number], name, number + 1) for name in names})
        return found


@contextmanager
def _tables(path: Path) -> Iterator[tuple[list[Any], list[Any]]]:
    """Headers and tables of a file: the primary header and the first table.

    Of LDAC those of the images follow the primary header, and the tables are all of detections.
    """
    try:
        with (
            # said again, with the name of the file, where no table is found or it is too short
            warnings.catch_warnings(record=True, action="always") as said,
            open_binary(path) as file,
            fits.open(file, memmap=False) as hdus,
        ):
            headers: list[Any] = [hdus[0].header]
            found: list[Any] = []
            for hdu in hdus:
                if not isinstance(hdu, fits.BinTableHDU):
                    continue
                _check_length(path, hdu)
                if hdu.name == _IMAGE:
                    headers.append(_image_header(hdu))
                    continue
                found.append(hdu)
            if found:
                yield headers, found
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


def _is_ldac(hdu: Any) -> bool:
    return str(hdu.name) == _OBJECTS


def _image_header(hdu: Any) -> Any:
    """Header of an image, which LDAC keeps as text in the one field of a table."""
    cards = np.ravel(np.asarray(hdu.data[hdu.columns[0].name])).tolist()
    return fits.Header.fromstring("".join(str(card).ljust(80) for card in cards))


def _column(hdu: Any, name: str, number: int) -> Array:
    """One column of a table, the ``number``-th of its file."""
    if name == EXTENSION and _is_ldac(hdu):
        return np.full(len(hdu.data), number)
    flags = _flags(hdu.header)
    if name in flags:
        return _bit(hdu, flags[name][0])
    return _masked(native(np.asarray(hdu.data[name])), hdu.columns[name].null)


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


FORMAT = Format("FITS table", lambda start: start[:9] == b"SIMPLE  =", tables, read)
