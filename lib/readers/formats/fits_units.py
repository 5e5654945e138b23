"""Header and data units of a FITS file (FITS standard 4.0), read within bounds.

All bytes are accounted for: only padding may follow the last unit.
"""

from __future__ import annotations

import re
import warnings
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from astropy.io import fits
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers.table import shorten

BLOCK = 2880
CARD = 80

MAX_HEADER = 8 * 1024**2
MAX_UNITS = 10_000
MAX_AXES = 999

TABLES = ("BINTABLE", "A3DTABLE", "TABLE")
_OTHERS = ("IMAGE", "IUEIMAGE", "FOREIGN", "DUMP")

_ONCE = re.compile(r"BITPIX|NAXIS[0-9]*|[PG]COUNT|TFIELDS|FLAGCOL|T(TYPE|FORM|UNIT|NULL|SCAL|ZERO|DIM|BCOL|FLAG)[0-9]+")
_PIECE = 16 * 1024**2


@dataclass(frozen=True)
class HeaderDataUnit:
    """One header and data unit.

    Attributes
    ----------
    place : str
        File, number and name, for messages.
    kind : str
        XTENSION; empty for the primary unit.
    header : astropy Header
    start, size : int
        First byte and number of bytes of its data, without padding.
    """

    place: str
    kind: str
    header: Any
    start: int
    size: int

    def value(self, keyword: str) -> Any:
        """Return the value of a keyword, or None.

        Raises
        ------
        InputError
            The keyword cannot be read.
        """
        return _value(self.place, self.header, keyword)

    def integer(self, keyword: str, default: int | None = None) -> int:
        """Return the value of a keyword that must be a non-negative integer."""
        return _integer(self.place, self.header, keyword, default)

    def text(self, keyword: str) -> str:
        """Return the value of a keyword that must be text, stripped; "" if absent."""
        value = self.value(keyword)
        if value is not None and not isinstance(value, str):
            raise InputError(f"{self.place}: the FITS file is damaged: {keyword} = {shorten(value)} is not text")
        return (value or "").strip()

    def keywords(self) -> dict[str, object]:
        """Return the keywords with a number or text, without unreadable ones."""
        keywords: dict[str, object] = {}
        for card in self.header.cards:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    keyword, value = card.keyword, card.value
            except (fits.VerifyError, ValueError):
                continue
            if keyword not in ("", "COMMENT", "HISTORY", "END") and isinstance(value, str | int | float):
                keywords.setdefault(keyword, value)
        return keywords


def read_units(path: Path, file: BinaryIO) -> list[HeaderDataUnit]:
    """Read all units of a file.

    Raises
    ------
    InputError
        A header or its data exceed the file, or bytes other than an extension follow.
    """
    length = file.seek(0, 2)
    units: list[HeaderDataUnit] = []
    start = 0
    while start < length:
        if units and not _is_extension(path, file, start, len(units)):
            break
        if len(units) == MAX_UNITS:
            raise InputError(f"{path}: more than {MAX_UNITS} HDUs; split the file")
        units.append(_unit(path, file, start, len(units), length))
        start = units[-1].start + units[-1].size + -units[-1].size % BLOCK
    if start > length:
        raise InputError(
            f"{units[-1].place}: the FITS file is truncated: its last block ends early, and more may have followed; "
            f"fetch the file again, or fill it up with zeros to {start} bytes if it is whole"
        )
    return units


def check_padding(file: BinaryIO, unit: HeaderDataUnit) -> None:
    """Refuse a table followed by bytes other than padding.

    Raises
    ------
    InputError
        The padding of the block is neither zeros nor blanks.
    """
    file.seek(unit.start + unit.size)
    rest = file.read(-unit.size % BLOCK)
    if rest.strip(b"\0") and rest.strip(b" "):
        raise InputError(
            f"{unit.place}: the FITS file is damaged: bytes other than padding follow the {unit.size} bytes that the "
            "header declares; write the file again"
        )


def check_sum(file: BinaryIO, unit: HeaderDataUnit) -> None:
    """Refuse data that disagree with their checksum (DATASUM).

    Raises
    ------
    InputError
        The sums differ.
    """
    declared = str(unit.value("DATASUM") or "").strip()
    if not declared:
        return
    file.seek(unit.start)
    left, total = unit.size + -unit.size % BLOCK, 0
    while left > 0:
        piece = file.read(min(left, _PIECE))
        if not piece:
            break
        left -= len(piece)
        total += int(np.frombuffer(piece + b"\0" * (-len(piece) % 4), ">u4").sum(dtype=np.uint64))
    while total >> 32:
        total = (total & 0xFFFFFFFF) + (total >> 32)
    if not declared.isdecimal() or int(declared[:20]) != total:
        raise InputError(
            f"{unit.place}: the data are not those that were written: their sum is {total}, and DATASUM says "
            f"{shorten(declared)}; fetch the file again, or update the sum if the table was edited"
        )


def _is_extension(path: Path, file: BinaryIO, start: int, number: int) -> bool:
    """Return whether an extension begins at a byte; False if only padding follows."""
    file.seek(start)
    piece = file.read(BLOCK)
    if piece.startswith(b"XTENSION"):
        return True
    while piece:
        if piece.strip(b"\0 "):
            raise InputError(
                f"{path}: the FITS file is truncated or damaged: byte {start}, after {number} HDUs, begins no extension"
                "; fetch the file again"
            )
        piece = file.read(_PIECE)
    return False


def _unit(path: Path, file: BinaryIO, start: int, number: int, length: int) -> HeaderDataUnit:
    place = f"{path}: HDU {number}"
    header, start = _header(place, file, start)
    kind = ""
    if number:
        kind = str(_value(place, header, "XTENSION")).strip()
        if kind not in TABLES + _OTHERS:
            raise InputError(f"{place}: the FITS file is damaged: no extension is of type {shorten(kind)!r}")
    name = _value(place, header, "EXTNAME")
    place += f" ({shorten(name.strip())})" if isinstance(name, str) and name.strip() else ""
    _refuse_ambiguous(place, header)
    size = _size(place, header, primary=not number)
    if start + size > length:
        raise InputError(
            f"{place}: the FITS file is truncated: {start + size} bytes expected, {length} found; fetch the file again"
        )
    return HeaderDataUnit(place, kind, header, start, size)


def _header(place: str, file: BinaryIO, start: int) -> tuple[Any, int]:
    """Read the header at a byte, and return it with the byte after it."""
    file.seek(start)
    content = b""
    while True:
        block = file.read(BLOCK)
        content += block
        if len(block) < BLOCK:
            raise InputError(f"{place}: the FITS file is truncated: its header does not end; fetch the file again")
        cards = [block[at : at + CARD] for at in range(0, BLOCK, CARD)]
        end = next((k for k, card in enumerate(cards) if card.rstrip() == b"END"), None)
        if b"\0" in b"".join(cards[:end]) or (len(content) > BLOCK and block.startswith(b"XTENSION")):
            raise InputError(f"{place}: the FITS file is damaged: its header does not end before the data")
        if end is not None:
            break
        if len(content) > MAX_HEADER:
            raise InputError(f"{place}: the FITS file is damaged: the header has more than {MAX_HEADER} bytes")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # small violations of the standard are accepted
        return fits.Header.fromstring(content), start + len(content)


def _refuse_ambiguous(place: str, header: Any) -> None:
    """Refuse a header with two values of one structural keyword."""
    for keyword, number in Counter(map(str, header.keys())).items():
        if number > 1 and _ONCE.fullmatch(keyword):
            values = {str(header[keyword, k]) for k in range(number)}
            if len(values) > 1:
                raise InputError(
                    f"{place}: the FITS file is damaged: its header holds {keyword} {number} times, "
                    f"with {_list_values(values)}"
                )


def _size(place: str, header: Any, primary: bool) -> int:
    """Compute the size of the data after a header, bytes."""
    axes = _integer(place, header, "NAXIS")
    if axes > MAX_AXES:
        raise InputError(f"{place}: the FITS file is damaged: NAXIS = {axes}, and at most {MAX_AXES} are allowed")
    bits = _value(place, header, "BITPIX")
    if bits not in (8, 16, 32, 64, -32, -64) or isinstance(bits, bool):
        raise InputError(f"{place}: the FITS file is damaged: BITPIX = {shorten(bits)}")
    if not axes:
        return 0
    lengths = [_integer(place, header, f"NAXIS{k}") for k in range(1, axes + 1)]
    if primary and lengths[0] == 0 and _value(place, header, "GROUPS") is True:
        lengths = lengths[1:]
    elements = 1
    for one in lengths:
        elements *= one
    groups = _integer(place, header, "GCOUNT", 1)
    return abs(int(bits)) // 8 * groups * (_integer(place, header, "PCOUNT", 0) + elements)


def _value(place: str, header: Any, keyword: str) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value = header.get(keyword)
    except (fits.VerifyError, ValueError) as error:
        why = shorten(" ".join(str(error).split()))
        raise InputError(f"{place}: the FITS file is damaged: its {keyword} cannot be read: {why}") from None
    return None if isinstance(value, fits.card.Undefined) else value


def _integer(place: str, header: Any, keyword: str, default: int | None = None) -> int:
    value = _value(place, header, keyword)
    value = default if value is None else value
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise InputError(f"{place}: the FITS file is damaged: {keyword} = {shorten(value)}; it must be a whole number")
    return value


def _list_values(values: set[str]) -> str:
    return shorten(" and ".join(sorted(values)[:3]))
