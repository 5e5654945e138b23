"""Parquet footers: the number of values per column, parsed in pure Python.

The footer is a struct in Thrift's compact protocol (parquet.thrift, FileMetaData).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skyaccept.lib.exceptions import InputError

MAX_BYTES = 64 * 1024**2
_DEPTH = 40
_DELTA_BYTE_ARRAY = 7
_DELTAS = {6, _DELTA_BYTE_ARRAY}
_ROW_GROUPS, _COLUMNS, _META_DATA = 4, 1, 3
_ENCODINGS, _VALUES, _UNCOMPRESSED, _SIZE_STATISTICS, _TEXT_BYTES = 2, 5, 6, 16, 1


@dataclass(frozen=True)
class Size:
    """Declared size of a column.

    Attributes
    ----------
    values : int
        Number of values, including those in lists.
    uncompressed : int
        Size of its pages, bytes.
    unfolded : int
        Bytes of text that is delta-encoded against the preceding text.
    delta : bool
        Whether text or its lengths are delta-encoded, which Arrow cannot read as a dictionary.
    """

    values: int
    uncompressed: int
    unfolded: int
    delta: bool = False


def sizes(path: Path) -> list[Size]:
    """Return the declared sizes of all columns, in the order of the schema's leaves.

    Raises
    ------
    InputError
        The footer is damaged, or larger than `MAX_BYTES`.
    """
    with path.open("rb") as file:
        file.seek(0, 2)
        end = file.tell()
        file.seek(max(end - 8, 0))
        length = int.from_bytes(file.read(4), "little")
        if length > MAX_BYTES or length + 8 > end:
            raise InputError(f"{path}: the Parquet footer of {length} bytes is damaged, or too large to read")
        file.seek(end - 8 - length)
        footer = file.read(length)
    totals: list[Size] = []
    try:
        for group in _struct(footer, 0, 0)[0].get(_ROW_GROUPS, []):
            chunks = [chunk[_META_DATA] for chunk in group[_COLUMNS]]
            own = [
                Size(
                    int(chunk[_VALUES]),
                    int(chunk[_UNCOMPRESSED]),
                    int(chunk.get(_SIZE_STATISTICS, {}).get(_TEXT_BYTES, 0)) * (_DELTA_BYTE_ARRAY in chunk[_ENCODINGS]),
                    not _DELTAS.isdisjoint(chunk[_ENCODINGS]),
                )
                for chunk in chunks
            ]
            if min((one.values for one in own), default=0) < 0:
                raise ValueError("a negative number of values")
            totals = [_sum(a, b) for a, b in zip(totals, own, strict=True)] if totals else own
    except (LookupError, ValueError, TypeError, AttributeError, struct.error) as error:
        raise InputError(f"{path}: the Parquet footer is damaged: {type(error).__name__} {error}") from None
    return totals


def _sum(a: Size, b: Size) -> Size:
    return Size(a.values + b.values, a.uncompressed + b.uncompressed, a.unfolded + b.unfolded, a.delta or b.delta)


def _struct(data: bytes, at: int, depth: int) -> tuple[dict[int, Any], int]:
    """Parse a struct; return its fields by number, and its end."""
    if depth > _DEPTH:
        raise ValueError("nested too deep")
    fields: dict[int, Any] = {}
    number = 0
    while (head := data[at]) != 0:
        at += 1
        if head >> 4:
            number += head >> 4
        else:
            number, at = _integer(data, at)
        kind = head & 15
        if kind in (1, 2):
            fields[number] = kind == 1
        else:
            fields[number], at = _value(data, at, kind, depth)
    return fields, at + 1


def _value(data: bytes, at: int, kind: int, depth: int) -> tuple[Any, int]:
    if kind in (1, 2, 3):
        return data[at], at + 1
    if kind in (4, 5, 6):
        return _integer(data, at)
    if kind == 7:
        return struct.unpack_from("<d", data, at)[0], at + 8
    if kind == 8:
        length, at = _varint(data, at)
        if at + length > len(data):
            raise ValueError("text beyond its end")
        return data[at : at + length], at + length
    if kind in (9, 10):
        return _list(data, at, depth)
    if kind == 12:
        return _struct(data, at, depth + 1)
    raise ValueError(f"a field of type {kind}")


def _list(data: bytes, at: int, depth: int) -> tuple[list[Any], int]:
    size, kind = data[at] >> 4, data[at] & 15
    at += 1
    if size == 15:
        size, at = _varint(data, at)
    if size > len(data) or depth > _DEPTH:
        raise ValueError("a list beyond its end, or nested too deep")
    items = []
    for _ in range(size):
        value, at = _value(data, at, kind, depth + 1)
        items.append(value)
    return items, at


def _integer(data: bytes, at: int) -> tuple[int, int]:
    value, at = _varint(data, at)
    return (value >> 1) ^ -(value & 1), at


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("an integer of more than 64 bits")
