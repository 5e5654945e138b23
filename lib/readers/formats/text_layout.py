"""Layout of a text table: format, column names and units, and start of the rows."""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers.formats.astropy_header import Header, read_header
from skyaccept.lib.readers.table import LIST_SUFFIX, open_binary, shorten

MAX_HEADER = 16 * 1024**2
"""Maximum size of everything up to the column names, bytes."""

MAX_COLUMNS = 50_000

BLANKS = ""
"""Delimiter of tables whose fields are separated by any number of blanks."""

_ROWS = 8  # lines without comments that are inspected

_DELIMITERS = (",", ";", "\t", "|")
_NO_HEADER = Header()
_BOM = b"\xef\xbb\xbf"
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eEdD][+-]?[0-9]+)?")
_SEXTRACTOR = re.compile(r"#\s*([0-9]+)\s+([^\s0-9]\S*)\s*(.*)")
_UNIT = re.compile(r"\[([^\[\]]*)\]\s*$")
_IPAC_TYPES = ("int", "long", "double", "float", "real", "char", "date")


@dataclass(frozen=True)
class TextField:
    """A column of a text table.

    Attributes
    ----------
    name : str
        Name; a column without one is not listed.
    unit, dtype : str, optional
        Unit and type in the header.
    first, count : int
        First field in a row, from 0, and number of fields; several form an array.
    missing : str, optional
        Null value that the header declares.
    """

    name: str
    first: int
    count: int = 1
    unit: str | None = None
    dtype: str | None = None
    missing: str | None = None


@dataclass(frozen=True)
class TextLayout:
    """Layout of a text table.

    Attributes
    ----------
    form : str
        Such as CSV or ECSV, for messages.
    fields : tuple of TextField
    delimiter : str
        One character, or `BLANKS`.
    start : int
        Bytes before the first row.
    header : Header
        Header of ECSV; else empty.
    slices : tuple of (int, int)
        First and last character of each field of a fixed-width table; else empty.
    missing : tuple of str
        Null values of all columns, in addition to empty fields.
    continued : bool
        A backslash at the end of a line continues a row.
    returns : bool
        Lines end in a carriage return alone.
    """

    form: str
    fields: tuple[TextField, ...]
    delimiter: str
    start: int
    header: Header = _NO_HEADER
    slices: tuple[tuple[int, int], ...] = ()
    missing: tuple[str, ...] = ()
    continued: bool = False
    returns: bool = False

    @property
    def width(self) -> int:
        """Number of fields of a row."""
        return max(field.first + field.count for field in self.fields)


@dataclass(frozen=True)
class _Line:
    """A line, with the position of the next line in bytes."""

    text: str
    end: int


def detect_layout(path: Path) -> TextLayout:
    """Detect the layout of a text table.

    Raises
    ------
    InputError
        The table has no column names, a repeated name, a single column, or an unreadable header.
    """
    with open_binary(path) as file:
        start = file.read(MAX_HEADER)
    lines, returns = _lines(start)
    comments = [line for line in _leading(lines) if line.text.strip()]
    body = [line for line in lines if line.text.strip() and not line.text.startswith("#")]
    first = comments[0].text if comments else ""
    if first.startswith("# %ECSV"):
        layout = _ecsv(path, comments, body)
    elif (match := _SEXTRACTOR.fullmatch(first)) and match[1] == "1":
        layout = _sextractor(path, comments, body)
    elif any(line.text.startswith("#N ") for line in comments):
        layout = _daophot(path, comments)
    elif _is_ipac(body):
        layout = _ipac(path, body)
    else:
        layout = _delimited(path, comments, body)
    _check_names(path, layout)
    return replace(layout, returns=returns)


def _lines(start: bytes) -> tuple[list[_Line], bool]:
    """Split the start of a file into lines; return whether they end in CR alone."""
    returns = b"\n" not in start and b"\r" in start
    mark = b"\r" if returns else b"\n"
    lines: list[_Line] = []
    rows, at = 0, len(_BOM) if start.startswith(_BOM) else 0
    while at < len(start) and rows < _ROWS:
        end = start.find(mark, at) + 1
        if end == 0 and len(start) == MAX_HEADER:
            break
        raw = start[at : end or len(start)].rstrip(b"\r\n")
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            text = raw.decode("latin-1")
        at = end or len(start)
        lines.append(_Line(text, at))
        rows += bool(text.strip()) and not text.startswith(("#", "\\"))
    return lines, returns


def _leading(lines: Sequence[_Line]) -> list[_Line]:
    """Return the comments before the table, with empty lines between them."""
    comments = []
    for line in lines:
        if line.text.strip() and not line.text.startswith("#"):
            break
        comments.append(line)
    return comments


def _ecsv(path: Path, comments: Sequence[_Line], body: Sequence[_Line]) -> TextLayout:
    text = "\n".join(line.text.removeprefix("#").removeprefix(" ") for line in comments[1:])
    header = read_header(f"{path}: ECSV", text)
    if header.delimiter not in (" ", ","):
        raise InputError(
            f"{path}: the ECSV header names delimiter {shorten(header.delimiter)!r}; it must be a blank or a comma"
        )
    if not body:
        raise InputError(f"{path}: the ECSV file ends after its header; it has no line of column names")
    names = _split(path, body[0].text, header.delimiter)
    if names != list(header.columns):
        raise InputError(
            f"{path}: the line of column names ({shorten(', '.join(names))}) is not that of the ECSV header "
            f"({shorten(', '.join(header.columns))})"
        )
    fields = tuple(TextField(c.name, k, 1, c.unit, c.dtype) for k, c in enumerate(header.columns.values()))
    return TextLayout("ECSV", fields, header.delimiter, body[0].end, header)


def _sextractor(path: Path, comments: Sequence[_Line], body: Sequence[_Line]) -> TextLayout:
    """Parse an ASCII_HEAD header; a gap in the column numbers means an array."""
    numbered = []
    for line in comments:
        match = _SEXTRACTOR.fullmatch(line.text)
        if match is None:
            continue
        unit = _UNIT.search(match[3])
        numbered.append((int(match[1]) - 1, match[2], unit[1] if unit else None))
    firsts = [first for first, _, _ in numbered]
    if firsts != sorted(set(firsts)) or firsts[0] != 0:
        raise InputError(f"{path}: the numbers of the columns in the SExtractor header do not ascend from 1")
    last = len(body[0].text.split()) if body else firsts[-1] + 1
    if last <= firsts[-1] or last > 100_000:
        raise InputError(f"{path}: row 1: {last} fields, and the SExtractor header names column {firsts[-1] + 1}")
    ends = [*firsts[1:], last]
    fields = tuple(
        TextField(name, first, end - first, unit) for (first, name, unit), end in zip(numbered, ends, strict=True)
    )
    return TextLayout("SExtractor", fields, BLANKS, comments[-1].end)


def _daophot(path: Path, comments: Sequence[_Line]) -> TextLayout:
    """Parse an IRAF DAOPHOT header: #N names, #U units; INDEF is null."""
    words = {mark: _continued(comments, mark) for mark in ("#N", "#U")}
    units = words["#U"] if len(words["#U"]) == len(words["#N"]) else [""] * len(words["#N"])
    known = {"##": None, "magnitudes": "mag", "scaleunit": None, "timeunit": None, "counts": "ct", "pixels": "pix"}
    fields = tuple(
        TextField(name, k, 1, known.get(unit, unit) or None)
        for k, (name, unit) in enumerate(zip(words["#N"], units, strict=True))
    )
    if not fields:
        raise InputError(f"{path}: the DAOPHOT header names no column")
    return TextLayout("DAOPHOT", fields, BLANKS, comments[-1].end, missing=("INDEF",), continued=True)


def _continued(comments: Sequence[_Line], mark: str) -> list[str]:
    return [w for line in comments if line.text.startswith(mark + " ") for w in line.text[2:].split() if w != "\\"]


def _is_ipac(body: Sequence[_Line]) -> bool:
    lines = [line.text.rstrip() for line in body if not line.text.startswith("\\")]
    if not lines or not (lines[0].startswith("|") and lines[0].endswith("|")):
        return False
    if len(lines) > 1 and lines[1].startswith("|"):
        words = lines[1].strip("|").split("|")
        return all(any(kind.startswith(w.strip().lower()) for kind in _IPAC_TYPES) and w.strip() for w in words)
    return len(lines) < len(body)


def _ipac(path: Path, body: Sequence[_Line]) -> TextLayout:
    """Parse an IPAC header: names and optional types, units and nulls between bars."""
    head = [line for line in body if line.text.startswith("|")][:4]
    edges = [k for k, character in enumerate(head[0].text) if character == "|"]
    rows = []
    for line in head:
        if any(len(line.text) <= edge or line.text[edge] != "|" for edge in edges):
            raise InputError(f"{path}: the lines of the IPAC header do not have their bars one below the other")
        rows.append([line.text[a + 1 : b].strip() for a, b in itertools.pairwise(edges)])
    blank = [""] * (len(edges) - 1)
    names, types, units, nulls = (*rows, blank, blank, blank)[:4]
    fields = tuple(
        TextField(
            name,
            k,
            1,
            unit if unit not in ("", "-", "null") else None,
            next((full for full in _IPAC_TYPES if kind and full.startswith(kind.lower())), None),
            null if len(rows) > 3 else None,
        )
        for k, (name, kind, unit, null) in enumerate(zip(names, types, units, nulls, strict=True))
    )
    slices = tuple((a + 1, b) for a, b in itertools.pairwise(edges))
    return TextLayout("IPAC", fields, BLANKS, head[-1].end, slices=slices)


def _delimited(path: Path, comments: Sequence[_Line], body: Sequence[_Line]) -> TextLayout:
    """Parse a table with names in its first line, or in a comment before it."""
    if not body and not comments:
        raise InputError(
            f"{path}: no table: the file holds empty lines, or its first line has more than {MAX_HEADER} bytes"
        )
    if not body:
        raise InputError(f"{path}: no table: the file holds nothing but comments")
    delimiter = _delimiter(path, body[0].text, body[1].text if len(body) > 1 else body[0].text)
    first = _split(path, body[0].text, delimiter)
    if not any(_NUMBER.fullmatch(word) for word in first):
        names, end = first, body[0].end
    else:
        names, end = _commented_names(path, comments, first, delimiter), comments[-1].end if comments else 0
    if not names:
        form = "a SExtractor catalog (ASCII) or another table" if delimiter == BLANKS else "a table"
        raise InputError(
            f"{path}: looks like {form} without column names ({len(first)} fields in its first row); write it with a "
            "header (SExtractor: ASCII_HEAD), or put a line of column names before the rows"
        )
    if len(names) == 1:
        raise InputError(
            f"{path}: no table: its first line, {shorten(names[0])!r}, holds one field; a table of text has columns "
            "delimited by commas, semicolons, tabs, bars or blanks, and their names in the first line"
        )
    form = {",": "CSV", "\t": "TSV", BLANKS: "table of blanks"}.get(delimiter, f"table delimited by '{delimiter}'")
    return TextLayout(form, tuple(TextField(name, k) for k, name in enumerate(names)), delimiter, end)


def _delimiter(path: Path, header: str, row: str) -> str:
    """Find the delimiter that splits the first two lines into equally many fields."""
    counts = {mark: (len(_split(path, header, mark)), len(_split(path, row, mark))) for mark in _DELIMITERS}
    equal = [mark for mark, (a, b) in counts.items() if a == b > 1]
    several = [mark for mark, (a, _) in counts.items() if a > 1]
    return (equal or several or [BLANKS])[0]


def _commented_names(path: Path, comments: Sequence[_Line], row: Sequence[str], delimiter: str) -> list[str]:
    """Find the only comment with as many fields as a row."""
    candidates = []
    for line in comments:
        words = _split(path, line.text.lstrip("#"), delimiter)
        if len(words) == len(row) and not any(_NUMBER.fullmatch(word) for word in words):
            candidates.append(words)
    if len(candidates) > 1:
        raise InputError(
            f"{path}: two comments could be the names of the columns, {shorten(', '.join(candidates[0]))!r} and "
            f"{shorten(', '.join(candidates[1]))!r}; put the names in a line without '#' before the rows"
        )
    return candidates[0] if candidates else []


def _split(path: Path, line: str, delimiter: str) -> list[str]:
    """Split a line into stripped fields."""
    mark = delimiter if delimiter != BLANKS else " "
    text = line.strip().replace("\t", " ") if mark == " " else line
    if '"' not in text:
        return [word.strip() for word in (text.split() if mark == " " else text.split(mark))]
    try:
        return [word.strip() for word in next(csv.reader([text], delimiter=mark, skipinitialspace=True), [])]
    except csv.Error as error:
        raise InputError(f"{path}: the line of column names cannot be read: {error}") from None


def _check_names(path: Path, layout: TextLayout) -> None:
    if len(layout.fields) > MAX_COLUMNS:
        raise InputError(f"{path}: {len(layout.fields)} columns; a table may have {MAX_COLUMNS}")
    seen: set[str] = set()
    for name in (field.name for field in layout.fields if field.name):
        if name in seen:
            raise InputError(f"{path}: column '{shorten(name)}' occurs twice")
        if name.endswith(LIST_SUFFIX):
            raise InputError(
                f"{path}: column '{shorten(name)}': '{LIST_SUFFIX}' stands for lists of Parquet; rename it"
            )
        seen.add(name)
