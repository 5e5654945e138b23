"""What can go wrong with what a user hands over or asks for."""

from __future__ import annotations

from typing import Any


class InputError(ValueError):
    """A document, catalog or option is unusable; each message names the file, the place in it and the remedy."""

    def __str__(self) -> str:
        return "\n".join(map(str, self.args))


class OutputError(InputError):
    """A file cannot be written; the message names it and says why."""


class NotMeasurable(Exception):  # noqa: N818  (a verdict, not a fault)
    """The dataset cannot answer the clause; the message is the reason given in the report.

    Attributes
    ----------
    data : dict
        What could be found nevertheless, as plain JSON types: a diagnostic, never a value.
    """

    def __init__(self, reason: str, data: dict[str, Any] | None = None) -> None:
        super().__init__(reason, data)
        self.data = data or {}

    def __str__(self) -> str:
        return str(self.args[0])
