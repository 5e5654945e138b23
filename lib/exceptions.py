"""Exceptions: invalid input or output, and a metric that data cannot determine."""

from __future__ import annotations

from typing import Any

WRITE_ERROR = 74
"""Exit status where files cannot be written, as that of an input/output error in sysexits.h."""


class InputError(ValueError):
    """Invalid document, catalog or option; the message names file, place and remedy."""

    def __str__(self) -> str:
        return "\n".join(map(str, self.args))


class OutputError(InputError):
    """A file cannot be written; the message gives its name and the reason."""


class NotMeasurable(Exception):  # noqa: N818  (a verdict, not a fault)
    """A clause cannot be measured on the dataset; the message says why.

    Attributes
    ----------
    data : dict
        Diagnostic data as plain JSON types; never a value.
    """

    def __init__(self, reason: str, data: dict[str, Any] | None = None) -> None:
        super().__init__(reason, data)
        self.data = data or {}

    def __str__(self) -> str:
        return str(self.args[0])
