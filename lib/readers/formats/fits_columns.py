"""Columns of FITS tables (FITS standard 4.0, sections 7.2 and 7.3) as arrays.

A null (TNULL) applies to the stored value, before TSCAL and TZERO.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from skyaccept.lib import progress
from skyaccept.lib.arrays import AnyArray
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers.formats.fits_units import HeaderDataUnit
from skyaccept.lib.readers.formats.fixed_width_text import decode_text
from skyaccept.lib.readers.table import mask_missing, shorten

TIME_SCALES = {"tai", "utc", "tdb", "tt", "tcb", "tcg", "ut1", "et", "tdt", "iat", "ut", "gmt", "gps", "local"}
MAX_FIELDS = 999
_BYTES = 64 * 1024**2
"""Bytes of rows that are held in memory while columns are extracted."""

_WIDTHS: Mapping[str, int] = {
    **{"L": 1, "B": 1, "I": 2, "J": 4, "K": 8, "A": 1, "E": 4, "D": 8},
    **{"C": 8, "M": 16, "P": 8, "Q": 16},
}
_STORED: Mapping[str, str] = {"L": "u1", "X": "u1", "B": "u1", "I": ">i2", "J": ">i4", "K": ">i8"} | {
    "E": ">f4",
    "D": ">f8",
}
_REFUSED: Mapping[str, str] = {"C": "complex numbers", "M": "complex numbers"} | dict.fromkeys(
    "PQ", "arrays of different lengths"
)
_UNSIGNED: Mapping[str, tuple[int, str]] = {
    "B": (-(2**7), "i1"),
    "I": (2**15, "u2"),
    "J": (2**31, "u4"),
    "K": (2**63, "u8"),
}
"""TZERO that changes the signedness of an integer type, and the resulting type."""

_BINARY = re.compile(r"([0-9]{0,10})([LXBIJKAEDCMPQ])(.*)")
_ASCII = re.compile(r"([AIFED])([0-9]{1,9})(?:\.([0-9]{1,4}))?")
_DIMENSIONS = re.compile(r"\(([0-9]{1,10}(?:,[0-9]{1,10}){0,9})\)")
_SUBSTRINGS = re.compile(r":?(?:SSTR)?([0-9]{1,9})(?:/[0-9]*)?")
_FLOAT = re.compile(r"([+-]?)([0-9]*)(\.?)([0-9]*)(?:(?:[EDed]([+-]?[0-9]{1,4}))|([+-][0-9]{1,4}))?")


@dataclass(frozen=True)
class FitsColumn:
    """One column of a table.

    Attributes
    ----------
    place : str
        File, table and column, for messages.
    number : int
        Number from 1, as in the header keywords.
    name, form, unit, description : str
        Its TTYPE, TFORM, TUNIT and TDOC.
    code : str
        Letter of the type.
    repeat : int
        Elements, bits or letters in a row; in an ASCII table, digits after the point.
    offset : int
        First byte in a row.
    stored : dtype
        Type of the bytes in a row, with ``repeat`` elements for arrays.
    shape : tuple of int
        Shape of the array in a row; empty for one value.
    null : object
        Its TNULL.
    scale, zero : int or float
        Its TSCAL and TZERO.
    time : str
        Scale of times stored as two numbers, as astropy writes them; else empty.
    """

    place: str
    number: int
    name: str
    form: str
    unit: str | None
    description: str
    ascii: bool
    code: str
    repeat: int
    offset: int
    stored: np.dtype[Any]
    shape: tuple[int, ...]
    null: object
    scale: int | float
    zero: int | float
    time: str = ""


def describe_columns(unit: HeaderDataUnit) -> list[FitsColumn]:
    """Describe all columns of a table from its header.

    Raises
    ------
    InputError
        The header does not describe the bytes of a row.
    """
    fields = unit.integer("TFIELDS")
    if fields > MAX_FIELDS:
        raise InputError(f"{unit.place}: the FITS file is damaged: TFIELDS = {fields}, and at most 999 are allowed")
    if unit.value("NAXIS") != 2 or unit.value("BITPIX") != 8 or unit.integer("GCOUNT", 1) != 1:
        raise InputError(f"{unit.place}: the FITS file is damaged: a table has two axes of bytes (NAXIS, BITPIX)")
    columns: list[FitsColumn] = []
    end = 0
    for number in range(1, fields + 1):
        column = _ascii(unit, number) if unit.kind == "TABLE" else _binary(unit, number, end)
        end = max(end, column.offset + column.stored.itemsize)
        columns.append(column)
    width = unit.integer("NAXIS1")
    if end > width or (end < width and unit.kind != "TABLE"):
        raise InputError(f"{unit.place}: the FITS file is damaged: columns of {end} bytes in rows of {width} (NAXIS1)")
    return columns


def read_rows(file: BinaryIO, unit: HeaderDataUnit, columns: Sequence[FitsColumn]) -> dict[int, AnyArray]:
    """Read the bytes of columns, by column number, one block of rows at a time."""
    width, rows = unit.integer("NAXIS1"), unit.integer("NAXIS2")
    if not columns or not rows:
        return {column.number: np.empty(0, column.stored) for column in columns}
    record = np.dtype(
        {
            "names": [str(column.number) for column in columns],
            "formats": [column.stored for column in columns],
            "offsets": [column.offset for column in columns],
            "itemsize": width,
        }
    )
    stored = {column.number: np.empty(rows, column.stored) for column in columns}
    step = max(_BYTES // width, 1)
    file.seek(unit.start)
    for first in range(0, rows, step):
        progress.report(f"reading {unit.place}", first, rows)
        block = np.frombuffer(file.read(min(step, rows - first) * width), record)
        for number, values in stored.items():
            values[first : first + len(block)] = block[str(number)]
    return stored


def decode_column(column: FitsColumn, stored: AnyArray) -> AnyArray:
    """Decode the bytes of a column; nulls become NaN or masked.

    Raises
    ------
    InputError
        The column holds something else than numbers, text or bool, or an invalid value of its type.
    """
    if column.code in _REFUSED:
        raise InputError(
            f"{column.place} holds {_REFUSED[column.code]} (TFORM {column.form}); write one number or text a row"
        )
    if not column.stored.itemsize:
        raise InputError(f"{column.place} has no width (TFORM {column.form}) and holds no values")
    if column.code == "A":
        return _text(column, stored)
    if column.ascii:
        values, missing = _numbers_of_text(column, stored)
        return mask_missing(_scale(column, values), missing)
    if column.code == "L":
        return mask_missing(_truth(column, stored), stored == 0)
    if column.code == "X":
        bits = np.unpackbits(stored.reshape(len(stored), -1), axis=1)[:, : column.repeat].astype(bool)
        return np.ascontiguousarray(bits[:, 0] if column.repeat == 1 else bits)
    native = stored.astype(stored.dtype.newbyteorder("="), copy=False)
    missing = np.zeros(native.shape, bool) if column.null is None else native == column.null
    return mask_missing(_scale(column, native), missing).reshape(len(native), *column.shape)


def _binary(unit: HeaderDataUnit, number: int, offset: int) -> FitsColumn:
    form = unit.text(f"TFORM{number}")
    place = _place(unit, number)
    match = _BINARY.fullmatch(form.upper())
    if match is None:
        raise InputError(f"{place}: the FITS file is damaged: TFORM{number} = {shorten(form)!r} is not a type")
    repeat, code = int(match[1] or 1), match[2]
    if code in "PQ" and repeat > 1:
        raise InputError(f"{place}: the FITS file is damaged: TFORM{number} = {shorten(form)!r} repeats a descriptor")
    width = (repeat + 7) // 8 if code == "X" else repeat * _WIDTHS[code]
    if width > unit.integer("NAXIS1"):
        raise InputError(f"{place}: the FITS file is damaged: TFORM{number} = {shorten(form)!r} is wider than a row")
    elements = width if code == "X" else repeat
    stored: np.dtype[Any]
    shape: tuple[int, ...] = ()
    if code in _REFUSED or not width:
        stored = np.dtype(f"V{width}")
    elif code == "A":
        letters, shape = _text_shape(unit, number, repeat, match[3])
        stored = np.dtype((f"S{letters}", shape))
    else:
        stored = np.dtype(_STORED[code]) if elements == 1 else np.dtype((_STORED[code], (elements,)))
        shape = () if repeat == 1 else _dimensions(unit, number, repeat)
    return FitsColumn(
        place,
        number,
        *_describe(unit, number),
        ascii=False,
        code=code,
        repeat=repeat,
        offset=offset,
        stored=stored,
        shape=shape,
        null=_null(unit, number, code),
        scale=1 if code in "LXA" else _number(unit, f"TSCAL{number}", 1),
        zero=0 if code in "LXA" else _number(unit, f"TZERO{number}", 0),
        time=_time_scale(unit, number) if code == "D" and repeat > 1 and repeat % 2 == 0 else "",
    )


def _ascii(unit: HeaderDataUnit, number: int) -> FitsColumn:
    form, place = unit.text(f"TFORM{number}"), _place(unit, number)
    match, start = _ASCII.fullmatch(form.upper()), unit.integer(f"TBCOL{number}")
    if match is None or start < 1 or start - 1 + int(match[2]) > unit.integer("NAXIS1"):
        raise InputError(
            f"{place}: the FITS file is damaged: TFORM{number} = {shorten(form)!r} at TBCOL{number} = {start} is no "
            "field of a row"
        )
    null = unit.value(f"TNULL{number}")
    width = int(match[2])
    return FitsColumn(
        place,
        number,
        *_describe(unit, number),
        ascii=True,
        code=match[1],
        repeat=int(match[3] or 0),
        offset=start - 1,
        stored=np.dtype(f"S{width}") if width else np.dtype("V0"),
        shape=(),
        null=None if null is None else str(null).strip(),
        scale=_number(unit, f"TSCAL{number}", 1),
        zero=_number(unit, f"TZERO{number}", 0),
    )


def _time_scale(unit: HeaderDataUnit, number: int) -> str:
    """Return the time scale of a column in lower case, or "".

    FITS standard 4.0, 9.2.1.
    """
    scale = unit.text(f"TCTYP{number}").lower().partition("(")[0]
    if scale in TIME_SCALES:
        return scale
    two_parts = bool(unit.text(f"TRPOS{number}")) or scale == "time"
    return (unit.text("TIMESYS").lower() or "utc") if two_parts else ""


def _describe(unit: HeaderDataUnit, number: int) -> tuple[str, str, str | None, str]:
    """Return the name, form, unit and description of a column."""
    texts = [unit.text(f"{keyword}{number}") for keyword in ("TTYPE", "TFORM", "TUNIT")]
    return texts[0], texts[1], texts[2] or None, str(unit.value(f"TDOC{number}") or "")


def _place(unit: HeaderDataUnit, number: int) -> str:
    return f"{unit.place}: column '{shorten(unit.text(f'TTYPE{number}') or number)}'"


def _number(unit: HeaderDataUnit, keyword: str, default: int) -> int | float:
    value = unit.value(keyword)
    value = default if value is None else value
    if not isinstance(value, int | float) or isinstance(value, bool) or not np.isfinite(value):
        raise InputError(f"{unit.place}: the FITS file is damaged: {keyword} = {shorten(value)} is not a number")
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**64 else value


def _null(unit: HeaderDataUnit, number: int, code: str) -> int | float | str | None:
    """Return the TNULL of a column; refuse one of another type."""
    value = unit.value(f"TNULL{number}")
    if value is None or value == "" or code in _REFUSED:
        return None
    fits = isinstance(value, str) if code == "A" else isinstance(value, int | float) and not isinstance(value, bool)
    if not fits or code in "LX" or (code in "BIJK" and value != int(value)):
        raise InputError(
            f"{_place(unit, number)}: TNULL{number} = {shorten(repr(value))} is not a value of its type ({code}); "
            "correct the header"
        )
    return str(value).strip() if code == "A" else value


def _dimensions(unit: HeaderDataUnit, number: int, elements: int) -> tuple[int, ...]:
    """Return the array shape of a row, the fastest axis last."""
    text = unit.text(f"TDIM{number}").replace(" ", "")
    if not text:
        return (elements,)
    match = _DIMENSIONS.fullmatch(text)
    shape = tuple(int(one) for one in match[1].split(","))[::-1] if match else ()
    if match is None or np.prod(shape, dtype=object) != elements:
        raise InputError(
            f"{_place(unit, number)}: the FITS file is damaged: TDIM{number} = {shorten(text)!r}, and a row holds "
            f"{elements} elements"
        )
    return shape


def _text_shape(unit: HeaderDataUnit, number: int, letters: int, rest: str) -> tuple[int, tuple[int, ...]]:
    """Return the length of a text and the shape of the texts in a row.

    From TDIM or rAw.
    """
    text = unit.text(f"TDIM{number}").replace(" ", "")
    if text:
        shape = _dimensions(unit, number, letters)
        return shape[-1], shape[:-1] if len(shape) > 1 else ()
    each = _SUBSTRINGS.fullmatch(rest)
    if each is None or not int(each[1]) or int(each[1]) >= letters:
        return letters, ()
    if letters % int(each[1]):
        raise InputError(f"{_place(unit, number)}: the FITS file is damaged: {letters} letters in texts of {each[1]}")
    return int(each[1]), (letters // int(each[1]),)


def _text(column: FitsColumn, stored: AnyArray) -> AnyArray:
    """Decode text, masked where it is empty or null."""
    values = decode_text(column.place, stored)
    return mask_missing(values, (values == "") | (values == (column.null or "")))


def _truth(column: FitsColumn, stored: AnyArray) -> NDArray[np.bool_]:
    wrong = ~np.isin(stored, (0, ord("T"), ord("F")))
    if wrong.any():
        row = int(np.argmax(wrong.reshape(len(stored), -1).any(axis=1)))
        raise InputError(
            f"{column.place}, row {row + 1}: byte {int(stored[wrong][0])} is neither T nor F nor 0 (no value)"
        )
    return np.asarray(stored == ord("T"))


def _scale(column: FitsColumn, values: AnyArray) -> AnyArray:
    """Compute TZERO + TSCAL * values; unscaled integers stay exact."""
    scale, zero = column.scale, column.zero
    if scale == 1 and zero == 0:
        return values
    if values.dtype.kind not in "iu" or scale != 1 or not isinstance(zero, int):
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray(zero + scale * values.astype(np.float64))
    if column.code in _UNSIGNED and zero == _UNSIGNED[column.code][0] and not column.ascii:
        flipped = values.view(f"u{values.itemsize}") ^ np.array(1 << (8 * values.itemsize - 1), f"u{values.itemsize}")
        return flipped.view(_UNSIGNED[column.code][1])
    low, high = int(values.min(initial=0)) + zero, int(values.max(initial=0)) + zero
    if low < -(2**63) or high >= 2**63:
        raise InputError(f"{column.place}: with TZERO = {zero} it holds integers of more than 64 bits")
    return values.astype(np.int64) + (zero if abs(zero) < 2**63 else 0)


def _numbers_of_text(column: FitsColumn, stored: AnyArray) -> tuple[AnyArray, AnyArray]:
    """Parse the numbers of an ASCII table; return them and a mask of missing ones."""
    none = {"", column.null}
    texts = [_ascii_text(column, row, value) for row, value in enumerate(stored.tolist(), start=1)]
    missing = np.array([text in none for text in texts], dtype=bool)
    if column.code == "I":
        whole = [0 if text in none else _whole(column, row, text) for row, text in enumerate(texts, start=1)]
        return np.array(whole, dtype=np.int64), missing
    fractions = [np.nan if text in none else _fraction(column, row, text) for row, text in enumerate(texts, start=1)]
    return np.array(fractions, dtype=np.float64), missing


def _ascii_text(column: FitsColumn, row: int, value: bytes) -> str:
    try:
        return value.decode("ascii").strip("\0 ")
    except UnicodeDecodeError:
        raise InputError(f"{column.place}, row {row}: {value!r:.80} is not a number") from None


def _whole(column: FitsColumn, row: int, text: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,19}", text) or not -(2**63) <= int(text) < 2**63:
        raise InputError(f"{column.place}, row {row}: {shorten(text)!r} is not an integer of 64 bits")
    return int(text)


def _fraction(column: FitsColumn, row: int, text: str) -> float:
    """Parse a number; without a point, Fortran's Fw.d implies d decimals."""
    if text.lower() in ("nan", "inf", "+inf", "-inf"):
        return float(text)
    match = _FLOAT.fullmatch(text)
    if match is None or not (match[2] or match[4]):
        raise InputError(f"{column.place}, row {row}: {shorten(text)!r} is not a number")
    exponent = int(match[5] or match[6] or 0) - (0 if match[3] else column.repeat)
    return float(f"{match[1]}{match[2]}{match[3]}{match[4]}e{exponent}")
