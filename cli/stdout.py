"""What commands print."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress

from skyaccept.lib import terminal_text
from skyaccept.lib.exceptions import OutputError


def put_lines(lines: Sequence[str]) -> None:
    """Print lines, whatever is in them; raises as `put`."""
    put(terminal_text.lines(lines) + "\n")


def put_document(text: str) -> None:
    """Print a document as it is, and on a terminal so that it is safe there; raises as `put`."""
    if sys.stdout.isatty():
        put_lines(text.splitlines())
    else:
        put(text)


def put(text: str) -> None:
    """Print text at once.

    Raises
    ------
    OutputError
        The standard output cannot be written to, as on a full disk.
    BrokenPipeError
        Nobody reads it any more.
    """
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        with suppress(OSError):  # else Python tries again when it ends
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            raise
        raise OutputError(f"standard output: cannot be written: {error.strerror}") from None
