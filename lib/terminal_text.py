"""Text of strangers on a terminal: names and sentences that may hold escape sequences."""

from __future__ import annotations

from collections.abc import Iterable

_KEPT = " \N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}"


def safe(text: str) -> str:
    r"""Make text safe for a line of a terminal.

    Control characters, line ends, marks of writing direction, invisible characters and halves of surrogate pairs are
    shown as escapes, such as ``\x1b``: no text can move the cursor, begin a line of its own, or hide.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in _KEPT else c.encode("unicode_escape").decode() for c in text)


def message(error: Exception) -> str:
    """Message of an error, safe for a terminal: a line for each text that the error was made of."""
    return lines(map(str, error.args)) if error.args else safe(str(error))


def lines(texts: Iterable[str]) -> str:
    """Lines of a terminal, one for each text."""
    return "\n".join(map(safe, texts))
