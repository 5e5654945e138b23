"""Lines of a text table, rewritten for a parser of delimited fields."""

from __future__ import annotations

import contextlib
import io
import re
from dataclasses import dataclass, field, replace
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
    """Rows of a table without comments, as delimited text.

    Attributes
    ----------
    file : file
    delimiter : str
    native : bool
        Whether Arrow reads the file without calling Python. Otherwise it must read block by block: a thread that
        outlives an error, and then the interpreter, would end the process.
    """

    file: Any
    delimiter: str
    native: bool = field(kw_only=True)


def open_rows(path: Path, layout: TextLayout, most: int | None = None, rewritten: bool = False) -> Rows:
    """Open the rows of a table.

    Lines are rewritten only if necessary, or if ``rewritten``: fields separated by blanks become fields separated by
    tabs, and blank lines are dropped. With ``most``, only rows within that many bytes are read.
    """
    file = open_binary(path)
    if most is not None:
        file = _first_rows(file, layout, most)
        layout = replace(layout, start=0)
    delimiter = layout.delimiter
    if not layout.slices and (rewritten or delimiter == BLANKS or layout.returns or _has_comments(file, layout.start)):
        file.seek(layout.start)
        return Rows(io.BufferedReader(_Rewritten(path, layout, file), BLOCK), delimiter or "\t", native=False)
    delimiter = "\x1f" if layout.slices else delimiter
    if not isinstance(file, io.BytesIO):
        with contextlib.suppress(UnicodeEncodeError):  # a name that Arrow cannot open
            arrow_file = pa.OSFile(str(path))
            arrow_file.seek(layout.start)
            file.close()
            return Rows(arrow_file, delimiter, native=True)
    file.seek(layout.start)
    return Rows(file, delimiter, native=False)


def count_rows(path: Path, layout: TextLayout) -> int:
    """Count the rows of a file by its lines."""
    file = open_binary(path)
    file.seek(layout.start)
    with io.BufferedReader(_Rewritten(path, layout, file), BLOCK) as rewritten:
        return sum(1 for line in rewritten if line.strip())


def last_line_ends(path: Path) -> bool:
    """Return whether the last line of a file has a line end."""
    with open_binary(path) as file:
        file.seek(-1, io.SEEK_END)
        return file.read(1) in b"\r\n"


def _first_rows(file: BinaryIO, layout: TextLayout, most: int) -> BinaryIO:
    """Return the first whole rows of a file."""
    with file:
        file.seek(layout.start)
        start = file.read(most)
    mark = b"\r" if layout.returns else b"\n"
    return io.BytesIO(start if len(start) < most else start[: start.rfind(mark) + 1])


def has_quotes(path: Path, layout: TextLayout) -> bool:
    """Return whether the rows of a file contain a quotation mark."""
    with open_binary(path) as file:
        return _contains(file, layout.start, b'"')


def _has_comments(file: BinaryIO, start: int) -> bool:
    """Return whether a line of the rest of a file begins with a number sign."""
    file.seek(start)
    return file.read(1) == b"#" or _contains(file, start, b"\n#")


def _contains(file: BinaryIO, start: int, mark: bytes) -> bool:
    """Search the rest of a file for bytes, block by block."""
    file.seek(start)
    last = b""
    while block := file.read(BLOCK):
        if mark in block or mark in last + block[: len(mark)]:
            return True
        last = block[-len(mark) :]
    return False


class _Rewritten(io.RawIOBase):
    """Stream of rewritten rows."""

    def __init__(self, path: Path, layout: TextLayout, file: BinaryIO) -> None:
        self.path, self.layout, self.file = path, layout, file
        self.rest = b""  # start of a line that ends in the next block
        self.ready = b""
        self.ended = False

    def readable(self) -> bool:
        """Return True, as a readable stream does."""
        return True

    def close(self) -> None:
        """Close the stream and its file."""
        self.file.close()
        super().close()

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer with the next bytes; return 0 at the end."""
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
        """Return whether a line is a comment; refuse one that may be a row."""
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
    """Find the end of the last whole row in a block."""
    end = block.rfind(b"\n") + 1
    while continued and end and block[:end].rstrip(b" \t\r\n").endswith(b"\\"):
        end = block.rfind(b"\n", 0, end - 1) + 1
    return end


def _between(match: re.Match[bytes]) -> bytes:
    """Replace blanks by a tab, except in quoted text."""
    return match[0] if match[0].startswith(b'"') else b"\t"
