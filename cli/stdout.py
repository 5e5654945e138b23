"""Write to the standard output, with errors as `OutputError`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress

from skyaccept.lib import terminal_text
from skyaccept.lib.exceptions import OutputError


def print_lines(lines: Sequence[str]) -> None:
    """Print lines with control characters escaped; raises as `write`."""
    write(terminal_text.lines(lines) + "\n")


def print_document(text: str) -> None:
    """Print a document; on a terminal, escape control characters.

    Raises as `write`.
    """
    if sys.stdout.isatty():
        print_lines(text.splitlines())
    else:
        write(text)


def write(text: str) -> None:
    """Write and flush a text.

    Raises
    ------
    OutputError
        The standard output cannot be written, for example because the disk is full.
    BrokenPipeError
        The reader has closed the pipe.
    """
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        with suppress(OSError):  # otherwise Python tries to flush again at exit
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            raise
        raise OutputError(f"standard output: cannot be written: {error.strerror}") from None
