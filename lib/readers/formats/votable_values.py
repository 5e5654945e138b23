"""Values of VOTable fields (VOTable 1.5, sections 2 and 6)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from skyaccept.lib.arrays import AnyArray
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers.table import MAX_UNCOMPRESSED, mask_missing, shorten

_TYPES: Mapping[str, str] = {
    **{"boolean": "u1", "bit": "u1", "unsignedByte": "u1", "short": ">i2", "int": ">i4", "long": ">i8"},
    **{"char": "S1", "unicodeChar": "V2", "float": ">f4", "double": ">f8"},
    **{"floatComplex": "V8", "doubleComplex": "V16"},
}
"""Stored type of one BINARY element, by datatype."""

TEXT = ("char", "unicodeChar")
_WHOLE = ("unsignedByte", "short", "int", "long")
_TRUE, _FALSE, _NEITHER = ("t", "true", "1"), ("f", "false", "0"), ("", "?")

_SIZE = re.compile(r"(?:[0-9]{1,10}x)*(?:[0-9]{1,10}\*?|\*)")
_INTEGER = re.compile(r"[+-]?(?:[0-9]{1,20}|0[xX][0-9a-fA-F]{1,16})")
_NUMBER = re.compile(r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?|(?i:nan|inf|infinity))")


@dataclass(frozen=True)
class VOTableField:
    """A field of a table.

    Attributes
    ----------
    place : str
        File, table and field, for messages.
    name, datatype, arraysize : str
    unit : str, optional
    description : str
    null : str, optional
        Null value that its VALUES declare.
    """

    place: str
    name: str
    datatype: str
    arraysize: str
    unit: str | None = None
    description: str = ""
    null: str | None = None

    @property
    def variable(self) -> bool:
        """Whether the number of elements differs between rows."""
        return self.arraysize.endswith("*")

    @property
    def shape(self) -> tuple[int, ...]:
        """Array shape of a row, the fastest axis last; empty for one value."""
        if not self.arraysize or self.variable:
            return ()
        sizes = [int(one) for one in self.arraysize.split("x")]
        return () if sizes == [1] else tuple(sizes[::-1])

    @property
    def elements(self) -> int:
        """Number of elements in a row of fixed size."""
        count = 1
        for one in self.shape:
            count *= one
        return count

    def stored(self, count: int) -> int:
        """Compute the size of ``count`` elements in BINARY, bytes."""
        return (count + 7) // 8 if self.datatype == "bit" else count * np.dtype(_TYPES[self.datatype]).itemsize

    def check_arraysize(self, size: int) -> None:
        """Refuse an invalid or too large arraysize.

        Raises
        ------
        InputError
            The arraysize is invalid, or more than a file of ``size`` bytes holds.
        """
        if self.arraysize and not _SIZE.fullmatch(self.arraysize):
            raise InputError(f"{self.place}: arraysize {shorten(self.arraysize)!r} is not one of VOTable")
        if self.elements > 8 * size:
            raise InputError(f"{self.place}: arraysize {self.arraysize} is more than the file holds")

    def check_readable(self, rows: int) -> None:
        """Refuse a field that is not supported as a column.

        Raises
        ------
        InputError
            The field holds something else than numbers or text, arrays of different lengths, or arrays of text.
        """
        if self.datatype not in _TYPES or self.datatype.endswith("Complex"):
            raise InputError(f"{self.place} holds {shorten(self.datatype) or 'no datatype'}: not numbers or text")
        if self.datatype in TEXT and "x" in self.arraysize:
            raise InputError(f"{self.place} holds arrays of text; write one text a row")
        if self.datatype not in TEXT and self.variable:
            raise InputError(f"{self.place} holds arrays of different lengths; write one number a row")
        if self.datatype not in TEXT and self.elements * rows * 8 > MAX_UNCOMPRESSED:
            raise InputError(f"{self.place} holds {self.elements} elements in {rows} rows, too many to hold")


def values_from_text(field: VOTableField, texts: Sequence[str], first: int) -> tuple[AnyArray, AnyArray]:
    """Parse values from text; return them and a mask of missing ones.

    Parameters
    ----------
    field : VOTableField
    texts : sequence of str
        Content of the TD elements.
    first : int
        Number of the first of these rows, from 1, for messages.

    Raises
    ------
    InputError
        A value does not have the type of the field.
    """
    if field.datatype in TEXT:
        return _text(field, [text.strip() for text in texts])
    if not field.shape:
        return _elements(field, [text.strip() for text in texts], first, 1)
    none = "" if field.datatype in _WHOLE or field.datatype in ("bit", "boolean") else "NaN"
    parts: list[str] = []
    for row, text in enumerate(texts, start=first):
        split = list("".join(text.split())) if field.datatype == "bit" else text.split()
        split = split or [none] * field.elements
        if len(split) != field.elements:
            raise InputError(f"{field.place}, row {row}: {len(split)} elements, and arraysize says {field.arraysize}")
        parts += split
    values, missing = _elements(field, parts, first, field.elements)
    return values.reshape(len(texts), *field.shape), missing.reshape(len(texts), *field.shape)


def decode_stream(place: str, encoding: str, pieces: Sequence[str]) -> bytes:
    """Decode a base64 stream.

    Raises
    ------
    InputError
        The stream is damaged, or in another encoding.
    """
    if encoding != "base64":
        raise InputError(f"{place}: its stream has encoding {shorten(encoding)!r}; save it in base64")
    try:
        return base64.b64decode("".join("".join(pieces).split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise InputError(f"{place}: the VOTable is truncated or damaged: its stream is not base64: {error}") from None


def values_from_bytes(
    place: str, fields: Sequence[VOTableField], wanted: Sequence[VOTableField], stream: bytes, nulls: bool
) -> tuple[dict[str, AnyArray], int]:
    """Decode columns of a BINARY or BINARY2 (``nulls``) stream, with its rows.

    Raises
    ------
    InputError
        The stream ends within a row, or holds an invalid value.
    """
    for field in fields:
        if field.datatype not in _TYPES:
            raise InputError(f"{field.place}: datatype {shorten(field.datatype)!r} is not one of VOTable")
        if field.variable and "x" in field.arraysize:
            raise InputError(f"{field.place} holds lists of arrays ({field.arraysize}); leave it out of the table")
    flags = (len(fields) + 7) // 8 * nulls
    if any(field.variable for field in fields):
        rows, marks, cells = _row_by_row(place, fields, {field.name for field in wanted}, stream, flags)
    else:
        rows, marks, cells = _all_rows(place, fields, {field.name for field in wanted}, stream, flags)
    columns = {}
    for field in wanted:
        field.check_readable(rows)
        values, missing = _values_from_cells(field, cells[field.name], rows)
        if nulls:
            number = fields.index(field)
            gone = (marks[:, number // 8] & (0x80 >> number % 8)) != 0
            missing = missing | gone.reshape(-1, *[1] * (missing.ndim - 1))
        columns[field.name] = mask_missing(values, missing)
    return columns, rows


def _all_rows(
    place: str, fields: Sequence[VOTableField], wanted: set[str], stream: bytes, flags: int
) -> tuple[int, AnyArray, dict[str, list[bytes]]]:
    """Split rows of equal width into cells, joined by column."""
    widths = [field.stored(field.elements) for field in fields]
    width = flags + sum(widths)
    if not width or len(stream) % width:
        raise _cut(place, f"{len(stream)} bytes are not a whole number of rows of {width}")
    table = np.frombuffer(stream, np.uint8).reshape(-1, width)
    cells, at = {}, flags
    for field, own in zip(fields, widths, strict=True):
        if field.name in wanted:
            cells[field.name] = [table[:, at : at + own].tobytes()]
        at += own
    return len(table), table[:, :flags], cells


def _row_by_row(
    place: str, fields: Sequence[VOTableField], wanted: set[str], stream: bytes, flags: int
) -> tuple[int, AnyArray, dict[str, list[bytes]]]:
    """Split rows of variable width into cells."""
    cells: dict[str, list[bytes]] = {field.name: [] for field in fields if field.name in wanted}
    layout = [(f, f.stored(f.elements), cells.get(f.name)) for f in fields]
    marks: list[bytes] = []
    at, end = 0, len(stream)
    while at < end:
        marks.append(stream[at : at + flags])
        at += flags
        for field, width, kept in layout:
            if field.variable:
                width = field.stored(int.from_bytes(stream[at : at + 4], "big"))
                at += 4
            if at + width > end:
                raise _cut(place, f"its row {len(marks)} ends early")
            if kept is not None:
                kept.append(stream[at : at + width])
            at += width
    return len(marks), np.frombuffer(b"".join(marks), np.uint8).reshape(len(marks), flags), cells


def _cut(place: str, why: str) -> InputError:
    return InputError(f"{place}: the VOTable is truncated or damaged: {why}; fetch it again")


def _values_from_cells(field: VOTableField, cells: Sequence[bytes], rows: int) -> tuple[AnyArray, AnyArray]:
    """Decode the cells of a field; return values and a mask of missing ones."""
    if field.datatype in TEXT:
        letter = 2 if field.datatype == "unicodeChar" else 1
        if not field.variable:
            width = letter * field.elements
            content = b"".join(cells)
            cells = [content[k * width : (k + 1) * width] for k in range(rows)]
        return _text(field, [_letters(field, row, cell, letter) for row, cell in enumerate(cells, start=1)])
    each = field.stored(field.elements) // np.dtype(_TYPES[field.datatype]).itemsize
    stored = np.frombuffer(b"".join(cells), np.dtype(_TYPES[field.datatype])).reshape(rows, each)
    if field.datatype == "bit":
        # a single bit is the first of its byte, but astropy writes the fifth
        bits = np.unpackbits(stored, axis=1)[:, : field.elements].astype(bool) if field.shape else stored != 0
        return bits.reshape(rows, *field.shape), np.zeros((rows, *field.shape), bool)
    stored = stored.reshape(rows, *field.shape)
    if field.datatype == "boolean":
        return _truth_of_bytes(field, stored)
    values = stored.astype(stored.dtype.newbyteorder("="))
    return values, _nulls(field, values)


def _nulls(field: VOTableField, values: AnyArray) -> AnyArray:
    """Return where numbers are NaN or equal the declared null."""
    missing = np.isnan(values) if values.dtype.kind == "f" else np.zeros(values.shape, bool)
    text = (field.null or "").strip()
    if not text:
        return missing
    try:
        null, _ = _elements(replace(field, arraysize="", null=None), [text], 1, 1)
    except InputError:  # not a value of this type, so no value equals it
        return missing
    return np.asarray(missing | (values == null[0]))


def _text(field: VOTableField, texts: Sequence[str]) -> tuple[AnyArray, AnyArray]:
    """Convert text to objects that equal values share, to save memory."""
    once: dict[str, str] = {}
    none = {"", (field.null or "").strip()}
    values = np.empty(len(texts), dtype=object)
    values[:] = [once.setdefault(text, text) for text in texts]
    return values, np.array([text in none for text in texts], dtype=bool)


def _letters(field: VOTableField, row: int, cell: bytes, width: int) -> str:
    try:
        text = cell.decode("utf-16-be" if width == 2 else "utf-8")
    except UnicodeDecodeError:
        raise InputError(f"{field.place}, row {row}: {cell!r:.80} is not text") from None
    return text.partition("\0")[0].strip()  # a zero ends the text


def _truth_of_bytes(field: VOTableField, stored: AnyArray) -> tuple[AnyArray, AnyArray]:
    true, false = np.isin(stored, list(b"Tt1")), np.isin(stored, list(b"Ff0"))
    missing = np.isin(stored, list(b"? \0"))
    wrong = ~(true | false | missing)
    if wrong.any():
        row = int(np.argmax(wrong.reshape(len(wrong), -1).any(axis=1)))
        raise InputError(f"{field.place}, row {row + 1}: {chr(int(stored[wrong][0]))!r} is neither true nor false")
    return true, missing


def _elements(field: VOTableField, texts: Sequence[str], first: int, each: int) -> tuple[AnyArray, AnyArray]:
    """Parse elements, ``each`` per row; return values and a mask of missing ones."""
    if field.datatype in ("boolean", "bit"):
        return _truth(field, texts, first, each)
    if field.datatype in _WHOLE:
        return _integers(field, texts, first, each)
    numbers = np.empty(len(texts))
    for k, text in enumerate(texts):
        if not text:
            numbers[k] = np.nan
        elif _NUMBER.fullmatch(text):
            numbers[k] = float(text)
        else:
            raise _wrong(field, first + k // each, text)
    with np.errstate(over="ignore"):
        values = numbers.astype(np.float32) if field.datatype == "float" else numbers
    return values, _nulls(field, values)


def _truth(field: VOTableField, texts: Sequence[str], first: int, each: int) -> tuple[AnyArray, AnyArray]:
    lower = [text.lower() for text in texts]
    for k, text in enumerate(lower):
        if text not in _TRUE + _FALSE + _NEITHER:
            raise _wrong(field, first + k // each, texts[k])
    booleans: NDArray[np.bool_] = np.array([text in _TRUE for text in lower], dtype=bool)
    return booleans, np.array([text in _NEITHER or texts[k] == field.null for k, text in enumerate(lower)], dtype=bool)


def _integers(field: VOTableField, texts: Sequence[str], first: int, each: int) -> tuple[AnyArray, AnyArray]:
    kind = np.dtype(_TYPES[field.datatype]).newbyteorder("=")
    low, high = np.iinfo(kind).min, np.iinfo(kind).max
    null = (field.null or "").strip()
    values, missing = np.zeros(len(texts), kind), np.zeros(len(texts), bool)
    for k, text in enumerate(texts):
        if not text or text == null:
            missing[k] = True
            continue
        if not _INTEGER.fullmatch(text):
            raise _wrong(field, first + k // each, text)
        number = int(text, 16 if "x" in text.lower() else 10)
        if not low <= number <= high:
            raise _wrong(field, first + k // each, text)
        values[k] = number
    return values, missing | _nulls(field, values)


def _wrong(field: VOTableField, row: int, text: str) -> InputError:
    return InputError(f"{field.place}, row {row}: {shorten(text)!r} is not a value of type {field.datatype}")
