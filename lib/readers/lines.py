"""Lines of a table in text, rewritten as a parser of delimited fields takes them."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from skyaccept.lib.errors import InputError
from skyaccept.lib.readers.layout import BLANKS, Layout
from skyaccept.lib.readers.table import open_binary, shorten

BLOCK = 8 * 1024**2
_BETWEEN = re.compile(rb"[ \t]+")
_ENDS = re.compile(rb"^[ \t]+|[ \t]+$", re.MULTILINE)
_EMPTY = re.compile(rb"^[ \t]+\r?(?:\n|\Z)", re.MULTILINE)
_CONTINUED = re.compile(rb"\\[ \t]*\n")
_FIELDS = re.compile(rb'"(?:[^"\n]|"")*"|[ \t]+')


def opened(path: Path, layout: Layout, most: int | None = None, rewritten: bool = False) -> tuple[BinaryIO, str]:
    """Rows of a table without comments, as text with a delimiter, and that delimiter.

    Lines are rewritten only where they have to be, or if ``rewritten``: fields between blanks become fields between
    tabs, and lines of blanks are left out. With ``most`` they are the rows that end within so many bytes.
    """
    file = open_binary(path)
    if most is not None:
        file = _start(file, layout, most)
        layout = replace(layout, start=0)
    file.seek(layout.start)
    delimiter = layout.delimiter
    if layout.slices:
        return file, "\x1f"
    if rewritten or delimiter == BLANKS or layout.returns or _has_comments(file, layout.start):
        file.seek(layout.start)
        return io.BufferedReader(_Rewritten(path, layout, file), BLOCK), delimiter or "\t"
    file.seek(layout.start)
    return file, delimiter


def _start(file: BinaryIO, layout: Layout, most: int) -> BinaryIO:
    """First whole rows of a file."""
    with file:
        file.seek(layout.start)
        start = file.read(most)
    mark = b"\r" if layout.returns else b"\n"
    return io.BytesIO(start if len(start) < most else start[: start.rfind(mark) + 1])


def has_quotes(path: Path, layout: Layout) -> bool:
    """Whether a quotation mark stands in the rows of a file."""
    with open_binary(path) as file:
        return _holds(file, layout.start, b'"')


def _has_comments(file: BinaryIO, start: int) -> bool:
    """Whether a line of the rest of a file begins with a number sign."""
    file.seek(start)
    return file.read(1) == b"#" or _holds(file, start, b"\n#")


def _holds(file: BinaryIO, start: int, mark: bytes) -> bool:
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

    def __init__(self, path: Path, layout: Layout, file: BinaryIO) -> None:
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
