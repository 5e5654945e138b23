"""Text of survey profiles: lines of YAML, each with what it rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

import yaml
from skyaccept.lib.terminal_text import safe


class Blank(Enum):
    """What stands where a value is for the user to fill in."""

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
        What it rests on, or what is missing.
    stated : bool
        Whether it is part of the profile; else it is written as a comment.
    complete : bool
        Whether nothing in it is for the user to fill in.
    has_column : bool
        Whether a column of the file stands behind it.
    """

    key: str
    entry: str
    remark: str = ""
    stated: bool = True
    complete: bool = True
    has_column: bool = True

    def text(self, indent: str) -> str:
        """The line, as a comment where it does not hold yet."""
        mark = "" if self.stated else "#"
        return f"{mark}{indent}{self.key}: {self.entry}" + (f"   # {safe(self.remark)}" if self.remark else "")


@dataclass(frozen=True)
class Draft:
    """Lines of a profile by the part that they stand in.

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
        """The profile as YAML."""
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
        """Keys for which the file has columns, whether their lines are complete or not."""
        return {line.key for line in (*self.columns, *self.flux) if line.has_column}

    def to_complete(self) -> list[str]:
        """Columns of ours that count for nothing until their lines are completed."""
        lines = (*self.columns, *self.flux)
        done = {line.key for line in lines if line.stated and line.complete}
        return list(dict.fromkeys(line.key for line in lines if line.key not in done))


def _section(key: str, lines: Sequence[Line]) -> list[str]:
    """Lines below a key, which is a comment where all of them are."""
    if not lines:
        return []
    mark = "" if any(line.stated for line in lines) else "#"
    return [f"{mark}{key}:", *(line.text("  ") for line in lines)]


def format_entry(**parts: Value | None) -> str:
    """Value of a key: a flow mapping of what is given, or the name alone where that is all."""
    given = {key: value for key, value in parts.items() if value is not None}
    return _value(given["name"] if list(given) == ["name"] else given)


def _value(value: Value) -> str:
    if isinstance(value, Blank):
        return str(value.value)
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{_value(key)}: {_value(one)}' for key, one in value.items())}}}"
    return yaml.safe_dump([value], default_flow_style=True, width=float("inf")).strip()[1:-1]
