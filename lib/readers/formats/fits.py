"""FITS tables, binary and ASCII, plain or compressed as a file.

Supported variants are afw tables, whose flags are bits of one column named in the header, and FITS_LDAC of SExtractor,
with a table of the header and a table of detections for each image extension (SExtractor manual, CATALOG_TYPE).
"""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from astropy.io import fits
from skyaccept.lib import progress
from skyaccept.lib.arrays import AnyArray
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers.formats.astropy_header import SCALES, CombinedColumn, timestamps
from skyaccept.lib.readers.formats.fits_columns import FitsColumn, decode_column, describe_columns, read_rows
from skyaccept.lib.readers.formats.fits_units import CARD, TABLES, HeaderDataUnit, check_padding, check_sum, read_units
from skyaccept.lib.readers.table import Column, Format, Table, open_binary, shorten

EXTENSION = "LDAC_EXTENSION"
"""Column that numbers the extensions of an LDAC file, one for each detector."""

_IMAGE, _OBJECTS = "LDAC_IMHEAD", "LDAC_OBJECTS"


@dataclass(frozen=True)
class FitsTable:
    """One table of a file.

    Attributes
    ----------
    unit : HeaderDataUnit
    columns : mapping of str to FitsColumn
        Columns with a name.
    packed : FitsColumn, optional
        Column of an afw table that holds flags as bits.
    flags : mapping of str to (int, str)
        Bit and documentation of each flag.
    extension : int, optional
        Number of an LDAC table of detections among those of its file, from 1.
    header : mapping of str to object
        Keywords for all of its rows.
    """

    unit: HeaderDataUnit
    columns: Mapping[str, FitsColumn]
    packed: FitsColumn | None
    flags: Mapping[str, tuple[int, str]]
    extension: int | None
    header: Mapping[str, object]


def tables(path: Path) -> list[Table]:
    """List all tables of a file; afw flags appear as boolean columns of their own.

    The header of a table combines that of the file with its own, or for LDAC with that of the image.
    """
    with _opened(path) as (_, fits_tables):
        return [
            Table(number, table.unit.text("EXTNAME"), tuple(_columns(table)), table.header)
            for number, table in enumerate(fits_tables)
        ]


def read(
    path: Path, numbers: Sequence[int], names: Collection[str], labels: Collection[str]
) -> list[Mapping[str, AnyArray]]:
    """Read the named columns of the numbered tables."""
    with _opened(path) as (file, fits_tables):
        result: list[Mapping[str, AnyArray]] = []
        for number in numbers:
            progress.report(f"reading {path.name}", len(result), len(numbers))
            result.append(_read(file, fits_tables[number], names))
        return result


def _columns(table: FitsTable) -> Iterator[Column]:
    for column in table.columns.values():
        if column.time:
            yield Column(column.name, "datetime64[us]", None, column.description, _time(column).handed_scale)
            continue
        yield Column(column.name, column.form, column.unit, column.description)
    for name, (_, description) in table.flags.items():
        yield Column(name, "flag", None, description)
    if table.extension is not None:
        yield Column(EXTENSION, "int", None, "number of the table of detections in the file, from 1")


def _read(file: BinaryIO, table: FitsTable, names: Collection[str]) -> Mapping[str, AnyArray]:
    check_padding(file, table.unit)
    check_sum(file, table.unit)
    wanted = [table.columns[name] for name in names if name in table.columns]
    flags = [name for name in names if name in table.flags]
    packed = table.packed
    stored = read_rows(file, table.unit, [*wanted, packed] if packed is not None and flags else wanted)
    columns = {}
    for name in names:
        if name in table.columns:
            column = table.columns[name]
            values = decode_column(column, stored[column.number])
            columns[name] = _times(table.unit, column, values) if column.time else values
        elif name in table.flags and packed is not None:
            columns[name] = _bit(stored[packed.number], table.flags[name][0])
        else:
            columns[name] = np.full(table.unit.integer("NAXIS2"), table.extension)
    return columns


def _time(column: FitsColumn) -> CombinedColumn:
    return CombinedColumn(column.name, {}, None, "jd", column.time)


def _times(unit: HeaderDataUnit, column: FitsColumn, values: AnyArray) -> AnyArray:
    """Convert times stored as two parts of a Julian date, as astropy writes them."""
    origin = next((key for key in ("MJDREF", "MJDREFI", "DATEREF") if unit.value(key) is not None), None)
    if column.shape != (2,) or column.time not in SCALES or unit.value("JDREF") != 0 or origin is not None:
        raise InputError(
            f"{column.place} holds times of {' x '.join(map(str, column.shape))} numbers a row, in scale {column.time} "
            f"from JDREF = {unit.value('JDREF')}; only two parts of a Julian date, as astropy writes them, are read: "
            "write one number a row, such as the MJD"
        )
    whole, rest = np.ma.getdata(values).T
    missing = np.asarray(np.ma.getmaskarray(values).any(axis=1))
    return timestamps(unit.place, _time(column), {"jd1": whole, "jd2": rest}, missing)


def _bit(packed: AnyArray, number: int) -> AnyArray:
    """Extract one bit of the packed flags."""
    return np.asarray((packed.reshape(len(packed), -1)[:, number // 8] & (0x80 >> number % 8)).astype(bool))


@contextmanager
def _opened(path: Path) -> Iterator[tuple[BinaryIO, list[FitsTable]]]:
    """Open a file and its tables.

    LDAC images become headers of the tables after them.
    """
    try:
        with open_binary(path) as file:
            fits_tables = _tables(path, file)
            if not fits_tables:
                raise InputError(f"{path}: the FITS file holds no table, only images")
            yield file, fits_tables
    except (OSError, ValueError, TypeError, LookupError, ArithmeticError, MemoryError, fits.VerifyError) as error:
        if isinstance(error, InputError):
            raise
        why = shorten(" ".join(str(error).split()))
        raise InputError(f"{path}: the FITS file is truncated or damaged: {why}") from None


def _tables(path: Path, file: BinaryIO) -> list[FitsTable]:
    units = read_units(path, file)
    common = units[0].keywords()
    tables: list[FitsTable] = []
    images: list[Mapping[str, object]] = []
    objects, paired = 0, True
    for unit in units:
        if unit.kind not in TABLES or unit.value("ZIMAGE") is True:
            continue
        if unit.value("ZTABLE") is True:
            raise InputError(f"{unit.place}: a table compressed by fpack; unpack the file with funpack first")
        name = unit.text("EXTNAME")
        if name == _IMAGE:
            images.append(_image_keywords(file, unit))
            continue
        objects += name == _OBJECTS
        paired = paired and (name != _OBJECTS or not images or objects == len(images))
        own = images[-1] if name == _OBJECTS and images else unit.keywords()
        tables.append(_table(unit, objects if name == _OBJECTS else None, {**common, **own}))
    if images and not (paired and objects == len(images)):
        raise InputError(
            f"{path}: the LDAC file is truncated or damaged: {len(images)} tables of image headers ({_IMAGE}), and "
            f"{objects} of detections ({_OBJECTS}); fetch or make it again"
        )
    detectors = [table for table in tables if table.extension is not None]
    for table in detectors[1:]:
        odd = sorted(set(table.columns) ^ set(detectors[0].columns))
        if odd:
            raise InputError(
                f"{table.unit.place}: the LDAC file is damaged: column '{shorten(odd[0])}' is in some of its "
                "tables of detections only; fetch or make it again"
            )
    return tables


def _table(unit: HeaderDataUnit, extension: int | None, header: Mapping[str, object]) -> FitsTable:
    columns = describe_columns(unit)
    packed = _packed(unit, columns)
    flags = {} if packed is None else _flags(unit, packed)
    named = [column for column in columns if column.name and column is not packed]  # a column may have no name
    names = [column.name for column in named] + list(flags) + [EXTENSION] * (extension is not None)
    seen: dict[str, str] = {}
    for name in names:
        if name.casefold() in seen:
            raise InputError(
                f"{unit.place}: column '{shorten(name)}' occurs twice (names of FITS columns differ in more than "
                "case); rename one"
            )
        seen[name.casefold()] = name
    return FitsTable(unit, {column.name: column for column in named}, packed, flags, extension, header)


def _packed(unit: HeaderDataUnit, columns: Sequence[FitsColumn]) -> FitsColumn | None:
    if unit.value("FLAGCOL") is None:
        return None
    number = unit.integer("FLAGCOL")
    if not 1 <= number <= len(columns) or columns[number - 1].code != "X":
        raise InputError(f"{unit.place}: the FITS file is damaged: FLAGCOL = {number} is not a column of bits")
    return columns[number - 1]


def _flags(unit: HeaderDataUnit, packed: FitsColumn) -> dict[str, tuple[int, str]]:
    """Return the flags of an afw table, name -> (bit, documentation)."""
    flags: dict[str, tuple[int, str]] = {}
    number = 1
    while name := unit.text(f"TFLAG{number}"):
        if number > packed.repeat or name in flags:
            raise InputError(f"{unit.place}: the FITS file is damaged: TFLAG{number} = '{shorten(name)}' has no bit")
        flags[name] = (number - 1, str(unit.value(f"TFDOC{number}") or ""))
        number += 1
    return flags


def _image_keywords(file: BinaryIO, unit: HeaderDataUnit) -> dict[str, object]:
    """Parse the keywords of an image, which LDAC stores as text in a table."""
    columns = describe_columns(unit)
    if not columns or columns[0].code != "A":
        raise InputError(f"{unit.place}: the LDAC file is damaged: no text of an image header in it")
    stored = np.ravel(read_rows(file, unit, columns[:1])[1]).tolist()
    # one text for all cards, or one per card
    text = b"".join(one.ljust(CARD) for one in stored)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        header = fits.Header.fromstring(text)
    return HeaderDataUnit(unit.place, "", header, 0, 0).keywords()


FORMAT = Format(
    "FITS table", (".fits", ".fit", ".fts", ".cat", ".ldac"), lambda start: start[:9] == b"SIMPLE  =", tables, read
)
