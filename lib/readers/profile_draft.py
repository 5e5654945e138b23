"""Drafts of survey profiles: YAML lines with remarks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

import yaml
from skyaccept.lib.terminal_text import safe


class Blank(Enum):
    """Placeholder of a value for the user to fill in."""

    UNKNOWN = "?"


UNKNOWN = Blank.UNKNOWN
Value = str | int | float | bool | Blank | Sequence[int] | Mapping[str, "Value"]


@dataclass(frozen=True)
class Line:
    """One line of a drafted profile.

    Attributes
    ----------
    key, entry : str
        Key and value, in YAML.
    remark : str
        Its reason, or what is missing.
    stated : bool
        Whether it is part of the profile; else it is written as a comment.
    complete : bool
        Whether the user need not fill in anything.
    has_column : bool
        Whether it is based on a column of the file.
    """

    key: str
    entry: str
    remark: str = ""
    stated: bool = field(default=True, kw_only=True)
    complete: bool = field(default=True, kw_only=True)
    has_column: bool = field(default=True, kw_only=True)

    def text(self, indent: str) -> str:
        """Format the line, as a comment if it is not part of the profile yet."""
        mark = "" if self.stated else "#"
        return f"{mark}{indent}{self.key}: {self.entry}" + (f"   # {safe(self.remark)}" if self.remark else "")


@dataclass(frozen=True)
class Draft:
    """Lines of a profile by section.

    Attributes
    ----------
    top : tuple of Line
        Before the columns.
    columns, flux, flags : tuple of Line
    end : tuple of Line
        After them.
    """

    columns: tuple[Line, ...]
    top: tuple[Line, ...] = ()
    flux: tuple[Line, ...] = ()
    flags: tuple[Line, ...] = ()
    end: tuple[Line, ...] = ()

    def to_yaml(self, source: str) -> str:
        """Format the profile as YAML."""
        lines = [
            f"# Drafted by skyaccept inspect from {safe(source)}.",
            "# A ? is for you to fill in. A line that begins with # counts once the # is removed.",
            "survey: my-survey",
            "title: My survey",
            *(line.text("") for line in self.top),
            "columns:",
            *(line.text("  ") for line in self.columns),
            *_section("flux", self.flux),
            *_section("flags", self.flags),
            *(line.text("") for line in self.end),
            "association_radius: 1 arcsec",
        ]
        return "\n".join(lines) + "\n"

    def keys_with_columns(self) -> set[str]:
        """Return the keys with a column in the file, complete or not."""
        return {line.key for line in (*self.columns, *self.flux) if line.has_column}

    def to_complete(self) -> list[str]:
        """Return the columns of the detections whose lines are incomplete."""
        lines = (*self.columns, *self.flux)
        done = {line.key for line in lines if line.stated and line.complete}
        return list(dict.fromkeys(line.key for line in lines if line.key not in done))


def _section(key: str, lines: Sequence[Line]) -> list[str]:
    """Format the lines below a key, commented out if all lines are."""
    if not lines:
        return []
    mark = "" if any(line.stated for line in lines) else "#"
    return [f"{mark}{key}:", *(line.text("  ") for line in lines)]


def format_entry(**parts: Value | None) -> str:
    """Format the value of a key: a flow mapping, or a bare column name."""
    given = {key: value for key, value in parts.items() if value is not None}
    return _value(given["name"] if list(given) == ["name"] else given)


def _value(value: Value) -> str:
    if isinstance(value, Blank):
        return str(value.value)
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{_value(key)}: {_value(one)}' for key, one in value.items())}}}"
    return yaml.safe_dump([value], default_flow_style=True, width=float("inf")).strip()[1:-1]
