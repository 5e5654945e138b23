"""Make untrusted text safe for a terminal."""

from __future__ import annotations

from collections.abc import Iterable

_KEPT = " \N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}"


def safe(text: str) -> str:
    r"""Make text safe for a line of a terminal.

    Show control characters, line ends, marks of writing direction, invisible characters and lone surrogates as escapes
    such as ``\x1b``. No text can then move the cursor, start a line, or hide.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in _KEPT else c.encode("unicode_escape").decode() for c in text)


def message(error: Exception) -> str:
    """Return the message of an error, safe for a terminal, a line for each text."""
    return lines(map(str, error.args)) if error.args else safe(str(error))


def lines(texts: Iterable[str]) -> str:
    """Return one line for each text."""
    return "\n".join(map(safe, texts))
