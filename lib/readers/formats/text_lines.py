"""Lines of a table in text, rewritten as a parser of delimited fields takes them."""

from __future__ import annotations

import contextlib
import io
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers.formats.text_layout import BLANKS, TextLayout
from skyaccept.lib.readers.table import open_binary, shorten

BLOCK = 8 * 1024**2
_BETWEEN = re.compile(rb"[ \t]+")
_ENDS = re.compile(rb"^[ \t]+|[ \t]+$", re.MULTILINE)
_EMPTY = re.compile(rb"^[ \t]+\r?(?:\n|\Z)", re.MULTILINE)
_CONTINUED = re.compile(rb"\\[ \t]*\n")
_FIELDS = re.compile(rb'"(?:[^"\n]|"")*"|[ \t]+')


@dataclass(frozen=True)
class Rows:
    """Rows of a table without comments, as text with a delimiter.

    Attributes
    ----------
    file : file
    delimiter : str
    native : bool
        Whether Arrow reads the file by itself. If it calls Python it has to read one block after the other: a thread
        that outlives an error, and then the interpreter, would end the process.
    """

    file: Any
    delimiter: str
    native: bool


def open_rows(path: Path, layout: TextLayout, most: int | None = None, rewritten: bool = False) -> Rows:
    """Open the rows of a table.

    Lines are rewritten only where they have to be, or if ``rewritten``: fields between blanks become fields between
    tabs, and lines of blanks are left out. With ``most`` they are the rows that end within so many bytes.
    """
    file = open_binary(path)
    if most is not None:
        file = _first_rows(file, layout, most)
        layout = replace(layout, start=0)
    delimiter = layout.delimiter
    if not layout.slices and (rewritten or delimiter == BLANKS or layout.returns or _has_comments(file, layout.start)):
        file.seek(layout.start)
        return Rows(io.BufferedReader(_Rewritten(path, layout, file), BLOCK), delimiter or "\t", False)
    delimiter = "\x1f" if layout.slices else delimiter
    if not isinstance(file, io.BytesIO):
        with contextlib.suppress(UnicodeEncodeError):  # a name that Arrow cannot open
            found = pa.OSFile(str(path))
            found.seek(layout.start)
            file.close()
            return Rows(found, delimiter, True)
    file.seek(layout.start)
    return Rows(file, delimiter, False)


def count_rows(path: Path, layout: TextLayout) -> int:
    """Rows of a file by its lines."""
    file = open_binary(path)
    file.seek(layout.start)
    with io.BufferedReader(_Rewritten(path, layout, file), BLOCK) as rewritten:
        return sum(1 for line in rewritten if line.strip())


def last_line_ends(path: Path) -> bool:
    """Whether the last line of a file ends; one that was cut may end in another number."""
    with open_binary(path) as file:
        file.seek(-1, io.SEEK_END)
        return file.read(1) in b"\r\n"


def _first_rows(file: BinaryIO, layout: TextLayout, most: int) -> BinaryIO:
    """First whole rows of a file."""
    with file:
        file.seek(layout.start)
        start = file.read(most)
    mark = b"\r" if layout.returns else b"\n"
    return io.BytesIO(start if len(start) < most else start[: start.rfind(mark) + 1])


def has_quotes(path: Path, layout: TextLayout) -> bool:
    """Whether a quotation mark stands in the rows of a file."""
    with open_binary(path) as file:
        return _contains(file, layout.start, b'"')


def _has_comments(file: BinaryIO, start: int) -> bool:
    """Whether a line of the rest of a file begins with a number sign."""
    file.seek(start)
    return file.read(1) == b"#" or _contains(file, start, b"\n#")


def _contains(file: BinaryIO, start: int, mark: bytes) -> bool:
    """Whether bytes stand in the rest of a file; read in blocks, for all of it may not fit."""
    file.seek(start)
    last = b""
    while block := file.read(BLOCK):
        if mark in block or mark in last + block[: len(mark)]:
            return True
        last = block[-len(mark) :]
    return False


class _Rewritten(io.RawIOBase):
    """Rows of a file, block by block."""

    def __init__(self, path: Path, layout: TextLayout, file: BinaryIO) -> None:
        self.path, self.layout, self.file = path, layout, file
        self.rest = b""  # the begin of a line whose end is in the next block
        self.ready = b""
        self.ended = False

    def readable(self) -> bool:
        """As a stream for reading says."""
        return True

    def close(self) -> None:
        """Close the file as well."""
        self.file.close()
        super().close()

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer with what comes next; 0 at the end."""
        while not self.ready and not self.ended:
            block = self.file.read(BLOCK)
            self.ended = not block
            if self.layout.returns:
                block = block.replace(b"\r", b"\n")
            block = self.rest + block
            cut = len(block) if self.ended else _end_of_rows(block, self.layout.continued)
            self.rest = block[cut:]
            self.ready = self._rewritten(block[:cut])
        count = min(len(buffer), len(self.ready))
        buffer[:count] = self.ready[:count]
        self.ready = self.ready[count:]
        return count

    def _rewritten(self, block: bytes) -> bytes:
        if block.startswith(b"#") or b"\n#" in block:
            block = b"\n".join(line for line in block.split(b"\n") if not self._is_comment(line))
        if self.layout.delimiter != BLANKS:
            return _EMPTY.sub(b"", block) if _EMPTY.search(block) else block
        if b"\r" in block:
            block = block.replace(b"\r\n", b"\n")
        if self.layout.continued:
            block = _CONTINUED.sub(b" ", block)
        block = _ENDS.sub(b"", block)
        return _FIELDS.sub(_between, block) if b'"' in block else _BETWEEN.sub(b"\t", block)

    def _is_comment(self, line: bytes) -> bool:
        """Whether a line is a comment; one that could be a row is refused."""
        if not line.startswith(b"#"):
            return False
        text = line.decode("utf-8", errors="replace").strip()
        words = text.split() if self.layout.delimiter == BLANKS else text.split(self.layout.delimiter)
        if len(words) == self.layout.width:
            raise InputError(
                f"{self.path}: the line {shorten(text)!r} begins with '#' and has as many fields as a row; "
                "remove the line, or put its first value in quotes"
            )
        return True


def _end_of_rows(block: bytes, continued: bool) -> int:
    """Bytes up to the end of the last whole row."""
    end = block.rfind(b"\n") + 1
    while continued and end and block[:end].rstrip(b" \t\r\n").endswith(b"\\"):
        end = block.rfind(b"\n", 0, end - 1) + 1
    return end


def _between(match: re.Match[bytes]) -> bytes:
    """A tab in place of blanks; text in quotes as it is."""
    return match[0] if match[0].startswith(b'"') else b"\t"
